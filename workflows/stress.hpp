// What a burn-in of one machine and one of a whole domain have in common: the order to run a plan's tests on the terms of the
// place, how long that may take, and when nothing is stressed any more.
#pragma once

#include <string>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige::workflows {

inline constexpr Duration kSilentAtMost = 4h;  ///< of an agent that was ordered something

using Tests = std::vector<const Plan::Test*>;

/// What the test demands, as evidence rests on it: another duration or limit under the same name is another test.
std::string specOf(const Plan::Test& test);

struct StressTime {
  Duration planned{0};  ///< the tests, up before them and down after them
  Duration atMost{0};   ///< with pauses for which nobody had renewed the lease, agent restarts, slow reports
};
StressTime timeOf(const Tests& tests, const PowerTerms& terms);

AgentOrder stressOrder(const StepContext& context, std::string id, const Tests& tests);

/// The run is over, and its order is not repeated any more: this machine may still draw its watts, until its last lease has
/// run out and it has gone back to idle.
bool isStressed(StepContext& context, const Node& node, const std::string& orderId);

}  // namespace zellige::workflows
