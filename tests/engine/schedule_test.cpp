// Many runs: nudges, lanes, cancelling, runs on several nodes, starting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Nudge, WakesARunThatSleeps) {
  ToySite t({toyStep("wait", false)});
  bool done = false;
  t.toy().onLook["wait"] = [&](StepContext&) { return seen(done ? Seen::Done : Seen::Busy); };
  const auto run = t.boot();
  t.site.run(10min);
  done = true;
  t.site.engine().nudge(t.nodes[0]);
  const auto start = t.now();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_LT(t.now() - start, 1s);
}

TEST(Nudge, IsNotLostWhileTheRunIsInFlight) {
  ToySite t({toyStep("wait", false)});
  bool done = false;
  t.toy().onLook["wait"] = [&](StepContext&) {
    const auto saw = done ? Seen::Done : Seen::Busy;
    done = true;  // just after the look read the world…
    t.site.engine().nudge(t.nodes[0]);
    return seen(saw);
  };
  const auto start = t.now();
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_LT(t.now() - start, 1s);
}

TEST(Nudge, OfANodeThatNobodyWorksOnIsNothing) {
  ToySite t({toyStep("wait", false)}, 2);
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Done); };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  t.site.engine().nudge(t.nodes[0]);
  t.site.engine().nudge(t.nodes[1]);
  t.site.engine().nudgeAll();
  t.site.run(1h);
  EXPECT_EQ(t.toy().looks.size(), 1u);
}

TEST(Lanes, TheOperatorsRunGoesFirst) {
  ToySite t({toyStep("look", false)}, 4);
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < 4; ++i) {
    t.toy(i).exchange = 1min;
    t.toy(i).onLook["look"] = [&](StepContext& c) {
      order.push_back(c.node().id.value);
      return seen(Seen::Done);
    };
  }
  t.site.options.maxTurns = 1;
  t.site.boot();
  t.site.start("toy", {t.nodes[0]});
  t.site.start("toy", {t.nodes[1]});
  t.site.start("toy", {t.nodes[2]}, Lane::Rollout);
  t.site.start("toy", {t.nodes[3]}, Lane::Operator);
  t.site.run(10min);
  EXPECT_THAT(order, ElementsAre(1, 4, 3, 2));
}

TEST(Start, SaysWhatIsWrong) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Busy); };
  t.boot();
  StartRun request;
  request.workflow = "toy";
  request.subject = {t.nodes[0]};
  EXPECT_EQ((*t.site.tryStart(request)).error().code, Errc::Conflict);
  request.subject.clear();
  EXPECT_EQ((*t.site.tryStart(request)).error().code, Errc::Invalid);
  request.workflow = "nothing";
  EXPECT_EQ((*t.site.tryStart(request)).error().code, Errc::NotFound);
  request.workflow = "toy";
  request.subject = {t.nodes[0]};
  request.profile = "nothing";
  EXPECT_EQ((*t.site.tryStart(request)).error().code, Errc::NotFound);
  EXPECT_EQ(t.site.tables.runs.size(), 1u);
}

TEST(Cancel, EndsARunThatWaits) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Busy); };
  const auto run = t.boot();
  t.site.run(1min);
  ASSERT_TRUE(*t.site.await(t.site.engine().cancel(run, "amina", "wrong rack")));
  ASSERT_TRUE(t.site.runToEnd(run, 1s));
  EXPECT_EQ(t.run(run).state, RunState::Cancelled);
  EXPECT_EQ(t.run(run).waitsFor, "wrong rack");
  const auto looks = t.toy().looks.size();
  t.site.run(1h);
  EXPECT_EQ(t.toy().looks.size(), looks) << "no timer outlives the run";
  EXPECT_EQ((*t.site.await(t.site.engine().cancel(run, "amina", ""))).error().code, Errc::NotFound);
  EXPECT_TRUE(*t.site.tryStart({.workflow = "toy", .subject = {t.nodes[0]}}));
}

TEST(Cancel, IsDurableWhenItIsAnswered) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Busy); };
  t.toy().exchange = 1min;  // a look is under way
  const auto run = t.boot();
  t.site.run(10s);
  ASSERT_TRUE(*t.site.await(t.site.engine().cancel(run, "amina", "wrong rack")));
  t.site.kill();
  EXPECT_EQ(t.run(run).state, RunState::Cancelled);
}

TEST(Cancel, OfARunThatEndsByItselfFirstSaysSo) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Done); };
  t.toy().exchange = 1min;
  const auto run = t.boot();
  t.site.run(10s);
  const auto answer = t.site.await(t.site.engine().cancel(run, "amina", "wrong rack"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().code, Errc::Conflict);
  EXPECT_EQ(t.run(run).state, RunState::Done);
}

TEST(Cancel, NeverFallsBetweenIntentAndResult) {
  ToySite t({toyStep("on")});
  t.toy().exchange = 1min;
  t.toy().onLook["on"] = [](StepContext&) { return seen(Seen::Todo); };
  t.toy().onAct["on"] = [](StepContext&) { return Result<void>{}; };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runUntil([&] { return t.site.tables.count("run.intent") == 1; }, 5min));
  ASSERT_TRUE(*t.site.await(t.site.engine().cancel(run, "amina", "stop")));
  ASSERT_TRUE(t.site.runToEnd(run, 5min));
  EXPECT_EQ(t.toy().acts.size(), 1u);
  EXPECT_EQ(t.run(run).state, RunState::Cancelled);
  EXPECT_EQ(t.run(run).act().phase, ActPhase::Accepted);
  EXPECT_EQ(t.site.tables.count("run.acted"), 1);
}

