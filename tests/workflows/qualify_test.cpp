// The whole way, planned to available: once, again on a machine already as wanted, and killed at every point.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "controller/model/finding.hpp"
#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Step> qualifySteps() {
  const auto steps = workflows::qualify().steps;
  return {steps.begin(), steps.end()};
}

struct Delivered : FleetOfOne {
  Delivered() : FleetOfOne(qualifySteps(), Lifecycle::Planned) {
    machine().mustChange = true;
    machine().power = HostPower::Off;
    machine().bootProgress.clear();
    target().profile.settings = {{"10.0.0.1"}, "10.0.0.2", 514, "LastState"};
    wantFirmware("bmc", "FW_BMC_0", Activation::BmcReset);
    wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  }
  void check(const std::string& at) {
    EXPECT_EQ(run().state, RunState::Done) << at << " " << testing::PrintToString(causes());
    EXPECT_EQ(site.tables.nodes[node].lifecycle, Lifecycle::Available) << at;
    EXPECT_EQ(machine().versions["HGX_FW_GPU_0"], "2") << at;
    EXPECT_EQ(machine().disk, "os-1") << at;
    EXPECT_EQ(machine().duplicates, 0) << at;
    for (const auto* once :
         {"push package-bmc", "push package-hgx", "bmc", "aux", "insert", "image", "restart", "burnin"})
      EXPECT_EQ(machine().count(once), 1) << at << " " << once;
  }
};

TEST(Qualify, BringsADeliveredTrayToAvailable) {
  Delivered t;
  t.runToEnd();
  t.check("no trouble");
  EXPECT_THAT(t.machine().writes,
              ElementsAre("password", "settings", "push package-bmc", "bmc", "push package-hgx", "aux", "on",
                          "off", "insert", "boot", "on", "image", "eject", "restart", "burnin"));
}

TEST(Qualify, WithAnEmptyDatabaseAndAMachineAsWantedOnlyTheBurnInRuns) {
  Delivered first;
  first.runToEnd();
  Delivered t;  // the same machine, nothing remembered
  t.machine().mustChange = false;
  t.machine().has = first.machine().has;
  t.machine().versions = first.machine().versions;
  t.machine().disk = "os-1";
  t.machine().power = HostPower::On;
  t.machine().bootProgress = "OSRunning";
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("burnin"));
}

TEST(Qualify, InObserveModeItReadsAndSaysWhatItWaitsFor) {
  Delivered t;
  t.site.tables.armed.clear();
  t.runToEnd(72h);
  EXPECT_TRUE(t.run().unfinished());
  EXPECT_THAT(t.machine().writes, IsEmpty());
  EXPECT_THAT(t.causes(), ElementsAre("bmc.password_change"));
  EXPECT_EQ(t.site.tables.nodes[t.node].lifecycle, Lifecycle::Discovered);
  t.site.tables.armed = {"H1"};
  t.site.engine().nudgeAll();
  t.site.runToEnd(t.id);
  t.check("armed");
  EXPECT_THAT(t.causes(), IsEmpty());
}

TEST(Qualify, AnotherMachineInThePlaceIsAFinding) {
  Delivered t;
  t.machine().parts.serial = "S9";
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("place.wrong_serial"));
  EXPECT_THAT(t.machine().count("push"), 0);
}

TEST(Qualify, EveryDifferenceIsFound) {
  Delivered t;
  t.machine().parts.components[0].model = "B200";
  t.machine().parts.components.push_back({ComponentKind::Nic, "NIC_0", "", "", "", true, true, "Critical"});
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("inventory.sick_part", "inventory.wrong_part"));
  EXPECT_EQ(t.site.tables.inventories.size(), 1u) << "what was found is kept";
}

TEST(Qualify, ATrayWhoseBaseboardStartsLacksNoGpus) {
  Delivered t;
  t.machine().restartBmc();
  t.site.run(t.machine().away);
  t.runToEnd();
  t.check("powered a moment ago");
  EXPECT_THAT(t.site.tables.findings, IsEmpty());
}

