#include "drivers/redfish/platform.hpp"

#include <algorithm>

#include "controller/base/http_message.hpp"

namespace zellige::redfish {

namespace {

using enum ComponentKind;

constexpr auto nvidiaKinds = std::to_array<KindByName>({{"ERoT", Rot},
                                                        {"EROT", Rot},
                                                        {"IRoT", Rot},
                                                        {"CPLD", Cpld},
                                                        {"BlueField", Dpu},
                                                        {"HGX_BMC_", Bmc},
                                                        {"BMC_", Bmc}});
constexpr auto standardKinds = std::to_array<KindByName>(
    {{"ERoT", Rot}, {"EROT", Rot}, {"IRoT", Rot}, {"CPLD", Cpld}, {"BlueField", Dpu}});

// Roots of trust first: one of them guards a switch ASIC and is named after it.
constexpr auto switchKinds = std::to_array<KindByName>({{"ERoT", Rot}, {"CPLD", Cpld}, {"NVSwitch_", Switch}});

constexpr auto standardResets = std::to_array<Platform::ResetNames>({
    {HostReset::On, {"On", "ForceOn"}},
    {HostReset::ForceOff, {"ForceOff", "Off"}},  // Cray offers Off (FACTS 2)
    {HostReset::GracefulShutdown, {"GracefulShutdown"}},
    {HostReset::ForceRestart, {"ForceRestart"}},
    {HostReset::PowerCycle, {"PowerCycle"}},
});

// The virtual CD is `UsbCd` on Supermicro, `Cd` elsewhere (FACTS 3).
constexpr auto cdTargets = std::to_array<std::string_view>({"Cd", "UsbCd", "Usb"});

constexpr std::array<std::string_view, 2> bmcResets{"GracefulRestart", "ForceRestart"};

const auto rows = std::to_array<Platform>({
    {
        .name = "nvidia-openbmc-gb200",
        .vendor = "NVIDIA",
        .product = "GB200 NVL",
        .system = "System_0",
        .hostSystem = "System_0",
        .baseboardSystem = "HGX_Baseboard_0",
        .baseboardExpected = true,
        .serialChassis = "Chassis_0",
        .leakChassis = "Chassis_0",
        .chassisKinds = nvidiaKinds,
        .processorsOfBaseboardOnly = true,
        .gpuNeedsNvlink = true,
        .processorHasOwnChassis = true,
        .absentIsSick = true,
        .partFirmwarePrefix = "HGX_FW_",
        .drives = DrivesIn::Chassis,
        .powerSupplies = PowerSuppliesIn::Nowhere,  // PowerSupplies is empty: power comes from the shelf (FACTS 9)
        .bmcs = BmcListedFrom::Chassis,
        .resets = standardResets,
        .bmcResets = bmcResets,
        .auxAction = "#NvidiaChassis.AuxPowerReset",
        .auxType = "AuxPowerCycle",
        .auxNeedsHostOff = true,
        .cdTargets = cdTargets,
        .pushForceAlways = true,
        .syslog = Syslog::NvidiaRsyslog,
    },
    {
        // GH200 says the same of itself (FACTS 1): the switch ASICs tell.
        .name = "nvidia-nvlink-switch",
        .vendor = "NVIDIA",
        .product = "P3809",
        .system = "System_0",
        .chassis = "MGX_NVSwitch_0",
        .hostSystem = "System_0",
        .leakChassis = "MGX_BMC_0",
        .chassisKinds = switchKinds,
        .absentIsSick = true,
        .powerSupplies = PowerSuppliesIn::Nowhere,
        .resets = standardResets,
        .bmcResets = bmcResets,
        .syslog = Syslog::NvidiaRsyslog,
    },
    {
        // Tells neither Vendor nor Product (FACTS 1).
        .name = "liteon-power-shelf",
        .chassis = "powershelf",
        .noSystems = true,
        .serialChassis = "powershelf",
        .shelfChassis = "powershelf",
        .chassisKinds = standardKinds,
        .resets = standardResets,
        .bmcResets = bmcResets,
        .push = Push::Plain,
    },
    {
        .name = "generic",
        .baseboardSystem = "HGX_Baseboard_0",
        .chassisKinds = standardKinds,
        .resets = standardResets,
        .bmcResets = bmcResets,
        .cdTargets = cdTargets,
        .pushApplyNow = true,
    },
});

bool isOneOf(std::string_view id, const std::vector<std::string>& ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool fitsButForChassis(const Platform& row, const SelfDescription& machine) {
  if (row.noSystems && (!machine.systemsRead || !machine.systems.empty())) return false;
  if (!row.vendor.empty() && !sameIgnoringCase(row.vendor, machine.vendor)) return false;
  if (!row.product.empty() && !sameIgnoringCase(row.product, machine.product)) return false;
  if (row.system.empty() || machine.systems.empty()) return true;
  return isOneOf(row.system, machine.systems);
}

bool fits(const Platform& row, const SelfDescription& machine) {
  return fitsButForChassis(row, machine) && (row.chassis.empty() || isOneOf(row.chassis, machine.chassis));
}

}  // namespace

std::span<const Platform> platforms() { return rows; }

bool dependsOnChassis(const SelfDescription& machine) {
  return machine.chassis.empty() && std::any_of(rows.begin(), rows.end(), [&](const Platform& row) {
           return !row.chassis.empty() && fitsButForChassis(row, machine);
         });
}

const Platform& platformFor(const SelfDescription& machine) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Platform& p) { return fits(p, machine); });
  return row == rows.end() ? rows.back() : *row;
}

}  // namespace zellige::redfish
