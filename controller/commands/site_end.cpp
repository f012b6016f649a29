#include "controller/commands/site_end.hpp"

#include <stdexcept>

namespace zellige {

namespace {

Task<void> freeze(SqliteStore& store, std::string profile, std::shared_ptr<const Target>& out) {
  auto target = co_await store.freezeTarget(std::move(profile));
  if (target) out = *target;
}

}  // namespace

FleetOutcome endOf(VirtualSite& site) {
  auto& store = site.store();
  const auto queries = store.queries();
  std::vector<NodeOutcome> nodes;
  std::map<NodeKind, std::string> profiles;
  for (const auto machine : site.fleet().machines()) {
    const auto id = store.nodeBySerial(site.fleet().serial(machine));
    if (!id) continue;
    const auto node = store.node(*id);
    profiles[node->kind] = node->profile;
    NodeOutcome outcome{node->serial, node->lifecycle, {}, {}};
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
    std::shared_ptr<const Target> target;
    site.spawn(freeze(store, profile, target));
    site.runFor(1s);
    if (!target) throw std::runtime_error("the simulated site's profile is not in its store");
    wanted[machineKind(kind)] = Wanted{target->baseline, target->profile.imageDigest,
                                       target->profile.settings};
  }
  return judgeFleet(site.fleet(), nodes, wanted, site.limits());
}

sim::FaultLevel faultLevel(const std::string& name) {
  if (name == "none") return sim::FaultLevel::None;
  if (name == "light") return sim::FaultLevel::Light;
  if (name == "heavy") return sim::FaultLevel::Heavy;
  throw std::invalid_argument("faults are none, light or heavy, not " + name);
}

}  // namespace zellige
