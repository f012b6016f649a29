#include "controller/engine/patrol.hpp"

#include <algorithm>

namespace zellige {

std::vector<NodeId> Patrol::resting() const {
  std::vector<NodeId> out;
  for (const auto lifecycle : {Lifecycle::Available, Lifecycle::InService})
    for (const auto id : store_.nodesIn(lifecycle))
      if (!store_.unfinishedRunOf(id)) out.push_back(id);
  return out;
}

Task<void> Patrol::walk() {
  for (;;) {
    const auto nodes = resting();
    const auto roundEnds = executor_.now() + options_.period;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      // Spread over the round, so that the load is even and no BMC waits longer than a period.
      const auto due = roundEnds - options_.period * static_cast<std::int64_t>(nodes.size() - i) /
                                       static_cast<std::int64_t>(nodes.size());
      if (due > executor_.now()) co_await sleepUntil(executor_, due);
      while (inFlight_ >= options_.atATime) co_await sleepFor(executor_, 1s);
      ++inFlight_;
      executor_.spawn(visit(nodes[i]));
    }
    if (executor_.now() < roundEnds) co_await sleepUntil(executor_, roundEnds);
  }
}

Task<void> Patrol::visit(NodeId id) {
  const auto node = store_.node(id);
  if (!node || store_.unfinishedRunOf(id)) {
    --inFlight_;
    co_return;
  }
  const auto host = co_await bmcs_.of(*node).host();
  --inFlight_;
  // A run has begun meanwhile: what the machine does now is that run's doing, and contact is its business.
  if (store_.unfinishedRunOf(id)) co_return;
  bmcs_.rest(id);
  Change change;
  change.at = executor_.now();
  change.actor = "patrol";
  const bool noContact = !host &&
                         (host.error().code == Errc::Unreachable || host.error().code == Errc::Timeout);
  if (noContact && !node->unreachableSince && !missedOnce_.insert(id).second)
    change.ops.emplace_back(SetContact{id, executor_.now()});
  if (!noContact) {
    missedOnce_.erase(id);
    if (node->unreachableSince) change.ops.emplace_back(SetContact{id, std::nullopt});
  }
  const bool off = host && host->power == HostPower::Off && node->lifecycle == Lifecycle::InService;
  if (host && !off) foundOff_.erase(id);
  if (off && foundOff_.insert(id).second) {
    Finding finding;
    finding.node = id;
    finding.cause = "node.host_off";
    finding.detail = "seen by the patrol";
    finding.raised = executor_.now();
    change.ops.emplace_back(RaiseFinding{std::move(finding)});
  }
  if (change.ops.empty()) co_return;
  const auto receipt = co_await store_.commit(std::move(change));
  if (receipt) co_return;
  missedOnce_.erase(id);  // somebody changed the node meanwhile: the next round looks again
  foundOff_.erase(id);
}

}  // namespace zellige
