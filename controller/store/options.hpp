#pragma once

#include <cstdint>
#include <functional>

#include "controller/base/time.hpp"

namespace zellige {

enum class CommitPoint { Before, After };

struct StoreOptions {
  enum class Writing {
    Thread,   ///< one writer thread, group commit
    Virtual,  ///< no thread: at the end of the current virtual instant
  };
  Writing writing = Writing::Thread;
  bool durable = true;  ///< synchronous=FULL, and copies are told (incarnation.hpp); false: neither, for simulations
  Duration virtualLatency{5};  ///< Virtual: from the commit to the reply
  /// Called around every COMMIT; with Writing::Thread on the writer's thread. It may throw to stop the world: before,
  /// nothing of the batch remains; after, it is durable and nobody has heard.
  std::function<void(CommitPoint)> hook;
  /// Commands in one transaction at most. Of 1,024 that were waiting, 500 at a time were written 5 % more slowly against the
  /// floor: they no longer fit the cache of a core.
  std::size_t batch = 256;
  Duration gather{10};  ///< a batch takes no more commands after this long; nothing waits when idle
  /// WAL frames before the writer folds them into the database. SQLite's own 1,000 cost half of the throughput, 50,000
  /// gave commits of up to 352 ms (facts/stack.md 4: 1,500–7,400/s, 10,500–13,200/s at 20,000).
  int checkpointPages = 20'000;
  bool checkpointOnClose = true;  ///< false leaves the WAL as a crash would
  std::int64_t maxPages = 0;      ///< of 4 KiB that the database may have; 0: as many as the disk holds
};

}  // namespace zellige
