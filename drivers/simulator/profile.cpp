#include "drivers/simulator/profile.hpp"

#include <fmt/format.h>

#include "controller/base/random.hpp"

namespace zellige::sim {

namespace {
constexpr std::string_view kBmcOld = "GB200Nvl-24.12-8", kBmcNew = "GB200Nvl-26.01-1";
constexpr std::string_view kErotOld = "01.03.0262.0000_n04", kErotNew = "01.04.0031.0000_n04";
constexpr std::string_view kCpuOld = "02.03.13", kCpuNew = "02.04.07";
constexpr std::string_view kFpgaOld = "1.1C", kFpgaNew = "1.40";
constexpr std::string_view kGpuOld = "97.00.6C.00.03", kGpuNew = "97.00.B9.00.76";
constexpr std::string_view kInfoRom = "G548.0201.00.03";
}  // namespace

const std::array<FirmwareItem, kItems> kFirmware{{
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
    {"HGX_FW_BMC_0", kBmcOld, kBmcNew, "0x0010", true, "Chassis/HGX_BMC_0", true},
    {"HGX_FW_CPLD_0", "0.1C", "0.1C", "", true, "", false},
    {"HGX_FW_CPU_0", kCpuOld, kCpuNew, "0x0038", false, "", true},
    {"HGX_FW_CPU_1", kCpuOld, kCpuNew, "0x0038", false, "", true},
    {"HGX_FW_ERoT_BMC_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_BMC_0", true},
    {"HGX_FW_ERoT_CPU_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_CPU_0", true},
    {"HGX_FW_ERoT_CPU_1", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_CPU_1", true},
    {"HGX_FW_ERoT_FPGA_0", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_FPGA_0", true},
    {"HGX_FW_ERoT_FPGA_1", kErotOld, kErotNew, "0xFF00", true, "Chassis/HGX_ERoT_FPGA_1", true},
    {"HGX_FW_FPGA_0", kFpgaOld, kFpgaNew, "0x0050", false, "", true},
    {"HGX_FW_FPGA_1", kFpgaOld, kFpgaNew, "0x0050", false, "", true},
    {"HGX_FW_GPU_0", kGpuOld, kGpuNew, "0xC000", false, "", true},
    {"HGX_FW_GPU_1", kGpuOld, kGpuNew, "0xC000", false, "", true},
    {"HGX_FW_GPU_2", kGpuOld, kGpuNew, "0xC000", false, "", true},
    {"HGX_FW_GPU_3", kGpuOld, kGpuNew, "0xC000", false, "", true},
    {"HGX_InfoROM_GPU_0", kInfoRom, kInfoRom, "0xC010", true, "", true},
    {"HGX_InfoROM_GPU_1", kInfoRom, kInfoRom, "0xC010", true, "", true},
    {"HGX_InfoROM_GPU_2", kInfoRom, kInfoRom, "0xC010", true, "", true},
    {"HGX_InfoROM_GPU_3", kInfoRom, kInfoRom, "0xC010", true, "", true},
    {"HGX_PCIeSwitchConfig_0", "01300524", "01300524", "", false, "", false},
}};

Bundle bundleOf(const FirmwareItem& item) {
  return item.id.starts_with("HGX_") ? Bundle::Compute : Bundle::BmcTray;
}

int itemIndex(std::string_view id) {
  for (int i = 0; i < kItems; ++i)
    if (kFirmware[static_cast<std::size_t>(i)].id == id) return i;
  return -1;
}

std::uint64_t Identity::number(std::string_view what) const {
  Random random(seed_ * 0x9e3779b97f4a7c15ull + static_cast<std::uint64_t>(index_), what);
  return random.next();
}

std::string Identity::traySerial() const { return fmt::format("{}", 1'333'024'020'001LL + index_); }

std::string Identity::bmcMac() const {
  const int n = index_ + 1;
  return fmt::format("3c:6d:66:{:02x}:{:02x}:{:02x}", (n >> 16) & 255, (n >> 8) & 255, n & 255);
}

std::string Identity::factoryPassword() const { return "Fab-" + hex("factory password", 8); }

std::string Identity::uuid(std::string_view what) const {
  const auto a = number(what);
  const auto b = number(std::string(what) + "/low");
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52,
                     b & 0xffff'ffff'ffffull);
}

std::string Identity::hex(std::string_view what, int digits) const {
  std::string out;
  for (int block = 0; static_cast<int>(out.size()) < digits; ++block)
    out += fmt::format("{:016X}", number(fmt::format("{}/{}", what, block)));
  out.resize(static_cast<std::size_t>(digits));
  return out;
}

std::string Identity::decimal(std::string_view prefix, std::string_view what, int digits) const {
  auto tail = fmt::format("{:020}", number(what));
  return std::string(prefix) + tail.substr(tail.size() - static_cast<std::size_t>(digits));
}

std::string Identity::gpuSerial(int gpu) const { return decimal("16429", fmt::format("GPU_{}", gpu), 8); }
std::string Identity::diskSerial(int disk) const { return "S6" + hex(fmt::format("disk {}", disk), 12); }

std::string Identity::nicMac(int nic) const {
  const auto n = number(fmt::format("nic {}", nic));
  return fmt::format("5c:25:73:{:02x}:{:02x}:{:02x}", (n >> 16) & 255, (n >> 8) & 255, n & 255);
}

}  // namespace zellige::sim
