// One run, one machine: look, then act (DESIGN 2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A switch that an act turns on; it shows at once.
struct OneSwitch : ToySite {
  explicit OneSwitch(Step step = toyStep("on")) : ToySite({step}) {
    toy().onLook["on"] = [this](StepContext&) { return seen(on ? Seen::Done : Seen::Todo); };
    toy().onAct["on"] = [this](StepContext&) {
      on = true;
      return Result<void>{};
    };
  }
  bool on = false;
};

TEST(Turn, ActsOnTodoAndGoesOnWhenDone) {
  OneSwitch t;
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().acts.size(), 1u);
  EXPECT_EQ(t.site.engine().unfinished(), 0u);
  EXPECT_THAT(t.site.rested, ElementsAre(t.nodes[0]));
}

TEST(Turn, NeverActsWhenAlreadyAsWanted) {
  OneSwitch t;
  t.on = true;
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_THAT(t.toy().acts, IsEmpty());
}

TEST(Turn, WaitsWhileNobodyKnowsWhereTheBmcIs) {
  OneSwitch t;
  t.site.tables.nodes[t.nodes[0]].bmc = {"3c:6d:66:00:00:01", "", 443, "root"};
  const auto run = t.boot();
  t.site.run(30h);  // longer than any step may take
  EXPECT_TRUE(t.run(run).unfinished());
  EXPECT_THAT(t.run(run).waitsFor, HasSubstr("3c:6d:66:00:00:01"));
  EXPECT_THAT(t.toy().looks, IsEmpty());
  t.site.tables.nodes[t.nodes[0]].bmc.address = "10.0.0.9";
  t.site.engine().nudge(t.nodes[0]);
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
}

TEST(Turn, TheIntentIsDurableBeforeTheAct) {
  OneSwitch t;
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  EXPECT_THAT(t.toy().eventBeforeAct, ElementsAre("run.intent 1 on/ intended"));
}

TEST(Turn, ABusyMachineIsLookedAtAgainAndNotActedOn) {
  ToySite t({toyStep("wait")});
  const auto start = t.now();
  t.toy().onLook["wait"] = [&](StepContext&) {
    return seen(t.now() < start + 10min ? Seen::Busy : Seen::Done);
  };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  EXPECT_THAT(t.toy().acts, IsEmpty());
  EXPECT_LE(t.toy().lastLook() - start, 10min + 15s + 1s);
  EXPECT_LT(t.toy().looks.size(), 10 * 60 / 15 + 5u) << "polling grows to the step's poll";
}

struct AfterAnAct : testing::TestWithParam<std::tuple<std::string, std::optional<Error>>> {};
TEST_P(AfterAnAct, TodoIsSeenTwiceSettleApartBeforeTheActIsRepeated) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [&](StepContext&) -> Result<void> {
    if (const auto& error = std::get<1>(GetParam()); error && t.toy().acts.size() == 1) return *error;
    return {};
  };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  ASSERT_EQ(t.toy().acts.size(), 2u);
  const auto apart = t.toy().acts[1].second - t.toy().acts[0].second;
  EXPECT_GE(apart, 30s);
  EXPECT_LE(apart, 40s);
}

INSTANTIATE_TEST_SUITE_P(Turn, AfterAnAct,
                         testing::Values(std::tuple{"accepted", std::nullopt},
                                         std::tuple{"unknown", unknownOutcome(Errc::Timeout)},
                                         std::tuple{"unbelievable", unknownOutcome(Errc::BadReply)}),
                         [](const auto& info) { return std::get<0>(info.param); });

TEST(Turn, ADefiniteRefusalWaivesTheSettle) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [&](StepContext&) -> Result<void> {
    if (t.toy().acts.size() == 1) return Error{Errc::Rejected, "409"};
    return {};
  };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  ASSERT_EQ(t.toy().acts.size(), 2u);
  EXPECT_LT(t.toy().acts[1].second - t.toy().acts[0].second, 30s);
}

