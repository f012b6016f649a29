#include "controller/engine/patrol.hpp"

#include <algorithm>
#include <array>

namespace zellige {

namespace {

constexpr std::array kPatrolled{Lifecycle::Discovered, Lifecycle::Qualifying, Lifecycle::Available,
                                Lifecycle::InService,  Lifecycle::Sanitising, Lifecycle::Quarantined,
                                Lifecycle::Repair};

bool isReady(Lifecycle lifecycle) {
  return lifecycle == Lifecycle::Available || lifecycle == Lifecycle::InService;
}

RaiseFinding finding(NodeId node, std::string cause, std::string detail, Time now) {
  Finding out;
  out.node = node;
  out.cause = std::move(cause);
  out.detail = std::move(detail);
  out.raised = now;
  return RaiseFinding{std::move(out)};
}

/// The finding that a refused look is; empty: none.
std::string_view causeOf(const Error& error) {
  if (const auto* cause = findCause(error.cause)) return cause->code;
  if (error.code == Errc::Auth) return "bmc.credentials";
  return error.code == Errc::PasswordExpired ? "bmc.password_change" : "";
}

}  // namespace

Task<void> Patrol::walk() {
  return rounds_.walk(
      [this] {
        std::vector<NodeId> out;
        for (const auto lifecycle : kPatrolled)
          for (const auto id : store_.nodesIn(lifecycle)) out.push_back(id);
        return out;
      },
      [this](NodeId id) { return visit(id); });
}

// One missed look is no lost contact yet; any answer is contact.
void Patrol::judgeContact(const Node& node, const Result<void>& answer, std::vector<Op>& ops) {
  const bool noContact = !answer &&
                         (answer.error().code == Errc::Unreachable || answer.error().code == Errc::Timeout);
  if (noContact) {
    if (!node.unreachableSince && !missedOnce_.insert(node.id).second)
      ops.emplace_back(SetContact{node.id, executor_.now()});
    return;
  }
  missedOnce_.erase(node.id);
  if (node.unreachableSince) ops.emplace_back(SetContact{node.id, std::nullopt});
}

void Patrol::judgeHost(const Node& node, const Result<HostState>& host, std::vector<Op>& ops) {
  const auto now = executor_.now();
  if (!host) {
    const auto cause = causeOf(host.error());
    if (!cause.empty() && foundShut_.insert(node.id).second)
      ops.emplace_back(finding(node.id, std::string(cause), host.error().what, now));
    return;
  }
  foundShut_.erase(node.id);
  if (node.lifecycle != Lifecycle::InService) return;
  if (host->power == HostPower::Off) {
    seenOn_.erase(node.id);
    if (foundOff_.insert(node.id).second)
      ops.emplace_back(finding(node.id, "node.host_off", "seen by the patrol", now));
  } else if (host->power == HostPower::On) {
    foundOff_.erase(node.id);
    // The first time as well: the process that said that it was off may have been another.
    if (seenOn_.insert(node.id).second)
      ops.emplace_back(ResolveFindings{node.id, "node.host_off", "the patrol saw the host on"});
  }
}

Task<void> Patrol::visit(NodeId id) {
  const auto node = store_.node(id);
  if (!node || store_.unfinishedRunOf(id) || node->bmc.address.empty()) co_return;
  std::optional<Result<HostState>> host;
  Result<void> answer;
  if (isReady(node->lifecycle) && !store_.hasBlockingFinding(id)) {
    host = co_await bmcs_.of(*node)->host();
    if (!*host) answer = host->error();
  } else {
    foundShut_.erase(id);  // should it be shut still when the finding is resolved, that is news again
    const auto identity = co_await bmcs_.of(*node)->identify();
    if (!identity) answer = identity.error();
  }
  // A run has begun meanwhile: what the machine does now is that run's doing, and contact is its business.
  if (store_.unfinishedRunOf(id)) co_return;
  bmcs_.rest(id);
  Change change;
  change.at = executor_.now();
  change.actor = "patrol";
  judgeContact(*node, answer, change.ops);
  if (host) judgeHost(*node, *host, change.ops);
  if (change.ops.empty()) co_return;
  const auto receipt = co_await store_.commit(std::move(change));
  if (receipt) {
    if (tellNews_) tellNews_({id});
    co_return;
  }
  // Somebody changed the node meanwhile: the next round looks again.
  for (auto* said : {&missedOnce_, &seenOn_, &foundOff_, &foundShut_}) said->erase(id);
}

}  // namespace zellige
