// What a restart knows: where runs go on, what is counted, what is never repeated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/random.hpp"
#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Resume, NeverGoesBackBeforeTheLastCommittedStep) {
  ToySite t({toyStep("one"), toyStep("two", false)});
  t.toy().onLook["one"] = [](StepContext&) { return seen(Seen::Done); };
  t.toy().onLook["two"] = [](StepContext&) { return seen(Seen::Busy); };
  t.toy().onAct["one"] = [](StepContext&) { return Result<void>{}; };
  t.boot();
  t.site.run(1min);
  t.toy().onLook["one"] = [](StepContext&) { return seen(Seen::Todo); };  // looks are not monotonic
  t.site.boot();
  t.site.run(10min);
  EXPECT_THAT(t.toy().acts, IsEmpty());
  EXPECT_EQ(t.toy().looks.back().first, "two");
}

TEST(Resume, SettleCountsFromTheResume) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [](StepContext&) { return Result<void>{}; };
  const auto run = t.boot();
  t.site.run(20s);
  ASSERT_EQ(t.toy().acts.size(), 1u);
  t.site.kill();
  t.site.run(10h);
  t.site.boot();
  const auto resumed = t.now();
  ASSERT_TRUE(t.site.runToEnd(run));
  ASSERT_EQ(t.toy().acts.size(), 2u);
  EXPECT_GE(t.toy().acts[1].second - resumed, 30s);
}

TEST(Resume, OurOwnAbsenceIsNotTheMachinesSlowness) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Busy); };
  const auto run = t.boot();
  t.site.run(25min);
  t.site.kill();
  t.site.run(10h);
  t.site.boot();
  t.site.run(25min);
  EXPECT_TRUE(t.run(run).unfinished());
  t.site.run(10min);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("step.deadline"))
      << "…but it does not wait for ever";
}

TEST(Resume, ADeathBetweenIntentAndResultIsNoTryAndTwentyAreAFinding) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [](StepContext&) { return seen(Seen::Todo); };
  t.toy().onAct["on"] = [](StepContext&) { return Result<void>{}; };
  const auto run = t.boot();
  t.site.run(Duration{1});
  int deaths = 0;
  while (t.run(run).unfinished() && deaths < 50) {
    const auto acts = t.toy().acts.size();
    const auto delivered = [&] { return t.toy().acts.size() > acts; };
    if (!t.site.runUntil(delivered, 10min)) break;
    t.site.kill();  // the reply never arrives
    ++deaths;
    EXPECT_LE(t.run(run).act().tries, 1);
    t.site.boot();
  }
  t.site.run(10min);
  EXPECT_EQ(deaths, 20);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("controller.crashes"));
}

TEST(Resume, ADeathBetweenActsCountsNothing) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [](StepContext&) { return seen(Seen::Busy); };
  const auto run = t.boot();
  for (int i = 0; i < 30; ++i) {
    t.site.run(1min);
    t.site.boot();
  }
  t.site.run(Duration{1});
  EXPECT_TRUE(t.run(run).unfinished());
  EXPECT_EQ(t.run(run).deaths, 0);
}

// A newer version renamed "old" to "new".
struct Renamed {
  explicit Renamed(bool mapped) : before({toyStep("old")}) {
    newSteps = {toyStep("first"), toyStep("new")};
    if (mapped) map = {{"old", "new"}};
    after = Workflow{.name = "toy", .steps = newSteps, .resume = map};
    toy().onAct["old"] = [this](StepContext&) {
      return lost ? Result<void>{Error{Errc::Timeout, "lost", true}} : Result<void>{};
    };
    toy().onAct["new"] = [](StepContext&) { return Result<void>{}; };
    toy().onLook["old"] = [](StepContext&) { return seen(Seen::Todo); };
    toy().onLook["first"] = [](StepContext&) { return seen(Seen::Todo); };
    toy().onLook["new"] = [this](StepContext&) { return seen(toy().actsOf("new") ? Seen::Done : Seen::Todo); };
  }
  ToyMachine& toy() { return before.toy(); }
  void upgrade() {
    before.site.kill();
    before.site.workflows = {&after};
    before.site.boot();
  }
  ToySite before;
  std::vector<Step> newSteps;
  std::vector<std::pair<std::string_view, std::string_view>> map;
  Workflow after;
  bool lost = false;
};

