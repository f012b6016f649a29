#include "controller/model/evidence.hpp"

#include <fmt/format.h>

#include "controller/model/catalog.hpp"

namespace zellige {

Parts partsOf(const Inventory& inventory) {
  Parts parts;
  for (const auto& c : inventory.components) parts[fmt::format("{}:{}", nameOf(c.kind), c.name)] = c.serial;
  for (const auto& f : inventory.firmware) parts["fw:" + f.id] = f.absent ? std::string{} : f.version;
  return parts;
}

bool isBroken(const std::string& dependency, const std::string& serial, const Parts& before,
              const Parts& after) {
  if (dependency.starts_with("serial:")) return !serial.empty() && dependency.substr(7) != serial;
  const auto equals = dependency.find('=');
  if (equals == std::string::npos) return false;
  const auto part = dependency.substr(0, equals);
  const auto now = after.find(part);
  if (now == after.end()) return before.contains(part);
  return !sameVersion(now->second, dependency.substr(equals + 1));
}

}  // namespace zellige
