// Going round many nodes for ever: each is visited once in a period, spread evenly over it, and a new one waits at most one
// period.
#pragma once

#include <functional>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/base/task.hpp"
#include "controller/model/ids.hpp"

namespace zellige {

struct RoundsOptions {
  Duration period = 10min;  ///< everybody is visited once in this time
  int atATime = 64;         ///< visits in flight
};

class Rounds {
 public:
  Rounds(Executor& executor, RoundsOptions options) : executor_(executor), options_(options) {}
  Rounds(const Rounds&) = delete;

  /// Never ends; spawn it. `whom` is asked ten times in a round.
  Task<void> walk(std::function<std::vector<NodeId>()> whom, std::function<Task<void>(NodeId)> visit);

 private:
  struct Visit {
    Time due{};
    NodeId node;
  };
  std::vector<Visit> dueIn(const std::vector<NodeId>& nodes, Time from, Time until) const;
  Task<void> go(NodeId node);

  Executor& executor_;
  RoundsOptions options_;
  std::function<Task<void>(NodeId)> visit_;
  Time began_{};
  int inFlight_ = 0;
};

}  // namespace zellige
