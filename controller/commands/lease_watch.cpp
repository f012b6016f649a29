#include "controller/commands/lease_watch.hpp"

#include <algorithm>
#include <iterator>

#include "controller/base/log.hpp"

namespace zellige {

LeaseWatch::LeaseWatch(SqliteStore& store, Engine& engine, Executor& executor, LeaseWatchOptions options)
    : store_(store), engine_(engine), executor_(executor), options_(std::move(options)),
      book_(options_.files, options_.circuits),
      worker_(executor, options_.files.empty() ? api::Working::Inline : options_.working) {}

Task<void> LeaseWatch::walk() {
  if (options_.files.empty()) co_return;
  for (;;) {
    co_await look();
    co_await sleepFor(executor_, options_.period);
  }
}

Task<void> LeaseWatch::look() {
  const auto now = executor_.now();
  const bool all = std::exchange(again_, false) || now - wholeSince_ >= options_.whole;
  if (all) wholeSince_ = now;
  std::function<LeaseBook::News()> read = [this, now, all] { return book_.news(now, all); };
  auto news = co_await worker_.run(std::move(read));
  for (const auto& [file, why] : news.troubles)
    log::warn("LEASES_UNREADABLE", {{"file", file}, {"why", why}});
  auto& leases = news.leases;
  for (std::size_t from = 0; from < leases.size(); from += options_.atATime) {
    const auto end = std::min(leases.size(), from + options_.atATime);
    std::vector<Lease> some(std::make_move_iterator(leases.begin() + static_cast<std::ptrdiff_t>(from)),
                            std::make_move_iterator(leases.begin() + static_cast<std::ptrdiff_t>(end)));
    if (!co_await take(std::move(some))) again_ = true;
  }
}

// The address is durable before the run that waits for it looks.
Task<bool> LeaseWatch::take(std::vector<Lease> leases) {
  By by{"dhcp", "a lease file"};
  const auto taken = co_await store_.takeLeases(std::move(leases), std::move(by));
  if (!taken) {
    log::warn("LEASES_REFUSED", {{"why", taken.error().what}});
    co_return false;
  }
  if (taken->turnedAway > 0)
    log::warn("UNLISTED_TOO_MANY", {{"turned_away", std::to_string(taken->turnedAway)}});
  for (const auto node : taken->moved) engine_.nudge(node);
  co_return true;
}

}  // namespace zellige
