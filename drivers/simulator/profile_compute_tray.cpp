#include "drivers/simulator/profiles.hpp"

namespace zellige::sim {

namespace {
constexpr std::string_view kBmcOld = "GB200Nvl-24.12-8", kBmcNew = "GB200Nvl-26.01-1";
constexpr std::string_view kErotOld = "01.03.0262.0000_n04", kErotNew = "01.04.0031.0000_n04";
constexpr std::string_view kCpuOld = "02.03.13", kCpuNew = "02.04.07";
constexpr std::string_view kFpgaOld = "1.1C", kFpgaNew = "1.40";
constexpr std::string_view kGpuOld = "97.00.6C.00.03", kGpuNew = "97.00.B9.00.76";
constexpr std::string_view kInfoRom = "G548.0201.00.03";

// As in the recorded tree.
constexpr auto kTrayFirmware = std::to_array<FirmwareItem>({
    {"CX7_0", "28.42.1234", "28.42.1234", "0x0001", true, "", true},
    {"FW_BMC_0", kBmcOld, kBmcNew, "0x0010", true, "Chassis/BMC_0", true},
    {"FW_CPLD_0", "0x00 0x0b 0x03 0x04", "0x00 0x0b 0x03 0x04", "", true, "", false},
    {"FW_CPLD_1", "0x00 0x0b 0x03 0x04", "0x00 0x0b 0x03 0x04", "", true, "", false},
    {"FW_CPLD_2", "0x00 0x10 0x01 0x0f", "0x00 0x10 0x01 0x0f", "", true, "", false},
    {"FW_CPLD_3", "0x00 0x10 0x01 0x0f", "0x00 0x10 0x01 0x0f", "", true, "", false},
    {"FW_ERoT_BMC_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/ERoT_BMC_0", true},
    {"NIC_0", "32.41.1300", "32.41.1300", "0x0001", true, "", true},
    {"NIC_1", "32.41.1300", "32.41.1300", "0x0001", true, "", true},
    {"UEFI", "buildbrain-gcid-38635631", "buildbrain-gcid-38635631", "UEFI", false, "", true},
    {"HGX_FW_BMC_0", kBmcOld, kBmcNew, "0x0010", true, "Chassis/HGX_BMC_0", true, Bundle::Compute},
    {"HGX_FW_CPLD_0", "0.1C", "0.1C", "", true, "", false, Bundle::Compute},
    {"HGX_FW_CPU_0", kCpuOld, kCpuNew, "0x0038", false, "", true, Bundle::Compute},
    {"HGX_FW_CPU_1", kCpuOld, kCpuNew, "0x0038", false, "", true, Bundle::Compute},
    {"HGX_FW_ERoT_BMC_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_BMC_0", true, Bundle::Compute},
    {"HGX_FW_ERoT_CPU_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_CPU_0", true, Bundle::Compute},
    {"HGX_FW_ERoT_CPU_1", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_CPU_1", true, Bundle::Compute},
    {"HGX_FW_ERoT_FPGA_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_FPGA_0", true,
     Bundle::Compute},
    {"HGX_FW_ERoT_FPGA_1", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_FPGA_1", true,
     Bundle::Compute},
    {"HGX_FW_FPGA_0", kFpgaOld, kFpgaNew, "0x0050", false, "", true, Bundle::Compute},
    {"HGX_FW_FPGA_1", kFpgaOld, kFpgaNew, "0x0050", false, "", true, Bundle::Compute},
    {"HGX_FW_GPU_0", kGpuOld, kGpuNew, "0xC000", false, "", true, Bundle::Compute},
    {"HGX_FW_GPU_1", kGpuOld, kGpuNew, "0xC000", false, "", true, Bundle::Compute},
    {"HGX_FW_GPU_2", kGpuOld, kGpuNew, "0xC000", false, "", true, Bundle::Compute},
    {"HGX_FW_GPU_3", kGpuOld, kGpuNew, "0xC000", false, "", true, Bundle::Compute},
    {"HGX_InfoROM_GPU_0", kInfoRom, kInfoRom, "0xC010", true, "", true, Bundle::Compute},
    {"HGX_InfoROM_GPU_1", kInfoRom, kInfoRom, "0xC010", true, "", true, Bundle::Compute},
    {"HGX_InfoROM_GPU_2", kInfoRom, kInfoRom, "0xC010", true, "", true, Bundle::Compute},
    {"HGX_InfoROM_GPU_3", kInfoRom, kInfoRom, "0xC010", true, "", true, Bundle::Compute},
    {"HGX_PCIeSwitchConfig_0", "01300524", "01300524", "", false, "", false, Bundle::Compute},
});

constexpr auto kTrayPackages = std::to_array<BundlePackage>({
    {Bundle::BmcTray, "bmc_tray", "", "GB200-BMC-TRAY-0", "packages/bmc-tray-26.01-1.fwpkg", "bmc_reset"},
    {Bundle::Compute, "compute_tray", "/redfish/v1/Chassis/HGX_Chassis_0", "GB200-HGX-TRAY-0",
     "packages/compute-tray-26.01-1.fwpkg", "aux_cycle"},
});

}  // namespace

const Profile& computeTray() {
  static const Profile profile{MachineKind::ComputeTray,
                               "compute_tray",
                               kTrayFirmware,
                               kTrayPackages,
                               "gb200-nvl-compute",
                               "gb200-sim",
                               "gb200-sim-2026",
                               8,
                               20};
  return profile;
}

}  // namespace zellige::sim
