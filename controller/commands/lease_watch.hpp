// What DHCP servers write into their lease files becomes addresses of BMCs, and the list of unlisted devices. The files
// are looked at every few seconds rather than watched by the kernel: that also works where they lie on a file server, and
// when they are replaced.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "controller/engine/engine.hpp"
#include "controller/site/lease_book.hpp"
#include "controller/store/sqlite_store.hpp"
#include "web/api/worker.hpp"

namespace zellige {

struct LeaseWatchOptions {
  std::vector<LeaseFile> files;
  std::vector<Circuit> circuits;
  Duration period{5'000};     ///< longer where reading takes long: see pauseAfter
  Duration whole{3'600'000};  ///< so often everything is told again, changed or not: it is still seen
  /// Leases in one transaction. While 227,000 strangers of one file were taken, whoever else wrote waited for 20 ms at most
  /// (2 cores, 217,000 of them turned away).
  std::size_t atATime = 1'000;
  api::Working working = api::Working::Thread;  ///< where files are read
};

/// Until the next look, after one that read for so long: a large file changes all the time, and reading it is to take a
/// twentieth of a core. At most two minutes, so that a file server that hung is asked again soon.
Duration pauseAfter(Duration reading, Duration period);

class LeaseWatch {
 public:
  /// All outlive it.
  LeaseWatch(SqliteStore& store, Engine& engine, Executor& executor, LeaseWatchOptions options);
  LeaseWatch(const LeaseWatch&) = delete;

  /// Goes on for as long as the executor does; ends at once where there is no file to watch.
  Task<void> walk();
  /// Everything is told again at the next look: the manifest has changed.
  void again() { again_ = true; }

 private:
  Task<Duration> look();
  LeaseBook::News read(Time now, bool all);
  Task<bool> takeAll(LeaseBook::News news);
  Task<std::optional<SightingsTaken>> take(std::vector<Lease> leases);
  Task<void> settle(std::vector<NodeId> conflicts);

  SqliteStore& store_;
  Engine& engine_;
  Executor& executor_;
  LeaseWatchOptions options_;
  LeaseBook book_;                    // the worker's, while it reads
  std::unique_ptr<Queries> queries_;  // likewise
  api::Worker worker_;
  bool again_ = true;
  Time wholeSince_{};
};

}  // namespace zellige
