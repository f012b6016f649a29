// The OS image and burn-in: what is already there, what somebody left, what never comes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct ImagedTray : FleetOfOne {
  ImagedTray() : FleetOfOne(workflows::imageSteps()) {
    machine().power = HostPower::Off;
    machine().bootProgress.clear();
  }
};

TEST(Image, IsWrittenFromTheMediaAndCallsHome) {
  ImagedTray t;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("insert", "boot", "on", "image", "eject", "restart"));
  EXPECT_EQ(t.machine().disk, "os-1");
  EXPECT_TRUE(t.hasEvidence("image"));
  EXPECT_EQ(t.machine().duplicates, 0);
  const auto& order = t.site.tables.orders[t.node];
  EXPECT_EQ(order.imageUrl, "https://10.0.0.1:8444/images/os-1");
  EXPECT_THAT(order.seed, HasSubstr("S1-os"));
}

TEST(Image, AlreadyRunningIsNoAct) {
  ImagedTray t;
  t.machine().power = HostPower::On;
  t.machine().bootProgress = "OSRunning";
  t.machine().disk = "os-1";
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_TRUE(t.hasEvidence("image"));
}

TEST(Image, ARestingSystemThatReportsSeldomIsAlreadyRunningToo) {
  ImagedTray t;
  t.machine().power = HostPower::On;
  t.machine().bootProgress = "OSRunning";
  t.machine().agentStarts = false;  // between two of its reports, which come every ten minutes
  AgentReport report;
  report.home = AgentHome::Os;
  report.image = {ImageState::Verified, "os-1", 0, ""};
  t.site.tables.reports[t.node] = {report, t.site.time.now() - 9min};
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Image, AKnownSystemThatStillBootsIsWaitedFor) {
  ImagedTray t;
  t.machine().disk = "os-1";
  t.machine().boots = 8min;
  t.site.tables.evidence[(std::pair{t.node, std::string("image")})].evidence = Evidence{
      t.node, {}, "image", "", {"image:os-1", "serial:S1"}, {}};
  t.site.boot();
  (void)t.site.await(t.machine().reset(HostReset::On));  // as after a firmware activation
  t.id = t.start();
  t.site.runToEnd(t.id);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("on"));
}

TEST(Image, AnotherSystemGetsItsChanceAndIsThenReplaced) {
  ImagedTray t;
  t.machine().power = HostPower::On;
  t.machine().bootProgress = "OSRunning";
  t.machine().disk = "os-0";
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().disk, "os-1");
  EXPECT_THAT(t.machine().writes, ElementsAre("off", "insert", "boot", "on", "image", "eject", "restart"));
}

TEST(Image, MediaThatSomebodyLeftIsEjectedFirst) {
  ImagedTray t;
  t.machine().slot = {true, "https://elsewhere/rescue.iso"};
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("eject", "insert", "boot", "on", "image", "eject", "restart"));
}

TEST(Image, AnAgentThatNeverComesIsAFinding) {
  ImagedTray t;
  t.machine().agentStarts = false;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("image.no_agent"));
}

TEST(Image, AWriteThatFailedIsOrderedAgain) {
  ImagedTray t;
  t.machine().failImages = 1;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("image"), 2);
}

TEST(Image, AWriteThatFailsEveryTimeIsAFindingWithTheAgentsWords) {
  ImagedTray t;
  t.machine().failImages = 9;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("image.failed"));
  EXPECT_EQ(t.machine().count("image"), 3);
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("I/O error"));
}

TEST(Image, AMachineWithoutResetTimesIsRestartedOnce) {
  ImagedTray t;
  t.machine().dates = false;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("restart"), 1);
}

TEST(Image, ARestartWithAnUnknownOutcomeIsDecidedByItsWitness) {
  ImagedTray t;
  t.machine().refuse["restart"] = {Error{Errc::Timeout, "no reply", true}};
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("restart"), 1);
}

TEST(Image, AHungWriteKeepsNoStreamFromOthers) {
  ImagedTray t;
  t.machine().images = 1000h;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  t.site.run(1min);
  EXPECT_THAT(t.site.engine().budgetUse(), IsEmpty());
}

std::vector<Step> burnInAndAccept() {
  auto steps = workflows::burnInSteps();
  for (auto& step : workflows::acceptSteps()) steps.push_back(step);
  return steps;
}

struct Burning : FleetOfOne {
  Burning() : FleetOfOne(burnInAndAccept()) {
    machine().disk = "os-1";
    site.tables.inventories[node] = machine().parts;
    for (const auto* subject : {"inventory", "settings", "firmware", "image"})
      site.tables.evidence[(std::pair{node, std::string(subject)})].evidence = Evidence{node, {}, subject,
                                                                                        "",   {}, {}};
  }
};

TEST(BurnIn, RunsThePlanAndAcceptsTheMachine) {
  Burning t;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("burnin"), 1);
  EXPECT_TRUE(t.hasEvidence("burnin/gemm"));
  EXPECT_EQ(t.site.tables.nodes[t.node].lifecycle, Lifecycle::Available);
  EXPECT_EQ(t.site.tables.orders[t.node].kind, OrderKind::Wait);
}

TEST(BurnIn, ValidEvidenceIsNotShownAgain) {
  Burning t;
  ASSERT_EQ(t.runToEnd(), RunState::Done);
  t.site.tables.nodes[t.node].lifecycle = Lifecycle::Qualifying;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("burnin"), 1);
  t.site.tables.nodes[t.node].lifecycle = Lifecycle::Qualifying;
  t.site.tables.evidence[(std::pair{t.node, std::string("burnin/gemm")})].valid = false;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().count("burnin"), 2);
}

TEST(BurnIn, ANumberOutsideItsLimitsIsAFinding) {
  Burning t;
  t.target().plan.tests[0].limits["tflops"].min = 500.0;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("burnin.failed"));
  EXPECT_THAT(t.site.tables.findings[0].detail, HasSubstr("at least 500"));
}

TEST(BurnIn, TestsThatNeverFinishAreAFinding) {
  Burning t;
  t.machine().agentStarts = false;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("burnin.failed"));
}

TEST(BurnIn, NothingIsAcceptedWithoutEvidenceForTheWholeProfile) {
  Burning t;
  t.site.tables.evidence[(std::pair{t.node, std::string("firmware")})].valid = false;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_EQ(t.site.tables.nodes[t.node].lifecycle, Lifecycle::Quarantined);
}

// A hall without network: neither agent nor BMC is heard. That is no sickness of the machine.
TEST(Silence, OfAgentAndBmcBlocksTheRunAndBlamesNobody) {
  ImagedTray t;
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "image.agent"; }, 1h));
  t.machine().broken = Error{Errc::Unreachable, "no route to BMC"};
  t.machine().agentStarts = false;
  t.site.run(24h);
  EXPECT_EQ(t.run().state, RunState::Blocked);
  EXPECT_TRUE(t.site.tables.nodes[t.node].unreachableSince);
  EXPECT_THAT(t.site.tables.findings, IsEmpty());
  t.machine().broken.reset();
  t.machine().agentStarts = true;
  t.site.runToEnd(t.id, 5h);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_FALSE(t.site.tables.nodes[t.node].unreachableSince);
}

TEST(Silence, OfTheAgentAloneIsAFinding) {
  ImagedTray t;
  t.machine().agentStarts = false;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("image.no_agent"));
}

}  // namespace
}  // namespace zellige::test
