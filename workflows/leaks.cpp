// Dry before any host of a rack has power; and a host whose tray is not dry has none for long.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

// Reading sensors harms nobody, also where the machine is in use.
constexpr Lifecycle kChecksLeaksIn[] = {Lifecycle::Planned, Lifecycle::Discovered, Lifecycle::Qualifying,
                                        Lifecycle::Available, Lifecycle::InService};

constexpr std::string_view kWet = "a leak detector of this tray is not OK";

// A switch tray has no host to be switched off, and the NVLink of the whole rack goes through it: a person decides.
Task<Result<HostPower>> powerOf(StepContext& context) {
  if (context.node().kind != NodeKind::ComputeTray) co_return HostPower::Off;
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  co_return host->power;
}

Task<Result<Seen>> lookDry(StepContext& context) {
  const auto leak = co_await context.bmc().leakDetected();
  if (!leak) co_return leak.error();
  if (!*leak) co_return Seen::Done;
  const auto power = co_await powerOf(context);
  if (!power) co_return power.error();
  if (*power == HostPower::PoweringOff) co_return Seen::Busy;
  if (*power == HostPower::Off)
    co_return failure("cooling.leak",
                      fmt::format("{}{}", kWet, context.wasIntended() ? "; its host was switched off" : ""));
  if (!context.store().armed(context.node().place))
    co_return failure("cooling.leak", fmt::format("{}, and its host is on: cut its power", kWet));
  context.find("cooling.leak", fmt::format("{}; {}", kWet,
                                           context.wasIntended()
                                               ? "its host was switched off and is still on: if that lasts, "
                                                 "cut the power of its place"
                                               : "its host is being switched off"));
  co_return Seen::Todo;
}

Task<Result<void>> cutPower(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::ForceOff);
}

Task<Result<Seen>> lookDryAndShow(StepContext& context) {
  const auto seen = co_await lookDry(context);
  if (!seen || *seen != Seen::Done) co_return seen;
  const auto& node = context.node();
  const auto power = co_await powerOf(context);
  if (!power) co_return power.error();
  // Its BMC switched it on with the rack's power, or somebody did: luckily it is dry.
  const bool on = *power == HostPower::On || *power == HostPower::PoweringOn;
  if (on && node.lifecycle == Lifecycle::Discovered)
    context.find("cooling.on_before_dry", "its host had power before its leak detectors were read");
  Evidence evidence{node.id, context.run().id, std::string(kLeaksShown), Json{{"dry", true}}.dump(),
                    {},      context.now()};
  evidence.dependsOn = {"place:" + node.place.path, "serial:" + node.serial};  // parts are read later
  context.leave(PutEvidence{std::move(evidence)});
  co_return Seen::Done;
}

Step dryStep(std::string_view id) {
  return {.id = id,
          .title = "Leak sensors are dry",
          .about =
              "Reads the leak detectors. One that is not OK ends the run. Where the host of such a tray "
              "is on, and its place is armed, it is switched off at once (ForceOff), whatever it runs "
              "and whoever holds it.",
          .look = lookDry,
          .act = cutPower,
          .poll = 5s,
          .deadline = 30min,
          .spent = "cooling.leak",
          .keepsFromHarm = true};
}

}  // namespace

Step leaksStep() {
  auto step = dryStep("inspect.leaks");
  step.reaches = Lifecycle::Qualifying;
  return step;
}

const Workflow& checkLeaks() {
  static const auto steps = [] {
    auto out = discoverSteps();
    out.push_back(dryStep("leaks.dry"));
    out.back().look = lookDryAndShow;
    return out;
  }();
  static const Workflow workflow{
      .name = "check_leaks",
      .about =
          "Reads the leak detectors of a tray before any host of its rack has power, and leaves on the node "
          "that it is dry: the rest of the rack waits for that. `discover.access` writes only to a BMC that "
          "demands another password.",
      .steps = steps,
      .startsIn = kChecksLeaksIn,
      .shows = kLeaksShown,
      .guards = true};
  return workflow;
}

}  // namespace zellige::workflows
