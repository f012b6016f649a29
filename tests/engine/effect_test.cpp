// Effects that the machine does not keep showing: what decides whether an act is repeated (DESIGN 2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;

// Transient: shown only by comparison with a witness.
struct Reset : ToySite {
  explicit Reset(Repeat repeat = Repeat::Ask) : ToySite({step(repeat)}) {
    toy().onLook["reset"] = [this](StepContext& c) {
      if (const auto before = c.intended("last"); before && *before != last) return seen(Seen::Done);
      if (last.empty() && c.wasAccepted()) return seen(Seen::Done);
      c.witness("last", last);
      return seen(Seen::Todo);
    };
    toy().onAct["reset"] = [this](StepContext&) { return act(); };
  }
  static Step step(Repeat repeat) {
    auto s = toyStep("reset");
    s.effect = Effect::Transient;
    s.repeat = repeat;
    return s;
  }
  std::string last = "08:00";
  std::function<Result<void>()> act = [this]() -> Result<void> {
    last += "!";
    return {};
  };
};

TEST(Effect, ATransientEffectIsSeenAgainstItsWitness) {
  Reset t;
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().acts.size(), 1u);
}

TEST(Effect, ATransientActWithUnknownOutcomeIsDecidedByItsWitness) {
  Reset t;
  t.act = [&]() -> Result<void> {
    t.last += "!";
    return unknownOutcome(Errc::Timeout);
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().acts.size(), 1u);
}

TEST(Effect, ATransientActWithoutWitnessIsALedgerActAndAsks) {
  Reset t;
  t.last.clear();
  t.act = [&]() -> Result<void> { return unknownOutcome(Errc::Timeout); };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.toy().acts.size(), 1u);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("act.outcome_unknown"));
}

TEST(Effect, ATransientActWithoutWitnessMayBeRepeatedWhereThatIsSafe) {
  Reset t(Repeat::Safe);
  t.last.clear();
  t.act = [&]() -> Result<void> {
    if (t.toy().acts.size() == 1) return unknownOutcome(Errc::Timeout);
    return {};
  };
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().acts.size(), 2u);
}

// Ledger: only our own record tells.
struct Drain : ToySite {
  explicit Drain(Repeat repeat) : ToySite({step(repeat)}) {
    toy().onLook["drain"] = [](StepContext& c) { return seen(c.wasAccepted() ? Seen::Done : Seen::Todo); };
    toy().onAct["drain"] = [this](StepContext&) -> Result<void> {
      if (toy().acts.size() == 1 && firstLost) return unknownOutcome(Errc::Timeout);
      return {};
    };
  }
  static Step step(Repeat repeat) {
    auto s = toyStep("drain");
    s.effect = Effect::Ledger;
    s.repeat = repeat;
    return s;
  }
  bool firstLost = false;
};

TEST(Effect, ALedgerActIsDoneWhenItWasAccepted) {
  Drain t(Repeat::Ask);
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  EXPECT_EQ(t.toy().acts.size(), 1u);
}

TEST(Effect, ALedgerActWithUnknownOutcomeAsksAPerson) {
  Drain t(Repeat::Ask);
  t.firstLost = true;
  ASSERT_TRUE(t.site.runToEnd(t.boot()));
  EXPECT_EQ(t.toy().acts.size(), 1u);
  EXPECT_THAT(t.site.tables.openCauses(t.nodes[0]), ElementsAre("act.outcome_unknown"));
}

TEST(Effect, ALedgerActThatIsSafeIsRepeatedAfterTheSettle) {
  Drain t(Repeat::Safe);
  t.firstLost = true;
  const auto run = t.boot();
  ASSERT_TRUE(t.site.runToEnd(run));
  EXPECT_EQ(t.run(run).state, RunState::Done);
  ASSERT_EQ(t.toy().acts.size(), 2u);
  EXPECT_GE(t.toy().acts[1].second - t.toy().acts[0].second, 30s);
}

}  // namespace
}  // namespace zellige::test
