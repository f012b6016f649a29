#include "controller/model/compliance.hpp"

namespace zellige {

namespace {

void compareOne(const Baseline::Component& wanted, const Inventory& inventory, Compliance& out) {
  bool any = false;
  for (const auto& item : inventory.firmware) {
    if (!matches(wanted.match, item.id)) continue;
    any = true;
    if (item.absent || item.version.empty())
      out.unknown.push_back(item.id);
    else if (!sameVersion(item.version, wanted.version))
      out.behind.push_back({item.id, item.version, wanted.version});
  }
  if (any)
    out.knowsNothing = false;
  else
    out.unknown.push_back(wanted.match);
}

}  // namespace

Compliance complianceOf(const Baseline& baseline, const Inventory& inventory) {
  Compliance out;
  for (const auto& entry : baseline.entries)
    for (const auto& wanted : entry.components) compareOne(wanted, inventory, out);
  return out;
}

}  // namespace zellige
