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
#include "controller/engine/rounds.hpp"
#include "controller/engine/store.hpp"

namespace zellige {

class Patrol {
 public:
  Patrol(Store& store, BmcDirectory& bmcs, Executor& executor, RoundsOptions options)
      : store_(store), bmcs_(bmcs), executor_(executor), rounds_(executor, options) {}
  Patrol(const Patrol&) = delete;

  /// To be told of every node of which it has said something, when that is durable.
  void onNews(std::function<void(const std::vector<NodeId>&)> tell) { tellNews_ = std::move(tell); }
  /// Goes round for ever; spawn it.
  Task<void> walk();

 private:
  Task<void> visit(NodeId id);
  void judgeContact(const Node& node, const Result<void>& answer, std::vector<Op>& ops);
  void judgeHost(const Node& node, const Result<HostState>& host, std::vector<Op>& ops);

  Store& store_;
  BmcDirectory& bmcs_;
  Executor& executor_;
  Rounds rounds_;
  std::function<void(const std::vector<NodeId>&)> tellNews_;
  std::set<NodeId> missedOnce_;  ///< one missed look is no lost contact yet
  std::set<NodeId> seenOn_;      ///< hosts in service whose finding that they are off, if any, is resolved
  std::set<NodeId> foundOff_;    ///< said so already, since it went off
  std::set<NodeId> foundShut_;   ///< said so already that we cannot get in, since we last could
};

}  // namespace zellige
