// No contact is not sickness, and waiting is not slowness: blocked runs, excused time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Waiting : ToySite {
  explicit Waiting(Duration deadline = 30min) : ToySite({step(deadline)}) {
    toy().onLook["wait"] = [this](StepContext& c) {
      spent = c.spent();
      return seen(done ? Seen::Done : Seen::Busy);
    };
  }
  static Step step(Duration deadline) {
    auto s = toyStep("wait", false);
    s.deadline = deadline;
    return s;
  }
  bool done = false;
  Duration spent{0};
};

TEST(Contact, LostContactBlocksTheRunAndIsNeverAFinding) {
  Waiting t;
  const auto run = t.boot();
  t.site.run(5min);
  t.toy().broken = unreachable();
  const auto lost = t.now();
  t.site.run(24h);
  EXPECT_EQ(t.run(run).state, RunState::Blocked);
  EXPECT_THAT(t.run(run).waitsFor, HasSubstr("no route to BMC"));
  const auto since = t.site.tables.nodes[t.nodes[0]].unreachableSince;
  ASSERT_TRUE(since);
  EXPECT_LE(*since - lost, 20s);
  EXPECT_THAT(t.site.tables.findings, IsEmpty());

  t.toy().broken.reset();
  t.done = true;
  ASSERT_TRUE(t.site.runToEnd(run, 2min));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_FALSE(t.site.tables.nodes[t.nodes[0]].unreachableSince);
  EXPECT_EQ(t.site.tables.count("contact 1 lost"), 1);
  EXPECT_EQ(t.site.tables.count("contact 1 regained"), 1);
}

TEST(Contact, OneOrTwoLostExchangesBlockNothingAndExcuseLittle) {
  Waiting t;
  const auto run = t.boot();
  t.site.run(1min);
  t.toy().broken = unreachable();
  t.site.run(16s);  // one look, perhaps two
  t.toy().broken.reset();
  t.site.run(20min);
  EXPECT_EQ(t.site.tables.count("run.blocked"), 0);
  t.toy().broken = unreachable();
  const auto lost = t.now();
  t.site.run(10min);
  ASSERT_EQ(t.run(run).state, RunState::Blocked);
  EXPECT_GE(*t.site.tables.nodes[t.nodes[0]].unreachableSince, lost)
      << "not the hiccup of twenty minutes ago";
  t.toy().broken.reset();
  t.site.run(2min);
  EXPECT_EQ(t.run(run).state, RunState::Active);
  EXPECT_LE(t.run(run).excused, 13min);
  EXPECT_GE(t.run(run).excused, 9min);
}

TEST(Contact, ABmcThatComesBackBusyIsBack) {
  Waiting t;
  const auto run = t.boot();
  t.toy().broken = unreachable();
  t.site.run(10min);
  ASSERT_EQ(t.run(run).state, RunState::Blocked);
  t.toy().broken = Error{Errc::Busy, "503"};
  t.site.run(2min);
  t.toy().broken.reset();
  t.site.run(2min);
  EXPECT_EQ(t.run(run).state, RunState::Active);
  EXPECT_FALSE(t.site.tables.nodes[t.nodes[0]].unreachableSince);
}

TEST(Contact, BlockedTimeIsExcusedFromTheDeadline) {
  Waiting t(30min);
  const auto run = t.boot();
  t.site.run(20min);
  t.toy().broken = unreachable();
  t.site.run(5h);
  t.toy().broken.reset();
  t.site.run(8min);
  EXPECT_EQ(t.run(run).state, RunState::Active) << "28 of its 30 minutes are spent";
  EXPECT_LE(t.spent, 30min);
  t.site.run(5min);
  EXPECT_EQ(t.run(run).state, RunState::Failed);
}

TEST(Contact, TheFirstLookAfterABlockKnowsThatItWasExcused) {
  Waiting t(30min);
  t.boot();
  t.site.run(5min);
  t.toy().broken = unreachable();
  t.site.run(5h);
  t.spent = Duration{0};
  t.toy().broken.reset();
  ASSERT_TRUE(t.site.runUntil([&] { return t.spent > Duration{0}; }, 5min));
  EXPECT_LE(t.spent, 6min);
}

TEST(Contact, ABlockedRunStaysBlockedOverARestart) {
  Waiting t(30min);
  const auto run = t.boot();
  t.site.run(10min);
  t.toy().broken = unreachable();
  t.site.run(3h);
  t.site.boot();
  t.site.run(3h);
  EXPECT_EQ(t.run(run).state, RunState::Blocked);
  EXPECT_EQ(t.site.tables.count("run.blocked"), 1);
  t.toy().broken.reset();
  t.site.run(2min);
  EXPECT_EQ(t.run(run).state, RunState::Active);
  EXPECT_GE(t.run(run).excused, 6h - 1min);
  EXPECT_LE(t.run(run).excused, 6h + 13min) << "and the ten minutes before, which the restart forgave";
}

