#include "controller/commands/retention.hpp"

namespace zellige {

Task<void> Retention::walk() {
  for (;;) {
    const auto now = executor_.now();
    const KeptSince since{now - options_.events, now - options_.replies, now - options_.tokens,
                          now - options_.unlisted};
    By by{"engine", "retention"};
    const auto removed = co_await store_.removeOld(since, options_.atATime, std::move(by));
    const bool more = removed &&
                      (removed->events >= options_.atATime || removed->replies >= options_.atATime ||
                       removed->tokens >= options_.atATime || removed->unlisted >= options_.atATime);
    co_await sleepFor(executor_, more ? Duration{1s} : options_.period);
  }
}

}  // namespace zellige
