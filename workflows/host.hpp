// Acts on the host's power that several workflows share.
#pragma once

#include "controller/engine/step.hpp"

namespace zellige::workflows {

/// Done: the host is off. Busy: it is on its way.
Task<Result<Seen>> lookHostOff(StepContext& context);
/// Done: it is on, or on its way.
Task<Result<Seen>> lookHostOn(StepContext& context);
Task<Result<void>> switchHostOff(StepContext& context);
Task<Result<void>> switchHostOn(StepContext& context);

}  // namespace zellige::workflows
