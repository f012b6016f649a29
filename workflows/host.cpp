#include "workflows/host.hpp"

namespace zellige::workflows {

Task<Result<Seen>> lookHostOff(StepContext& context) {
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  if (host->power == HostPower::Off) co_return Seen::Done;
  co_return host->power == HostPower::PoweringOff ? Seen::Busy : Seen::Todo;
}

Task<Result<Seen>> lookHostOn(StepContext& context) {
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  const bool on = host->power == HostPower::On || host->power == HostPower::PoweringOn;
  co_return on ? Seen::Done : Seen::Todo;
}

Task<Result<void>> switchHostOff(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::ForceOff);
}

Task<Result<void>> switchHostOn(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::On);
}

}  // namespace zellige::workflows
