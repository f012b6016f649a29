// Dry before any host of a rack has power.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

// Reading sensors harms nobody, also where the machine is in use.
constexpr Lifecycle kChecksLeaksIn[] = {Lifecycle::Planned, Lifecycle::Discovered, Lifecycle::Qualifying,
                                        Lifecycle::Available, Lifecycle::InService};

Task<Result<Seen>> lookDry(StepContext& context) {
  const auto leak = co_await context.bmc().leakDetected();
  if (!leak) co_return leak.error();
  const auto& node = context.node();
  bool on = false;
  if (node.kind == NodeKind::ComputeTray) {
    const auto host = co_await context.bmc().host();
    if (!host) co_return host.error();
    on = host->power == HostPower::On || host->power == HostPower::PoweringOn;
  }
  if (*leak)
    co_return failure("cooling.leak",
                      on ? "a leak detector of this tray is not OK, and its host is on: cut its power"
                         : "a leak detector of this tray is not OK");
  // Its BMC switched it on with the rack's power, or somebody did: luckily it is dry.
  if (on && node.lifecycle == Lifecycle::Discovered)
    context.find("cooling.on_before_dry", "its host had power before its leak detectors were read");
  Evidence evidence{node.id, context.run().id, std::string(kLeaksShown), Json{{"dry", true}}.dump(),
                    {},      context.now()};
  evidence.dependsOn = {"place:" + node.place.path, "serial:" + node.serial};  // parts are read later
  context.leave(PutEvidence{std::move(evidence)});
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
      .shows = kLeaksShown,
      .guards = true};
  return workflow;
}

}  // namespace zellige::workflows
