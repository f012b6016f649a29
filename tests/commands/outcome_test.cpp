// What destroys firmware is held against a fleet, however its machines end.
#include "controller/commands/outcome.hpp"

#include <gmock/gmock.h>

#include "tests/drivers/simulator/client.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

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

}  // namespace
}  // namespace zellige
