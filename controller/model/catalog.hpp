// What nodes must become, as a technician imports it: data, never code. Read from files by controller/site.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/secret.hpp"
#include "controller/base/time.hpp"
#include "controller/model/inventory.hpp"
#include "controller/model/node.hpp"
#include "controller/model/rack.hpp"

namespace zellige {

/// The expected bill of materials of a kind of node.
struct Sku {
  struct Line {
    ComponentKind kind;
    int count = 0;
    std::string model;  ///< empty: any
  };
  std::string name;
  NodeKind kind = NodeKind::ComputeTray;
  std::int64_t memoryGiB = 0;    ///< 0: not checked
  std::int64_t stressWatts = 0;  ///< that it draws above idle when all of it is stressed; 0: not known
  std::vector<Line> components;
};

/// How a written firmware comes alive.
enum class Activation { None, BmcReset, HostCycle, AuxCycle };
ZELLIGE_NAMES(Activation, {Activation::None, "none"}, {Activation::BmcReset, "bmc_reset"},
              {Activation::HostCycle, "host_cycle"}, {Activation::AuxCycle, "aux_cycle"});

/// Wanted firmware: a recipe. Entries are written in order.
struct Baseline {
  struct Component {
    std::string match;  ///< inventory id, or a prefix ending in '*'
    std::string version;
  };
  struct Entry {
    std::string id;                    ///< "bmc_tray": stored in runs, unique in the baseline
    std::string packageDigest;         ///< SHA-256 of the package file, hex
    std::vector<std::string> targets;  ///< Redfish URIs for the push; empty: the whole tray
    std::vector<Component> components;
    Activation activation = Activation::None;
    bool force = false;  ///< downgrade allowed (ForceUpdate)
  };
  std::string name;
  std::vector<Entry> entries;
};
/// True if inventory id `item` is meant by `match`.
bool matches(std::string_view match, std::string_view item);
/// Equality after normalising what FACTS 6 lists: case, surrounding space.
bool sameVersion(std::string_view a, std::string_view b);

/// A file in the content store: firmware package or OS image. `digest` is SHA-256 hex of the content.
struct StoredFile {
  std::string digest;
  std::string name;  ///< base name as imported
  std::uint64_t size = 0;
};

/// Which burn-in tests run, how long, and which numbers are good enough.
struct Plan {
  struct Limit {
    std::optional<double> min, max;
  };
  struct Test {
    std::string id;
    Duration duration{0};
    bool required = false;                ///< skipped or void is then a failure of the burn-in
    std::vector<ComponentKind> of;        ///< the parts that it says something about; empty: all
    std::map<std::string, Limit> limits;  ///< by value name
    bool together = false;                ///< by all hosts of an NVLink domain as one, not by each on its own
  };
  std::string name;
  std::vector<Test> tests;
};

struct BmcSettings {
  std::vector<std::string> ntp;
  std::string syslogAddress;
  int syslogPort = 0;
  std::string powerRestorePolicy;  ///< AlwaysOn, AlwaysOff, LastState; empty: not set
  auto operator<=>(const BmcSettings&) const = default;
};

/// SKU + baseline + settings + image + plan: what a node must become.
struct Profile {
  std::string name, sku, baseline, plan;
  std::string imageName, imageDigest;
  BmcSettings settings;
};

/// One machine that should arrive.
struct ManifestNode {
  std::string serial;
  NodeKind kind = NodeKind::ComputeTray;
  Place place;
  std::string sku, profile;
  BmcEndpoint bmc;
  Secret password;
  bool factoryPassword = false;  ///< must be replaced at first contact, even if the BMC does not insist
  BmcEndpoint os;                ///< of a switch tray; no address: it has none
  Secret osPassword;
  bool osFactoryPassword = false;
};

/// One rack that comes up as a whole.
struct ManifestRack {
  std::string place;  ///< "H1/R01/RK001"
  std::string recipe;
};

struct Manifest {
  std::string site;
  std::vector<ManifestNode> nodes;
  std::vector<ManifestRack> racks;
};

}  // namespace zellige
