// A machine's firmware against a baseline: what is at another version.
#pragma once

#include <string>
#include <vector>

#include "controller/model/catalog.hpp"

namespace zellige {

struct FirmwareDifference {
  std::string component;  ///< as the inventory names it
  std::string found, wanted;
  auto operator<=>(const FirmwareDifference&) const = default;
};

struct Compliance {
  std::vector<FirmwareDifference> behind;
  /// Entries' components that name nothing this machine has, or whose version it does not tell.
  std::vector<std::string> unknown;
  bool knowsNothing = true;  ///< no component of the baseline is on this machine
  bool holds() const { return behind.empty() && unknown.empty(); }
};

Compliance complianceOf(const Baseline& baseline, const Inventory& inventory);

}  // namespace zellige
