// What was delivered against what was ordered.
#pragma once

#include <string>
#include <vector>

#include "controller/model/catalog.hpp"
#include "controller/model/node.hpp"

namespace zellige::workflows {

struct Difference {
  std::string cause;  ///< "inventory.missing_part", "inventory.wrong_part", "inventory.sick_part", "place.wrong_serial"
  std::string detail;
};

/// Everything that differs, most telling first; empty: delivered as ordered.
std::vector<Difference> compare(const Inventory& found, const Sku& ordered, const Node& node);

/// What evidence about this machine rests on: its serial, its parts' serials, its place.
std::vector<std::string> restsOnParts(const Inventory& found, const Node& node);

}  // namespace zellige::workflows
