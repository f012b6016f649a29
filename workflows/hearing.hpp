// How long nothing has been heard of an agent that was ordered something, in the run's own time: what the run was blocked,
// and what no controller was there to hear, is nobody's silence.
#pragma once

#include "controller/engine/step.hpp"

namespace zellige::workflows {

inline constexpr Duration kCutOff = 10min;  // agents with an order report every 30 s and more often

struct Hearing {
  Duration silence{0};  ///< since it was last heard, or since it was ordered
  Duration cut{0};  ///< of all earlier silences longer than kCutOff after which the same boot was heard again
};

/// `head` of the last report of `node`'s agent. Kept in the run's fact "heard <serial>", which changes when a silence begins
/// and ends.
Hearing hear(StepContext& context, const Node& node, const std::optional<ReportHead>& head,
             const std::string& order);

}  // namespace zellige::workflows