TEST(Turn, ARefusalsBackOffIsNotShortenedByNudges) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [&](StepContext&) -> Result<void> {
    Error busy{Errc::Busy, "503"};
    busy.retryAfter = 60s;
    if (t.toy().acts.size() == 1) return busy;
    return {};
  };
  const auto run = t.boot();
  for (int i = 0; i < 60 && t.run(run).unfinished(); ++i) {
    t.site.run(2s);
    t.site.engine().nudge(t.nodes[0]);
  }
  ASSERT_EQ(t.toy().acts.size(), 2u);
  EXPECT_GE(t.toy().acts[1].second - t.toy().acts[0].second, 60s) << "the device asked for a minute";
}

TEST(Turn, NudgesDoNotShortenTheSettle) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [&](StepContext&) { return Result<void>{}; };
  const auto run = t.boot();
  for (int i = 0; i < 60 && t.run(run).unfinished(); ++i) {
    t.site.run(1s);
    t.site.engine().nudge(t.nodes[0]);
  }
  ASSERT_EQ(t.toy().acts.size(), 2u);
  EXPECT_GE(t.toy().acts[1].second - t.toy().acts[0].second, 30s);
}

TEST(Turn, AGapInContactStartsTheSettleAnew) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [&](StepContext&) { return Result<void>{}; };
  t.boot();
  t.site.run(5s);
  ASSERT_EQ(t.toy().acts.size(), 1u);
  t.toy().broken = unreachable();
  t.site.run(5min);
  t.toy().broken.reset();
  const auto back = t.now();
  t.site.engine().nudge(t.nodes[0]);
  ASSERT_TRUE(t.site.runUntil([&] { return t.toy().acts.size() == 2; }, 10min));
  EXPECT_GE(t.now() - back, 30s) << "a BMC that has just come back shows old things first";
}

TEST(Turn, ASettleOfZeroDoesNotSpin) {
  auto step = toyStep("on");
  step.settle = Duration{0};
  ToySite t({step});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  t.toy().onAct["on"] = [&](StepContext&) { return Result<void>{}; };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  EXPECT_LT(t.toy().looks.size(), 10u);
}

TEST(Turn, ANewItemIsANewAct) {
  ToySite t({toyStep("items")});
  std::set<std::string> written;
  t.toy().onLook["items"] = [&](StepContext& c) {
    for (const auto* item : {"a", "b", "c"})
      if (!written.contains(item)) {
        c.chooseItem(item);
        return seen(Seen::Todo);
      }
    return seen(Seen::Done);
  };
  t.toy().onAct["items"] = [&](StepContext& c) {
    written.insert(c.item());
    EXPECT_EQ(c.tries(), 1);
    return Result<void>{};
  };
  const auto start = t.now();
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  ASSERT_EQ(t.toy().acts.size(), 3u);
  EXPECT_EQ(t.toy().acts[2].first, "items/c");
  EXPECT_LT(t.now() - start, 30s) << "no settle between different items";
}

TEST(Turn, TriesAreSpentAndTheFindingSaysWhy) {
  auto step = toyStep("on");
  step.spent = "power.stuck";
  ToySite t({step});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(Seen::Todo); };
  t.toy().onAct["on"] = [&](StepContext&) -> Result<void> { return Error{Errc::Rejected, "PSU not ready"}; };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Failed);
  EXPECT_EQ(t.toy().acts.size(), 3u);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("power.stuck"));
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("PSU not ready"));
  EXPECT_EQ(t.site.tables.nodes[t.nodes[0]].lifecycle, Lifecycle::Quarantined);
}

TEST(Turn, BusyRepliesAndLostContactAreNotTries) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) {
    return seen(t.toy().acts.size() < 11 ? Seen::Todo : Seen::Done);
  };
  t.toy().onAct["on"] = [&](StepContext&) -> Result<void> {
    const auto n = t.toy().acts.size();
    if (n > 10) return {};
    return n % 2 ? Error{Errc::Busy, "503"} : unreachable();
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().acts.size(), 11u);
}

