// The flash slot of a run that has ended: kept while its write may still run, and no longer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/retried_tray.hpp"

namespace zellige::test {
namespace {

using testing::IsEmpty;

struct SlotTray : RetriedTray {
  SlotTray() : RetriedTray({"", [](FakeBmc&) {}}) {}
  /// Its run ends while the first package is being written.
  void cancelAfterPush(Duration d) {
    site.boot();
    id = start();
    ASSERT_TRUE(site.runUntil([&] { return machine().count("push") == 1; }, 1h));
    cancelAfter(d);
    ASSERT_FALSE(site.engine().budgetUse().empty());
  }
};

TEST(FlashSlot, IsGivenBackOnceTheTaskHasFailed) {
  SlotTray t;
  t.machine().failTasks = 1;
  t.cancelAfterPush(1min);
  t.site.run(20min);
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

TEST(FlashSlot, IsKeptWhileTheTaskIsNotListedForAMinute) {
  for (const bool names : {false, true}) {
    SlotTray t;
    t.machine().flashes = 40min;
    t.machine().namesTasks = names;
    t.cancelAfterPush(1min);
    t.site.run(19min);
    t.machine().hidesTasks = true;
    t.site.run(2min);
    t.machine().hidesTasks = false;
    ASSERT_TRUE(t.machine().writesNow());
    EXPECT_FALSE(t.site.engine().budgetUse().empty());
    t.site.run(40min);
    EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
  }
}

TEST(FlashSlot, IsKeptThoughAnotherOnesTaskIsOver) {
  for (const auto state : {TaskState::Completed, TaskState::Failed}) {
    SlotTray t;
    t.machine().namesTasks = false;
    t.machine().lag = 3min;
    t.machine().foreignTaskState = state;
    t.machine().foreignTask = true;
    t.cancelAfterPush(10s);
    t.site.run(2min);
    ASSERT_TRUE(t.machine().writesNow());
    EXPECT_FALSE(t.site.engine().budgetUse().empty()) << nameOf(state);
  }
}

TEST(FlashSlot, IsGivenBackAfterTheLongestWriteThoughTheMachineNeverAnswersAgain) {
  SlotTray t;
  t.cancelAfterPush(1min);
  t.machine().broken = Error{Errc::Unreachable, "the tray was pulled"};
  t.site.run(110min);
  EXPECT_FALSE(t.site.engine().budgetUse().empty());
  t.site.run(15min);
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

// The ended run would wait for good for an item that no BMC lists: that is no write, and its slot is another's.
TEST(FlashSlot, IsNotKeptBecauseTheBaselineWasWrong) {
  SlotTray t;
  t.site.options.budgets.flashesPerRack = 1;
  t.target().baseline.entries.back().components.front().match = "HGX_FW_TYPO";
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  t.target().digest = "corrected";
  t.target().baseline.entries.back().components.front().match = "HGX_FW_GPU_0";
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << t.run().waitsFor;
  EXPECT_EQ(t.machine().count("push"), 2) << "two packages";
}

}  // namespace
}  // namespace zellige::test
