#include "controller/engine/patrol.hpp"

#include <algorithm>
#include <array>

namespace zellige {

namespace {

// The nodes are listed this often in a round. A node that comes right after a listing waits one listing longer, so a
// round is shorter than the period by that much.
constexpr int kListings = 10;

constexpr std::array kPatrolled{Lifecycle::Discovered, Lifecycle::Qualifying, Lifecycle::Available,
                                Lifecycle::InService,  Lifecycle::Sanitising, Lifecycle::Quarantined,
                                Lifecycle::Repair};

bool isReady(Lifecycle lifecycle) {
  return lifecycle == Lifecycle::Available || lifecycle == Lifecycle::InService;
}

/// When in each round a node is looked at. By its id, so that nothing has to be remembered; multiples of the golden
/// ratio lie evenly, however many there are.
Duration phaseOf(NodeId id, Duration round) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
  const auto share = (static_cast<std::uint64_t>(id.value) * kGolden) >> 32;
  return Duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(round.count()) * share >> 32)};
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

std::vector<Patrol::Visit> Patrol::visitsUntil(Time from, Time until) const {
  const auto round = options_.period * kListings / (kListings + 1);
  std::vector<Visit> out;
  for (const auto lifecycle : kPatrolled)
    for (const auto id : store_.nodesIn(lifecycle)) {
      const auto phase = phaseOf(id, round);
      const auto rounds = (from - began_ - phase + round - Duration{1}) / round;
      const auto due = began_ + phase + rounds * round;
      if (due < until) out.push_back({due, id});
    }
  std::sort(out.begin(), out.end(), [](const Visit& a, const Visit& b) {
    return std::pair(a.due, a.node) < std::pair(b.due, b.node);
  });
  return out;
}

Task<void> Patrol::walk() {
  began_ = executor_.now();
  const auto listing = options_.period / (kListings + 1);
  for (auto from = began_;; from += listing) {
    const auto visits = visitsUntil(from, from + listing);
    for (const auto& next : visits) {
      if (next.due > executor_.now()) co_await sleepUntil(executor_, next.due);
      while (inFlight_ >= options_.atATime) co_await sleepFor(executor_, 1s);
      ++inFlight_;
      executor_.spawn(visit(next.node));
    }
    if (executor_.now() < from + listing) co_await sleepUntil(executor_, from + listing);
  }
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
  if (!node || store_.unfinishedRunOf(id) || node->bmc.address.empty()) {
    --inFlight_;
    co_return;
  }
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
  --inFlight_;
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
