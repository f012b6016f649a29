// What a node is: five facts, not one word (DESIGN 3). Which moves between lifecycle values exist is in lifecycle.hpp.
#pragma once

#include <optional>
#include <string>

#include "controller/base/names.hpp"
#include "controller/base/time.hpp"
#include "controller/model/ids.hpp"

namespace zellige {

enum class NodeKind { ComputeTray, SwitchTray, PowerShelf };
ZELLIGE_NAMES(NodeKind, {NodeKind::ComputeTray, "compute_tray"}, {NodeKind::SwitchTray, "switch_tray"},
              {NodeKind::PowerShelf, "power_shelf"});

enum class Lifecycle {
  Planned,
  Discovered,
  Qualifying,
  Available,
  InService,
  Sanitising,
  Quarantined,
  Repair,
  Retired,
  Unlisted
};
ZELLIGE_NAMES(Lifecycle, {Lifecycle::Planned, "planned"}, {Lifecycle::Discovered, "discovered"},
              {Lifecycle::Qualifying, "qualifying"}, {Lifecycle::Available, "available"},
              {Lifecycle::InService, "in_service"}, {Lifecycle::Sanitising, "sanitising"},
              {Lifecycle::Quarantined, "quarantined"}, {Lifecycle::Repair, "repair"},
              {Lifecycle::Retired, "retired"}, {Lifecycle::Unlisted, "unlisted"});

enum class Allocation { Free, Reserved, Assigned };
ZELLIGE_NAMES(Allocation, {Allocation::Free, "free"}, {Allocation::Reserved, "reserved"},
              {Allocation::Assigned, "assigned"});

enum class Scheduling { Open, Cordoned, Draining, Drained };
ZELLIGE_NAMES(Scheduling, {Scheduling::Open, "open"}, {Scheduling::Cordoned, "cordoned"},
              {Scheduling::Draining, "draining"}, {Scheduling::Drained, "drained"});

enum class Health { Ok, Degraded, Failed };
ZELLIGE_NAMES(Health, {Health::Ok, "ok"}, {Health::Degraded, "degraded"}, {Health::Failed, "failed"});

/// site / hall / row / rack / slot, as a path: "H1/R01/RK001/U10" (the site is implied). It outlives the node in it.
struct Place {
  std::string path;
  /// The path up to the rack: "H1/R01/RK001"; the failure domain that flash limits count.
  std::string rack() const;
  /// True if this is `outer` or inside it ("H1/R01" contains "H1/R01/RK001/U10", not "H1/R010").
  bool isInside(std::string_view outer) const;
  auto operator<=>(const Place&) const = default;
};

/// Which of a machine's two: a switch tray has a BMC and a system of its own, with an address and a password each.
enum class Endpoint { Bmc, Os };
ZELLIGE_NAMES(Endpoint, {Endpoint::Bmc, "bmc"}, {Endpoint::Os, "os"});

struct BmcEndpoint {
  std::string mac, address;
  int port = 443;
  std::string user;
  auto operator<=>(const BmcEndpoint&) const = default;
};

/// One row of the store, as the engine reads it.
struct Node {
  NodeId id;
  std::string serial;
  NodeKind kind = NodeKind::ComputeTray;
  Place place;
  std::string sku, profile;  ///< names in the catalogue
  std::string baseline;      ///< that a campaign has given it, in the place of its profile's; empty: none has
  BmcEndpoint bmc;           ///< no address: not known yet
  bool bmcLeased = false;    ///< its address is from a DHCP lease: the manifest gives its MAC alone
  BmcEndpoint os;            ///< of a switch tray; no address: it has none

  Lifecycle lifecycle = Lifecycle::Planned;
  Allocation allocation = Allocation::Free;
  Scheduling scheduling = Scheduling::Open;
  Health health = Health::Ok;
  std::optional<Time> unreachableSince;  ///< contact; nullopt: reachable, or never tried
  Time lifecycleSince{};
  std::int64_t version = 0;  ///< rises with every change of the five facts: the ETag, and what CAS compares
};

}  // namespace zellige
