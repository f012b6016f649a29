#include <fmt/format.h>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

Task<Result<Seen>> lookPower(StepContext& context) {
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  const auto& wanted = context.run().parameter;
  context.waitFor(fmt::format("host power: {}, asked for: {}", nameOf(host->power), wanted));
  if (wanted == "restart") {
    if (const auto before = context.intended("host_reset"); before && *before != host->lastReset)
      co_return Seen::Done;
    if (host->lastReset.empty() && context.wasAccepted()) co_return Seen::Done;
    context.witness("host_reset", host->lastReset);
    co_return Seen::Todo;
  }
  const bool on = wanted == "on";
  if (host->power == (on ? HostPower::On : HostPower::Off)) co_return Seen::Done;
  if (host->power == (on ? HostPower::PoweringOn : HostPower::PoweringOff)) co_return Seen::Busy;
  co_return Seen::Todo;
}

Task<Result<void>> setPower(StepContext& context) {
  const auto& wanted = context.run().parameter;
  const auto how = wanted == "restart" ? HostReset::ForceRestart
                   : wanted == "on"    ? HostReset::On
                                       : HostReset::ForceOff;
  co_return co_await context.bmc().reset(how);
}

}  // namespace

const Workflow& power() {
  static const std::vector<Step> steps{
      {.id = "power.apply",
       .title = "Bring the host to the power state that was asked for",
       .about =
           "Looks at the host's power; `on` and `off` act only if it is in another state. `off` and "
           "`restart` "
           "are at once, whatever the host runs; that a restart happened is seen by the time of its last "
           "reset.",
       .look = lookPower,
       .act = setPower,
       .effect = Effect::Transient,
       .repeat = Repeat::Safe,  // on and off are visible; a second restart was asked for
       .poll = 5s,
       .deadline = 15min,
       .overdue = "power.stuck",
       .spent = "power.stuck"}};
  static constexpr std::string_view parameters[] = {"on", "off", "restart"};
  static const Workflow workflow{
      .name = "power",
      .about = "Brings one host to the power state that a person asked for, at once.",
      .steps = steps,
      .kind = NodeKind::ComputeTray,
      .parameters = parameters};
  return workflow;
}

}  // namespace zellige::workflows
