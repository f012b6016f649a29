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
  std::function<BmcAddress(int index)> nvosAddress = sim::nvosAddress;
};

/// manifest.yaml, plan.yaml, recipe.yaml where there are machines of all kinds, packages/, images/ and, in a folder per kind of machine that there is, sku.yaml, baseline.yaml
/// and profile.yaml; all under `directory`, which is made. Overwrites. Errc::Invalid if something cannot be written, with
/// its name.
Result<void> writeSite(const std::filesystem::path& directory, const FleetOptions& fleet,
                       const SiteOptions& site = {});

/// A manifest with one machine alone, as the `swaps`-th in its place.
std::string manifestOf(const FleetOptions& fleet, int machine, int swaps, const SiteOptions& site = {});

/// The OS image of a simulated site: 1 MiB of seeded bytes, real enough to be served, hashed and written.
std::string siteImage(std::uint64_t seed);
std::string siteImageDigest(std::uint64_t seed);

/// "H1/R01/RK001/U10": 160 racks a hall, 16 a row; shelves at the bottom and on top, switch trays in the middle, between
/// the compute trays.
std::string placeOf(const FleetOptions& fleet, int machine);
std::string rackPlaceOf(int rack);  ///< "H1/R01/RK001"

}  // namespace zellige::sim
