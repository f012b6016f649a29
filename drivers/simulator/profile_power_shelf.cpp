// The recorded LiteOn shelf. Its update service was not recorded: FACTS 6 knows the push of tar files for the controller
// (PMC) and the supplies; ids and versions are *est*.
#include "drivers/simulator/profiles.hpp"

namespace zellige::sim {

namespace {

constexpr std::string_view kSupplyOld = "0x1 / 0x1", kSupplyNew = "0x2 / 0x1";

constexpr auto kShelfFirmware = std::to_array<FirmwareItem>({
    {"PMC", "r1.3.7", "r1.4.2", "0x0001", true, "Managers/bmc", false, Bundle::ShelfController},
    {"PSU_0", kSupplyOld, kSupplyNew, "0x0002", true, "", false, Bundle::ShelfSupplies},
    {"PSU_1", kSupplyOld, kSupplyNew, "0x0002", true, "", false, Bundle::ShelfSupplies},
    {"PSU_2", kSupplyOld, kSupplyNew, "0x0002", true, "", false, Bundle::ShelfSupplies},
    {"PSU_3", kSupplyOld, kSupplyNew, "0x0002", true, "", false, Bundle::ShelfSupplies},
    {"PSU_4", kSupplyOld, kSupplyNew, "0x0002", true, "", false, Bundle::ShelfSupplies},
    {"PSU_5", kSupplyOld, kSupplyNew, "0x0002", true, "", false, Bundle::ShelfSupplies},
});

constexpr auto kShelfPackages = std::to_array<BundlePackage>({
    {Bundle::ShelfController, "pmc", "", "", "packages/pmc-r1.4.2.tar", "bmc_reset"},
    {Bundle::ShelfSupplies, "psu", "", "", "packages/psu-2.1.tar", "none"},
});

}  // namespace

const Profile& powerShelf() {
  static const Profile profile{MachineKind::PowerShelf,
                               "power_shelf",
                               kShelfFirmware,
                               kShelfPackages,
                               "liteon-pf-1333",
                               "power-shelf-sim",
                               "power-shelf-sim-2026",
                               8,
                               20};
  return profile;
}

}  // namespace zellige::sim
