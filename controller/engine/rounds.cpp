#include "controller/engine/rounds.hpp"

#include <algorithm>

namespace zellige {

namespace {

// The nodes are listed this often in a round. A node that comes right after a listing waits one listing longer, so a
// round is shorter than the period by that much.
constexpr int kListings = 10;

/// When in each round a node is visited. By its id, so that nothing has to be remembered; multiples of the golden ratio lie
/// evenly, however many there are.
Duration phaseOf(NodeId id, Duration round) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
  const auto share = (static_cast<std::uint64_t>(id.value) * kGolden) >> 32;
  return Duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(round.count()) * share >> 32)};
}

}  // namespace

std::vector<Rounds::Visit> Rounds::dueIn(const std::vector<NodeId>& nodes, Time from, Time until) const {
  const auto round = options_.period * kListings / (kListings + 1);
  std::vector<Visit> out;
  for (const auto id : nodes) {
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

Task<void> Rounds::walk(std::function<std::vector<NodeId>()> whom, std::function<Task<void>(NodeId)> visit) {
  visit_ = std::move(visit);
  began_ = executor_.now();
  const auto listing = options_.period / (kListings + 1);
  for (auto from = began_;; from += listing) {
    const auto visits = dueIn(whom(), from, from + listing);
    for (const auto& next : visits) {
      if (next.due > executor_.now()) co_await sleepUntil(executor_, next.due);
      while (inFlight_ >= options_.atATime) co_await sleepFor(executor_, 1s);
      ++inFlight_;
      executor_.spawn(go(next.node));
    }
    if (executor_.now() < from + listing) co_await sleepUntil(executor_, from + listing);
  }
}

Task<void> Rounds::go(NodeId node) {
  co_await visit_(node);
  --inFlight_;
}

}  // namespace zellige
