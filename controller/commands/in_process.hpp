// The simulator's second front door: requests become plain calls in virtual time, with the latencies, broken
// connections, TLS keys and timeouts that a network would have had. One per life of a controller.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "controller/base/executor.hpp"
#include "controller/commands/crash.hpp"
#include "drivers/http/transport.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige {

struct ExchangeCount {
  std::uint64_t sent = 0;
  std::uint64_t afterDeath = 0;  ///< sends of a controller that was dead: must stay 0
};

class InProcessTransport final : public http::Transport {
 public:
  /// Changes what a machine delivers before it is on the wire; empty: nothing.
  using Spoil = std::function<void(sim::MachineId, const HttpRequest&, sim::Delivery&)>;

  InProcessTransport(sim::Fleet& fleet, Executor& world, Executor& controller, CrashPlan& crash,
                     ExchangeCount& count, Spoil spoil = {});

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions options) override;

 private:
  struct Outcome;
  sim::Fleet& fleet_;
  Executor& world_;
  Executor& controller_;
  CrashPlan& crash_;
  ExchangeCount& count_;
  Spoil spoil_;
  std::map<std::string, std::pair<sim::MachineId, sim::Door>> byAddress_;
  std::map<std::string, std::uint64_t> keptAlive_;  ///< connection by address
  std::uint64_t nextConnection_ = 1;
};

}  // namespace zellige
