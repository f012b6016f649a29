#include "controller/commands/site_end.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace zellige {

namespace {

Task<void> freeze(SqliteStore& store, std::string profile, std::string baseline,
                  std::shared_ptr<const Target>& out) {
  auto target = co_await store.freezeTarget(std::move(profile), std::move(baseline));
  if (target) out = *target;
}

std::shared_ptr<const Target> targetOf(VirtualSite& site, const std::string& profile,
                                       const std::string& baseline) {
  std::shared_ptr<const Target> target;
  site.spawn(freeze(site.store(), profile, baseline, target));
  site.runFor(1s);
  if (!target) throw std::runtime_error("the simulated site's profile is not in its store");
  return target;
}

// A rack is accepted if and only if all its machines are available, and then exactly one of its switch trays really runs
// the control plane.
void judgeRacks(VirtualSite& site, FleetOutcome& out) {
  std::map<std::string, int> leaders;
  for (const auto machine : site.fleet().machines())
    if (site.fleet().groundTruth(machine).nvlinkControl)
      if (const auto id = site.store().nodeBySerial(site.fleet().serial(machine)))
        ++leaders[site.store().node(*id)->place.rack()];
  for (const auto& rack : site.store().racks()) {
    auto nodes = site.store().nodesOfRack(rack.place);
    std::erase_if(nodes, [](const Node& node) { return node.lifecycle == Lifecycle::Retired; });
    const bool whole = std::all_of(nodes.begin(), nodes.end(),
                                   [](const Node& node) { return node.lifecycle == Lifecycle::Available; });
    const bool accepted = rack.state == RackState::Accepted;
    ++out.racks;
    out.racksAccepted += accepted ? 1 : 0;
    if (whole && !accepted)
      out.unexpected.push_back(fmt::format("{}: {} though all its machines are available ({})", rack.place,
                                           nameOf(rack.state), site.plane().bringUp().waitsFor(rack.place)));
    if (leaders[rack.place] > 1)
      out.wrongEndStates.push_back(fmt::format("{}: {} of its switch trays run the NVLink control plane",
                                               rack.place, leaders[rack.place]));
    if (accepted && (!whole || leaders[rack.place] < 1))
      out.wrongEndStates.push_back(fmt::format("{}: accepted with {} of its switch trays leading{}", rack.place,
                                               leaders[rack.place], whole ? "" : ", and not all available"));
  }
}

}  // namespace

FleetOutcome endOf(VirtualSite& site) {
  auto& store = site.store();
  const auto queries = store.queries();
  std::vector<NodeOutcome> nodes;
  std::map<NodeKind, std::string> profiles;
  std::map<std::string, Baseline> given;  // by name
  for (const auto machine : site.fleet().machines()) {
    const auto id = store.nodeBySerial(site.fleet().serial(machine));
    if (!id) continue;
    const auto node = store.node(*id);
    profiles[node->kind] = node->profile;
    NodeOutcome outcome{node->serial, node->lifecycle, {}, {}, {}};
    if (const auto& name = node->baseline; !name.empty()) {
      if (!given.contains(name)) given[name] = targetOf(site, node->profile, name)->baseline;
      outcome.baseline = given[name];
    }
    FindingFilter filter;
    filter.node = *id;
    for (const auto& row : queries->findings(filter, {}, 50).findings) {
      const auto* cause = findCause(row.finding.cause);
      if (!cause || !cause->blocking) continue;
      outcome.causes.push_back(row.finding.cause);
      outcome.why += (outcome.why.empty() ? "" : "; ") + row.finding.detail;
    }
    if (const auto run = store.unfinishedRunOf(*id))
      if (const auto row = store.run(*run)) outcome.why = row->step + ": " + row->waitsFor;
    nodes.push_back(std::move(outcome));
  }
  WantedOf wanted;
  for (const auto& [kind, profile] : profiles) {
    const auto target = targetOf(site, profile, {});
    wanted[machineKind(kind)] = Wanted{target->baseline, target->profile.imageDigest,
                                       target->profile.settings};
  }
  auto out = judgeFleet(site.fleet(), nodes, wanted, site.limits());
  judgeRacks(site, out);
  return out;
}

sim::FaultLevel faultLevel(const std::string& name) {
  if (name == "none") return sim::FaultLevel::None;
  if (name == "light") return sim::FaultLevel::Light;
  if (name == "heavy") return sim::FaultLevel::Heavy;
  throw std::invalid_argument("faults are none, light or heavy, not " + name);
}

}  // namespace zellige
