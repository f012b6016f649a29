// One cheap look at every node that nobody works on, at least every `period`, so that death in service is noticed.
// It changes nothing on the machine. What it finds: contact lost and regained; of machines that are ready or in use also
// a host that went off, a certificate that is another one, and credentials that are refused.
//
// Where a blocking finding is open, and on nodes that are not ready, it asks without signing in: a password that was
// changed must not be tried every ten minutes until the account is locked.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/engine/store.hpp"

namespace zellige {

struct PatrolOptions {
  Duration period = 10min;  ///< every resting node is looked at once in this time, a new one as well
  int atATime = 64;         ///< looks in flight
};

class Patrol {
 public:
  Patrol(Store& store, BmcDirectory& bmcs, Executor& executor, PatrolOptions options)
      : store_(store), bmcs_(bmcs), executor_(executor), options_(options) {}
  Patrol(const Patrol&) = delete;

  /// To be told of every node of which it has said something, when that is durable.
  void onNews(std::function<void(const std::vector<NodeId>&)> tell) { tellNews_ = std::move(tell); }
  /// Goes round for ever; spawn it.
  Task<void> walk();

 private:
  struct Visit {
    Time due{};
    NodeId node;
  };
  std::vector<Visit> visitsUntil(Time from, Time until) const;
  Task<void> visit(NodeId id);
  void judgeContact(const Node& node, const Result<void>& answer, std::vector<Op>& ops);
  void judgeHost(const Node& node, const Result<HostState>& host, std::vector<Op>& ops);

  Store& store_;
  BmcDirectory& bmcs_;
  Executor& executor_;
  PatrolOptions options_;
  std::function<void(const std::vector<NodeId>&)> tellNews_;
  Time began_{};
  std::set<NodeId> missedOnce_;  ///< one missed look is no lost contact yet
  std::set<NodeId> seenOn_;      ///< hosts in service whose finding that they are off, if any, is resolved
  std::set<NodeId> foundOff_;    ///< said so already, since it went off
  std::set<NodeId> foundShut_;   ///< said so already that we cannot get in, since we last could
  int inFlight_ = 0;
};

}  // namespace zellige