TEST(Cancel, ThatCannotBeStoredIsTriedAgain) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Busy); };
  const auto run = t.boot();
  int refused = 0;
  t.site.life->store.refuse = [&](const Change& change) -> std::optional<Error> {
    const auto* save = std::get_if<SaveRun>(&change.ops.front());
    if (save && save->event == "run.cancelled" && refused++ == 0) return Error{Errc::Conflict, "moved"};
    return std::nullopt;
  };
  ASSERT_TRUE(*t.site.await(t.site.engine().cancel(run, "amina", "stop")));
  ASSERT_TRUE(t.site.runToEnd(run, 1min));
  EXPECT_EQ(t.run(run).state, RunState::Cancelled);
}

constexpr NodeKind kTrays[] = {NodeKind::ComputeTray};

// A domain check: one run, all its members.
struct Two : ToySite {
  explicit Two(Step step = toyStep("check", false))
      : ToySite({step}, 2), alone{.name = "alone", .steps = steps} {
    flow.together = kTrays;
    site.workflows.push_back(&alone);
    toy().onLook["check"] = [this](StepContext& c) {
      EXPECT_EQ(c.nodes().size(), 2u);
      c.isAbout(c.nodes()[about]);
      return result;
    };
  }
  void start() {
    site.boot();
    run = site.start("toy", nodes);
  }
  Workflow alone;
  Result<Seen> result = Seen::Busy;
  std::size_t about = 0;
  RunId run;
};

TEST(Domain, NobodyElseActsOnItsMembers) {
  Two t;
  t.start();
  for (const auto node : t.nodes)
    EXPECT_EQ((*t.site.tryStart({.workflow = "alone", .subject = {node}})).error().code, Errc::Conflict);
  t.result = Seen::Done;
  for (const auto node : t.nodes) t.site.engine().nudge(node);
  ASSERT_TRUE(t.site.runToEnd(t.run, 1s));
  EXPECT_THAT(t.site.rested, ElementsAre(t.nodes[0], t.nodes[1]));
}

TEST(Domain, AFailureThatWasFoundOnNobodyTakesNobodyAway) {
  Two t;
  t.result = failure("burnin.failed", "nvlink");
  t.about = 1;
  t.start();
  ASSERT_TRUE(t.site.runToEnd(t.run, 10min));
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), IsEmpty());
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[1]), ElementsAre("rack.run_failed"));
  EXPECT_EQ(t.site.tables.findings.back().detail, "burnin.failed: nvlink");
  for (const auto node : t.nodes) EXPECT_EQ(t.site.tables.nodes[node].lifecycle, Lifecycle::Qualifying);
}

TEST(Domain, AFailureThatWasFoundOnOneQuarantinesThatOne) {
  Two t;
  t.toy().onLook["check"] = [](StepContext& c) {
    c.findOn(c.nodes()[1], "burnin.failed", "nvlink");
    return Result<Seen>(failure("burnin.failed", "nvlink"));
  };
  t.start();
  ASSERT_TRUE(t.site.runToEnd(t.run, 10min));
  EXPECT_EQ(t.site.tables.nodes[t.nodes[0]].lifecycle, Lifecycle::Qualifying);
  EXPECT_EQ(t.site.tables.nodes[t.nodes[1]].lifecycle, Lifecycle::Quarantined);
}

TEST(Domain, LostContactIsShownOnTheMemberThatDoesNotAnswer) {
  Two t;
  t.result = unreachable();
  t.about = 1;
  t.start();
  t.site.run(5min);
  const auto lost = [&](int i) { return t.site.tables.nodes[t.nodes[i]].unreachableSince.has_value(); };
  EXPECT_EQ(t.site.tables.run(t.run).state, RunState::Blocked);
  EXPECT_THAT(t.site.tables.run(t.run).waitsFor, testing::HasSubstr("S2"));
  EXPECT_FALSE(lost(0));
  EXPECT_TRUE(lost(1));
  t.result = Seen::Done;
  ASSERT_TRUE(t.site.runToEnd(t.run, 10min));
  EXPECT_TRUE(lost(1)) << "this look did not ask it";
}

TEST(Domain, WhoseMemberKeepsItWaitingEndsAndSaysWho) {
  for (const auto* why : {"contact", "hold", "arming"}) {
    SCOPED_TRACE(why);
    auto step = toyStep("check");
    Two t(step);
    t.about = 1;
    t.toy().onAct["check"] = [](StepContext&) { return Result<void>{}; };
    t.result = Seen::Todo;
    if (why == std::string("contact")) t.result = unreachable();
    if (why == std::string("hold")) t.site.tables.holds[t.nodes[1]] = "hands inside";
    if (why == std::string("arming")) t.site.tables.armed.clear();
    t.start();
    t.site.run(5min);
    EXPECT_TRUE(t.site.tables.run(t.run).unfinished());
    ASSERT_TRUE(t.site.runToEnd(t.run, 15min));
    EXPECT_EQ(t.site.tables.run(t.run).waitsFor, "rack.kept_waiting");
    EXPECT_THAT(t.site.tables.openCauses(t.nodes[why == std::string("arming") ? 0 : 1]),
                ElementsAre("rack.kept_waiting"));
    EXPECT_THAT(t.toy().acts, IsEmpty());
    for (const auto node : t.nodes) EXPECT_EQ(t.site.tables.nodes[node].lifecycle, Lifecycle::Qualifying);
  }
}

}  // namespace
}  // namespace zellige::test
