// Whole racks, from delivered to accepted, held against the simulator's ledger.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/simulation.hpp"
#include "controller/commands/site_end.hpp"
#include "tests/commands/undone.hpp"

namespace zellige {
namespace {

using testing::IsEmpty;

VirtualSiteOptions oneRack() {
  log::setLevel(log::Level::Off);
  VirtualSiteOptions options;
  sim::fillRacks(options.fleet, 1);
  return options;
}

TEST(Racks, ComeUpInTheRecipesOrderAndAreAccepted) {
  Scratch scratch;
  VirtualSite site(scratch.path(), oneRack());
  EXPECT_TRUE(site.run(48h));
  const auto end = endOf(site);
  EXPECT_EQ(end.available, 35);
  EXPECT_EQ(end.racksAccepted, 1);
  EXPECT_TRUE(end.good());

  Time shelvesUp{}, dry{}, firstTouched = Time::max(), qualified{}, domain{}, burntIn = Time::max();
  for (const auto machine : site.fleet().machines()) {
    const auto node = *site.store().node(*site.store().nodeBySerial(site.fleet().serial(machine)));
    if (node.kind == NodeKind::PowerShelf) {
      shelvesUp = std::max(shelvesUp, node.lifecycleSince);
      continue;
    }
    qualified = std::max(qualified, node.lifecycleSince);
    for (const auto& evidence : site.store().validEvidence(node.id)) {
      if (evidence.subject == "leaks") dry = std::max(dry, evidence.at);
      if (evidence.subject == "domain") domain = std::max(domain, evidence.at);
      if (evidence.subject == "domain_burnin") burntIn = std::min(burntIn, evidence.at);
    }
    for (const auto& entry : site.fleet().ledger().entriesOf(machine.value))
      if (entry.kind != sim::ActKind::PasswordSet && entry.kind != sim::ActKind::Session)
        firstTouched = std::min(firstTouched, entry.at);
  }
  EXPECT_LT(shelvesUp, dry);
  EXPECT_LT(dry, firstTouched) << "nothing but a password is set before every tray is dry";
  EXPECT_LT(qualified, domain);
  EXPECT_LT(domain, burntIn);
  EXPECT_LT(burntIn, Time::max());
}

TEST(Racks, AreNotTouchedBeforeTheirPlaceIsArmed) {
  Scratch scratch;
  auto options = oneRack();
  options.armed = false;
  VirtualSite site(scratch.path(), options);
  site.runFor(6h);
  EXPECT_EQ(site.store().rack("H1/R01/RK001")->state, RackState::Installing);
  EXPECT_EQ(site.plane().bringUp().waitsFor("H1/R01/RK001"), "the place to be armed");
  for (const auto machine : site.fleet().machines())
    EXPECT_THAT(site.fleet().ledger().entriesOf(machine.value), IsEmpty());
}

// One wet tray is that tray's trouble: it gets no power, and the others go on.
TEST(Racks, ATrayThatLeaksGetsNoPowerAndTheOthersGoOn) {
  Scratch scratch;
  auto options = oneRack();
  options.fleet.scripted = {{3, sim::FaultKind::Leak}, {5, sim::FaultKind::PowersUpByItself}};
  VirtualSite site(scratch.path(), options);
  EXPECT_TRUE(site.run(48h));
  const auto end = endOf(site);
  EXPECT_TRUE(end.good());
  EXPECT_EQ(end.available, 34);
  EXPECT_EQ(end.racksAccepted, 0);
  EXPECT_EQ(site.fleet().groundTruth({3}).boots, 0);
  EXPECT_EQ(end.faultsFired.at("f32_leak"), 1);
  const auto early = *site.store().nodeBySerial(site.fleet().serial({5}));
  FindingFilter filter;
  filter.node = early;
  const auto found = site.store().queries()->findings(filter, {}, 50).findings;
  ASSERT_EQ(found.size(), 1u) << "the hosts that the policy switched on, and nobody else";
  EXPECT_EQ(found.front().finding.cause, "cooling.on_before_dry");
}

// Takes every host for off until one of them was told to be on.
Undoing takesHostsForOffUntilTold() {
  return {
      {}, [told = false](Time, const HttpRequest& request, Result<http::Received>& result) mutable {
        told = told || request.path().ends_with("ComputerSystem.Reset");
        if (told) return;
        changeBody(result, [](Json& json) {
          forEachObject(json, [](Json& part) {
            if (part.value("@odata.id", "") == "/redfish/v1/Systems/System_0" && part.contains("PowerState"))
              part["PowerState"] = "Off";
          });
        });
      }};
}

TEST(Racks, WithAHostThatPowersUpByItselfAreAcceptedBecauseItIsLookedAt) {
  for (const auto& [fault, undone] : {std::pair(true, false), {false, true}, {true, true}}) {
    Scratch scratch;
    auto options = oneRack();
    if (fault) options.fleet.scripted = {{5, sim::FaultKind::PowersUpByItself}};
    if (undone)
      options.between = [](http::Transport& wire) {
        return std::make_unique<Undone>(wire, takesHostsForOffUntilTold(), [] { return Time{}; });
      };
    VirtualSite site(scratch.path(), options);
    EXPECT_TRUE(site.run(48h));
    SCOPED_TRACE(testing::Message() << "fault " << fault << ", undone " << undone);
    auto end = endOf(site);
    EXPECT_EQ(end.faultsFired["f38_powers_up_by_itself"], fault);
    EXPECT_EQ(end.good(), !(fault && undone));
    EXPECT_EQ(end.racksAccepted, !(fault && undone));
    const auto found = site.store().queries()->findings({}, {}, 50).findings;
    const bool told = std::any_of(found.begin(), found.end(), [](const auto& row) {
      return row.finding.cause == "cooling.on_before_dry";
    });
    EXPECT_EQ(told, fault && !undone);
  }
}

// Takes a control plane that is enabled for one that has configured the fabric.
void takesEnabledForConfigured(Time, const HttpRequest& request, Result<http::Received>& result) {
  if (request.path().ends_with("nmx-controller"))
    changeBody(result, [](Json& json) {
      json = {{"status", "ok"}, {"reason", ""}, {"additional-info", "CONTROL_PLANE_STATE_CONFIGURED"}};
    });
}

TEST(Racks, WhoseFabricIsNeverConfiguredIsNotAcceptedAndKeepsItsTrays) {
  for (const bool undone : {false, true}) {
    Scratch scratch;
    auto options = oneRack();
    options.fleet.scripted = {{18, sim::FaultKind::FabricNever}};  // the lowest switch tray, which leads
    if (undone)
      options.between = [](http::Transport& wire) {
        return std::make_unique<Undone>(wire, Undoing{{}, takesEnabledForConfigured}, [] { return Time{}; });
      };
    VirtualSite site(scratch.path(), options);
    site.run(48h);
    EXPECT_EQ(site.store().nodesIn(Lifecycle::Available).size(), 35u);
    EXPECT_EQ(endOf(site).racksAccepted, undone ? 1 : 0);
    EXPECT_EQ(endOf(site).faultsFired.at("defect_fabric_never"), 1);
    EXPECT_THAT(site.plane().bringUp().waitsFor("H1/R01/RK001"),
                undone ? testing::Matcher<std::string>("") : testing::HasSubstr("domain.control_plane"));
  }
}

std::int64_t burntInWatts(VirtualSite& site) { return std::llround(site.fleet().power("").watts); }

void anyNumberOfDeadLinksWillDo(const std::filesystem::path& site) {
  std::ifstream in(site / "plan.yaml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  in.close();
  const std::string limit = "links_inactive: { max: 0 }";
  text.replace(text.rfind(limit), limit.size(), "links_inactive: { max: 9 }");
  std::ofstream(site / "plan.yaml") << text;
}

// Four GPUs never use the link that eighteen trays need.
TEST(Racks, ALinkThatFailsWhenAllAreAtItIsFoundByTheBurnInOfTheDomain) {
  for (const bool undone : {false, true}) {
    Scratch scratch;
    auto options = oneRack();
    options.fleet.scripted = {{4, sim::FaultKind::DeadLink}};
    if (undone) options.editSite = anyNumberOfDeadLinksWillDo;
    VirtualSite site(scratch.path(), options);
    site.run(48h);
    const auto end = endOf(site);
    EXPECT_EQ(end.racksAccepted, undone ? 1 : 0);
    EXPECT_EQ(end.quarantined, undone ? 0 : 1);
    EXPECT_EQ(end.unexpected.empty(), !undone) << testing::PrintToString(end.unexpected);
    EXPECT_EQ(end.faultsFired.at("defect_dead_link"), 1);
  }
}

// Its 18 trays of 5,400 W go up together, and nothing is burnt in beside them; also where the controller dies meanwhile.
TEST(Racks, AreBurntInAsOneWithinTheirPowerWheneverTheControllerDies) {
  for (const bool dies : {false, true}) {
    SCOPED_TRACE(dies ? "dies" : "lives");
    Scratch scratch;
    auto options = oneRack();
    options.engine.budgets.power = {{"", 100'000, 20'000}};
    options.restartAfter = 15min;
    VirtualSite site(scratch.path(), options);
    if (dies) {
      for (int i = 0; i < 2'000 && burntInWatts(site) < 97'200; ++i) site.runFor(1min);
      site.kill();
      site.runFor(20min);
      site.kill();
    }
    ASSERT_TRUE(site.run(96h));
    const auto end = endOf(site);
    EXPECT_TRUE(end.good()) << testing::PrintToString(end.wrongEndStates)
                            << testing::PrintToString(end.unexpected);
    EXPECT_EQ(end.racksAccepted, 1);
    EXPECT_EQ(burntInWatts(site), 97'200);
    EXPECT_EQ(end.budgetViolations, 0);
    EXPECT_EQ(site.kills(), dies ? 2 : 0);
  }
}

class RacksLong : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RacksLong, EndAsExpectedWhateverBreaksAndWheneverTheControllerDies) {
  log::setLevel(log::Level::Off);
  SCOPED_TRACE(testing::Message() << "zellige simulate --racks 3 --faults heavy --storm 30 --seed "
                                  << GetParam());
  commands::SimulateOptions options;
  options.racks = 3;
  options.faults = "heavy";
  options.stormMinutes = 30;
  options.seed = GetParam();
  const auto result = simulateFleet(options);
  EXPECT_EQ(result.end.nodes, 105);
  EXPECT_EQ(result.end.stuck, 0);
  EXPECT_THAT(result.end.unexpected, IsEmpty());
  EXPECT_THAT(result.end.wrongEndStates, IsEmpty());
  EXPECT_THAT(result.end.duplicates, IsEmpty());
  EXPECT_GT(result.kills, 0);
  EXPECT_EQ(result.sendsAfterDeath, 0u);
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kRackSeeds = 1;
#else
constexpr std::uint64_t kRackSeeds = 3;
#endif
INSTANTIATE_TEST_SUITE_P(Seeds, RacksLong, testing::Range<std::uint64_t>(1, kRackSeeds + 1));

}  // namespace
}  // namespace zellige
