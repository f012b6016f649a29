// PLDM firmware packages (.fwpkg, DSP0267 v1.0; FACTS section 6): a maker for simulated sites and tests, and
// the reader with which a simulated BMC opens what is pushed to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/result.hpp"
#include "drivers/simulator/profile.hpp"

namespace zellige::sim {

/// Which device a package is for: the UUID descriptor of its device record, 16 bytes. Made up, like the
/// payloads.
inline constexpr std::string_view kBmcTrayDevice = "GB200-BMC-TRAY-0";
inline constexpr std::string_view kComputeDevice = "GB200-HGX-TRAY-0";

struct PackageComponent {
  std::uint16_t identifier = 0;  ///< SoftwareId of the inventory items that it is for
  std::string version;
  std::uint32_t stamp = 0xffffffffu;  ///< comparison stamp; 0xFFFFFFFF: not used
  std::uint16_t activation = 0;       ///< bits: 2 medium-specific reset, 5 AC cycle
  std::string image;
};

struct PackageSpec {
  std::string version;  ///< of the package, ASCII
  std::string device;   ///< 16 bytes, see kBmcTrayDevice
  std::vector<PackageComponent> components;
};
using Package = PackageSpec;  ///< what is read back

std::string makePackage(const PackageSpec& spec);
/// Errc::Invalid with the reason: wrong identifier or revision, lengths that do not fit, wrong checksum.
Result<Package> readPackage(std::string_view bytes);

/// The bundles of the baseline kBaselineName: payloads are small random bytes, the same for the same seed. A
/// changed `stamp` makes an older or newer release of the same versions, for tests of the downgrade rule.
PackageSpec bmcTrayBundle(std::uint64_t seed, std::uint32_t stamp = kWantedStamp);
PackageSpec computeBundle(std::uint64_t seed, std::uint32_t stamp = kWantedStamp);

/// "0xFF00" as a number; -1 for what is no number ("UEFI", empty).
int softwareNumber(std::string_view softwareId);

}  // namespace zellige::sim
