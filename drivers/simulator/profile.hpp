// What a GB200 NVL compute tray consists of: its firmware items as in the recorded tree, and the names and
// serials of one machine, computed from (seed, index) and never stored.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zellige::sim {

/// Which bundle a firmware item belongs to (FACTS 6: names HGX_* belong to the compute bundle, the rest to
/// the BMC's).
enum class Bundle : std::uint8_t { BmcTray, Compute };

struct FirmwareItem {
  std::string_view id;       ///< FirmwareInventory member
  std::string_view factory;  ///< version as delivered: the recorded one
  std::string_view wanted;  ///< version of the baseline "gb200-sim-2026.1"; the same where the bundles leave it alone
  std::string_view softwareId;  ///< empty: the recorded tree shows none, and no package can name it
  bool updateable;
  std::string_view related;  ///< RelatedItem, below /redfish/v1; may be empty
  bool manufacturer;         ///< whether the recorded item names one
};

inline constexpr int kItems = 30;
extern const std::array<FirmwareItem, kItems> kFirmware;

Bundle bundleOf(const FirmwareItem& item);
/// -1: no such item.
int itemIndex(std::string_view id);

/// Comparison stamps: of the recorded release 24.12-8, and of the baseline's packages.
inline constexpr std::uint32_t kFactoryStamp = 24120800;
inline constexpr std::uint32_t kWantedStamp = 26010100;

inline constexpr std::string_view kBaselineName = "gb200-sim-2026.1";
inline constexpr std::string_view kGpuModel = "NVIDIA GB200";
inline constexpr std::string_view kCpuModel = "Grace A02";
inline constexpr std::string_view kDpuModel = "BlueField-3 DPU";
inline constexpr std::string_view kNicModel = "P4768-B01";
inline constexpr int kGpus = 4, kCpus = 2, kDpus = 2, kNics = 4, kMemoryGiB = 960, kNvlinksPerGpu = 18;

/// Settings that asWanted machines have and that the written site's profile asks for.
inline constexpr std::array<std::string_view, 2> kNtpServers{"10.0.0.1", "10.0.0.2"};
inline constexpr std::string_view kSyslogAddress = "10.0.0.5";
inline constexpr int kSyslogPort = 514;

/// Names and serials of one tray.
class Identity {
 public:
  Identity(std::uint64_t seed, int index) : seed_(seed), index_(index) {}

  std::string traySerial() const;  ///< 13 digits, as on the label and in Chassis_0
  std::string bmcMac() const;      ///< 3c:6d:66:…, NVIDIA's prefix in the recorded tree (FACTS 10)
  std::string factoryPassword() const;
  std::string uuid(std::string_view what) const;
  /// A stable number for `what` ("GPU_2"), as `digits` upper-case hex digits.
  std::string hex(std::string_view what, int digits) const;
  std::string decimal(std::string_view prefix, std::string_view what, int digits) const;
  std::string gpuSerial(int gpu) const;
  std::string diskSerial(int disk) const;
  std::string nicMac(int nic) const;
  std::uint64_t number(std::string_view what) const;

 private:
  std::uint64_t seed_;
  int index_;
};

}  // namespace zellige::sim
