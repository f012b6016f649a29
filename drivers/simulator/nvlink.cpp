#include "drivers/simulator/nvlink.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/nvos.hpp"

namespace zellige::sim::nvlink {

namespace {

/// How many of the compute and switch trays of this rack are so.
template <class Is>
int countInDomain(const World& w, const Machine& m, Is is) {
  const auto& o = w.options;
  const int rack = rackOf(o, m.id);
  const auto count = [&](int from, int to) {
    return static_cast<int>(std::count_if(w.machines.begin() + from, w.machines.begin() + to, is));
  };
  const int firstTray = std::min(o.trays, rack * o.traysPerRack);
  const int firstSwitch = o.trays + rack * o.switchesPerRack;
  return count(firstTray, std::min(o.trays, firstTray + o.traysPerRack)) +
         count(firstSwitch, firstSwitch + o.switchesPerRack);
}

/// Compute and switch trays of this rack whose system does not run: they have no place in the fabric.
int missingFromFabric(const World& w, const Machine& m) {
  return countInDomain(w, m, [](const Machine& other) { return other.host.phase != HostPhase::Running; });
}

}  // namespace

std::string whyDuplicate(const World& w, const Machine& m) {
  if (m.nvos->cluster) return "the control plane is enabled here already";
  const bool another = countInDomain(
                           w, m, [](const Machine& other) { return other.nvos && other.nvos->cluster; }) > 0;
  return another ? "another switch tray of this rack runs the control plane" : "";
}

Json controlPlane(const World& w, const Machine& m) {
  const auto show = [](std::string_view status, std::string reason, std::string_view state) {
    return Json{{"status", status}, {"reason", std::move(reason)}, {"additional-info", state}};
  };
  const auto& n = *m.nvos;
  if (!n.cluster) return show("not ok", "cluster is disabled", "CONTROL_PLANE_STATE_OFFLINE");
  const int missing = missingFromFabric(w, m);
  if (missing > 0)
    return show("not ok", fmt::format("{} nodes are missing", missing), "CONTROL_PLANE_STATE_UNCONFIGURED");
  if (w.faults.has(m.id, FaultKind::FabricNever)) {
    w.faults.showed(m.id, FaultKind::FabricNever);
    return show("not ok", "", "CONTROL_PLANE_STATE_UNCONFIGURED");
  }
  if (w.now() < n.clusterSince + w.times().fabric) return show("ok", "", "CONTROL_PLANE_STATE_CONFIGURING");
  return show("ok", "", "CONTROL_PLANE_STATE_CONFIGURED");
}

}  // namespace zellige::sim::nvlink
