// Firmware by recipe: every branch of writing, restarting, cycling and reading back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Tray : FleetOfOne {
  Tray() : FleetOfOne(workflows::firmwareSteps()) {}
};
Error lostReply() { return Error{Errc::Timeout, "no reply in time", true}; }

TEST(Firmware, EverythingAlreadyAsWantedIsNoAct) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().versions["FW_BMC_0"] = "2";
  const auto begun = t.site.time.now();
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_TRUE(t.hasEvidence("firmware"));
  EXPECT_LT(t.site.time.now() - begun, 1min) << "nothing was written: one reading is enough";
}

TEST(Firmware, WritesInOrderCyclesOnceAndReadsBackThreeTimes) {
  Tray t;
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
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes,
              ElementsAre("push package-bmc", "bmc", "push package-hgx", "off", "aux", "on"));
  EXPECT_THAT(t.site.tables.findings, IsEmpty());
  EXPECT_EQ(t.site.tables.count("run.blocked"), 0) << "the BMC's absence was asked for";
}

TEST(Firmware, AHostCycleBringsItAlive) {
  Tray t;
  t.wantFirmware("nic", "FW_NIC_0", Activation::HostCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-nic", "off", "on"));
}

TEST(Firmware, WithoutActivationTheVersionIsReadBackAtOnce) {
  Tray t;
  t.wantFirmware("rot", "FW_ROT_0", Activation::None);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-rot"));
}

TEST(Firmware, OldAfterTheRestartWaitsForTheAuxCycle) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.machine().packages["package-bmc"].activation = Activation::AuxCycle;  // fault 16
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc", "off", "aux", "on"));
}

// The reply to the restart is lost, the old version stays (fault 16), and nothing tells when the BMC restarted.
TEST(Firmware, ABmcWithoutResetTimesIsNotRestartedAgain) {
  Tray t;
  t.machine().dates = false;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.machine().packages["package-bmc"].activation = Activation::AuxCycle;
  t.machine().refuse["bmc"] = {lostReply()};
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc", "off", "aux", "on"));
}

// Somebody else's task appears as failed while ours is not listed yet, and has no name.
TEST(Firmware, AnotherOnesFailedTaskIsNotOurs) {
  Tray t;
  t.machine().namesTasks = false;
  t.machine().foreignTaskState = TaskState::Failed;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h);
  t.machine().foreignTask = true;
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

TEST(Firmware, ABmcWithoutResetTimesIsRestartedAndCycledOnceEach) {
  Tray t;
  t.machine().dates = false;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("bmc"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().count("push"), 2);
}

TEST(Firmware, ATaskThatTheBmcDidNotNameIsKnownByItsNewness) {
  Tray t;
  t.machine().namesTasks = false;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

TEST(Firmware, APushWithAnUnknownOutcomeIsDecidedByTheTasks) {
  Tray t;
  t.machine().refuse["push"] = {lostReply()};
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

// It was seen running: that the BMC forgets it says nothing.
TEST(Firmware, APushWithAnUnknownOutcomeWhoseTaskIsForgottenIsNotRepeated) {
  Tray t;
  t.machine().refuse["push"] = {lostReply()};
  t.machine().forgetsTasks = true;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

// Nobody looked while its task was listed, because we were dead or the network was.
TEST(Firmware, APushWithAnUnknownOutcomeThatNobodyWatchedIsNotRepeated) {
  for (const bool dead : {true, false}) {
    Tray t;
    t.machine().refuse["push"] = {lostReply()};
    t.machine().forgetsTasks = true;
    t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
    t.site.boot();
    t.id = t.start();
    ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
    t.site.run(2s);
    if (dead) t.site.kill();
    t.machine().broken = Error{Errc::Unreachable, "switch rebooted"};
    t.site.run(12min);
    t.machine().broken.reset();
    if (dead) t.site.boot();
    t.site.runToEnd(t.id, 48h);
    EXPECT_EQ(t.run().state, RunState::Done);
    EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
  }
}

TEST(Firmware, APushThatNeverArrivedIsRepeatedInMinutes) {
  Tray t;
  t.machine().lostRequests["push"] = 1;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  EXPECT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 8min));
  t.site.runToEnd(t.id, 48h);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

TEST(Firmware, AFailedTaskIsTriedAgain) {
  Tray t;
  t.machine().failTasks = 1;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 2);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Firmware, TasksThatFailEveryTimeAreAFinding) {
  Tray t;
  t.machine().failTasks = 9;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_EQ(t.machine().count("push"), 3);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.rejected"));
  EXPECT_EQ(t.site.tables.nodes[t.node].lifecycle, Lifecycle::Quarantined);
}

TEST(Firmware, ARefusedPackageIsTriedAgainThenFound) {
  Tray t;
  t.machine().refuse["push"] = std::vector<Error>(
      9, Error{Errc::Rejected, "component comparison stamp is lower"});
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("stamp is lower"));
}

