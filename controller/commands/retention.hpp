// What is only history goes when it is old: events, answers to repeated POSTs, tokens and sessions that are over,
// unlisted devices that nobody has seen for long.
#pragma once

#include "controller/store/sqlite_store.hpp"

namespace zellige {

struct RetentionOptions {
  Duration events{24h * 400};  ///< configuration: retention.events
  Duration replies{24h * 7};   ///< nobody repeats a request after a week
  Duration tokens{24h * 30};   ///< since they expired or were revoked; the audit trail still names them
  Duration unlisted{24h * 7};  ///< configuration: retention.unlisted
  Duration period{1h};
  std::int64_t atATime = 5'000;  ///< rows in one transaction: tens of milliseconds, *est*, in which writers wait
};

class Retention {
 public:
  /// Both outlive it.
  Retention(SqliteStore& store, Executor& executor, RetentionOptions options)
      : store_(store), executor_(executor), options_(options) {}
  Retention(const Retention&) = delete;

  /// Goes on for as long as the executor does. With much to remove, one transaction a second.
  Task<void> walk();

 private:
  SqliteStore& store_;
  Executor& executor_;
  RetentionOptions options_;
};

}  // namespace zellige