TEST(Resume, AStepThatWasRenamedGoesOnAtItsNewName) {
  Renamed t(true);
  const auto run = t.before.boot();
  t.before.site.run(10s);
  ASSERT_EQ(t.toy().actsOf("old"), 1);
  t.upgrade();
  const auto resumed = t.before.now();
  ASSERT_TRUE(t.before.site.runToEnd(run));
  EXPECT_EQ(t.before.run(run).state, RunState::Done);
  ASSERT_EQ(t.toy().actsOf("new"), 1);
  EXPECT_GE(t.toy().acts.back().second - resumed, 30s) << "the old step's act may still show";
}

TEST(Resume, AStepThatNobodyKnowsIsAFinding) {
  Renamed t(false);
  const auto run = t.before.boot();
  t.before.site.run(10s);
  t.upgrade();
  ASSERT_TRUE(t.before.site.runToEnd(run));
  EXPECT_THAT(t.before.site.tables.openCauses(t.before.nodes[0]), ElementsAre("run.step_unknown"));
  EXPECT_EQ(t.toy().acts.size(), 1u);
}

TEST(Resume, ManyRunsAreTakenUpPacedByLaneThenAge) {
  ToySite t({toyStep("wait", false)}, 5);
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < 5; ++i)
    t.toy(i).onLook["wait"] = [&](StepContext& c) {
      const auto id = c.node().id.value;
      if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
      return seen(Seen::Busy);
    };
  t.site.boot();
  for (std::size_t i = 0; i < 5; ++i)
    t.site.start("toy", {t.nodes[i]}, i == 3 ? Lane::Operator : Lane::Background);
  t.site.run(1min);
  order.clear();
  t.site.options.resumePace = 1s;
  const auto start = t.now();
  t.site.boot();
  ASSERT_TRUE(t.site.runUntil([&] { return order.size() == 5; }, 1min));
  EXPECT_GE(t.now() - start, 4s);
  EXPECT_THAT(order, ElementsAre(4, 1, 2, 3, 5));
}

// Repeat after our own crash: every kind of effect on a device that is slow to show it.
struct Sweep : ToySite {
  Sweep() : ToySite(makeSteps()), device(site.world) {
    auto visible = [this](const char* what) {
      return [this, what](StepContext&) { return seen(device.seen(what)); };
    };
    auto deliver = [this](const char* what) {
      return [this, what](StepContext&) {
        device.deliver(what);
        return Result<void>{};
      };
    };
    toy().onLook["flash"] = visible("flash");
    toy().onAct["flash"] = deliver("flash");
    toy().onLook["reset"] = [this](StepContext& c) {
      const std::string shown = device.seen("reset") == Seen::Todo ? "08:00" : "09:00";
      if (const auto before = c.intended("last"); before && *before != shown) return seen(Seen::Done);
      c.witness("last", shown);
      return seen(Seen::Todo);
    };
    toy().onAct["reset"] = deliver("reset");
    toy().onLook["items"] = [this](StepContext& c) {
      for (const auto* item : {"a", "b"})
        if (const auto s = device.seen(item); s != Seen::Done) {
          c.chooseItem(item);
          return seen(s);
        }
      return seen(Seen::Done);
    };
    toy().onAct["items"] = [this](StepContext& c) {
      device.deliver(c.item());
      return Result<void>{};
    };
    toy().onLook["order"] = [](StepContext& c) {
      const auto order = c.store().order(c.node().id);
      const bool ours = order && order->id == fmt::format("{}-{}", c.run().id.value, c.tries());
      return seen(c.wasIntended() && ours ? Seen::Done : Seen::Todo);
    };
    toy().onAct["order"] = [](StepContext& c) {
      AgentOrder order;
      order.id = fmt::format("{}-{}", c.run().id.value, c.tries());
      c.leave(PutOrder{c.node().id, order});
      return Result<void>{};
    };
  }
  static std::vector<Step> makeSteps() {
    auto flash = toyStep("flash"), reset = toyStep("reset"), items = toyStep("items"),
         order = toyStep("order");
    flash.needs = {.duringAct = Budget::Upload, .duringStep = Budget::Flash};
    reset.effect = Effect::Transient;
    return {flash, reset, items, order};
  }
  void check(const std::string& at) {
    EXPECT_EQ(run(RunId{1}).state, RunState::Done) << at;
    for (const auto* what : {"flash", "reset", "a", "b"})
      EXPECT_TRUE(device.tookEffect(what)) << at << " " << what;
    EXPECT_TRUE(site.tables.orders.contains(nodes[0])) << at;
    EXPECT_TRUE(site.engine().budgetUse().empty()) << at;
  }
  Device device;
};

