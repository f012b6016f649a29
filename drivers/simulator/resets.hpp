// What a BMC is asked to switch and restart: the host, itself, the tray's standby power, a shelf's feed; and what the
// ledger takes for a duplicate of it. Internal.
#pragma once

#include "controller/base/json.hpp"
#include "drivers/simulator/world.hpp"

namespace zellige::sim::server {

HttpReply resetSystem(World& w, Machine& m, const Json& body);
/// `hgx`: its HGX BMC, not its own.
HttpReply resetManager(World& w, Machine& m, const Json& body, bool hgx);
HttpReply auxPowerReset(World& w, Machine& m, const Json& body);
HttpReply switchShelf(World& w, Machine& m, bool on);

}  // namespace zellige::sim::server
