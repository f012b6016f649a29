// Measures the store, and makes a database for others to measure a restart with. Called by `zellige bench`.
#pragma once

#include <cstdint>
#include <filesystem>

#include "controller/base/secret.hpp"
#include "controller/base/time.hpp"

namespace zellige {

struct StoreBenchOptions {
  int nodes = 2'000;  ///< each with an unfinished run
  int committers = 512;  ///< that wait for their commit before they make the next; half of the engine's turns in flight
  int rounds = 15;  ///< each measures ours, then the floor: neighbours on the machine disturb a few of them
  Duration round{400};  ///< of ours; the floor then does as many transitions in batches of the same mean size
};

/// A transition: the run's row, the node's row and one event, durable (synchronous=FULL).
struct StoreBench {
  std::int64_t transitions = 0;
  double perSecond = 0;       ///< through SqliteStore
  double floorPerSecond = 0;  ///< the same three statements from a bare sqlite3 loop, nothing else
  double ratio = 0;           ///< ours / floor: the median of the rounds
  double meanBatch = 0;
  double commitP50Ms = 0, commitP99Ms = 0;  ///< as a committer sees it
};

/// `directory` must be empty or absent; it is left filled.
StoreBench benchStore(const std::filesystem::path& directory, const StoreBenchOptions& options = {});

struct RestartSite {
  int nodes = 0;                    ///< planned
  int runs = 0;                     ///< unfinished, of the first nodes
  int bmcPort = 0;                  ///< of those, on 127.0.0.0/8; nothing answers for the other nodes
  std::int64_t walFrames = 20'000;  ///< at least so many, that nobody has folded into the database
};
struct RestartDatabase {
  std::int64_t nodes = 0, runs = 0, walFrames = 0;
};

/// Fills a data directory as a crash would leave it.
RestartDatabase fillRestart(const std::filesystem::path& directory, const SecretBox& box,
                            const RestartSite& site);

}  // namespace zellige
