// Whole racks, from delivered to accepted, held against the simulator's ledger.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/simulation.hpp"
#include "controller/commands/site_end.hpp"

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

  Time shelvesUp{}, dry{}, firstTouched = Time::max(), qualified{}, domain = Time::max();
  for (const auto machine : site.fleet().machines()) {
    const auto node = *site.store().node(*site.store().nodeBySerial(site.fleet().serial(machine)));
    if (node.kind == NodeKind::PowerShelf) {
      shelvesUp = std::max(shelvesUp, node.lifecycleSince);
      continue;
    }
    qualified = std::max(qualified, node.lifecycleSince);
    for (const auto& evidence : site.store().validEvidence(node.id)) {
      if (evidence.subject == "leaks") dry = std::max(dry, evidence.at);
      if (evidence.subject == "domain") domain = std::min(domain, evidence.at);
    }
    for (const auto& entry : site.fleet().ledger().entriesOf(machine.value))
      if (entry.kind != sim::ActKind::PasswordSet && entry.kind != sim::ActKind::Session)
        firstTouched = std::min(firstTouched, entry.at);
  }
  EXPECT_LT(shelvesUp, dry);
  EXPECT_LT(dry, firstTouched) << "nothing but a password is set before every tray is dry";
  EXPECT_LT(qualified, domain);
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

INSTANTIATE_TEST_SUITE_P(ThreeSeeds, RacksLong, testing::Range<std::uint64_t>(1, 4));

}  // namespace
}  // namespace zellige
