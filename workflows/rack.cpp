// What the members of a rack go through beside their own qualifying: dry before any host has power, and one NVLink domain
// when all are there.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

constexpr Lifecycle kChecksLeaksIn[] = {Lifecycle::Planned, Lifecycle::Discovered, Lifecycle::Qualifying,
                                        Lifecycle::Available};
constexpr Lifecycle kChecksDomainIn[] = {Lifecycle::Available};
constexpr Duration kFabricTime = 30min;  // for the control plane to configure the fabric; then somebody must look

Evidence shown(const StepContext& context, const Node& node, std::string subject, const Json& value) {
  Evidence evidence{node.id, context.run().id, std::move(subject), value.dump(), {}, context.now()};
  evidence.dependsOn = {"place:" + node.place.path, "serial:" + node.serial};
  return evidence;
}

Task<Result<Seen>> lookDry(StepContext& context) {
  const auto leak = co_await context.bmc().leakDetected();
  if (!leak) co_return leak.error();
  if (*leak) co_return failure("cooling.leak", "a leak detector of this tray is not OK");
  context.leave(PutEvidence{shown(context, context.node(), std::string(kLeaksShown), {{"dry", true}})});
  co_return Seen::Done;
}

// All of a kind were qualified against the same frozen target: one bundle.
Task<Result<Seen>> lookBundle(StepContext& context) {
  std::map<NodeKind, std::string> bundle;
  for (const auto& node : context.nodes()) {
    const auto from = context.store().evidenceFrom(node.id, "firmware");
    const auto run = from ? context.store().run(*from) : std::nullopt;
    std::string wrong;
    if (!run)
      wrong = fmt::format("{} at {} has no valid evidence of its firmware", node.serial, node.place.path);
    else if (const auto& first = bundle.try_emplace(node.kind, run->target).first->second;
             first != run->target)
      wrong = fmt::format("{} at {} was qualified against another bundle than the first {} of the rack",
                          node.serial, node.place.path, nameOf(node.kind));
    if (wrong.empty()) continue;
    context.findOn(node, "domain.bundle", wrong);
    co_return failure("domain.bundle", wrong);
  }
  co_return Seen::Done;
}

// One switch tray leads: where one does already, that one, else the lowest.
Task<Result<Seen>> lookLeader(StepContext& context) {
  std::vector<const Node*> leaders;
  const Node* lowest = nullptr;
  for (const auto& node : context.nodes()) {
    if (node.kind != NodeKind::SwitchTray) continue;
    if (!lowest || node.place < lowest->place) lowest = &node;
    const auto control = co_await context.osOf(node).nvlinkControl();
    if (!control) co_return control.error();
    if (control->enabled) leaders.push_back(&node);
  }
  if (!lowest) co_return failure("domain.control_plane", "no switch tray is among the members");
  if (leaders.size() > 1) {
    for (const auto* leader : leaders)
      context.findOn(*leader, "domain.control_plane",
                     fmt::format("{} switch trays of this rack run the NVLink control plane", leaders.size()));
    co_return failure("domain.control_plane", "more than one switch tray runs the NVLink control plane");
  }
  if (leaders.empty()) {
    context.setFactWithIntent("domain.leader", lowest->serial);
    context.chooseItem(lowest->serial);
    co_return Seen::Todo;
  }
  context.setFact("domain.leader", leaders.front()->serial);
  co_return Seen::Done;
}

const Node* leaderOf(const StepContext& context) {
  const auto serial = context.fact("domain.leader");
  for (const auto& node : context.nodes())
    if (node.serial == serial) return &node;
  return nullptr;
}

Task<Result<void>> startControlPlane(StepContext& context) {
  const auto* leader = leaderOf(context);
  if (!leader) co_return Error{Errc::Invalid, "the leader of the domain is not among its members"};
  co_return co_await context.osOf(*leader).startNvlinkControl();
}

Task<Result<Seen>> lookControlPlane(StepContext& context) {
  const auto* leader = leaderOf(context);
  if (!leader) co_return failure("domain.control_plane", "the leader of the domain is not among its members");
  const auto control = co_await context.osOf(*leader).nvlinkControl();
  if (!control) co_return control.error();
  if (!control->configured) {
    auto state = fmt::format("the NVLink control plane on {}: {}", leader->serial, control->detail);
    context.waitFor(state);
    if (context.spent() < kFabricTime) co_return Seen::Busy;
    context.findOn(*leader, "domain.control_plane", state);
    co_return failure("domain.control_plane", std::move(state));
  }
  const Json value{{"leader", leader->serial}, {"members", context.nodes().size()}};
  for (const auto& node : context.nodes())
    context.leave(PutEvidence{shown(context, node, std::string(kDomainShown), value)});
  co_return Seen::Done;
}

}  // namespace

const Workflow& checkLeaks() {
  static const auto steps = [] {
    auto out = discoverSteps();
    out.push_back({.id = "leaks.dry",
                   .title = "Leak sensors are dry",
                   .about = "Reads the leak detectors, and leaves on the node that it is dry: the rest of "
                            "the rack waits for "
                            "that.",
                   .look = lookDry,
                   .deadline = 30min});
    return out;
  }();
  static const Workflow workflow{
      .name = "check_leaks",
      .about =
          "Reads the leak detectors of a tray before any host of its rack has power. Only `discover.access` "
          "may write, and only to a BMC that demands another password.",
      .steps = steps,
      .startsIn = kChecksLeaksIn,
      .shows = kLeaksShown};
  return workflow;
}

const Workflow& qualifyDomain() {
  static const std::vector<Step> steps{
      {.id = "domain.bundle",
       .title = "All members are at one bundle",
       .about =
           "Sends nothing. Looks whether all compute trays were qualified against one bundle, and all switch "
           "trays against one.",
       .look = lookBundle},
      {.id = "domain.leader",
       .title = "One switch tray runs the NVLink control plane",
       .about =
           "Looks on which switch trays the NVLink control plane runs. Where none does, it is started on the "
           "lowest one; more than one is a finding.",
       .look = lookLeader,
       .act = startControlPlane,
       .settle = 20s,
       .spent = "domain.control_plane"},
      {.id = "domain.configured",
       .title = "The NVLink control plane has configured the fabric",
       .about = "Asks the leader whether the fabric is configured, for half an hour at most, and leaves the "
                "result "
                "on every member.",
       .look = lookControlPlane,
       .poll = 10s,
       .deadline = 2 * kFabricTime,
       .overdue = "domain.control_plane"},
  };
  static const Workflow workflow{
      .name = "qualify_domain",
      .about =
          "Makes one NVLink domain of a rack's compute and switch trays, all together, when each of them is "
          "available. The fabric of a rack that is in use must not be its subject: a tray that is not "
          "available is refused.",
      .steps = steps,
      .startsIn = kChecksDomainIn,
      .shows = kDomainShown};
  return workflow;
}

}  // namespace zellige::workflows
