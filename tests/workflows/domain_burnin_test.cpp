// The burn-in of a domain, with agents that do what the last order in their row says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/domain.hpp"

namespace zellige::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration kTest = 20min;

struct Agent {
  bool runs = true;
  double gbPerS = 640;
  AgentReport report;
  Time begun{};
};

struct BurningDomain : Domain {
  BurningDomain() : Domain(workflows::burnInDomain()) {
    for (const auto id : {1, 2}) site.tables.nodes[NodeId{id}].profile = "p";
    auto& target = site.tables.profiles["p"];
    target.digest = "target";
    target.profile = {"p", "sku", "base", "plan", "os", "os-1", {}};
    target.sku.stressWatts = 5'000;
    target.plan = {"plan",
                   {{"gemm", 30min, true, {}, {}},
                    {"nvlink_domain", kTest, true, {}, {{"gb_per_s", {600.0, {}}}}, true}}};
    for (const auto id : {1, 2}) tick(NodeId{id});
  }
  void tick(NodeId id) {
    auto& agent = agents[id];
    site.world.after(30s, [this, id] { tick(id); });
    if (!agent.runs) return;
    agent.report.serial = "S" + std::to_string(id.value);
    if (agent.report.bootId.empty()) agent.report.bootId = "boot " + std::to_string(boots++);
    ++agent.report.sequence;
    const auto order = site.tables.orders.find(id);
    if (order != site.tables.orders.end() && order->second.kind == OrderKind::BurnIn)
      obey(id, agent, order->second);
    site.tables.reports[id] = {agent.report, site.time.now()};
    if (site.life) site.engine().nudge(id);
  }
  void obey(NodeId id, Agent& agent, const AgentOrder& order) {
    auto& said = agent.report.burnIn;
    if (said.orderId != order.id) {
      said = {order.id, false, false, {}};
      agent.begun = {};
    }
    if (!order.mayBegin() || said.finished) return;
    if (agent.begun == Time{}) {
      agent.begun = site.time.now();
      said.begun = true;
      begun.push_back(id);
    }
    if (site.time.now() - agent.begun < kTest || holds.contains(id)) return;
    said.finished = true;
    const auto outcome = voids > 0 ? TestOutcome::Void : TestOutcome::Pass;
    for (const auto& test : order.tests)
      said.results.push_back({test.id, outcome, {{"gb_per_s", agent.gbPerS}}, "another had left"});
    if (id == NodeId{2} && voids > 0) --voids;
  }
  void addHost(std::int64_t id) {
    addTray(9);
    ASSERT_EQ(members.back(), NodeId{id});
    site.tables.nodes[NodeId{id}].profile = "p";
    tick(NodeId{id});
  }
  void reboot(NodeId id) { agents[id].report = {}; }
  std::vector<std::string> causes(std::int64_t id) const { return site.tables.openCauses(NodeId{id}); }

  std::map<NodeId, Agent> agents;
  std::vector<NodeId> begun;
  std::set<NodeId> holds;  ///< whose tests do not end
  int boots = 1, voids = 0;
};

TEST(DomainBurnIn, RunsWhatIsMeantForAllOnEveryHostAndIsShownOnEveryMember) {
  BurningDomain domain;
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_THAT(domain.begun, ElementsAre(NodeId{1}, NodeId{2}));
  EXPECT_EQ(domain.shown(), 4);
  const auto& order = domain.site.tables.orders.at(NodeId{2});
  EXPECT_THAT(order.together.members, ElementsAre("S1", "S2"));
  ASSERT_EQ(order.tests.size(), 1u);
  EXPECT_EQ(order.tests.front().id, "nvlink_domain");
  EXPECT_FALSE(domain.site.tables.orders.contains(NodeId{3}));
}

TEST(DomainBurnIn, NobodyBeginsBeforeAllAreReady) {
  BurningDomain domain;
  domain.agents[NodeId{2}].runs = false;
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  domain.site.run(30min);
  EXPECT_THAT(domain.begun, IsEmpty());
  EXPECT_THAT(domain.site.tables.run(domain.run).waitsFor,
              HasSubstr("1 of 2 agents are ready; first missing: S2"));
  domain.agents[NodeId{2}].runs = true;
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
}