struct Switch : ToySite {
  explicit Switch() : ToySite({step()}) {
    toy().onLook["on"] = [this](StepContext&) { return seen(on ? Seen::Done : Seen::Todo); };
    toy().onAct["on"] = [this](StepContext&) {
      on = true;
      return Result<void>{};
    };
  }
  static Step step() {
    auto s = toyStep("on");
    s.deadline = 30min;
    return s;
  }
  bool on = false;
};

TEST(Observe, ADisarmedPlaceIsLookedAtAndNeverActedOn) {
  Switch t;
  t.site.tables.armed = {"H2"};
  const auto run = t.boot();
  t.site.run(48h);
  EXPECT_TRUE(t.run(run).unfinished()) << "waiting to be armed is excused from the deadline";
  EXPECT_THAT(t.run(run).waitsFor, HasSubstr("not armed"));
  EXPECT_THAT(t.toy().acts, IsEmpty());
  EXPECT_EQ(t.site.tables.count("run.intent"), 0);

  t.site.tables.armed = {"H1/R01"};
  t.site.engine().nudgeAll();
  ASSERT_TRUE(t.site.runToEnd(run, 1min));
  EXPECT_EQ(t.run(run).state, RunState::Done);
}

TEST(Observe, WaitingIsExcusedOverARestartToo) {
  Switch t;
  t.site.tables.armed.clear();
  const auto run = t.boot();
  t.site.run(10h);
  t.site.boot();
  t.site.run(10h);
  t.site.boot();
  t.site.tables.armed = {"H1"};
  ASSERT_TRUE(t.site.runToEnd(run, 2min));
  EXPECT_EQ(t.run(run).state, RunState::Done);
}

TEST(Observe, AHoldStopsTheRunAtItsNextSafePoint) {
  Switch t;
  t.site.tables.holds[t.nodes[0]] = "held by Amina: hands inside";
  const auto run = t.boot();
  t.site.run(2h);
  EXPECT_THAT(t.run(run).waitsFor, HasSubstr("Amina"));
  EXPECT_THAT(t.toy().acts, IsEmpty());
  t.site.tables.holds.clear();
  ASSERT_TRUE(t.site.runToEnd(run, 2min)) << "a hold that expires needs no nudge";
}

TEST(Observe, WaitingAndLostContactAreNotExcusedTwice) {
  Switch t;
  t.site.tables.armed.clear();
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.on ? Seen::Busy : Seen::Todo); };
  const auto run = t.boot();
  t.site.run(10min);
  t.toy().broken = unreachable();
  t.site.run(60min);
  t.toy().broken.reset();
  t.site.run(10min);
  t.site.tables.armed = {"H1"};
  t.site.engine().nudgeAll();
  t.site.run(1min);
  ASSERT_EQ(t.toy().acts.size(), 1u);
  EXPECT_LE(t.run(run).excused, 82min);
  EXPECT_GE(t.run(run).excused, 78min);
}

TEST(Observe, TheRowIsNotWrittenAgainWhileNothingChanges) {
  Switch t;
  t.site.tables.armed.clear();
  t.boot();
  t.site.run(1min);
  const auto commits = t.site.points.passed().size();
  t.site.run(2h);
  EXPECT_EQ(t.site.points.passed().size(), commits);
}

TEST(Contact, IsLostSinceItWasLostAndNotSinceTheRunWaited) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [](StepContext&) { return seen(Seen::Todo); };
  t.toy().onAct["on"] = [](StepContext&) { return Result<void>{}; };
  t.site.tables.armed.clear();
  t.boot();
  t.site.run(72h);
  t.toy().broken = unreachable();
  const auto lost = t.now();
  t.site.run(1h);
  const auto since = t.site.tables.nodes[t.nodes[0]].unreachableSince;
  ASSERT_TRUE(since);
  EXPECT_GE(*since, lost);
}

TEST(Contact, ABmcThatAnswersButNotToThisQuestionIsAFinding) {
  Waiting t(100h);
  const auto run = t.boot();
  t.site.run(1min);
  t.toy().broken = Error{Errc::Timeout, "GET /redfish/v1/Systems: no reply in 60 s"};
  t.toy().identifies = true;
  ASSERT_TRUE(t.site.runToEnd(run, 24h));
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("bmc.bad_reply"));
}

TEST(InService, AMachineWithABlockingFindingGetsNoNewWorkAndIsNotTakenAway) {
  ToySite t({toyStep("wait", false)});
  t.site.tables.nodes[t.nodes[0]].lifecycle = Lifecycle::InService;
  t.toy().onLook["wait"] = [](StepContext&) -> Result<Seen> { return failure("cooling.leak", "wet"); };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run, 1h));
  const auto& node = t.site.tables.nodes[t.nodes[0]];
  EXPECT_EQ(node.lifecycle, Lifecycle::InService);
  EXPECT_EQ(node.scheduling, Scheduling::Cordoned);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("cooling.leak"));
}

}  // namespace
}  // namespace zellige::test