TEST(Turn, AnActThatNamesACauseEndsTheRun) {
  ToySite t({toyStep("on")});
  t.toy().onLook["on"] = [&](StepContext&) { return seen(Seen::Todo); };
  t.toy().onAct["on"] = [&](StepContext&) -> Result<void> {
    return failure("firmware.rejected", "lower stamp");
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.toy().acts.size(), 1u);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("firmware.rejected"));
  EXPECT_EQ(t.run(run).act().phase, ActPhase::Refused) << "a definite no";
}

TEST(Turn, PastItsDeadlineABusyStepEndsWithItsFinding) {
  auto step = toyStep("wait", false);
  step.deadline = 10min;
  step.overdue = "firmware.hgx_missing";
  ToySite t({step});
  t.toy().onLook["wait"] = [&](StepContext& c) {
    c.waitFor("the baseboard");
    return seen(Seen::Busy);
  };
  const auto start = t.now();
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_GE(t.now() - start, 10min);
  EXPECT_LE(t.now() - start, 11min);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("firmware.hgx_missing"));
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("the baseboard"));
}

TEST(Turn, ACauseThatDoesNotBlockQuarantinesNobody) {
  ToySite t({toyStep("look", false)});
  t.toy().onLook["look"] = [&](StepContext&) -> Result<Seen> { return failure("node.host_off", "off"); };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Failed);
  EXPECT_EQ(t.site.tables.nodes[t.nodes[0]].lifecycle, Lifecycle::Qualifying);
}

TEST(Turn, ANodeInServiceGetsAFindingButKeepsItsPlace) {
  ToySite t({toyStep("look", false)});
  t.site.tables.nodes[t.nodes[0]].lifecycle = Lifecycle::InService;
  t.toy().onLook["look"] = [&](StepContext&) -> Result<Seen> { return failure("burnin.failed", "ecc"); };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("burnin.failed"));
  EXPECT_EQ(t.site.tables.nodes[t.nodes[0]].lifecycle, Lifecycle::InService);
}

TEST(Turn, UnbelievableRepliesBecomeAFindingOnlyAfterManyOverTime) {
  ToySite t({toyStep("look", false)});
  t.toy().onLook["look"] = [&](StepContext&) -> Result<Seen> { return Error{Errc::BadReply, "cut short"}; };
  const auto start = t.now();
  const auto run = t.boot();
  for (int i = 0; i < 4 * 3600 && t.run(run).unfinished(); ++i) {
    t.site.run(1s);
    t.site.engine().nudge(t.nodes[0]);  // an agent that reports all the time must not use up the patience
  }
  EXPECT_GE(t.now() - start, 15min);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("bmc.bad_reply"));
}

TEST(Turn, RefusedCredentialsAreOneFindingAndNoSecondGuess) {
  ToySite t({toyStep("look", false)});
  t.toy().onLook["look"] = [&](StepContext&) -> Result<Seen> { return Error{Errc::Auth, "401"}; };
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  EXPECT_EQ(t.toy().looks.size(), 1u);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("bmc.credentials"));
}

TEST(Turn, AFailedCheckSendsTheRunBackUntilItsRoundsAreSpent) {
  auto check = toyStep("check", false);
  check.again = "on";
  check.maxTries = 2;
  check.spent = "firmware.not_applied";
  ToySite t({toyStep("on"), check});
  bool on = false;
  t.toy().onLook["on"] = [&](StepContext&) { return seen(on ? Seen::Done : Seen::Todo); };
  t.toy().onAct["on"] = [&](StepContext&) {
    on = true;
    return Result<void>{};
  };
  t.toy().onLook["check"] = [&](StepContext&) {
    on = false;
    return seen(Seen::Todo);
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.toy().acts.size(), 2u);
  EXPECT_EQ(t.site.tables.count("run.again"), 1);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("firmware.not_applied"));
}

TEST(Turn, WhatActsLeaveIsCommittedWithTheirResult) {
  OneSwitch t;
  t.toy().onAct["on"] = [&](StepContext& c) {
    AgentOrder order;
    order.id = "o1";
    c.leave(PutOrder{c.node().id, order});
    c.setFact("uri", "/tasks/1");
    EXPECT_FALSE(t.site.tables.orders.contains(c.node().id));
    t.on = true;
    return Result<void>{};
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.site.tables.orders[t.nodes[0]].id, "o1");
  EXPECT_EQ(t.run(run).facts.get("uri"), "/tasks/1");
}

