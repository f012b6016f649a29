// Budgets as runs meet them: all or wait, grants that are not lost, slots that stay held while a machine flashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/random.hpp"
#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Machines that flash for `runs` under a limit, then do something longer without it.
struct Flashing : ToySite {
  explicit Flashing(int machines, Duration deadline = 3h) : ToySite(makeSteps(deadline), machines) {
    for (int i = 0; i < machines; ++i) {
      devices.push_back(std::make_unique<Device>(site.world));
      auto& device = *devices.back();
      toy(i).onLook["flash"] = [&device](StepContext& c) {
        const auto s = device.seen("flash");
        c.setFact("looked", std::string(s == Seen::Todo ? "todo" : "other"));
        return seen(s);
      };
      toy(i).onAct["flash"] = [&device, this](StepContext&) {
        device.deliver("flash");
        mostAtATime = std::max(mostAtATime, flashing());
        return Result<void>{};
      };
      toy(i).onLook["after"] = [this](StepContext&) { return seen(afterDone ? Seen::Done : Seen::Busy); };
    }
    site.options.budgets.flashesPerRack = 2;
  }
  static std::vector<Step> makeSteps(Duration deadline) {
    auto flash = toyStep("flash");
    flash.needs = {.duringAct = Budget::Upload, .duringStep = Budget::Flash};
    flash.deadline = deadline;
    return {flash, toyStep("after", false)};
  }
  // Ground truth, counted on the devices: flashing, or about to show it.
  int flashing() const {
    int n = 0;
    for (const auto& d : devices) n += d->tookEffect("flash") && d->seen("flash") != Seen::Done;
    return n;
  }
  std::vector<RunId> startAll() {
    site.boot();
    std::vector<RunId> runs;
    for (const auto node : nodes) runs.push_back(site.start("toy", {node}));
    return runs;
  }
  bool allFlashed() const {
    for (const auto& d : devices)
      if (d->seen("flash") != Seen::Done) return false;
    return true;
  }
  std::vector<std::unique_ptr<Device>> devices;
  int mostAtATime = 0;
  bool afterDone = false;
};

TEST(BudgetedRuns, NeverMoreAtATimeThanTheLimitByIndependentCount) {
  Flashing t(10);
  t.startAll();
  ASSERT_TRUE(t.site.runUntil([&] { return t.allFlashed(); }, 5h));
  EXPECT_EQ(t.mostAtATime, 2);
}

TEST(BudgetedRuns, TheCountNoticesALimitThatIsTooHigh) {
  Flashing t(10);
  t.site.options.budgets.flashesPerRack = 3;  // what an over-admitting scheduler would do
  t.startAll();
  ASSERT_TRUE(t.site.runUntil([&] { return t.allFlashed(); }, 5h));
  EXPECT_EQ(t.mostAtATime, 3);
}

TEST(BudgetedRuns, AGrantWakesItsRunAtOnce) {
  Flashing t(8);
  const auto start = t.now();
  t.startAll();
  ASSERT_TRUE(t.site.runUntil([&] { return t.allFlashed(); }, 5h));
  EXPECT_LE(t.now() - start, 4 * (t.devices[0]->runs + t.devices[0]->lag + 15s + 5s));
}

TEST(BudgetedRuns, AGrantToARunInFlightIsNotLost) {
  Flashing t(2);
  t.site.options.budgets.flashesPerRack = 1;
  t.devices[0]->runs = Duration{0};
  t.devices[0]->lag = Duration{0};
  const auto runs = t.startAll();
  // The second run is told to wait, and saves that, at the moment when the first one gives its slot back.
  t.toy(1).exchange = Duration{1};
  ASSERT_TRUE(t.site.runUntil([&] { return t.site.tables.run(runs[0]).step == "after"; }, 1h));
  const auto freed = t.now();
  ASSERT_TRUE(t.site.runUntil([&] { return !t.toy(1).acts.empty(); }, 1h));
  EXPECT_LE(t.now() - freed, 1s);
}

