// How a simulated host is stressed: the tests of an order one after the other, and with a lease slowly up before them and
// down after them, or down already when nobody renews it. Internal.
#pragma once

#include <string>
#include <vector>

#include "controller/protocol/agent.hpp"

namespace zellige::sim {

class World;
struct Machine;

enum class StressPhase { Idle, Up, Full, Down };

/// Of an agent, since its boot.
struct Stress {
  std::string order;  ///< empty: none
  std::vector<BurnInTest> tests;
  Together together;     ///< with whom
  Time begun{};          ///< the order, or with others the word to begin
  bool wasLeft = false;  ///< one of the others was not at it all the time: nothing can be said of the tests
  std::size_t done = 0;  ///< their results are computed when a report needs them
  Duration left{0};      ///< of the test at hand, at `since`
  StressTerms terms;
  StressPhase phase = StressPhase::Idle;
  double level = 0;  ///< 0 is idle, 1 is full: at `since`
  Time since{};      ///< of this phase, or at full of this test
  Time leaseEnd{};
  bool watched = false;  ///< a timer looks at `leaseEnd`
  std::uint32_t epoch = 0;

  bool finished() const { return !order.empty() && done == tests.size() && phase == StressPhase::Idle; }
};

namespace stress {

/// The order came, or came again.
void obey(World& w, Machine& m, const AgentOrder& order);
AgentBurnIn soFar(World& w, const Machine& m);

}  // namespace stress

}  // namespace zellige::sim