TEST(Qualify, ATrayWhoseBaseboardStaysAwayLacksItsGpus) {
  Delivered t;
  t.machine().baseboardAway = 48h;
  t.machine().restartBmc();
  EXPECT_EQ(t.runToEnd(24h), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("inventory.missing_part"));
}

TEST(Qualify, ABmcThatDoesNotListItsPartsIsWaitedForAndNothingIsCalledMissing) {
  Delivered t;
  const auto parts = t.machine().parts;
  t.machine().parts.components.clear();
  t.machine().parts.incomplete = "/redfish/v1/Systems/HGX_Baseboard_0/Processors: 503";
  t.runToEnd(10min);
  EXPECT_TRUE(t.run().unfinished());
  EXPECT_NE(t.run().waitsFor.find("Processors: 503"), std::string::npos) << t.run().waitsFor;
  EXPECT_THAT(t.causes(), IsEmpty());
  t.machine().parts = parts;
  t.site.runToEnd(t.id);
  t.check("listed later");
}

TEST(Qualify, ABmcThatNeverListsItsPartsIsAFindingThatNamesTheResource) {
  Delivered t;
  t.machine().parts.incomplete = "/redfish/v1/Systems/HGX_Baseboard_0/Processors: 503";
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("step.deadline"));
  EXPECT_NE(t.site.tables.findings.at(0).detail.find("Processors: 503"), std::string::npos);
}

TEST(Qualify, AWetTrayIsAFindingBeforeAnythingIsPowered) {
  Delivered t;
  t.machine().leak = true;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("cooling.leak"));
  EXPECT_EQ(t.machine().count("on"), 0);
}

TEST(Qualify, ARepairedNodeThatAnOperatorSentBackIsQualifiedAgain) {
  Delivered t;
  t.site.tables.nodes[t.node].lifecycle = Lifecycle::Qualifying;
  t.runToEnd();
  t.check("sent back");
}

TEST(Qualify, StartsOnlyWhereAMachineIsNobodys) {
  const auto& starts = workflows::qualify().startsIn;
  for (const auto lifecycle : {Lifecycle::InService, Lifecycle::Repair, Lifecycle::Quarantined,
                               Lifecycle::Sanitising, Lifecycle::Retired, Lifecycle::Unlisted})
    EXPECT_EQ(std::count(starts.begin(), starts.end(), lifecycle), 0) << nameOf(lifecycle);
  Delivered t;
  t.flow.startsIn = starts;
  t.site.tables.nodes[t.node].lifecycle = Lifecycle::InService;
  t.site.boot();
  const auto refused = t.site.tryStart({.workflow = "test", .subject = {t.node}, .profile = "p"});
  ASSERT_FALSE(*refused);
  EXPECT_EQ(refused->error().code, Errc::Rejected);
  EXPECT_NE(refused->error().what.find("in_service"), std::string::npos);
  EXPECT_TRUE(t.site.tables.runs.empty());
}

TEST(Qualify, AMachineThatSomebodyTookMeanwhileIsNotAccepted) {
  Delivered t;
  t.site.boot();
  t.id = t.start();
  ASSERT_TRUE(t.site.runUntil([&] { return t.run().step == "burnin.run"; }, 24h));
  t.site.tables.nodes[t.node].lifecycle = Lifecycle::Discovered;
  t.site.runToEnd(t.id, 24h);
  EXPECT_EQ(t.run().state, RunState::Failed);
  EXPECT_THAT(t.causes(), ElementsAre("act.rejected"));
}

TEST(Qualify, ATestWithAnotherLimitUnderTheSamePlansNameRunsAgain) {
  Delivered t;
  t.runToEnd();
  t.check("first");
  t.site.tables.nodes[t.node].lifecycle = Lifecycle::Qualifying;
  t.target().plan.tests[0].limits["tflops"].min = 51.0;
  t.target().digest = "another target";
  t.id = t.start();
  t.site.runToEnd(t.id, 24h);
  EXPECT_EQ(t.machine().count("burnin"), 2);
  EXPECT_EQ(t.machine().count("push"), 2) << "firmware is as wanted";
}

