// The files that a technician would import for a simulated fleet: manifest, SKU, baseline, plan, profile,
// packages and an OS image. The fleet and its site come from the same options, so they fit together.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "controller/base/result.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige::sim {

struct SiteOptions {
  std::string site = "SIM1";
  std::function<BmcAddress(int index)> address = bmcAddress;  ///< where the doors listen
};

/// manifest.yaml, sku.yaml, baseline.yaml, plan.yaml, profile.yaml, packages/*.fwpkg, images/debian-sim.raw
/// under `directory`, which is made. Overwrites. Errc::Invalid if something cannot be written, with its name.
Result<void> writeSite(const std::filesystem::path& directory, const FleetOptions& fleet,
                       const SiteOptions& site = {});

/// The OS image of a simulated site: 1 MiB of seeded bytes, real enough to be served, hashed and written.
std::string siteImage(std::uint64_t seed);
std::string siteImageDigest(std::uint64_t seed);

/// "H1/R01/RK001/U10": 160 racks a hall, 16 a row; trays from U10 on, with U18 to U26 left to the switch
/// trays.
std::string placeOf(int index, int traysPerRack);

}  // namespace zellige::sim