TEST(Turn, ALostCompareAndSetLooksAgain) {
  auto step = toyStep("look", false);
  step.reaches = Lifecycle::Quarantined;
  ToySite t({step});
  t.site.tables.findings.push_back({FindingId{1}, t.nodes[0], {}, "burnin.failed", "", t.now(), {}, ""});
  t.toy().onLook["look"] = [&](StepContext&) {
    if (t.toy().looks.size() == 1)
      t.site.tables.nodes[t.nodes[0]].lifecycle = Lifecycle::Available;  // somebody else
    return seen(Seen::Done);
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().looks.size(), 2u);
  EXPECT_EQ(t.site.tables.nodes[t.nodes[0]].lifecycle, Lifecycle::Quarantined);
}

TEST(Turn, AResultThatCannotBeStoredIsAnUnknownOutcome) {
  OneSwitch t;
  t.toy().onLook["on"] = [&](StepContext&) { return seen(t.toy().acts.size() < 2 ? Seen::Todo : Seen::Done); };
  const auto run = t.boot();
  int refused = 0;
  t.site.life->store.refuse = [&](const Change& change) -> std::optional<Error> {
    const auto* save = std::get_if<SaveRun>(&change.ops.front());
    if (save && save->event == "run.acted" && refused++ == 0) return Error{Errc::Conflict, "moved"};
    return std::nullopt;
  };
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  ASSERT_EQ(t.toy().acts.size(), 2u);
  EXPECT_GE(t.toy().acts[1].second - t.toy().acts[0].second, 30s);
}

TEST(Turn, ALifecycleThatIsAlreadyFurtherIsLeftAlone) {
  auto step = toyStep("contact", false);
  step.reaches = Lifecycle::Discovered;
  ToySite t({step});
  t.toy().onLook["contact"] = [](StepContext&) { return seen(Seen::Done); };
  const auto run = t.boot();  // an operator sent a repaired node straight back to qualifying
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.site.tables.nodes[t.nodes[0]].lifecycle, Lifecycle::Qualifying);
}

TEST(Turn, AMoveThatTheStoreRejectsEndsTheRunWithAFinding) {
  ToySite t({toyStep("accept", false)});
  t.toy().onLook["accept"] = [&](StepContext& c) {
    MoveLifecycle move{c.node().id,   Lifecycle::Qualifying, Lifecycle::Available,
                       Actor::Engine, "qualified",           {"image"}};
    c.leave(move);
    return seen(Seen::Done);
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run, 10min));
  EXPECT_EQ(t.run(run).state, RunState::Failed);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("act.rejected"));
}

TEST(Turn, ARunWhoseNodeIsGoneEndsAndTakesNobodyWithIt) {
  ToySite t({toyStep("wait", false)});
  t.toy().onLook["wait"] = [](StepContext&) { return seen(Seen::Busy); };
  const auto run = t.boot();
  t.site.run(1min);
  t.site.tables.nodes.erase(t.nodes[0]);
  ASSERT_TRUE(t.site.runToEnd(run, 10min));
  EXPECT_EQ(t.run(run).state, RunState::Failed);
  EXPECT_THAT(t.run(run).waitsFor, HasSubstr("node"));
}

TEST(Turn, ARunWhoseTargetIsGoneEndsWithAFinding) {
  ToySite t({toyStep("look", false)});
  t.toy().onLook["look"] = [](StepContext& c) {
    return seen(c.target().digest.empty() ? Seen::Todo : Seen::Done);
  };
  t.site.tables.profiles["p"].digest = "abc";
  t.site.boot();
  StartRun request;
  request.workflow = "toy";
  request.subject = {t.nodes[0]};
  request.profile = "p";
  t.toy().exchange = 1min;
  const auto run = **t.site.tryStart(request);
  t.site.tables.targets.clear();
  t.site.boot();
  ASSERT_TRUE(t.site.runToEnd(run, 10min));
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("run.step_unknown"));
}

}  // namespace
}  // namespace zellige::test
