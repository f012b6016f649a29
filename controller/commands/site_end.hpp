// The end of a simulated site, judged.
#pragma once

#include "controller/commands/outcome.hpp"
#include "controller/commands/virtual_site.hpp"

namespace zellige {

FleetOutcome endOf(VirtualSite& site);
/// Machines that refused more than one password: a wrong end, because real ones lock the account after a few. Part of
/// endOf's wrongEndStates.
std::vector<std::string> wrongGuesses(const VirtualSite& site);
/// "none", "light" or "heavy"; anything else throws std::invalid_argument.
sim::FaultLevel faultLevel(const std::string& name);

}  // namespace zellige