TEST(BudgetedRuns, SaysForWhatARunWaits) {
  Flashing t(3);
  const auto runs = t.startAll();
  t.site.run(1min);
  EXPECT_THAT(t.site.engine().waitsFor(runs[2]), HasSubstr("flash: 2 of 2 in H1/R01/RK001"));
  EXPECT_THAT(t.run(runs[2]).waitsFor, HasSubstr("flash: 2 of 2"));
}

TEST(BudgetedRuns, WaitingForABudgetIsExcusedFromTheDeadline) {
  Flashing t(3, 30min);
  for (auto& d : t.devices) d->runs = 25min;
  t.site.options.budgets.flashesPerRack = 1;
  t.afterDone = true;
  const auto runs = t.startAll();
  ASSERT_TRUE(t.site.runUntil([&] { return t.allFlashed(); }, 5h));
  t.site.run(1min);
  for (const auto run : runs) EXPECT_EQ(t.run(run).state, RunState::Done);
}

TEST(BudgetedRuns, ARunThatNoLongerNeedsItsGrantGivesItBack) {
  Flashing t(3);
  t.site.options.budgets.flashesPerRack = 1;
  const auto runs = t.startAll();
  t.site.run(30s);
  ASSERT_EQ(t.toy(0).acts.size(), 1u);
  t.devices[1]->runs = Duration{0};
  t.devices[1]->deliver("flash");  // somebody else flashed the second machine meanwhile
  t.site.run(15s);
  t.site.engine().nudge(t.nodes[1]);
  ASSERT_TRUE(t.site.runUntil([&] { return t.allFlashed(); }, 1h))
      << "the third must get the slot that the second waited for";
  t.site.run(10min);
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

TEST(BudgetedRuns, AForeignUpdateNeedsNoSlotOfOurs) {
  Flashing t(2);
  t.site.options.budgets.flashesPerRack = 1;
  t.startAll();
  t.site.run(30s);
  ASSERT_EQ(t.toy(0).acts.size(), 1u);
  t.devices[1]->runs = 3h;  // a foreign update of the waiting machine
  t.devices[1]->deliver("flash");
  t.site.run(30s);
  t.site.engine().nudge(t.nodes[1]);
  t.site.run(10min);  // the first is done
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

TEST(BudgetedRuns, AHeldNodeKeepsNoSlotFromOthers) {
  Flashing t(2);
  t.site.options.budgets.flashesPerRack = 1;
  t.toy(0).onAct["flash"] = [&](StepContext&) -> Result<void> {
    t.site.tables.holds[t.nodes[0]] = "hands inside";
    return Error{Errc::Busy, "503"};
  };
  t.startAll();
  ASSERT_TRUE(t.site.runUntil([&] { return t.toy(1).acts.size() == 1; }, 20min));
}

TEST(BudgetedRuns, ABlockedRunThatNeverActedHoldsNothing) {
  Flashing t(3);
  t.site.options.budgets.flashesPerRack = 1;
  t.startAll();
  t.site.run(30s);
  t.toy(1).broken = unreachable();
  ASSERT_TRUE(t.site.runUntil([&] { return t.devices[2]->seen("flash") == Seen::Done; }, 1h));
}

struct Overdue : testing::TestWithParam<std::string> {};
TEST_P(Overdue, ASlotStaysHeldWhileTheMachineStillFlashes) {
  Flashing t(3, 30min);
  t.site.options.budgets.flashesPerRack = 1;
  t.devices[0]->runs = 5h;
  const auto runs = t.startAll();
  t.site.run(10min);
  const auto how = GetParam();
  if (how == "cancelled") {
    ASSERT_TRUE(*t.site.await(t.site.engine().cancel(runs[0], "amina", "stop")));
  }
  if (how == "bad_reply") t.toy(0).broken = Error{Errc::BadReply, "cut short"};
  t.site.run(2h);
  EXPECT_FALSE(t.run(runs[0]).unfinished());
  EXPECT_THAT(t.toy(1).acts, IsEmpty());
  const auto uses = t.site.engine().budgetUse();
  ASSERT_EQ(std::count_if(uses.begin(), uses.end(), [](const auto& use) { return use.used > 0; }), 2);
  t.toy(0).broken.reset();
  ASSERT_TRUE(t.site.runUntil([&] { return t.devices[0]->seen("flash") == Seen::Done; }, 4h));
  ASSERT_TRUE(t.site.runUntil([&] { return t.toy(1).acts.size() == 1; }, 3min)) << "…and is given back then";
}
INSTANTIATE_TEST_SUITE_P(BudgetedRuns, Overdue, testing::Values("overdue", "cancelled", "bad_reply"));

TEST(BudgetedRuns, ASlotOfARunThatHasEndedSurvivesOurDeath) {
  Flashing t(2, 30min);
  t.site.options.budgets.flashesPerRack = 1;
  t.devices[0]->runs = 5h;
  const auto runs = t.startAll();
  t.site.run(2h);
  ASSERT_EQ(t.run(runs[0]).state, RunState::Failed);
  ASSERT_TRUE(t.run(runs[0]).lingers);
  t.site.boot();
  t.site.run(1h);
  EXPECT_THAT(t.toy(1).acts, IsEmpty());
  ASSERT_TRUE(t.site.runUntil([&] { return t.devices[0]->seen("flash") == Seen::Done; }, 4h));
  ASSERT_TRUE(t.site.runUntil([&] { return t.toy(1).acts.size() == 1; }, 3min));
  EXPECT_FALSE(t.run(runs[0]).lingers);
}

TEST(BudgetedRuns, ANewRunOnTheNodeIsNotDisturbedByTheOldOnesSlot) {
  Flashing t(1, 90min);
  t.devices[0]->runs = 2h;
  const auto runs = t.startAll();
  ASSERT_TRUE(t.site.runToEnd(runs[0], 2h));
  t.site.tables.nodes[t.nodes[0]].lifecycle = Lifecycle::Qualifying;
  t.site.rested.clear();
  t.afterDone = false;
  const auto again = t.site.start("toy", {t.nodes[0]});
  ASSERT_TRUE(t.site.runUntil([&] { return t.devices[0]->seen("flash") == Seen::Done; }, 3h));
  t.site.run(5min);
  (void)again;
  EXPECT_THAT(t.site.rested, IsEmpty()) << "somebody works on this node";
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

TEST(BudgetedRuns, HoldingsAreRebuiltBeforeAnyGrant) {
  Flashing t(4);
  for (auto& d : t.devices) d->runs = 20min;
  t.startAll();
  t.site.run(5min);
  ASSERT_EQ(t.flashing(), 2);
  for (int i = 0; i < 5; ++i) {
    t.site.boot();
    t.site.run(1min);
    EXPECT_EQ(t.flashing(), 2);
  }
  ASSERT_TRUE(t.site.runUntil([&] { return t.allFlashed(); }, 3h));
  EXPECT_EQ(t.mostAtATime, 2);
}

TEST(BudgetedRuns, TheLimitHoldsUnderRandomDeathsAndNudges) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    Flashing t(6);
    t.startAll();
    const auto horizon = t.now() + 12h;
    while (!t.allFlashed() && t.now() < horizon) {
      t.site.run(Duration{random.between(1, 40'000)});
      if (random.chance(0.1)) t.site.boot();
      t.site.engine().nudge(t.nodes[static_cast<std::size_t>(random.between(0, 5))]);
    }
    EXPECT_TRUE(t.allFlashed());
    EXPECT_LE(t.mostAtATime, 2);
    for (const auto& d : t.devices) EXPECT_EQ(d->duplicates, 0);
  }
}

}  // namespace
}  // namespace zellige::test