TEST(DomainBurnIn, WhoNeverGetsReadyIsNamedAndStaysAvailable) {
  BurningDomain domain;
  domain.agents[NodeId{2}].runs = false;
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.causes(2), ElementsAre("domain.no_agent"));
  EXPECT_THAT(domain.causes(1), IsEmpty());
  EXPECT_EQ(domain.site.tables.nodes[NodeId{2}].lifecycle, Lifecycle::Available);
  EXPECT_THAT(domain.begun, IsEmpty());
}

TEST(DomainBurnIn, WhoFallsShortWhereOthersDoNotIsQuarantined) {
  BurningDomain domain;
  domain.agents[NodeId{2}].gbPerS = 300;
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.causes(2), ElementsAre("domain.burnin"));
  EXPECT_EQ(domain.site.tables.nodes[NodeId{2}].lifecycle, Lifecycle::Quarantined);
  EXPECT_THAT(domain.causes(1), IsEmpty());
  EXPECT_EQ(domain.site.tables.nodes[NodeId{1}].lifecycle, Lifecycle::Available);
  EXPECT_EQ(domain.shown(), 0);
}

TEST(DomainBurnIn, WhereMostFallShortNobodyIsTakenAway) {
  for (const bool all : {true, false}) {
    BurningDomain domain;
    domain.addHost(5);
    for (const auto id : {1, 2, 5}) domain.agents[NodeId{id}].gbPerS = all || id != 2 ? 300 : 640;
    EXPECT_EQ(domain.runToEnd(), RunState::Failed);
    for (const auto id : domain.members)
      EXPECT_EQ(domain.site.tables.nodes[id].lifecycle, Lifecycle::Available);
    EXPECT_THAT(domain.causes(1), ElementsAre("rack.run_failed"));
    EXPECT_THAT(domain.causes(5), IsEmpty());
  }
}

TEST(DomainBurnIn, OfAPlanWithoutTestsForAllIsNoEvidence) {
  BurningDomain domain;
  domain.site.tables.profiles["p"].plan.tests.pop_back();
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.causes(1), ElementsAre("rack.run_failed"));
  EXPECT_THAT(domain.site.tables.findings.front().detail, HasSubstr("plan plan has no test for all hosts"));
  EXPECT_EQ(domain.shown(), 0);
}

TEST(DomainBurnIn, WhatWasVoidIsRunAgainAndNotForEver) {
  BurningDomain once;
  once.voids = 1;
  EXPECT_EQ(once.runToEnd(), RunState::Done);
  EXPECT_EQ(once.begun.size(), 4u);
  BurningDomain ever;
  ever.voids = 100;
  EXPECT_EQ(ever.runToEnd(), RunState::Failed);
  EXPECT_EQ(ever.begun.size(), 6u);
  EXPECT_EQ(ever.shown(), 0);
}

// The controller dies between the last report and the verdict, and a host restarts meanwhile: its agent knows nothing of the
// tests any more.
TEST(DomainBurnIn, ResultsThatARestartLostAreRunAgainAndQuarantineNobody) {
  for (const bool toldAgain : {false, true}) {
    bool tried = false;
    for (int at = 0; at < 100 && !tried; ++at) {
      BurningDomain domain;
      domain.site.boot();
      domain.site.points.arm(at);
      const auto begun = domain.site.tryStart({.workflow = "burn_in_domain", .subject = domain.members});
      if (!begun || !*begun) continue;
      domain.run = **begun;
      domain.site.runToEnd(domain.run);
      tried = domain.site.points.dead() &&
              domain.site.tables.run(domain.run).step == "domain_burnin.verdict" && domain.shown() == 0;
      if (!tried) continue;
      const auto order = domain.site.tables.reports[NodeId{1}].report.burnIn.orderId;
      domain.reboot(NodeId{1});
      domain.site.tables.reports[NodeId{1}].report = {};
      if (toldAgain) domain.site.tables.reports[NodeId{1}].report.burnIn.orderId = order;
      domain.site.boot();
      domain.site.runToEnd(domain.run);
      EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
      EXPECT_EQ(domain.begun.size(), 4u);
      EXPECT_EQ(domain.site.tables.nodes[NodeId{1}].lifecycle, Lifecycle::Available);
    }
    EXPECT_TRUE(tried) << "it never died there";
  }
}

