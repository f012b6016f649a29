// The recorded N5110_LD. Its firmware is installed by its own system, NVOS, component by component (FACTS 6: packages
// P4978_0004, 0006, 0007).
#include "drivers/simulator/profiles.hpp"

namespace zellige::sim {

namespace {

constexpr std::string_view kSwitchErotOld = "01.04.0026.0000_n04", kSwitchErotNew = "01.04.0031.0000_n04";
constexpr std::string_view kAsicOld = "35_2014_4652", kAsicNew = "35_2014_4760";
constexpr std::string_view kBmcPackage = "packages/switch-bmc-26.01-1.fwpkg";

constexpr auto kSwitchFirmware = std::to_array<FirmwareItem>({
    {"CPLD_0", "0.00", "0.02", "0x00C0", true, "", false, Bundle::SwitchCpld},
    {"MGX_FW_BMC_0", "88.0002.1950", "88.0002.2104", "0x001B", true, "Chassis/MGX_BMC_0", true,
     Bundle::SwitchBmc},
    {"MGX_FW_CPU_0", "0ACTV_00.01.022", "0ACTV_00.01.031", "0x00DA", true, "", true, Bundle::SwitchBios},
    {"MGX_FW_ERoT_BMC_0", kSwitchErotOld, kSwitchErotNew, "0xFF00", true, "Chassis/MGX_ERoT_BMC_0", true,
     Bundle::SwitchErot},
    {"MGX_FW_ERoT_CPU_0", kSwitchErotOld, kSwitchErotNew, "0xFF00", true, "", true, Bundle::SwitchErot},
    {"MGX_FW_ERoT_FPGA_0", kSwitchErotOld, kSwitchErotNew, "0xFF00", true, "Chassis/MGX_ERoT_FPGA_0", true,
     Bundle::SwitchErot},
    {"MGX_FW_ERoT_NVSwitch_0", kSwitchErotOld, kSwitchErotNew, "0xFF00", true, "Chassis/MGX_ERoT_NVSwitch_0",
     true, Bundle::SwitchErot},
    {"MGX_FW_ERoT_NVSwitch_1", kSwitchErotOld, kSwitchErotNew, "0xFF00", true, "Chassis/MGX_ERoT_NVSwitch_1",
     true, Bundle::SwitchErot},
    {"MGX_FW_FPGA_0", "0.1A", "0.1C", "0x005C", true, "", true, Bundle::SwitchFpga},
    {"MGX_FW_NVSwitch_0", kAsicOld, kAsicNew, "0x00CF", true, "Chassis/MGX_NVSwitch_0", true, Bundle::SwitchOs},
    {"MGX_FW_NVSwitch_1", kAsicOld, kAsicNew, "0x00CF", true, "Chassis/MGX_NVSwitch_1", true, Bundle::SwitchOs},
    {"NVOS", "nvos-25.02.2141", "nvos-25.02.2510", "0x0100", true, "", false, Bundle::SwitchOs, false},
});

constexpr auto kSwitchPackages = std::to_array<BundlePackage>({
    {Bundle::SwitchBmc, "bmc", "BMC", "P4978-SWITCH-BMC", kBmcPackage, "aux_cycle"},
    {Bundle::SwitchErot, "erot", "EROT", "P4978-SWITCH-BMC", kBmcPackage, "aux_cycle"},
    {Bundle::SwitchFpga, "fpga", "FPGA", "P4978-SWITCH-BMC", kBmcPackage, "aux_cycle"},
    {Bundle::SwitchBios, "bios", "BIOS", "P4978-SWITCH-CPU", "packages/switch-bios-26.01-1.fwpkg",
     "aux_cycle"},
    {Bundle::SwitchCpld, "cpld", "CPLD1", "P4978-SWITCH-PLD", "packages/switch-cpld-26.01-1.fwpkg",
     "aux_cycle"},
    {Bundle::SwitchOs, "nvos", "NVOS", "P4978-SWITCH-OS0", "packages/nvos-25.02.2510.fwpkg", "aux_cycle"},
});

}  // namespace

const Profile& switchTray() {
  static const Profile profile{MachineKind::SwitchTray,
                               "switch_tray",
                               kSwitchFirmware,
                               kSwitchPackages,
                               "nvlink-switch-n5110",
                               "nvlink-switch-sim",
                               "nvlink-switch-sim-2026",
                               12,
                               64};
  return profile;
}

}  // namespace zellige::sim
