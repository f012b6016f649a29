// What the workflows over a whole NVLink domain have in common: who is of it, and that its hosts are on.
#pragma once

#include "controller/engine/step.hpp"

namespace zellige::workflows {

inline constexpr NodeKind kOfTheDomain[] = {NodeKind::ComputeTray, NodeKind::SwitchTray};

/// Waits until the host of every compute tray is on, for ten minutes at most.
Step hostsOnStep(std::string_view id);

}  // namespace zellige::workflows
