#include "controller/commands/outcome.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace zellige {

namespace {

std::string lacksRunning(const sim::GroundTruth& truth, const Wanted& wanted) {
  switch (truth.kind) {
    case sim::MachineKind::ComputeTray:
      if (truth.diskDigest != wanted.imageDigest) return "its disk does not hold the image";
      return truth.osRunning ? "" : "no system is running";
    case sim::MachineKind::SwitchTray: return truth.osRunning ? "" : "its system is not running";
    case sim::MachineKind::PowerShelf: return truth.hostOn ? "" : "it does not feed its busbar";
  }
  return {};
}

bool hasSettings(const sim::GroundTruth& truth, const BmcSettings& wanted) {
  return (wanted.ntp.empty() || truth.ntp == wanted.ntp) &&
         (wanted.syslogAddress.empty() ||
          (truth.syslogAddress == wanted.syslogAddress && truth.syslogPort == wanted.syslogPort)) &&
         (wanted.powerRestorePolicy.empty() || truth.powerRestorePolicy == wanted.powerRestorePolicy);
}

}  // namespace

std::string lacks(const sim::GroundTruth& truth, const Wanted& wanted) {
  if (auto what = lacksRunning(truth, wanted); !what.empty()) return what;
  for (const auto& entry : wanted.baseline.entries)
    for (const auto& component : entry.components) {
      bool there = false;
      for (const auto& item : truth.firmware) {
        if (!matches(component.match, item.id)) continue;
        there = true;
        if (!sameVersion(item.active, component.version))
          return fmt::format("{} is {}", item.id, item.active);
      }
      if (!there) return fmt::format("it has no {}", component.match);
    }
  if (truth.passwordIsFactorys) return "its BMC still has the factory's password";
  if (truth.mediaInserted) return "the boot media is still in";
  if (!hasSettings(truth, wanted.settings)) return "its BMC's settings are not those of the profile";
  return {};
}

namespace {

/// Collects what there was more of than is allowed.
struct Excess {
  std::vector<std::string> found;
  void atMost(std::int64_t allowed, std::int64_t count, std::string_view what, const std::string& where) {
    if (count > allowed) found.push_back(fmt::format("{} {} in {}, {} allowed", count, what, where, allowed));
  }
};

}  // namespace

std::vector<std::string> overLimits(const sim::Fleet& fleet, const BudgetLimits& limits) {
  Excess excess;
  const auto peak = fleet.peak();
  excess.atMost(limits.uploads, peak.uploads, "uploads at a time", "the site");
  excess.atMost(limits.flashes, peak.flashes, "flashes at a time", "the site");
  excess.atMost(limits.flashesPerRack, peak.flashesInARack, "flashes at a time", "a rack");
  excess.atMost(limits.imageStreams, peak.imageWrites, "image streams at a time", "the site");
  for (const auto& limit : limits.power) {
    const auto power = fleet.power(limit.place);
    const auto where = limit.place.empty() ? "the site" : limit.place;
    const auto whole = [](double watts) { return std::int64_t{std::llround(watts)}; };
    excess.atMost(limit.watts, whole(power.watts), "W above idle", where);
    excess.atMost(limit.wattsPerMinute, whole(power.risePerMinute), "W/min up", where);
    excess.atMost(limit.wattsPerMinute, whole(power.fallPerMinute), "W/min down", where);
  }
  return excess.found;
}

// No fault explains any of it: a BMC that restarts by itself loses its flash but leaves the slot whole.
std::vector<std::string> wrongOrders(const sim::Fleet& fleet, const BudgetLimits& limits) {
  Excess excess;
  for (const auto machine : fleet.machines()) {
    const auto truth = fleet.groundTruth(machine);
    // Which of two passwords is set may take one guess; real BMCs lock the account after a few. A switch tray has two.
    excess.atMost(truth.kind == sim::MachineKind::SwitchTray ? 2 : 1,
                  fleet.ledger().refusedPasswords(machine.value), "refused passwords", truth.serial);
    // That it is locked shows only in a refusal, which is confirmed once; whoever goes on does not wait for its end.
    excess.atMost(2, fleet.ledger().lockedPasswords(machine.value), "passwords sent in one lockout",
                  truth.serial);
    excess.atMost(0, truth.interruptedFlashes, "interrupted flashes", truth.serial);
    excess.atMost(0, truth.copiesAtRisk, "updates or power cycles during a background copy", truth.serial);
    excess.atMost(0, truth.memoryExhaustions, "pushes that exhausted the BMC's memory", truth.serial);
  }
  for (auto& text : overLimits(fleet, limits)) excess.found.push_back(std::move(text));
  return excess.found;
}