// Dies once at the n-th point and is booted again, until the run ends.
void killAt(Delivered& t, int n) {
  t.site.boot();
  t.site.points.arm(n);
  StartRun request{.workflow = "test", .subject = {t.node}, .profile = "p"};
  (void)t.site.tryStart(request);
  for (int lives = 0; lives < 3; ++lives) {
    if (t.site.points.dead()) t.site.boot();
    if (t.site.tables.runs.empty()) t.start();
    if (t.site.runToEnd(RunId{1}, 72h)) break;
  }
}

std::vector<std::string> pointsPassed() {
  Delivered plain;
  plain.runToEnd();
  return plain.site.points.passed();
}

TEST(Qualify, KilledAtEveryPointItDoesEverythingOnce) {
  const auto points = pointsPassed();
  ASSERT_GT(points.size(), 60u);
  for (std::size_t n = 0; n < points.size(); ++n) {
    Delivered t;
    killAt(t, static_cast<int>(n));
    t.check(fmt::format("killed at {} of {}: {}", n, points.size(), points[n]));
  }
}

struct Mutated : testing::TestWithParam<Mutation> {};
TEST_P(Mutated, TheSameSweepFindsDuplicates) {
  const auto points = pointsPassed();
  int duplicates = 0;
  for (std::size_t n = 0; n < points.size(); ++n) {
    if (!points[n].starts_with("write.after push")) continue;
    Delivered t;
    t.site.options.mutation = GetParam();
    killAt(t, static_cast<int>(n));
    duplicates += t.machine().duplicates;
  }
  EXPECT_GT(duplicates, 0);
}
INSTANTIATE_TEST_SUITE_P(Qualify, Mutated, testing::Values(Mutation::SkipLook, Mutation::NoSettle),
                         [](const auto& info) {
                           return info.param == Mutation::SkipLook ? "skip_look" : "no_settle";
                         });

TEST(Power, AsAskedForIsNoAct) {
  FleetOfOne t(std::vector<Step>{workflows::power().steps.front()});
  t.flow.name = "power";
  t.site.boot();
  StartRun request{.workflow = "power", .subject = {t.node}, .parameter = "on"};
  t.id = **t.site.tryStart(request);
  t.site.runToEnd(t.id);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

struct PowerAsked : testing::TestWithParam<std::pair<std::string, std::string>> {};
TEST_P(PowerAsked, IsDoneOnceAlsoWhenTheReplyWasLost) {
  const auto& [parameter, write] = GetParam();
  FleetOfOne t(std::vector<Step>{workflows::power().steps.front()});
  t.machine().power = parameter == "on" ? HostPower::Off : HostPower::On;
  t.machine().refuse[write] = {Error{Errc::Timeout, "no reply", true}};
  t.site.boot();
  StartRun request{.workflow = "test", .subject = {t.node}, .parameter = parameter};
  t.id = **t.site.tryStart(request);
  t.site.runToEnd(t.id);
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre(write));
}
INSTANTIATE_TEST_SUITE_P(Power, PowerAsked,
                         testing::Values(std::pair{"on", "on"}, std::pair{"off", "off"},
                                         std::pair{"restart", "restart"}));

// What a reader of the step lists may rely on.
TEST(StepLists, AreWellFormed) {
  for (const auto* flow : workflows::all()) {
    std::set<std::string_view> ids;
    for (const auto& step : flow->steps) {
      EXPECT_TRUE(ids.insert(step.id).second) << step.id;
      EXPECT_NE(step.id.find('.'), std::string_view::npos) << step.id;
      EXPECT_TRUE(step.look) << step.id;
      EXPECT_TRUE(findCause(step.overdue)) << step.id;
      EXPECT_TRUE(findCause(step.spent)) << step.id;
      EXPECT_TRUE(step.again.empty() || ids.contains(step.again)) << step.id;
      EXPECT_FALSE(step.title.empty()) << step.id;
      EXPECT_GT(step.deadline, step.settle) << step.id;
      EXPECT_GE(step.settle, 20s) << step.id << ": longer than a BMC's lag";
      EXPECT_GT(step.maxTries, 0) << step.id;
    }
  }
}

}  // namespace
}  // namespace zellige::test
