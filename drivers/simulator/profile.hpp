// What the kinds of machine consist of: their firmware items, in which packages they come, and the names and serials of
// one machine, computed from (seed, index) and never stored.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/simulator/fleet.hpp"

namespace zellige::sim {

/// What is written and comes alive together (FACTS 6: on a compute tray names HGX_* belong to the compute bundle, the rest
/// to the BMC's).
// clang-format off
enum class Bundle : std::uint8_t {
  BmcTray, Compute,                                                            // compute tray
  SwitchBmc, SwitchErot, SwitchFpga, SwitchBios, SwitchCpld, SwitchOs,         // switch tray
  ShelfController, ShelfSupplies,                                              // power shelf
};
// clang-format on

struct FirmwareItem {
  std::string_view id;       ///< FirmwareInventory member
  std::string_view factory;  ///< version as delivered: the recorded one
  std::string_view wanted;  ///< version of the baseline "gb200-sim-2026.1"; the same where the bundles leave it alone
  std::string_view softwareId;  ///< empty: the recorded tree shows none, and no package can name it
  bool updateable;
  std::string_view related;  ///< RelatedItem, below /redfish/v1; may be empty
  bool manufacturer;         ///< whether the recorded item names one
  Bundle bundle = Bundle::BmcTray;
  bool listed = true;  ///< in the BMC's FirmwareInventory
};

/// The most items that a kind has.
inline constexpr std::size_t kItems = 30;

/// A package of a kind's baseline.
struct BundlePackage {
  Bundle bundle;
  std::string_view entry;   ///< its id in the baseline, and the component in the ledger
  std::string_view target;  ///< Redfish URI of a push, NVOS component; empty: the whole machine
  std::string_view device;  ///< 16 bytes that the package names; empty: it is a tar file with a MANIFEST (OpenBMC's)
  std::string_view file;        ///< below the site's folder
  std::string_view activation;  ///< as the baseline says it
};

/// Comparison stamps: of the recorded release 24.12-8, and of the baseline's packages.
inline constexpr std::uint32_t kFactoryStamp = 24120800;
inline constexpr std::uint32_t kWantedStamp = 26010100;

/// What the packages of a baseline bring: each item's wanted version, followed by the suffix.
struct Release {
  std::string_view baselineEnd, suffix;
  std::uint32_t stamp;
};
inline constexpr Release kWantedRelease{".1", "", kWantedStamp};
inline constexpr Release kNextRelease{".2", ".1", 26040100};  ///< for campaigns

struct Profile {
  MachineKind kind;
  std::string_view name;  ///< as manifests say it
  std::span<const FirmwareItem> firmware;
  std::span<const BundlePackage> packages;
  std::string_view sku, profile, baseline;  ///< of the written site; the baseline without its release
  std::size_t minPassword, maxPassword;     ///< of its BMC: FACTS 7; of a shelf *est*

  /// -1: no such item.
  int item(std::string_view id) const;
  const BundlePackage* package(Bundle bundle) const;
  /// "gb200-sim-2026.1", "gb200-sim-2026.2".
  std::string baselineOf(const Release& release) const;
};
const Profile& profileOf(MachineKind kind);
std::span<const MachineKind> machineKinds();

inline constexpr std::string_view kGpuModel = "NVIDIA GB200";
inline constexpr std::string_view kCpuModel = "Grace A02";
inline constexpr std::string_view kDpuModel = "BlueField-3 DPU";
inline constexpr std::string_view kNicModel = "P4768-B01";
inline constexpr int kGpus = 4, kCpus = 2, kDpus = 2, kNics = 4, kMemoryGiB = 960, kNvlinksPerGpu = 18;
inline constexpr int kStressWatts = 5'400;  // est: a rack goes from 35 to 132 kW with its 18 trays (facts/domain.md 4)

/// Settings that asWanted machines have and that the written site's profile asks for.
inline constexpr std::array<std::string_view, 2> kNtpServers{"10.0.0.1", "10.0.0.2"};
inline constexpr std::string_view kSyslogAddress = "10.0.0.5";
inline constexpr int kSyslogPort = 514;

inline constexpr std::string_view kShelfMaker = "LITE-ON TECHNOLOGY CORP.", kShelfModel = "PF-1333-7RB",
                                  kSupplyModel = "SP-2552-6RB";
inline constexpr int kSupplies = 6, kSupplyWatts = 5'500;  ///< FACTS 9

/// Names and serials of one machine.
class Identity {
 public:
  /// `swaps`: how often another one was put in the place of the first.
  Identity(std::uint64_t seed, int index, MachineKind kind = MachineKind::ComputeTray, int swaps = 0)
      : seed_(seed), index_(index), kind_(kind), swaps_(swaps) {}

  /// As on the label: 13 digits of a compute tray (in Chassis_0), MT2519… of a switch tray, LT… of a shelf (*est*).
  std::string serial() const;
  std::string bmcMac() const;  ///< prefixes of the recorded trees (FACTS 10); of a shelf *est*
  std::string factoryPassword() const;
  std::string nvosPassword() const;  ///< of a switch tray's own system, as delivered
  std::string uuid(std::string_view what) const;
  /// A stable number for `what` ("GPU_2"), as `digits` upper-case hex digits.
  std::string hex(std::string_view what, int digits) const;
  std::string decimal(std::string_view prefix, std::string_view what, int digits) const;
  /// Of the GPU that was put there at the `swap`-th time; 0: the first.
  std::string gpuSerial(int gpu, int swap = 0) const;
  std::string diskSerial(int disk) const;
  std::string nicMac(int nic) const;
  std::uint64_t number(std::string_view what) const;

 private:
  std::uint64_t seed_;
  int index_;
  MachineKind kind_;
  int swaps_;
};

}  // namespace zellige::sim