sim::MachineKind machineKind(NodeKind kind) {
  switch (kind) {
    case NodeKind::ComputeTray: return sim::MachineKind::ComputeTray;
    case NodeKind::SwitchTray: return sim::MachineKind::SwitchTray;
    case NodeKind::PowerShelf: return sim::MachineKind::PowerShelf;
  }
  return sim::MachineKind::ComputeTray;
}

namespace {

std::string lacksOf(const sim::Fleet& fleet, const std::map<std::string, sim::MachineId>& machineOf,
                    const NodeOutcome& node, const WantedOf& wanted) {
  const auto machine = machineOf.find(node.serial);
  if (machine == machineOf.end()) return "no such machine";
  auto it = wanted.at(fleet.kind(machine->second));
  if (node.baseline) it.baseline = *node.baseline;
  return lacks(fleet.groundTruth(machine->second), it);
}

/// It is in quarantine for what was expected, and for nothing else.
bool agrees(const std::vector<std::string>& causes, const std::vector<std::string>& expected) {
  return !causes.empty() && std::all_of(causes.begin(), causes.end(), [&](const auto& cause) {
    return std::find(expected.begin(), expected.end(), cause) != expected.end();
  });
}

}  // namespace

FleetOutcome judgeFleet(const sim::Fleet& fleet, const std::vector<NodeOutcome>& nodes,
                        const WantedOf& wanted, const BudgetLimits& limits) {
  FleetOutcome out;
  std::map<std::string, sim::MachineId> machineOf;
  for (const auto machine : fleet.machines()) machineOf.emplace(fleet.serial(machine), machine);
  std::map<std::string, std::vector<std::string>> expected;  // a machine with two defects may end by either
  for (const auto& e : fleet.expectations())
    expected[fleet.serial(sim::MachineId{e.machine})].emplace_back(e.cause);

  for (const auto& node : nodes) {
    ++out.nodes;
    const auto causes = expected.find(node.serial);
    const bool mustFail = causes != expected.end();
    if (mustFail) out.quarantinedExpected.push_back(node.serial + " " + causes->second.front());
    if (node.lifecycle == Lifecycle::Available) {
      ++out.available;
      const auto missing = lacksOf(fleet, machineOf, node, wanted);
      if (!missing.empty())
        out.wrongEndStates.push_back(fmt::format("{} is available, but {}", node.serial, missing));
      if (mustFail)
        out.unexpected.push_back(
            fmt::format("{} is available, expected {}", node.serial, causes->second.front()));
      if (!node.causes.empty())
        out.unexpected.push_back(fmt::format("{} is available, but {} is not resolved ({})", node.serial,
                                             fmt::join(node.causes, ", "), node.why));
    } else if (node.lifecycle == Lifecycle::Quarantined) {
      ++out.quarantined;
      if (!mustFail || !agrees(node.causes, causes->second))
        out.unexpected.push_back(fmt::format("{} is quarantined ({}: {}), expected {}", node.serial,
                                             fmt::join(node.causes, ", "), node.why,
                                             mustFail ? causes->second.front() : "available"));
    } else {
      ++out.stuck;
      out.unexpected.push_back(
          fmt::format("{} is still {} ({})", node.serial, nameOf(node.lifecycle), node.why));
    }
  }
  for (auto& text : wrongOrders(fleet, limits)) out.wrongEndStates.push_back(std::move(text));
  out.budgetViolations = static_cast<int>(overLimits(fleet, limits).size());
  out.faultsFired = fleet.faultsFired();
  out.repeatsAllowed = fleet.ledger().repeatsAllowed();
  for (const auto& d : fleet.ledger().duplicates())
    out.duplicates.push_back(fmt::format("{} {} {}: {}", fleet.serial(sim::MachineId{d.entry.machine}),
                                         nameOf(d.entry.kind), d.entry.component, d.why));
  return out;
}

void addTo(Json& json, const FleetOutcome& outcome) {
  int fired = 0;
  for (const auto& [kind, count] : outcome.faultsFired) fired += count;
  json["nodes"] = outcome.nodes;
  json["available"] = outcome.available;
  json["quarantined"] = outcome.quarantined;
  json["quarantined_expected"] = outcome.quarantinedExpected;
  json["unexpected"] = outcome.unexpected;
  json["faults_fired"] = fired;
  json["faults_by_kind"] = outcome.faultsFired;
  json["duplicates"] = outcome.duplicates.size();
  json["duplicate_acts"] = outcome.duplicates;
  json["repeats_allowed"] = outcome.repeatsAllowed;
  json["stuck"] = outcome.stuck;
  json["racks"] = outcome.racks;
  json["racks_accepted"] = outcome.racksAccepted;
  json["budget_violations"] = outcome.budgetViolations;
  json["wrong_end_states"] = outcome.wrongEndStates.size();
  json["wrong_end_state_list"] = outcome.wrongEndStates;
}

double peakRssMb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace zellige