TEST(Firmware, ATaskThatVanishedWithABmcRestartIsNotPushedAgainBeforeTheCycle) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.world.after(15min, [&] { t.machine().restartBmc(); });
  t.machine().flashes = 14min;
  t.machine().forgetsTasks = true;
  // The restart comes while nobody looked: the BMC was out of reach since before the task ended.
  t.site.world.after(12min, [&] { t.machine().broken = Error{Errc::Unreachable, "switch rebooted"}; });
  t.site.world.after(20min, [&] { t.machine().broken.reset(); });
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Firmware, ATaskThatWasLostWithTheRestartIsWrittenAgainAfterReadingBack) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().neverApplied = 1;  // fault 12: the update was not done
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 2);
  EXPECT_EQ(t.machine().count("aux"), 2);
  EXPECT_EQ(t.site.tables.count("run.again"), 1);
}

TEST(Firmware, AVersionThatNeverComesAliveIsAFindingAfterThreeRounds) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().neverApplied = 9;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.not_applied"));
  EXPECT_EQ(t.machine().count("push"), 3);
}

TEST(Firmware, ATaskThatTheBmcForgetsAtOnceIsNotPushedTwiceWithoutNeed) {
  Tray t;
  t.wantFirmware("rot", "FW_ROT_0", Activation::None);
  t.machine().forgetsTasks = true;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1) << "the version shows it";
}

TEST(Firmware, SomebodyElsesUpdateIsWaitedFor) {
  Tray t;
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
  Tray t;
  t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  t.machine().versions["HGX_FW_GPU_0"] = "2";
  t.machine().away = Duration{0};
  t.machine().baseboardAway = 20min;
  t.machine().restartBmc();
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Firmware, ABaseboardThatStaysAwayIsAFinding) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().baseboardAway = 1000h;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.hgx_missing"));
}

TEST(Firmware, ABackgroundCopyThatNeverEndsIsAFindingAndNoPowerIsCut) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().copied = false;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_EQ(t.machine().count("aux"), 0);
}

TEST(Firmware, APackageThatIsNotThereIsWaitedForAndNothingIsSent) {
  Tray t;
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
  Tray t;
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
  Tray t;
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
  Tray t;
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
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.world.after(1s, [&] { t.machine().versions["FW_BMC_0"] = "2"; });
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Firmware, ARefusedPushAndABmcRestartAreNoReasonForAPowerCycle) {
  Tray t;
  t.wantFirmware("rot", "FW_ROT_0", Activation::None);
  t.machine().refuse["push"] = {Error{Errc::Unreachable, "no route to BMC"}};
  t.machine().away = Duration{0};
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().act().phase == ActPhase::Refused; }, 1h));
  t.machine().restartBmc();
  t.site.runToEnd(t.id, 5h);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-rot"));
}

