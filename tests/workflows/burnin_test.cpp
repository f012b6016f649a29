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

TEST(BurnIn, AnAgentThatIsNeverHeardAgainIsAFindingThatSaysSo) {
  BurningTray t;
  t.orderedThenSilent(5h);
  EXPECT_EQ(t.run().state, RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("burnin.failed"));
  EXPECT_THAT(t.site.tables.findings.at(0).detail,
              testing::HasSubstr("nothing was heard of the machine's agent since"));
}

TEST(BurnIn, ThatTakesFarLongerThanThePlanIsAFinding) {
  BurningTray t;
  t.machine().burnInPauses = 5h;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.site.tables.findings.at(0).detail, testing::HasSubstr("did not finish in time"));
}

}  // namespace
}  // namespace zellige::test
