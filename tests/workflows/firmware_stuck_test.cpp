// Firmware whose task says for ever that it runs (fault 13).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;

struct StuckTray : FleetOfOne {
  StuckTray() : FleetOfOne(workflows::firmwareSteps()) { machine().stuckTasks = 1; }

  /// The package was sent, and its task runs; then the BMC is out of reach.
  void loseContactAfter(Duration span) {
    wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
    site.boot();
    id = start();
    site.run(span);
    ASSERT_TRUE(machine().writesNow());
    machine().broken = Error{Errc::Unreachable, "switch rebooted"};
  }
  /// It is back, and writes what another sent, without telling any progress.
  void comeBackWritingForAnother() {
    machine().foreignMoves = false;
    machine().foreignTask = true;
    machine().broken.reset();
  }
};

// Fault 13: it is written, and nobody but the versions will ever say so.
TEST(StuckTask, ATaskThatNeverEndsIsEndedByARestartOfTheBmc) {
  for (const bool named : {true, false})
    for (const auto activation : {Activation::BmcReset, Activation::AuxCycle}) {
      StuckTray t;
      t.machine().namesTasks = named;
      t.wantFirmware("bmc", "FW_BMC_0", activation);
      const auto began = t.site.time.now();
      EXPECT_EQ(t.runToEnd(), RunState::Done);
      EXPECT_GT(t.site.time.now() - began, 45min) << "a write may take long";
      EXPECT_LT(t.site.time.now() - began, 2h);
      if (activation == Activation::BmcReset)
        EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc"));
      else
        EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc", "off", "aux", "on"));
      EXPECT_EQ(t.machine().duplicates, 0);
      EXPECT_EQ(t.machine().interrupted, 0);
    }
}

// Whoever dies too often to see that nothing moves knows at least when it was pushed.
TEST(StuckTask, AStuckTaskIsGivenUpAfterTwoHoursWhoeverDiesMeanwhile) {
  StuckTray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.site.boot();
  t.id = t.start();
  for (int life = 0; life < 3; ++life) {
    t.site.run(40min);
    EXPECT_EQ(t.machine().count("bmc"), 0);
    t.site.kill();
    t.site.boot();
  }
  t.site.run(4min);
  EXPECT_EQ(t.machine().count("bmc"), 0) << "not at first sight: it may be moving";
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc"));
}

// Some tell 0 % until they are done: 45 minutes without a sign say nothing of them.
TEST(StuckTask, ABmcThatTellsNoProgressHasAsLongAsTheLongestWrite) {
  StuckTray t;
  t.machine().progress = 0;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.site.boot();
  t.id = t.start();
  t.site.run(115min);
  EXPECT_EQ(t.machine().count("bmc"), 0);
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
}

// OpenBMC counts its tasks anew at every start: what runs under our task's number may be somebody else's.
TEST(StuckTask, AnothersUpdateUnderTheSameNumberIsLeftAlone) {
  StuckTray t;
  t.machine().stuckTasks = 0;
  t.loseContactAfter(3min);
  t.site.run(1min);
  t.machine().restartBmc();
  t.site.run(3h);
  t.machine().foreignUri = "/tasks/1";
  t.comeBackWritingForAnother();
  t.site.run(100min);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc"));
  t.machine().foreignTask = false;
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().interrupted, 0);
  EXPECT_EQ(t.machine().duplicates, t.machine().needless) << "a power cycle tells whether it was written";
}

TEST(StuckTask, AnothersUpdateThatBeganLaterIsNotTakenForANamelessOne) {
  StuckTray t;
  t.machine().stuckTasks = 0;
  t.machine().namesTasks = false;
  t.machine().forgetsTasks = true;
  t.loseContactAfter(30s);
  t.site.run(50min);
  t.comeBackWritingForAnother();
  t.site.run(3h);
  EXPECT_EQ(t.machine().count("bmc"), 0);
  EXPECT_EQ(t.machine().interrupted, 0);
  t.machine().foreignTask = false;
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(StuckTask, EndsTheSameWhereverTheControllerDies) {
  for (const bool named : {true, false}) {
    int points = 0;
    for (int point = -1; point < points; ++point) {
      SCOPED_TRACE(fmt::format("{} task, point {}", named ? "a named" : "a nameless", point));
      StuckTray t;
      t.machine().namesTasks = named;
      t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
      t.site.boot();
      t.id = t.start();
      if (point >= 0) t.site.points.arm(point);
      t.site.run(5h);
      if (t.site.points.dead()) t.site.boot();
      t.site.runToEnd(t.id, 48h);
      if (point < 0) points = static_cast<int>(t.site.points.passed().size());
      EXPECT_EQ(t.run().state, RunState::Done);
      EXPECT_EQ(t.machine().duplicates, 0);
      EXPECT_EQ(t.machine().interrupted, 0);
      EXPECT_LE(t.machine().count("bmc"), 1);
      EXPECT_EQ(t.machine().count("push"), 1);
    }
    EXPECT_GT(points, 20);
  }
}

TEST(StuckTask, ABmcThatCannotBeRestartedLeavesAStuckTaskToAPerson) {
  StuckTray t;
  t.machine().refuse["bmc"] = {Error{Errc::Unsupported, "no Manager.Reset"}};
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.not_applied"));
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc"));
}

}  // namespace
}  // namespace zellige::test
