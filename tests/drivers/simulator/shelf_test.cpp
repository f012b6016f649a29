// Simulated power shelves, and the racks that they feed.
#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

FleetOptions smallRack() {
  FleetOptions options;
  options.trays = 1;
  options.traysPerRack = 1;
  options.shelvesPerRack = 2;
  return options;
}

struct Shelf : Bmc {
  Shelf(Hall& hall, int machine) : Bmc(hall, machine) {
    login(Identity(1, machine, MachineKind::PowerShelf).factoryPassword());
    setPassword("Site-Passw0rd");
    login("Site-Passw0rd");
  }
  int turn(std::string_view how) {
    return post(fmt::format("/redfish/v1/Chassis/powershelf/Actions/Chassis.{}", how)).reply.status;
  }
};

TEST(SimulatedShelf, FeedsItsRackAndATrayWithoutOneIsDead) {
  Hall hall(smallRack());
  Bmc tray(hall, 0);
  EXPECT_FALSE(tray.truth().bmcUp);
  EXPECT_EQ(tray.get("/redfish/v1").ending, Ending::Refuse);
  Shelf a(hall, 1), b(hall, 2);
  EXPECT_EQ(a.json("/redfish/v1/Chassis/powershelf").value("PowerState", ""), "Off");
  EXPECT_EQ(a.turn("On"), 200);
  hall.pass(10min);
  EXPECT_TRUE(tray.truth().bmcUp);
  EXPECT_TRUE(tray.truth().hgxPresent);
  EXPECT_EQ(b.turn("On"), 200);
  EXPECT_EQ(a.turn("ForceOff"), 200);
  EXPECT_TRUE(tray.truth().bmcUp) << "the other one feeds it";
  EXPECT_GT(hall.fleet.start(tray.id()), 1min);
  EXPECT_EQ(hall.fleet.start(tray.id()), hall.fleet.busyUnion(tray.id()).total) << "it did nothing but start";
  EXPECT_EQ(b.turn("ForceOff"), 200);
  EXPECT_FALSE(tray.truth().bmcUp);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(SimulatedShelf, TakenOutItFeedsNothingUntilTheNextOneIsOn) {
  Hall hall(smallRack());
  Bmc tray(hall, 0);
  EXPECT_EQ(Shelf(hall, 1).turn("On"), 200);
  hall.pass(10min);
  ASSERT_TRUE(tray.truth().bmcUp);
  hall.fleet.swap({1});
  hall.pass(10min);
  EXPECT_FALSE(tray.truth().bmcUp) << "no shelf of its rack is on";
  Bmc next(hall, 1);
  next.login(Identity(1, 1, MachineKind::PowerShelf, 1).factoryPassword());
  next.setPassword("Site-Passw0rd");
  next.login("Site-Passw0rd");
  EXPECT_EQ(next.post("/redfish/v1/Chassis/powershelf/Actions/Chassis.On").reply.status, 200);
  hall.pass(10min);
  EXPECT_TRUE(tray.truth().bmcUp);
}

TEST(SimulatedShelf, SwitchedOnAgainIsADuplicate) {
  Hall hall(smallRack());
  Shelf shelf(hall, 1);
  EXPECT_EQ(shelf.turn("On"), 200);
  EXPECT_EQ(shelf.turn("On"), 400);
  EXPECT_EQ(hall.fleet.ledger().duplicates().size(), 1u);
}

TEST(SimulatedShelf, ItsControllerTakesATarFileAndRestartsIntoIt) {
  Hall hall(smallRack());
  Shelf shelf(hall, 1);
  const auto& profile = profileOf(MachineKind::PowerShelf);
  EXPECT_EQ(shelf.version("PMC"), "r1.3.7");
  const auto pushed = shelf.post("/redfish/v1/UpdateService/update",
                                 makePackage(bundleOf(profile, profile.packages[0], 1)));
  EXPECT_EQ(pushed.reply.status, 202);
  hall.pass(6min);
  EXPECT_EQ(shelf.version("PMC"), "r1.3.7");
  shelf.post("/redfish/v1/Managers/bmc/Actions/Manager.Reset", R"({"ResetType":"GracefulRestart"})");
  hall.pass(10min);
  shelf.login("Site-Passw0rd");
  EXPECT_EQ(shelf.version("PMC"), "r1.4.2");
  shelf.post("/redfish/v1/UpdateService/update", makePackage(bundleOf(profile, profile.packages[1], 1)));
  hall.pass(6min);
  EXPECT_EQ(shelf.version("PSU_5"), "0x2 / 0x1") << "supplies need no restart";
  EXPECT_EQ(shelf.truth().interruptedFlashes, 0);
}

}  // namespace
}  // namespace zellige::sim
