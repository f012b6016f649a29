// What is remembered of the way through a BMC's resources, so that what is asked often costs one exchange. A site has many
// machines and few models: machines that know the same share it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/bmc.hpp"
#include "drivers/redfish/platform.hpp"

namespace zellige::redfish {

/// Links that were followed, and what was learnt on the way. Empty: not looked for yet.
struct Known {
  BmcIdentity identity;  ///< without what differs from machine to machine: the UUID
  const Platform* platform = nullptr;
  std::string systems, managers, chassis, updateService, taskService, sessions,
      managerOfService;  ///< of the root
  std::vector<std::string> systemLinks;
  bool systemsRead = false;               ///< systemLinks are all there are
  std::vector<std::string> chassisLinks;  ///< looked at only where the platform depends on them
  std::string hostSystem, baseboard, manager, networkProtocol, firmwareInventory, tasks;
  std::string boot;  ///< the resource that boot overrides are written to
  std::string mediaSlot;
  bool leaksFound = false;
  std::vector<std::string> leakDetectors;  ///< collections
  auto operator<=>(const Known&) const = default;
};

class Ways {
 public:
  /// This, or what equals it.
  std::shared_ptr<const Known> share(Known known);

 private:
  struct ByContent {
    using is_transparent = void;
    static const Known& of(const std::shared_ptr<const Known>& known) { return *known; }
    static const Known& of(const Known& known) { return known; }
    bool operator()(const auto& a, const auto& b) const { return of(a) < of(b); }
  };
  std::set<std::shared_ptr<const Known>, ByContent> all_;
  std::size_t sweepAt_ = 64;  ///< what nobody knows any more goes when there are so many
};

}  // namespace zellige::redfish