// While it waits for watts a host goes off, and all its agent has ever said is that it is ready.
TEST(DomainBurnIn, WhoIsNotThereAnyMoreWhenTheWattsAreGrantedIsWaitedFor) {
  BurningDomain domain;
  domain.site.options.budgets.power = {{"H1", 9'999, 9'999}};
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  domain.site.run(2h);
  domain.agents[NodeId{2}].runs = false;
  domain.site.run(20min);
  domain.site.options.budgets.power = {{"H1", 10'000, 10'000}};
  domain.site.boot();
  domain.site.run(20min);
  EXPECT_THAT(domain.begun, IsEmpty());
  EXPECT_THAT(domain.site.tables.run(domain.run).waitsFor, HasSubstr("1 of 2 agents are ready"));
  domain.agents[NodeId{2}].runs = true;
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
}

// All wait for one that is cut off; then all end at once, and its last report is the first that is looked at.
TEST(DomainBurnIn, WhoWaitedForOneThatWasCutOffIsNotLate) {
  BurningDomain domain;
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  ASSERT_TRUE(domain.site.runUntil([&] { return domain.begun.size() == 2; }, 2h));
  domain.holds = {NodeId{1}, NodeId{2}};
  domain.agents[NodeId{2}].runs = false;
  domain.site.run(3h);
  domain.agents[NodeId{2}].runs = true;
  domain.site.run(1min);
  domain.holds = {NodeId{1}};
  domain.site.run(5min);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Active);
  domain.holds.clear();
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
}

TEST(DomainBurnIn, AVoidTestThatThePlanDoesNotRequireIsNotRunAgain) {
  BurningDomain domain;
  domain.site.tables.profiles["p"].plan.tests.back().required = false;
  domain.voids = 1;
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_EQ(domain.begun.size(), 2u);
}

// The host is on, its BMC answers, and its agent does not come back.
TEST(DomainBurnIn, WhoFallsSilentInTheMiddleIsNamedAfterFourHours) {
  BurningDomain domain;
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  ASSERT_TRUE(domain.site.runUntil([&] { return domain.begun.size() == 2; }, 2h));
  const auto began = domain.site.time.now();
  domain.agents[NodeId{2}].runs = false;
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Failed);
  EXPECT_THAT(domain.causes(2), ElementsAre("domain.no_agent"));
  EXPECT_THAT(domain.causes(1), IsEmpty());
  EXPECT_GE(domain.site.time.now() - began, 4h);
  EXPECT_LT(domain.site.time.now() - began, 4h + 10min);
}

// A link to the provisioning network was down for longer than the tests take; the machine went on.
TEST(DomainBurnIn, ASilenceThatEndsIsNotTheTestsTime) {
  BurningDomain domain;
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  ASSERT_TRUE(domain.site.runUntil([&] { return domain.begun.size() == 2; }, 2h));
  domain.agents[NodeId{2}].runs = false;
  domain.site.run(3h);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Active);
  domain.agents[NodeId{2}].runs = true;
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
}

TEST(DomainBurnIn, ADarkHallIsNobodysSilence) {
  BurningDomain domain;
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  ASSERT_TRUE(domain.site.runUntil([&] { return domain.begun.size() == 2; }, 2h));
  for (const auto id : {1, 2}) {
    domain.agents[NodeId{id}].runs = false;
    domain.tray(id).vanished = true;
  }
  domain.site.run(11min + 5min);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Blocked);
  for (const auto id : {1, 2}) {
    domain.agents[NodeId{id}].runs = true;
    domain.tray(id).vanished = false;
  }
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
  EXPECT_EQ(domain.shown(), 4);
}

