// Nodes that arrived start their way by themselves: every planned or discovered node with a profile gets a run of the
// workflow that qualifies it. In observe mode such a run reads as far as it can, then waits to be armed.
#pragma once

#include <string>

#include "controller/engine/engine.hpp"

namespace zellige {

class Intake {
 public:
  Intake(Store& store, Engine& engine, std::string workflow)
      : store_(store), engine_(engine), workflow_(std::move(workflow)) {}

  /// Starts what is missing; returns how many. Call after start and after every import; safe to call at any time.
  Task<int> sweep();

 private:
  Store& store_;
  Engine& engine_;
  std::string workflow_;
};

}  // namespace zellige
