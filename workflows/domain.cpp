// One NVLink domain of a rack's compute and switch trays, when all are there.
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "workflows/domain.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

constexpr Lifecycle kChecksDomainIn[] = {Lifecycle::Available, Lifecycle::InService};
constexpr Duration kHostTime = 10min;  // a restart takes 6
constexpr int kEqualAnswers = 3;  // a control plane that is still finding its nodes may say so once too early
constexpr Duration kFabricTime = 30min;  // for the control plane to configure the fabric; then somebody must look

/// "fw:HGX_FW_GPU_0=97.00…" of one machine, sorted.
using Bundle = std::vector<std::string>;

/// What most of them have.
const Bundle& mostCommon(const std::vector<const Bundle*>& all) {
  const auto count = [&](const Bundle* one) {
    return std::count_if(all.begin(), all.end(), [&](const Bundle* other) { return *other == *one; });
  };
  return **std::max_element(all.begin(), all.end(),
                            [&](const Bundle* a, const Bundle* b) { return count(a) < count(b); });
}

std::string without(const Bundle& some, const Bundle& others) {
  Bundle out;
  std::set_difference(some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(out));
  return out.empty() ? "nothing else" : fmt::format("{}", fmt::join(out, ", "));
}

// All of a kind have the same firmware. What else they were qualified against does not matter to each other.
Task<Result<Seen>> lookBundle(StepContext& context) {
  std::map<NodeId, Bundle> bundleOf;
  std::map<NodeKind, std::vector<const Bundle*>> bundles;
  for (const auto& node : context.nodes())
    bundles[node.kind].push_back(&(bundleOf[node.id] = shownFirmware(context, node)));
  int odd = 0;
  for (const auto& node : context.nodes()) {
    const auto& own = bundleOf[node.id];
    const auto& common = mostCommon(bundles[node.kind]);
    if (!own.empty() && own == common) continue;
    ++odd;
    context.findOn(node, "domain.bundle",
                   own.empty() ? "there is no valid evidence of its firmware"
                               : fmt::format("it has {}; most {}s of the rack have {}", without(own, common),
                                             nameOf(node.kind), without(common, own)));
  }
  if (odd > 0)
    co_return failure("domain.bundle", fmt::format("{} members are not at the bundle of the others", odd));
  co_return Seen::Done;
}

// A host that restarts is given time; one that is off has no place in the fabric.
Task<Result<Seen>> lookHosts(StepContext& context) {
  std::vector<const Node*> off;
  for (const auto& node : context.nodes()) {
    if (node.kind != NodeKind::ComputeTray) continue;
    const auto host = co_await context.bmcOf(node).host();
    if (!host) co_return host.error();
    if (host->power != HostPower::On) off.push_back(&node);
  }
  if (off.empty()) co_return Seen::Done;
  auto state = fmt::format("{} of the domain's hosts to be on; first {}", off.size(), off.front()->serial);
  context.waitFor(state);
  if (context.spent() < kHostTime) co_return Seen::Busy;
  for (const auto* node : off) context.findOn(*node, "domain.host_off", "its host is off");
  co_return failure("domain.host_off", std::move(state));
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
    context.isAbout(*lowest);
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

// What an earlier check had found is over with that.
void leaveShown(StepContext& context, const Node& leader) {
  const auto value = Json{{"leader", leader.serial}, {"members", context.nodes().size()}}.dump();
  for (const auto& node : context.nodes()) {
    Evidence evidence{node.id, context.run().id, std::string(kDomainShown), value, {}, context.now()};
    evidence.dependsOn = restsOnMachine(context, node);
    context.leave(PutEvidence{std::move(evidence)});
    for (const auto* cause :
         {"domain.bundle", "domain.control_plane", "domain.host_off", "rack.run_failed", "rack.kept_waiting"})
      context.leave(ResolveFindings{node.id, cause, "the domain was shown to be whole"});
  }
}

Task<Result<Seen>> lookControlPlane(StepContext& context) {
  const auto* leader = leaderOf(context);
  if (!leader) co_return failure("domain.control_plane", "the leader of the domain is not among its members");
  const auto control = co_await context.osOf(*leader).nvlinkControl();
  if (!control) co_return control.error();
  auto& reads = context.scratch("configured");
  if (!control->configured) {
    reads.clear();
    auto state = fmt::format("the NVLink control plane on {}: {}", leader->serial, control->detail);
    context.waitFor(state);
    if (context.spent() < kFabricTime) co_return Seen::Busy;
    context.findOn(*leader, "domain.control_plane", state);
    co_return failure("domain.control_plane", std::move(state));
  }
  reads += '|';
  if (reads.size() < kEqualAnswers) co_return Seen::Busy;
  leaveShown(context, *leader);
  co_return Seen::Done;
}

}  // namespace

Step hostsOnStep(std::string_view id) {
  return {.id = id,
          .title = "Every host of the domain is on",
          .about = "Sends nothing. Waits until the host of every compute tray is on.",
          .look = lookHosts,
          .poll = 30s};
}

const Workflow& qualifyDomain() {
  static const std::vector<Step> steps{
      {.id = "domain.bundle",
       .title = "All members are at one bundle",
       .about = "Sends nothing. Looks whether the firmware of all compute trays is one bundle, and that of "
                "all switch trays.",
       .look = lookBundle},
      hostsOnStep("domain.hosts"),
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
                "result on every member.",
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
      .together = kOfTheDomain,
      .startsIn = kChecksDomainIn,
      .shows = kDomainShown};
  return workflow;
}

}  // namespace zellige::workflows
