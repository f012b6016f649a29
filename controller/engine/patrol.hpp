// One cheap look at every node that nobody works on, at least every `period`, so that death in service is noticed.
// It changes nothing on the machine and finds nothing but contact lost, contact regained, and a host that went off.
#pragma once

#include <set>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/engine/store.hpp"

namespace zellige {

struct PatrolOptions {
  Duration period = 10min;  ///< every resting node is looked at once in this time
  int atATime = 64;         ///< looks in flight
};

class Patrol {
 public:
  Patrol(Store& store, BmcDirectory& bmcs, Executor& executor, PatrolOptions options)
      : store_(store), bmcs_(bmcs), executor_(executor), options_(options) {}
  Patrol(const Patrol&) = delete;

  /// Goes round for ever; spawn it.
  Task<void> walk();

 private:
  std::vector<NodeId> resting() const;
  Task<void> visit(NodeId id);

  Store& store_;
  BmcDirectory& bmcs_;
  Executor& executor_;
  PatrolOptions options_;
  std::set<NodeId> missedOnce_;  ///< one missed look is no lost contact yet
  std::set<NodeId> foundOff_;    ///< said so already, since it went off
  int inFlight_ = 0;
};

}  // namespace zellige
