// Firmware by recipe: every branch of writing, restarting, cycling and reading back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct FirmwareTray : FleetOfOne {
  FirmwareTray() : FleetOfOne(workflows::firmwareSteps()) {}
};

TEST(Firmware, EverythingAlreadyAsWantedIsNoAct) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().versions["FW_BMC_0"] = "2";
  const auto begun = t.site.time.now();
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_TRUE(t.hasEvidence("firmware"));
  EXPECT_LT(t.site.time.now() - begun, 1min) << "nothing was written: one reading is enough";
}

TEST(Firmware, WritesInOrderCyclesOnceAndReadsBackThreeTimes) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "push package-hgx", "off", "aux", "on"));
  EXPECT_EQ(t.machine().duplicates, 0);
  EXPECT_EQ(t.machine().versions["HGX_FW_GPU_0"], "2");
  EXPECT_THAT(t.site.tables.evidence[(std::pair{t.node, std::string("firmware")})].evidence.dependsOn,
              ElementsAre("fw:FW_BMC_0=2", "fw:HGX_FW_GPU_0=2", "serial:S1"));
}

TEST(Firmware, ABmcRestartBringsItAliveBeforeTheNextEntry) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes,
              ElementsAre("push package-bmc", "bmc", "push package-hgx", "off", "aux", "on"));
  EXPECT_THAT(t.site.tables.findings, IsEmpty());
  EXPECT_EQ(t.site.tables.count("run.blocked"), 0) << "the BMC's absence was asked for";
}

TEST(Firmware, AHostCycleBringsItAlive) {
  FirmwareTray t;
  t.wantFirmware("nic", "FW_NIC_0", Activation::HostCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-nic", "off", "on"));
}

TEST(Firmware, WithoutActivationTheVersionIsReadBackAtOnce) {
  FirmwareTray t;
  t.wantFirmware("rot", "FW_ROT_0", Activation::None);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-rot"));
}

// One file holds the firmware of several parts (FACTS 6), which come alive in different ways.
TEST(Firmware, APackageOfTwoEntriesIsWrittenOnceAndSeesThePowerThatBothNeed) {
  for (const auto first :
       {Activation::None, Activation::BmcReset, Activation::HostCycle, Activation::AuxCycle})
    for (const bool firstIsAlive : {true, false}) {
      FirmwareTray t;
      t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
      auto& entries = t.target().baseline.entries;
      auto part = entries.front();
      part.id = "part";
      part.components = {{"FW_PART_0", "2"}};
      part.activation = first;
      entries.insert(entries.begin(), part);
      t.machine().versions["FW_PART_0"] = firstIsAlive ? "2" : "1";
      t.site.boot();
      t.id = t.start();
      ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
      t.site.run(15min);
      t.machine().versions["FW_PART_0"] = "2";
      t.site.runToEnd(t.id, 48h);
      EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
      EXPECT_EQ(t.machine().count("push"), 1);
      EXPECT_EQ(t.machine().count("aux"), 1);
      EXPECT_EQ(t.machine().versions["FW_BMC_0"], "2");
    }
}

TEST(Firmware, OldAfterTheRestartWaitsForTheAuxCycle) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.machine().packages["package-bmc"].activation = Activation::AuxCycle;  // fault 16
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc", "off", "aux", "on"));
}

TEST(Firmware, ABmcWithoutResetTimesIsRestartedAndCycledOnceEach) {
  FirmwareTray t;
  t.machine().dates = false;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("bmc"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().count("push"), 2);
}

TEST(Firmware, ATaskThatTheBmcDidNotNameIsKnownByItsNewness) {
  FirmwareTray t;
  t.machine().namesTasks = false;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

TEST(Firmware, AFailedTaskIsTriedAgain) {
  FirmwareTray t;
  t.machine().failTasks = 1;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 2);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Firmware, TasksThatFailEveryTimeAreAFinding) {
  FirmwareTray t;
  t.machine().failTasks = 9;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_EQ(t.machine().count("push"), 3);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.rejected"));
  EXPECT_EQ(t.site.tables.nodes[t.node].lifecycle, Lifecycle::Quarantined);
}

TEST(Firmware, ARefusedPackageIsTriedAgainThenFound) {
  FirmwareTray t;
  t.machine().refuse["push"] = std::vector<Error>(
      9, Error{Errc::Rejected, "component comparison stamp is lower"});
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("stamp is lower"));
}

TEST(Firmware, ATaskThatWasLostWithTheRestartIsWrittenAgainAfterReadingBack) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().neverApplied = 1;  // fault 12: the update was not done
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 2);
  EXPECT_EQ(t.machine().count("aux"), 2);
  EXPECT_EQ(t.site.tables.count("run.again"), 1);
}

TEST(Firmware, AVersionThatNeverComesAliveIsAFindingAfterThreeRounds) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().neverApplied = 9;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.not_applied"));
  EXPECT_EQ(t.machine().count("push"), 3);
}