TEST(Firmware, ABmcThatForgetsTasksAndTellsNoResetTimeIsNotPushedTwice) {
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().dates = false;
  t.machine().forgetsTasks = true;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Firmware, AVersionThatIsListedEarlyDoesNotEndTheWrite) {
  Tray t;
  t.wantFirmware("rot", "FW_ROT_0", Activation::None);
  t.machine().showsVersionsEarly = true;
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
  t.site.run(5min);
  EXPECT_EQ(t.run().step, "firmware.write");
  EXPECT_THAT(t.run().waitsFor, HasSubstr("the BMC writes firmware"));
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
}

TEST(Firmware, WhatRestedOnTheOldVersionHoldsNoLonger) {
  Tray t;
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
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().refuse["aux"] = {Error{Errc::Unsupported, "platform generic has no aux power cycle"}};
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.not_applied"));
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("by hand"));
}

// What is not alive after what may have been the power cycle gets another cycle, not another flash.
TEST(Firmware, APowerCycleThatNeverArrivedIsNoReasonToWriteAgain) {
  enum class And { NoResetTimes, NoResetTimeYet, RestartByHand };
  for (const auto trouble : {And::NoResetTimes, And::NoResetTimeYet, And::RestartByHand}) {
    Tray t;
    t.machine().lostRequests["aux"] = 1;
    t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
    t.wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
    t.site.boot();
    t.id = t.start();
    ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "firmware.aux_cycle"; }, 5h));
    t.machine().dates = trouble == And::RestartByHand;
    ASSERT_TRUE(t.site.runUntil([&] { return t.run().act().phase == ActPhase::Unknown; }, 1h));
    t.machine().dates = trouble != And::NoResetTimes;
    if (trouble == And::RestartByHand) t.machine().restartBmc();
    t.site.runToEnd(t.id, 48h);
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(t.machine().count("push"), 2) << testing::PrintToString(t.machine().writes);
    EXPECT_EQ(t.machine().count("aux"), 1);
    EXPECT_EQ(t.machine().duplicates, 0);
  }
}

TEST(Firmware, ATaskThatIsNotListedForAMinuteStillRuns) {
  Tray t;
  t.machine().flashes = 40min;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.world.after(20min, [&] { t.machine().hidesTasks = true; });
  t.site.world.after(21min, [&] { t.machine().hidesTasks = false; });
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().interrupted, 0);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

TEST(Firmware, NoPowerIsCutAndNoBmcRestartedBeneathSomebodyElsesUpdate) {
  for (const auto how : {Activation::AuxCycle, Activation::BmcReset, Activation::HostCycle}) {
    Tray t;
    t.wantFirmware("bmc", "FW_BMC_0", how);
    t.site.boot();
    t.id = t.start();
    ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
    t.machine().foreignTask = true;
    t.site.run(1h);
    EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc"));
    EXPECT_THAT(t.run().waitsFor, HasSubstr("the BMC writes firmware"));
    t.machine().foreignTask = false;
    t.site.runToEnd(t.id, 5h);
    EXPECT_EQ(t.run().state, RunState::Done);
  }
}

TEST(Firmware, TheFindingTellsWhatTheBmcRefused) {
  for (const auto* act : {"push", "bmc", "aux"}) {
    Tray t;
    t.wantFirmware("bmc", "FW_BMC_0", act == std::string("bmc") ? Activation::BmcReset : Activation::AuxCycle);
    t.machine().refuse[act] = std::vector<Error>(9, Error{Errc::Rejected, "400 the lid is open"});
    EXPECT_EQ(t.runToEnd(), RunState::Failed);
    ASSERT_EQ(t.site.tables.findings.size(), 1u);
    EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("400 the lid is open"));
  }
}

TEST(Firmware, ASlotIsGivenBackOnceTheTaskOfACancelledRunHasFailed) {
  Tray t;
  t.machine().failTasks = 1;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
  t.site.run(1min);
  t.site.await(t.site.engine().cancel(t.id, "ada", "the wrong tray"));
  ASSERT_FALSE(t.site.engine().budgetUse().empty());
  t.site.run(20min);
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

TEST(Firmware, LostContactWhileReadingBackIsNoReasonToWriteAgain) {
  Tray t;
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
