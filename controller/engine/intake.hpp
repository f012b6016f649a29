// Nodes that arrived start their way by themselves, unless their rack comes up by a recipe (bring_up.hpp): every planned, discovered or qualifying node with a profile that has
// no run, and whose last run nobody cancelled, gets one of the workflow that qualifies it. In observe mode such a run reads as far as it can, then waits to be armed.
#pragma once

#include <memory>
#include <string>

#include "controller/engine/engine.hpp"

namespace zellige {

class Intake {
 public:
  Intake(Store& store, Engine& engine, Executor& executor)
      : store_(store), engine_(engine), executor_(executor) {}

  /// Starts what is missing; returns how many. Call after start and after every import; safe to call at any time. It lets
  /// the event loop go on between two pages of nodes.
  Task<int> sweep();

 private:
  struct Sweep;
  bool mayStart(const Node& node);
  void startNext(const std::shared_ptr<Sweep>& sweep);
  Task<void> startOne(std::shared_ptr<Sweep> sweep, StartRun request);

  Store& store_;
  Engine& engine_;
  Executor& executor_;
};

}  // namespace zellige
