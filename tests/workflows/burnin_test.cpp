// Burn-in on the installed system, whose agent may be cut off from us while its machine is in good health.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct BurningTray : FleetOfOne {
  BurningTray() : FleetOfOne(workflows::burnInSteps()) {
    machine().disk = "os-1";
    machine().power = HostPower::On;
  }
  void orderedThenSilent(Duration silence) {
    site.boot();
    id = start();
    ASSERT_TRUE(site.runUntil([&] { return machine().count("burnin") == 1; }, 1h));
    site.run(5min);
    machine().agentStarts = false;
    site.run(silence);
    machine().agentStarts = true;
  }
};

TEST(BurnIn, AnAgentWhomTheNetworkDoesNotLetThroughIsNoSickMachine) {
  BurningTray t;
  t.machine().burnInPauses = 3h;  // for which nobody told it to go on
  t.orderedThenSilent(3h);
  EXPECT_TRUE(t.run().unfinished()) << testing::PrintToString(t.causes());
  t.site.runToEnd(t.id, 2h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.causes(), IsEmpty());
  EXPECT_TRUE(t.hasEvidence("burnin/gemm"));
}

// A hall without power, or our own absence: nobody was there to hear, and nobody was silent.
TEST(BurnIn, ADarkHallAndAControllerThatWasDownAreNobodysSilence) {
  for (const bool dark : {true, false}) {
    SCOPED_TRACE(dark ? "dark" : "down");
    BurningTray t;
    t.machine().burnInPauses = 6h;
    t.site.boot();
    t.id = t.start();
    ASSERT_TRUE(t.site.runUntil([&] { return t.machine().count("burnin") == 1; }, 1h));
    t.site.run(5min);
    t.machine().agentStarts = false;
    if (dark) {
      t.machine().vanish(6h);
      t.site.run(6h);
      EXPECT_EQ(t.run().state, RunState::Blocked);
    } else {
      t.site.kill();
      t.site.run(6h);
      t.site.boot();
    }
    t.site.run(2min);
    EXPECT_TRUE(t.run().unfinished()) << testing::PrintToString(t.causes());
    t.machine().agentStarts = true;
    t.site.runToEnd(t.id, 2h);
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  }
}

TEST(BurnIn, AMachineThatRestartsUnderLoadHasNoTimeAnew) {
  BurningTray t;
  t.machine().burnInPauses = 4h;
  t.orderedThenSilent(30min);
  t.machine().rebootAgent();
  t.site.run(2h);
  EXPECT_EQ(t.run().state, RunState::Failed);
  EXPECT_THAT(t.site.tables.findings.at(0).detail, testing::HasSubstr("did not finish in time"));
}

TEST(BurnIn, WhatIsNotBegunWaitsForThePlaceToBeArmedAgain) {
  BurningTray t;
  t.machine().agentStarts = false;
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.site.tables.orders.contains(t.node); }, 1h));
  t.site.tables.armed.clear();
  t.site.run(6h);
  EXPECT_TRUE(t.run().unfinished()) << testing::PrintToString(t.causes());
  EXPECT_THAT(t.run().waitsFor, testing::HasSubstr("armed"));
  t.site.tables.armed.insert("H1");
  t.machine().agentStarts = true;
  t.site.runToEnd(t.id, 2h);
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
}

TEST(BurnIn, AnAgentThatIsNeverHeardAgainIsAFindingThatSaysSo) {
  BurningTray t;
  t.orderedThenSilent(5h);
  EXPECT_EQ(t.run().state, RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("burnin.failed"));
  EXPECT_THAT(t.site.tables.findings.at(0).detail,
              testing::HasSubstr("nothing was heard of the machine's agent for four hours"));
}

TEST(BurnIn, ThatTakesFarLongerThanThePlanIsAFinding) {
  BurningTray t;
  t.machine().burnInPauses = 5h;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.site.tables.findings.at(0).detail, testing::HasSubstr("did not finish in time"));
}

}  // namespace
}  // namespace zellige::test
