// What destroys firmware is held against a fleet, however its machines end.
#include "controller/commands/outcome.hpp"

#include <gmock/gmock.h>

#include "tests/drivers/simulator/client.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct WrongOrders : testing::Test {
  WrongOrders() : bmc(hall, 0) { bmc.takeOver(); }
  std::vector<std::string> found() { return wrongOrders(hall.fleet, {}); }
  std::string inIt() const { return fmt::format(" in {}, 0 allowed", hall.fleet.serial(bmc.id())); }
  sim::Hall hall;
  sim::Bmc bmc;
};

TEST_F(WrongOrders, AreNotAFlashAndItsActivation) {
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.resetBmc();
  hall.pass(10min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  bmc.auxCycle();
  hall.pass(10min);
  EXPECT_THAT(found(), ElementsAre());
}

TEST_F(WrongOrders, AreAResetDuringAFlash) {
  bmc.pushBmcTray();
  hall.pass(1min);
  bmc.resetBmc();
  hall.pass(4min);
  EXPECT_THAT(found(), ElementsAre("1 interrupted flashes" + inIt()));
}

TEST_F(WrongOrders, AreAPowerCycleDuringABackgroundCopy) {
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.resetBmc();
  hall.pass(4min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  bmc.auxCycle();
  hall.pass(4s);
  EXPECT_THAT(found(), ElementsAre("1 updates or power cycles during a background copy" + inIt()));
}

TEST_F(WrongOrders, AreTwoPushesWithin30Seconds) {
  bmc.pushBmcTray();
  hall.pass(20s);
  bmc.pushCompute();
  EXPECT_THAT(found(), ElementsAre("1 pushes that exhausted the BMC's memory" + inIt()));
}

// Of the first of two trays, which has a defect; the second has none.
struct Ends : testing::Test {
  Ends() : hall(sick()) {}
  static sim::FleetOptions sick() {
    sim::FleetOptions options;
    options.scripted = {{0, sim::FaultKind::GpuMissing}};
    return options;
  }
  std::vector<std::string> against(int tray, Lifecycle lifecycle, std::vector<std::string> causes) {
    const std::vector<NodeOutcome> nodes{
        {hall.fleet.serial({tray}), lifecycle, std::move(causes), "said so", std::nullopt}};
    const WantedOf wanted{{sim::MachineKind::ComputeTray, {}}};
    return judgeFleet(hall.fleet, nodes, wanted, {}).unexpected;
  }
  sim::Hall hall;
};

TEST_F(Ends, InQuarantineAreForTheirCauseAndNoOther) {
  const auto end = Lifecycle::Quarantined;
  EXPECT_THAT(against(0, end, {"inventory.missing_part"}), IsEmpty());
  EXPECT_THAT(against(0, end, {"cooling.leak"}), ElementsAre(HasSubstr("expected inventory.missing_part")));
  EXPECT_THAT(against(0, end, {}), SizeIs(1));
  EXPECT_THAT(against(0, end, {"inventory.missing_part", "cooling.leak"}),
              ElementsAre(HasSubstr("cooling.leak")));
  EXPECT_THAT(against(1, end, {"inventory.missing_part"}), ElementsAre(HasSubstr("expected available")));
}

TEST_F(Ends, AsAvailableAreWithoutAFindingThatBlocks) {
  const auto end = Lifecycle::Available;
  EXPECT_THAT(against(1, end, {}), IsEmpty());
  EXPECT_THAT(against(1, end, {"cooling.leak"}), ElementsAre(HasSubstr("cooling.leak")));
  EXPECT_THAT(against(0, end, {}), ElementsAre(HasSubstr("expected inventory.missing_part")));
}

}  // namespace
}  // namespace zellige
