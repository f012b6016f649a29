// The end of a simulated site, judged.
#pragma once

#include "controller/commands/outcome.hpp"
#include "controller/commands/virtual_site.hpp"

namespace zellige {

FleetOutcome endOf(VirtualSite& site);
/// "none", "light" or "heavy"; anything else throws std::invalid_argument.
sim::FaultLevel faultLevel(const std::string& name);

}  // namespace zellige
