// Firmware, where the BMC does not tell what became of an act, tells it late, or tells it wrongly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct DoubtfulTray : FleetOfOne {
  DoubtfulTray() : FleetOfOne(workflows::firmwareSteps()) {}
};
Error lostReply() { return Error{Errc::Timeout, "no reply in time", true}; }

// The reply to the restart is lost, the old version stays (fault 16), and nothing tells when the BMC restarted.
TEST(FirmwareInDoubt, ABmcWithoutResetTimesIsNotRestartedAgain) {
  DoubtfulTray t;
  t.machine().dates = false;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.machine().packages["package-bmc"].activation = Activation::AuxCycle;
  t.machine().refuse["bmc"] = {lostReply()};
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc", "off", "aux", "on"));
}

// Somebody else's task appears as failed while ours is not listed yet, and has no name.
TEST(FirmwareInDoubt, AnotherOnesFailedTaskIsNotOurs) {
  DoubtfulTray t;
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

TEST(FirmwareInDoubt, APushWithAnUnknownOutcomeIsDecidedByTheTasks) {
  DoubtfulTray t;
  t.machine().refuse["push"] = {lostReply()};
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

// It was seen running: that the BMC forgets it says nothing.
TEST(FirmwareInDoubt, APushWithAnUnknownOutcomeWhoseTaskIsForgottenIsNotRepeated) {
  DoubtfulTray t;
  t.machine().refuse["push"] = {lostReply()};
  t.machine().forgetsTasks = true;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

// Nobody looked while its task was listed, because we were dead or the network was.
TEST(FirmwareInDoubt, APushWithAnUnknownOutcomeThatNobodyWatchedIsNotRepeated) {
  for (const bool dead : {true, false}) {
    DoubtfulTray t;
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

TEST(FirmwareInDoubt, APushThatNeverArrivedIsRepeatedInMinutes) {
  DoubtfulTray t;
  t.machine().lostRequests["push"] = 1;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  EXPECT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 8min));
  t.site.runToEnd(t.id, 48h);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

TEST(FirmwareInDoubt, ATaskThatVanishedWithABmcRestartIsNotPushedAgainBeforeTheCycle) {
  DoubtfulTray t;
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

// Fault 11: a BMC that restarts by itself at the end of its own update has brought it alive.
TEST(FirmwareInDoubt, ABmcThatRestartedByItselfIsNotRestartedForWhatIsAlive) {
  DoubtfulTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.site.boot();
  t.id = t.start();
  t.site.runUntil([&] { return t.machine().staged.contains("FW_BMC_0"); }, 1h);
  t.machine().restartBmc();
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc"));
}

TEST(FirmwareInDoubt, ATaskThatTheBmcForgetsAtOnceIsNotPushedTwiceWithoutNeed) {
  DoubtfulTray t;
  t.wantFirmware("rot", "FW_ROT_0", Activation::None);
  t.machine().forgetsTasks = true;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1) << "the version shows it";
}

TEST(FirmwareInDoubt, ARefusedPushAndABmcRestartAreNoReasonForAPowerCycle) {
  DoubtfulTray t;
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

TEST(FirmwareInDoubt, ABmcThatForgetsTasksAndTellsNoResetTimeIsNotPushedTwice) {
  DoubtfulTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.machine().dates = false;
  t.machine().forgetsTasks = true;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(FirmwareInDoubt, AVersionThatIsListedEarlyDoesNotEndTheWrite) {
  DoubtfulTray t;
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

// What is not alive after what may have been the power cycle gets another cycle, not another flash.
TEST(FirmwareInDoubt, APowerCycleThatNeverArrivedIsNoReasonToWriteAgain) {
  enum class And { NoResetTimes, NoResetTimeYet, RestartByHand };
  for (const auto trouble : {And::NoResetTimes, And::NoResetTimeYet, And::RestartByHand}) {
    DoubtfulTray t;
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

TEST(FirmwareInDoubt, ATaskThatIsNotListedForAMinuteStillRuns) {
  DoubtfulTray t;
  t.machine().flashes = 40min;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.world.after(20min, [&] { t.machine().hidesTasks = true; });
  t.site.world.after(21min, [&] { t.machine().hidesTasks = false; });
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().interrupted, 0);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

TEST(FirmwareInDoubt, NoPowerIsCutAndNoBmcRestartedBeneathSomebodyElsesUpdate) {
  for (const auto how : {Activation::AuxCycle, Activation::BmcReset, Activation::HostCycle}) {
    DoubtfulTray t;
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

// LastResetTime is computed from a clock that is set a moment after the push: nothing has restarted.
TEST(FirmwareInDoubt, AClockThatIsSetIsNoRestart) {
  for (const bool names : {true, false})
    for (const auto after : {0s, 1s, 5s, 14s, 20s, 400s})
      for (const Duration by : {Duration{1s}, Duration{500'000h}}) {
        DoubtfulTray t;
        t.machine().namesTasks = names;
        t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
        t.site.boot();
        t.id = t.start();
        ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
        t.site.run(after);
        t.machine().clockIsOff += by;
        t.site.runToEnd(t.id, 48h);
        EXPECT_EQ(t.machine().interrupted, 0);
        EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
      }
}

TEST(FirmwareInDoubt, AClockThatIsSetIsNoPowerCycle) {
  DoubtfulTray t;
  t.machine().cycleBegins = 60s;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("aux") == 1; }, 5h));
  t.site.run(10s);
  t.machine().clockIsOff = 500'000h;
  t.site.run(45s);
  EXPECT_EQ(t.run().step, "firmware.aux_cycle") << "its power is about to go";
  t.site.runToEnd(t.id, 5h);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

TEST(FirmwareInDoubt, AnOddReadingAfterALongWaitIsNoReasonToWriteAgain) {
  DoubtfulTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "firmware.verify"; }, 5h));
  t.machine().unread = {"FW_BMC_0"};
  t.site.run(9min);
  t.machine().unread.clear();
  t.machine().versions["FW_BMC_0"] = "1";  // listed late
  t.site.run(1min);
  t.machine().versions["FW_BMC_0"] = "2";
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1);
}

TEST(FirmwareInDoubt, OutOfContactNoOldVersionSettles) {
  DoubtfulTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "firmware.verify"; }, 5h));
  t.machine().versions["FW_BMC_0"] = "1";  // listed late
  t.site.run(30s);
  t.machine().broken = Error{Errc::Unreachable, "switch rebooted"};
  t.site.run(9min);
  t.machine().broken.reset();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().state == RunState::Active; }, 1h));
  t.site.run(20s);
  t.machine().versions["FW_BMC_0"] = "2";
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 1) << testing::PrintToString(t.machine().writes);
}

