#include "controller/commands/lease_watch.hpp"

#include <algorithm>
#include <iterator>

#include "controller/base/log.hpp"

namespace zellige {

namespace {
By byDhcp() { return {"dhcp", "a lease file"}; }
}  // namespace

LeaseWatch::LeaseWatch(SqliteStore& store, Engine& engine, Executor& executor, LeaseWatchOptions options)
    : store_(store), engine_(engine), executor_(executor), options_(std::move(options)),
      book_(options_.files, options_.circuits), queries_(options_.files.empty() ? nullptr : store.queries()),
      worker_(executor, options_.files.empty() ? api::Working::Inline : options_.working) {}

Duration pauseAfter(Duration reading, Duration period) {
  return std::max(period, std::min<Duration>(20 * reading, 2min));
}

Task<void> LeaseWatch::walk() {
  if (options_.files.empty()) co_return;
  for (;;) {
    const auto reading = co_await look();
    co_await sleepFor(executor_, pauseAfter(reading, options_.period));
  }
}

Task<Duration> LeaseWatch::look() {
  const auto now = executor_.now();
  const bool all = std::exchange(again_, false) || now - wholeSince_ >= options_.whole;
  if (all) wholeSince_ = now;
  std::function<LeaseBook::News()> work = [this, now, all] { return read(now, all); };
  auto news = co_await worker_.run(std::move(work));
  const auto reading = executor_.now() - now;
  for (const auto& [file, why] : news.troubles)
    log::warn("LEASES_UNREADABLE", {{"file", file}, {"why", why}});
  if (!co_await takeAll(std::move(news))) again_ = true;
  co_return reading;
}

// Nodes first: they do not wait behind a flood of strangers.
LeaseBook::News LeaseWatch::read(Time now, bool all) {
  auto news = book_.news(now, all);
  std::stable_partition(news.leases.begin(), news.leases.end(),
                        [this](const Lease& lease) { return queries_->isNodeMac(lease.mac); });
  return news;
}

/// False: some were not taken.
Task<bool> LeaseWatch::takeAll(LeaseBook::News news) {
  auto& leases = news.leases;
  std::vector<NodeId> conflicts;
  std::int64_t turnedAway = 0;
  bool every = true;
  for (std::size_t from = 0; from < leases.size(); from += options_.atATime) {
    const auto end = std::min(leases.size(), from + options_.atATime);
    std::vector<Lease> some(std::make_move_iterator(leases.begin() + static_cast<std::ptrdiff_t>(from)),
                            std::make_move_iterator(leases.begin() + static_cast<std::ptrdiff_t>(end)));
    const auto taken = co_await take(std::move(some));
    if (!taken) {
      every = false;
      continue;
    }
    turnedAway += taken->turnedAway;
    conflicts.insert(conflicts.end(), taken->conflicts.begin(), taken->conflicts.end());
  }
  if (turnedAway > 0) log::warn("UNLISTED_TOO_MANY", {{"turned_away", std::to_string(turnedAway)}});
  if (every && news.whole) co_await settle(std::move(conflicts));
  co_return every;
}

// The address is durable before the run that waits for it looks.
Task<std::optional<SightingsTaken>> LeaseWatch::take(std::vector<Lease> leases) {
  By by = byDhcp();
  auto taken = co_await store_.takeLeases(std::move(leases), std::move(by));
  if (!taken) {
    log::warn("LEASES_REFUSED", {{"why", taken.error().what}});
    co_return std::nullopt;
  }
  for (const auto node : taken->moved) engine_.nudge(node);
  co_return std::move(*taken);
}

Task<void> LeaseWatch::settle(std::vector<NodeId> conflicts) {
  By by = byDhcp();
  const auto settled = co_await store_.settleLeaseConflicts(std::move(conflicts), std::move(by));
  if (!settled) log::warn("LEASES_REFUSED", {{"why", settled.error().what}});
}

}  // namespace zellige
