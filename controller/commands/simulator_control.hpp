// What a simulator is asked beside its machines, over plain HTTP on loopback: how a fleet ended (POST /outcome, by the demo
// that started it), and to play the technician (POST /swap, by `zellige node swap`).
#pragma once

#include "controller/base/http_message.hpp"
#include "controller/commands/outcome.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige::commands {

/// `wanted`: what the site's files ask of each kind of machine. Anything else: 404.
HttpReply control(const HttpRequest& request, sim::Fleet& fleet, const WantedOf& wanted);

}  // namespace zellige::commands
