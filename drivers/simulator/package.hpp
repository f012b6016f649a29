// Firmware packages: PLDM (.fwpkg, DSP0267 v1.0; FACTS section 6) and the tar files with a MANIFEST that stock OpenBMC
// and power shelves take. A maker for simulated sites and tests, and the reader with which a simulated BMC opens what is
// pushed to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/result.hpp"
#include "drivers/simulator/profile.hpp"

namespace zellige::sim {

struct PackageComponent {
  std::uint16_t identifier = 0;  ///< SoftwareId of the inventory items that it is for
  std::string version;
  std::uint32_t stamp = 0xffffffffu;  ///< comparison stamp; 0xFFFFFFFF: not used
  std::uint16_t activation = 0;       ///< bits: 2 medium-specific reset, 5 AC cycle
  std::string image;
};

struct PackageSpec {
  std::string version;  ///< of the package, ASCII
  std::string device;  ///< the UUID descriptor of its device record, 16 bytes, made up like the payloads; of a tar file the
                       ///< purpose in its MANIFEST
  bool tar = false;
  std::vector<PackageComponent> components;
};
using Package = PackageSpec;  ///< what is read back

std::string makePackage(const PackageSpec& spec);
/// Errc::Invalid with the reason: neither form, lengths that do not fit, wrong checksum.
Result<Package> readPackage(std::string_view bytes);

/// Of the kind's baseline: everything in the package's file. Payloads are small random bytes, the same for the same seed. A
/// release with another stamp and the same suffix is an older or newer one of the same versions, for tests of the
/// downgrade rule.
PackageSpec bundleOf(const Profile& profile, const BundlePackage& package, std::uint64_t seed,
                     const Release& release = kWantedRelease);
/// What a package for it names as its device.
std::string_view deviceOf(const BundlePackage& package);

PackageSpec bmcTrayBundle(std::uint64_t seed, std::uint32_t stamp = kWantedStamp);
PackageSpec computeBundle(std::uint64_t seed, std::uint32_t stamp = kWantedStamp);

/// "0xFF00" as a number; -1 for what is no number ("UEFI", empty).
int softwareNumber(std::string_view softwareId);

}  // namespace zellige::sim