TEST(Firmware, SomebodyElsesUpdateIsWaitedFor) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().foreignTask = true;
  t.site.boot();
  t.id = t.start();
  t.site.run(1h);
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_THAT(t.run().waitsFor, HasSubstr("the BMC writes firmware"));
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
  t.machine().foreignTask = false;
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
}

TEST(Firmware, AnAbsentBaseboardSaysNothingAboutVersions) {
  FirmwareTray t;
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  t.machine().versions["HGX_FW_GPU_0"] = "2";
  t.machine().away = Duration{0};
  t.machine().baseboardAway = 20min;
  t.machine().restartBmc();
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Firmware, ABaseboardThatStaysAwayIsAFinding) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().baseboardAway = 1000h;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.hgx_missing"));
}

TEST(Firmware, ABackgroundCopyThatNeverEndsIsAFindingAndNoPowerIsCut) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().copied = false;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_EQ(t.machine().count("aux"), 0);
}

TEST(Firmware, APackageThatIsNotThereIsWaitedForAndNothingIsSent) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  const auto files = std::exchange(t.site.tables.files, {});
  t.site.boot();
  t.id = t.start();
  t.site.run(100h);
  EXPECT_TRUE(t.run().unfinished()) << "the machine is not to blame";
  EXPECT_THAT(t.run().waitsFor, HasSubstr("package-bmc is not in the content store"));
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
  t.site.tables.files = files;
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
}

TEST(Firmware, AHoldBetweenTwoPackagesForgetsNothing) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
  t.site.tables.holds[t.node] = "amina looks at the cables";
  t.site.run(2h);
  EXPECT_EQ(t.run().waitsFor, "amina looks at the cables");
  t.site.tables.holds.clear();
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "push package-hgx", "off", "aux", "on"));
}

TEST(Firmware, AHoldAndACrashBetweenTwoPackagesForgetNothing) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
  t.site.tables.holds[t.node] = "amina looks at the cables";
  t.site.run(2h);
  t.machine().forgetTasks();
  t.site.boot();
  t.site.run(1h);
  t.site.tables.holds.clear();
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.machine().count("push package-bmc"), 1);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Firmware, AnItemThatDoesNotAnswerSaysNothingAboutItsVersion) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().versions["FW_BMC_0"] = "2";
  t.machine().unread = {"FW_BMC_0"};
  t.site.boot();
  t.id = t.start();
  t.site.run(1h);
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_THAT(t.run().waitsFor, HasSubstr("FW_BMC_0 to be listed"));
  t.machine().unread.clear();
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Firmware, OneOddReadingWritesNothing) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.world.after(1s, [&] { t.machine().versions["FW_BMC_0"] = "2"; });
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Firmware, WhatRestedOnTheOldVersionHoldsNoLonger) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.tables.inventories[t.node].firmware = {{"FW_BMC_0", "1", true, false},
                                                {"FW_NIC_0", "7", true, false}};
  t.machine().versions["FW_NIC_0"] = "7";
  const auto rests = [&](const std::string& subject, std::string on) {
    t.site.tables.evidence[{t.node, subject}] = {Evidence{t.node, {}, subject, "", {std::move(on)}, {}}, true};
  };
  rests("burnin/gemm", "fw:FW_BMC_0=1");
  rests("burnin/net", "fw:FW_NIC_0=7");
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_FALSE(t.hasEvidence("burnin/gemm"));
  EXPECT_TRUE(t.hasEvidence("burnin/net"));
  EXPECT_TRUE(t.hasEvidence("firmware"));
}

TEST(Firmware, WithoutAnAuxCycleThePersonIsToldToCycleThePower) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().refuse["aux"] = {Error{Errc::Unsupported, "platform generic has no aux power cycle"}};
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.not_applied"));
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("by hand"));
}

TEST(Firmware, TheFindingTellsWhatTheBmcRefused) {
  for (const auto* act : {"push", "bmc", "aux"}) {
    FirmwareTray t;
    t.wantFirmware("bmc", "FW_BMC_0", act == std::string("bmc") ? Activation::BmcReset : Activation::AuxCycle);
    t.machine().refuse[act] = std::vector<Error>(9, Error{Errc::Rejected, "400 the lid is open"});
    EXPECT_EQ(t.runToEnd(), RunState::Failed);
    ASSERT_EQ(t.site.tables.findings.size(), 1u);
    EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("400 the lid is open"));
  }
}

TEST(Firmware, LostContactWhileReadingBackIsNoReasonToWriteAgain) {
  FirmwareTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "firmware.verify"; }, 5h));
  t.machine().versions["FW_BMC_0"] = "1";  // listed late
  t.machine().broken = Error{Errc::Unreachable, "switch rebooted"};
  t.site.run(1h);
  t.machine().broken.reset();
  t.site.run(3min);
  t.machine().versions["FW_BMC_0"] = "2";
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

}  // namespace
}  // namespace zellige::test