int countPoints() {
  Sweep t;
  EXPECT_TRUE(t.site.runToEnd(t.boot()));
  t.check("no kill");
  EXPECT_EQ(t.device.duplicates, 0);
  return static_cast<int>(t.site.points.passed().size());
}

// Dies once at point `n` (and once more `second` points later, if not negative); returns the duplicates.
int killedAt(int n, int second, Mutation mutation, bool checked) {
  Sweep t;
  t.site.options.mutation = mutation;
  t.site.boot();
  t.site.points.arm(n);
  (void)t.site.tryStart({.workflow = "toy", .subject = {t.nodes[0]}});
  const auto at = fmt::format("killed at {} ({}), then {}", n, t.site.points.passed().back(), second);
  while (true) {
    if (t.site.points.dead()) {
      t.site.boot();
      if (second >= 0) t.site.points.arm(std::exchange(second, -1));
    }
    if (t.site.tables.runs.empty()) t.site.start("toy", {t.nodes[0]});
    if (t.site.runToEnd(RunId{1}) || !t.site.points.dead()) break;
  }
  t.site.run(1s);
  if (checked) {
    t.check(at);
    EXPECT_EQ(t.device.duplicates, 0) << at;
  }
  return t.device.duplicates;
}

TEST(KillSweep, OneEffectPerActWhereverTheControllerDies) {
  const int points = countPoints();
  ASSERT_GT(points, 20);
  for (int n = 0; n < points; ++n) killedAt(n, -1, Mutation::None, true);
}

TEST(KillSweep, RandomPairsOfDeaths) {
  const int points = countPoints();
  const std::uint64_t seed = 20260101;
  Random random(seed);
  for (int i = 0; i < 200; ++i) {
    const auto n = static_cast<int>(random.between(0, points - 1)),
               m = static_cast<int>(random.between(0, points - 1));
    SCOPED_TRACE(fmt::format("seed {} pair {}", seed, i));
    killedAt(n, m, Mutation::None, true);
  }
}

TEST(KillSweep, SkippingTheLookMakesDuplicates) {
  int duplicates = 0;
  for (int n = 0, points = countPoints(); n < points; ++n)
    duplicates += killedAt(n, -1, Mutation::SkipLook, false);
  EXPECT_GT(duplicates, 0);
}

TEST(KillSweep, NotSettlingMakesDuplicates) {
  int duplicates = 0;
  for (int n = 0, points = countPoints(); n < points; ++n)
    duplicates += killedAt(n, -1, Mutation::NoSettle, false);
  EXPECT_GT(duplicates, 0);
}

// Random trouble: lost contact, lost replies, refusals, nudges, deaths. One effect per act, and it ends.
void randomSchedule(std::uint64_t seed) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Sweep t;
  Random random(seed);
  t.device.lag = Duration{random.between(0, 25'000)};
  t.device.runs = Duration{random.between(0, 600'000)};
  for (auto& [step, act] : t.toy().onAct)
    act = [&random, inner = act](StepContext& c) -> Result<void> {
      const auto dice = random.real();
      if (dice < 0.1) return Error{Errc::Busy, "503"};
      if (dice < 0.15) return Error{Errc::Unreachable, "no route"};
      auto done = inner(c);
      // Applied, but the reply is lost. (An order that is never committed was never given.)
      if (dice < 0.3 && c.run().step != "order") return Error{Errc::Timeout, "lost", true};
      return done;
    };
  const auto run = t.boot();
  const auto horizon = t.now() + 48h;
  while (t.run(run).unfinished() && t.now() < horizon) {
    t.site.run(Duration{random.between(1, 60'000)});
    const auto dice = random.real();
    if (dice < 0.1)
      t.site.boot();
    else if (dice < 0.2)
      t.toy().broken = unreachable();
    else if (dice < 0.25)
      t.toy().broken = Error{Errc::BadReply, "cut short"};
    else if (dice < 0.6)
      t.toy().broken.reset();
    else if (dice < 0.8)
      t.site.engine().nudge(t.nodes[0]);
  }
  t.site.run(1s);
  t.check("random");
  EXPECT_EQ(t.device.duplicates, 0);
}

TEST(RandomSchedules, OneEffectPerActAndTheRunEnds) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) randomSchedule(seed);
}

}  // namespace
}  // namespace zellige::test