// Both requests to cycle the tray are lost. The BMC restarts for another reason after the first, and does not tell of any
// restart after the second.
TEST(FirmwareInDoubt, ASilentBmcIsNotBelievedBecauseAnEarlierCycleBroughtNothing) {
  DoubtfulTray t;
  t.machine().lostRequests["aux"] = 2;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  const auto cycleIsLost = [&] {
    return t.site.runUntil([&] { return t.run().step == "firmware.aux_cycle"; }, 5h) &&
           t.site.runUntil([&] { return t.run().act().phase == ActPhase::Unknown; }, 1h);
  };
  ASSERT_TRUE(cycleIsLost());
  t.machine().restartBmc();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "firmware.verify"; }, 5h));
  ASSERT_TRUE(cycleIsLost());
  t.machine().dates = false;
  t.site.run(25min);
  t.machine().dates = true;
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push"), 1) << testing::PrintToString(t.machine().writes);
}

// By a clock that is wrong the BMC restarted at another time than it was asked to.
TEST(FirmwareInDoubt, ACycleThatNobodySawIsLeftToTheVersions) {
  DoubtfulTray t;
  t.machine().clockIsOff = -250'000h;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("aux") == 1; }, 5h));
  t.site.run(5s);
  t.site.kill();
  t.site.run(30min);
  t.site.boot();
  t.site.runToEnd(t.id, 5h);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
}

// The baseline says what brings it alive, and it takes the tray's power.
TEST(FirmwareInDoubt, AWrongActivationCostsACycleAndNoSecondFlash) {
  for (const auto said : {Activation::None, Activation::HostCycle, Activation::BmcReset}) {
    DoubtfulTray t;
    t.wantFirmware("bmc", "FW_BMC_0", said);
    t.machine().packages["package-bmc"].activation = Activation::AuxCycle;
    EXPECT_EQ(t.runToEnd(), RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(t.machine().count("push"), 1);
    EXPECT_EQ(t.machine().count("aux"), 1);
    EXPECT_EQ(t.machine().duplicates, 0);
  }
}

TEST(FirmwareInDoubt, ABmcThatCannotRestartIsCycledWithItsTray) {
  for (const bool dates : {true, false}) {
    DoubtfulTray t;
    t.machine().dates = dates;
    t.machine().refuse["bmc"] = std::vector<Error>(9, Error{Errc::Unsupported, "no BMC reset"});
    t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
    EXPECT_EQ(t.runToEnd(), RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "off", "aux", "on"));
  }
}

TEST(FirmwareInDoubt, WhoHoldsTheTrayAndUpdatesItByHandIsNotCutOff) {
  DoubtfulTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("push") == 1; }, 1h));
  t.site.tables.holds[t.node] = "amina flashes by hand";
  t.site.run(1h);
  ASSERT_EQ(t.run().step, "firmware.off");
  t.machine().foreignTask = true;
  t.site.tables.holds.clear();
  t.site.run(10min);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc"));
  t.machine().foreignTask = false;
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
}

}  // namespace
}  // namespace zellige::test
