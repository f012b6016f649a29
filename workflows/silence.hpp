// Waiting for a machine's agent. Agents are silent for many reasons; a network or a hall without power is one of them, and
// no sickness: when nothing was heard for a while, the BMC is asked whether it is there at all.
#pragma once

#include "controller/engine/step.hpp"

namespace zellige::workflows {

/// Busy; or, after three minutes without a report of `node`'s agent, what asking its BMC says: with no contact the run is
/// blocked.
Task<Result<Seen>> stillSilent(StepContext& context, const Node& node);

}  // namespace zellige::workflows
