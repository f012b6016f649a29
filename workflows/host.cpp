#include "workflows/host.hpp"

namespace zellige::workflows {

Task<Result<Seen>> lookHostOff(StepContext& context) {
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  if (host->power == HostPower::Off) co_return Seen::Done;
  co_return host->power == HostPower::PoweringOff ? Seen::Busy : Seen::Todo;
}

Task<Result<void>> switchHostOff(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::ForceOff);
}

Task<Result<void>> switchHostOn(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::On);
}

}  // namespace zellige::workflows
