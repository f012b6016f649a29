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

/// Everything that differs, one a cause, most telling first; empty: delivered as ordered, as far as it could be read.
/// While the inventory is incomplete, nothing is called missing.
std::vector<Difference> compare(const Inventory& found, const Sku& ordered, const Node& node);

/// What evidence about this machine rests on: its serial, its parts' serials, its place. `of`: only these kinds of parts;
/// empty: all.
std::vector<std::string> restsOnParts(const Inventory& found, const Node& node,
                                      const std::vector<ComponentKind>& of = {});

}  // namespace zellige::workflows
