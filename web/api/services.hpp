// What handlers work with; one of each per controller.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "controller/engine/bring_up.hpp"
#include "controller/engine/campaigns.hpp"
#include "controller/store/queries.hpp"
#include "controller/store/sqlite_store.hpp"
#include "web/api/attempts.hpp"
#include "web/api/event_watch.hpp"
#include "web/api/kept_backup.hpp"
#include "web/api/scanning.hpp"
#include "web/api/worker.hpp"

namespace zellige::api {

struct ApiOptions {
  Working working = Working::Thread;
  double clockSpeed = 1;  ///< of the engine's clock: what people wait for is wall time
  AttemptLimits attempts;
  Duration sessionLength{12h};
  std::filesystem::path incoming;            ///< where uploads grow until they are whole; made when needed
  std::uint64_t maxFileBytes = 64ull << 30;  ///< of one package or image
  std::uint64_t maxPartBytes = 8ull << 20;   ///< of one request of an upload: the listener's body limit
  std::function<void(NodeId)> forgetBmc;  ///< how it was reached has changed: nothing of it in memory counts
  Scanning* scanning = nullptr;           ///< outlives the API; nullptr: nothing is scanned
  std::uint64_t chunkBytes = 4ull << 20;  ///< of images, as agents fetch them
  std::uint64_t backupPartBytes = 4ull << 20;  ///< of a backup, as one request gets
};

struct Services {
  SqliteStore& store;
  Queries& queries;
  Engine& engine;
  BringUp& bringUp;
  Campaigns& campaigns;
  Executor& executor;
  const ApiOptions& options;
  Worker& passwords;
  Worker& files;
  Attempts& attempts;
  EventWatch& watch;
  std::set<std::string>& uploading;  ///< digests whose next part is being written
  bool& importing;
  KeptBackup& backup;

  Time now() const { return executor.now(); }
};

}  // namespace zellige::api
