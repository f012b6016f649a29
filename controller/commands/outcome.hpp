// What became of a fleet, held against the simulator's ground truth by code that is not the controller's. The words are
// those of the JSON that demo, simulate and killsweep print.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/json.hpp"
#include "controller/engine/budgets.hpp"
#include "controller/model/catalog.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige {

/// What the controller says of one node at the end.
struct NodeOutcome {
  std::string serial;
  Lifecycle lifecycle = Lifecycle::Planned;
  std::vector<std::string> causes;        ///< of open blocking findings
  std::string why;                        ///< the findings' details, or what its run waits for
  std::optional<Baseline> baseline = {};  ///< that a campaign has given it, in the place of its kind's
};

/// What a machine must have become to be `available`.
struct Wanted {
  Baseline baseline;
  std::string imageDigest;  ///< empty: it has none
  BmcSettings settings;
};
using WantedOf = std::map<sim::MachineKind, Wanted>;

struct FleetOutcome {
  int nodes = 0, available = 0, quarantined = 0, stuck = 0;
  int racks = 0, racksAccepted = 0;
  std::vector<std::string> quarantinedExpected;  ///< "serial cause"
  std::vector<std::string> unexpected;           ///< who ended otherwise than expected, and how
  std::vector<std::string> wrongEndStates;       ///< available without being so, by ground truth; wrongOrders
  int budgetViolations = 0;  ///< of wrongEndStates: limits that were exceeded (overLimits)
  std::map<std::string, int> faultsFired;
  std::vector<std::string> duplicates;  ///< what was delivered again, and why it was wrong
  int repeatsAllowed = 0;               ///< delivered again within its rights (drivers/simulator/ledger.hpp)

  bool good() const {
    return stuck == 0 && unexpected.empty() && wrongEndStates.empty() && duplicates.empty();
  }
};

/// What the machine is not that an available one must be; empty: it really is.
std::string lacks(const sim::GroundTruth& truth, const Wanted& wanted);
/// Of what there was more at a time than the limits allow, by what the machines really did.
std::vector<std::string> overLimits(const sim::Fleet& fleet, const BudgetLimits& limits);
/// What the machines must never be sent, however they end: guesses at a password, what destroys firmware, more at a time
/// than the limits. Part of wrongEndStates.
std::vector<std::string> wrongOrders(const sim::Fleet& fleet, const BudgetLimits& limits);
FleetOutcome judgeFleet(const sim::Fleet& fleet, const std::vector<NodeOutcome>& nodes,
                        const WantedOf& wanted, const BudgetLimits& limits);
/// The kind of simulated machine that stands for this kind of node.
sim::MachineKind machineKind(NodeKind kind);
void addTo(Json& json, const FleetOutcome& outcome);

/// Highest resident memory of this process so far, MiB.
double peakRssMb();

}  // namespace zellige
