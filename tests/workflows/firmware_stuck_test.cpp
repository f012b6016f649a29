// Firmware whose task says for ever that it runs (fault 13).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;

struct Tray : FleetOfOne {
  Tray() : FleetOfOne(workflows::firmwareSteps()) { machine().stuckTasks = 1; }
};

// Fault 13: it is written, and nobody but the versions will ever say so.
TEST(StuckTask, ATaskThatNeverEndsIsEndedByARestartOfTheBmc) {
  for (const bool named : {true, false})
    for (const auto activation : {Activation::BmcReset, Activation::AuxCycle}) {
      Tray t;
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
  Tray t;
  t.wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
  t.site.boot();
  t.id = t.start();
  for (int life = 0; life < 3; ++life) {
    t.site.run(40min);
    EXPECT_EQ(t.machine().count("bmc"), 0);
    t.site.kill();
    t.site.boot();
  }
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc", "bmc"));
}

TEST(StuckTask, ABmcThatCannotBeRestartedLeavesAStuckTaskToAPerson) {
  Tray t;
  t.machine().refuse["bmc"] = {Error{Errc::Unsupported, "no Manager.Reset"}};
  t.wantFirmware("bmc", "FW_BMC_0", Activation::AuxCycle);
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("firmware.not_applied"));
  EXPECT_THAT(t.machine().writes, ElementsAre("push package-bmc"));
}

}  // namespace
}  // namespace zellige::test