TEST(DomainBurnIn, WhatTheWholeRackDrawsIsTakenAtOnceAndHeldThroughARestart) {
  for (const std::int64_t watts : {9'999, 10'000}) {
    BurningDomain domain;
    domain.site.options.budgets.power = {{"H1", watts, watts}};
    domain.site.boot();
    domain.run = domain.site.start("burn_in_domain", domain.members);
    const bool begins = domain.site.runUntil([&] { return domain.begun.size() == 2; }, 2h);
    EXPECT_EQ(begins, watts == 10'000);
    if (!begins) continue;
    domain.site.boot();
    const auto use = domain.site.engine().budgetUse();
    EXPECT_THAT(use, Contains(testing::AllOf(testing::Field(&Budgets::Use::budget, Budget::Power),
                                             testing::Field(&Budgets::Use::used, 10'000))));
  }
}

// It waits its turn, however long that takes: nobody keeps it waiting, and it does not lose its place in the queue.
TEST(DomainBurnIn, WaitsForPowerForHours) {
  BurningDomain domain;
  domain.site.options.budgets.power = {{"H1", 9'999, 9'999}};
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  domain.site.run(10h);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Active);
  EXPECT_THAT(domain.site.tables.run(domain.run).waitsFor, HasSubstr("never has more than 9999 W"));
  EXPECT_THAT(domain.begun, IsEmpty());
  domain.site.options.budgets.power = {{"H1", 10'000, 10'000}};
  domain.site.boot();
  domain.site.runToEnd(domain.run);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done);
}

// But whoever disarms the place, or is out of reach, keeps the others waiting from then on.
TEST(DomainBurnIn, ThatHasWaitedForPowerIsStillNotKeptWaiting) {
  BurningDomain domain;
  domain.site.options.budgets.power = {{"H1", 9'999, 9'999}};
  domain.site.boot();
  domain.run = domain.site.start("burn_in_domain", domain.members);
  domain.site.run(3h);
  domain.site.tables.armed.clear();
  domain.site.run(10min);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Active);
  domain.site.run(4min);
  EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Failed);
  EXPECT_THAT(domain.causes(1), ElementsAre("rack.kept_waiting"));
}

TEST(DomainBurnIn, OfTraysWithDifferentProfilesIsRefused) {
  BurningDomain domain;
  domain.site.tables.profiles["q"] = domain.site.tables.profiles["p"];
  domain.site.tables.nodes[NodeId{2}].profile = "q";
  domain.site.boot();
  const auto refused = domain.site.tryStart({.workflow = "burn_in_domain", .subject = domain.members});
  ASSERT_FALSE(*refused);
  EXPECT_THAT(refused->error().what, HasSubstr("of one profile together: S1 has p, S2 has q"));
}

// Wherever the controller dies, each host begins once.
TEST(DomainBurnIn, EndsTheSameWhereverTheControllerDies) {
  for (int at = 0;; ++at) {
    BurningDomain domain;
    domain.site.boot();
    domain.site.points.arm(at);
    const auto begun = domain.site.tryStart({.workflow = "burn_in_domain", .subject = domain.members});
    const bool ended = begun && *begun && domain.site.runToEnd(**begun);
    const bool died = domain.site.points.dead();
    if (died) {
      domain.site.boot();
      if (domain.site.tables.runs.empty()) domain.site.start("burn_in_domain", domain.members);
      domain.site.runToEnd(domain.site.tables.runs.begin()->first);
    }
    domain.run = domain.site.tables.runs.begin()->first;
    EXPECT_EQ(domain.site.tables.run(domain.run).state, RunState::Done) << at;
    EXPECT_EQ(domain.begun.size(), 2u) << at;
    EXPECT_EQ(domain.shown(), 4) << at;
    if (ended && !died) {
      EXPECT_GT(at, 5) << "it was killed nowhere";
      break;
    }
  }
}

}  // namespace
}  // namespace zellige::test
