#include "controller/store/bench.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <sqlite3.h>
#include <vector>

#include "controller/base/loop_executor.hpp"
#include "controller/base/virtual_time.hpp"
#include "controller/store/connection.hpp"
#include "controller/store/failure.hpp"
#include "controller/store/rows.hpp"
#include "controller/store/sqlite_store.hpp"

namespace zellige {

namespace {

constexpr const char* kSeed = "bench";
constexpr int kNobody = 1;  // a port where no connection is taken

using Wall = std::chrono::steady_clock;
double secondsSince(Wall::time_point start) {
  return std::chrono::duration<double>(Wall::now() - start).count();
}

template <class T>
T need(Result<T> result) {
  if (!result) throw StoreFailure(result.error().what);
  return std::move(*result);
}

// The first `runs` of the nodes answer on `port`.
SiteImport syntheticSite(int nodes, int runs, int port) {
  SiteImport site;
  site.skus = {{"tray", NodeKind::ComputeTray, 0, {}}};
  site.baselines = {{"none", {}}};
  site.plans = {{"none", {}}};
  site.profiles = {{"tray", "tray", "none", "none", "", "", {}}};
  Manifest manifest{"bench", {}};
  for (int i = 0; i < nodes; ++i) {
    ManifestNode n;
    n.serial = fmt::format("BENCH{:07}", i);
    n.place.path = fmt::format("H{}/R{:02}/RK{:04}/U{:02}", 1 + i / 14'000, 1 + i / 700 % 20, 1 + i / 35,
                               1 + i % 35);
    n.sku = n.profile = "tray";
    n.bmc = {fmt::format("02:00:{:02x}:{:02x}:{:02x}:01", i >> 16, i >> 8 & 255, i & 255),
             fmt::format("127.{}.{}.{}", 1 + (i >> 16), i >> 8 & 255, i & 255), i < runs ? port : kNobody,
             "root"};
    n.password = Secret{"bench"};
    manifest.nodes.push_back(std::move(n));
  }
  site.manifests = {std::move(manifest)};
  return site;
}

/// A run in the middle of writing firmware, as large as they are then; it holds a budget, which a restart takes back.
Run benchRun(NodeId node, Time now, const std::string& target) {
  Run run;
  run.workflow = "qualify";
  run.subject = {node};
  run.target = target;
  run.step = "firmware.write";
  run.item = "write.bmc_tray";
  run.act() = {ActPhase::Accepted, 1, {{"manager.last_reset", "2026-01-01T00:00:00+00:00"}}};
  run.facts = {{"firmware.task", "/redfish/v1/TaskService/Tasks/HGX_17"}, {"firmware.written", "bmc_tray"}};
  run.startedBy = "engine";
  run.created = run.stepSince = now;
  return run;
}

template <class T>
Task<void> keep(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await task);
}

/// A store in virtual time, for filling: as quick as the disk lets it, not durable until it is closed.
class Filling {
 public:
  Filling(const std::filesystem::path& directory, const SecretBox& box, int checkpointPages,
          bool checkpointOnClose)
      : executor_(time_) {
    StoreOptions options;
    options.writing = StoreOptions::Writing::Virtual;
    options.durable = false;
    options.checkpointPages = checkpointPages;
    options.checkpointOnClose = checkpointOnClose;
    store_ = need(SqliteStore::open(directory, executor_, box, std::move(options)));
  }
  template <class T>
  T wait(Task<Result<T>> task) {
    std::optional<Result<T>> out;
    executor_.spawn(keep(std::move(task), out));
    while (!out && time_.runOne()) {
    }
    return need(std::move(*out));
  }
  SqliteStore& store() { return *store_; }
  Time now() const { return time_.now(); }

 private:
  VirtualTime time_;
  VirtualExecutor executor_;
  std::unique_ptr<SqliteStore> store_;
};

void fill(const std::filesystem::path& directory, const SecretBox& box, int nodes, int runs, int bmcPort) {
  Filling filling(directory, box, 20'000, true);
  filling.wait(filling.store().importSite(syntheticSite(nodes, runs, bmcPort), {"bench", ""}));
  const auto ids = filling.store().nodesIn(Lifecycle::Planned);
  const auto target = filling.wait(filling.store().freezeTarget("tray", ""))->digest;
  for (std::size_t i = 0; i < ids.size() && i < static_cast<std::size_t>(runs);) {
    Change change;
    change.at = filling.now();
    for (int n = 0; n < 500 && i < ids.size() && i < static_cast<std::size_t>(runs); ++n, ++i)
      change.ops.emplace_back(SaveRun{benchRun(ids[i], filling.now(), target), "run.started"});
    filling.wait(filling.store().commit(std::move(change)));
  }
}

/// What one round of ours shares between its committers.
struct Round {
  SqliteStore& store;
  LoopExecutor& loop;
  Wall::time_point end;
  int running = 0;
  std::int64_t transitions = 0;
  std::vector<double>& latencies;
};

Task<void> committer(Round& round, std::vector<Run> runs) {
  for (std::size_t i = 0; Wall::now() < round.end; i = (i + 1) % runs.size()) {
    auto& run = runs[i];
    const auto tries = ++run.act().tries;
    Change change;
    change.at = round.loop.now();
    change.ops.emplace_back(SaveRun{run, ""});
    change.ops.emplace_back(SetHealth{run.subject[0], tries % 2 == 0 ? Health::Degraded : Health::Ok});
    const auto start = Wall::now();
    auto task = round.store.commit(std::move(change));
    need(co_await task);
    round.latencies.push_back(secondsSince(start) * 1e3);
    ++round.transitions;
  }
  if (--round.running == 0) round.loop.stop();
}

struct Measured {
  std::int64_t transitions = 0, batches = 0;
  double seconds = 0;
};

Measured measureOurs(const std::filesystem::path& directory, const StoreBenchOptions& options,
                     std::vector<double>& latencies) {
  LoopExecutor loop;
  std::atomic<std::int64_t> batches{0};
  StoreOptions how;
  how.hook = [&batches](CommitPoint point) { batches += point == CommitPoint::After ? 1 : 0; };
  auto store = need(SqliteStore::open(directory, loop, SecretBox::fromSeed(kSeed), std::move(how)));
  const auto runs = store->unfinishedRuns();
  Round round{*store, loop, Wall::now() + options.round, options.committers, 0, latencies};
  std::vector<std::vector<Run>> shares(static_cast<std::size_t>(options.committers));
  for (std::size_t i = 0; i < runs.size(); ++i) shares[i % shares.size()].push_back(runs[i]);
  const auto start = Wall::now();
  for (auto& share : shares) loop.spawn(committer(round, std::move(share)));
  loop.run();
  const Measured measured{round.transitions, batches, secondsSince(start)};
  loop.shutDown();
  return measured;
}

/// The floor: sqlite3 itself, nothing around it.
class Bare {
 public:
  explicit Bare(const std::filesystem::path& file) {
    check(sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
    for (const auto* pragma :
         {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
          "PRAGMA temp_store = MEMORY", "PRAGMA wal_autocheckpoint = 20000", kWriterCache})
      check(sqlite3_exec(db_, pragma, nullptr, nullptr, nullptr));
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    run_ = prepare(std::string(kUpdateRun).c_str());
    node_ = prepare("UPDATE node SET health = ?, version = version + 1 WHERE id = ? AND health <> ?");
    event_ = prepare(
        "INSERT INTO event (sequence, at, kind, node, run, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?, "
        "?)");
    auto* last = prepare("SELECT max(sequence) FROM event");
    sqlite3_step(last);
    sequence_ = sqlite3_column_int64(last, 0);
    sqlite3_reset(last);
  }
  ~Bare() {
    for (auto* s : statements_) sqlite3_finalize(s);
    sqlite3_close(db_);
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

  void begin() { run(begin_); }
  void commit() { run(commit_); }
  void transition(const Run& r, int tries) {
    int n = 0;
    for (const auto* t :
         {"qualify", "active", "background", "", r.target.c_str(), r.step.c_str(), r.item.c_str()})
      text(run_, ++n, t);
    text(
        run_, ++n,
        R"({"write.bmc_tray":{"phase":"accepted","tries":2,"witness":{"manager.last_reset":"2026-01-01T00:00:00+00:00"}}})");
    for (const auto v : {0, 0}) sqlite3_bind_int64(run_, ++n, v);
    text(run_, ++n,
         R"({"firmware.task":"/redfish/v1/TaskService/Tasks/HGX_17","firmware.written":"bmc_tray"})");
    sqlite3_bind_int64(run_, ++n, toMillis(r.stepSince));
    sqlite3_bind_int64(run_, ++n, 0);
    text(run_, ++n, "");
    sqlite3_bind_null(run_, ++n);
    text(run_, ++n, "engine");
    sqlite3_bind_int64(run_, ++n, toMillis(r.created));
    sqlite3_bind_null(run_, ++n);
    sqlite3_bind_int64(run_, ++n, 0);
    sqlite3_bind_int64(run_, ++n, 1);
    sqlite3_bind_int64(run_, ++n, r.id.value);
    run(run_);
    const auto* health = tries % 2 == 0 ? "degraded" : "ok";
    text(node_, 1, health);
    sqlite3_bind_int64(node_, 2, r.subject[0].value);
    text(node_, 3, health);
    run(node_);
    sqlite3_bind_int64(event_, 1, ++sequence_);
    sqlite3_bind_int64(event_, 2, toMillis(r.created));
    text(event_, 3, "node.health");
    sqlite3_bind_int64(event_, 4, r.subject[0].value);
    sqlite3_bind_null(event_, 5);
    text(event_, 6, "engine");
    text(event_, 7, R"({"health":"degraded"})");
    text(event_, 8, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    run(event_);
  }

 private:
  void check(int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
      throw StoreFailure(sqlite3_errmsg(db_));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr));
    statements_.push_back(statement);
    return statement;
  }
  static void text(sqlite3_stmt* s, int n, const char* value) {
    sqlite3_bind_text(s, n, value, -1, SQLITE_STATIC);  // lent until run()
  }
  void run(sqlite3_stmt* s) {
    check(sqlite3_step(s));
    check(sqlite3_reset(s));
  }

  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  sqlite3_stmt *begin_ = nullptr, *commit_ = nullptr, *run_ = nullptr, *node_ = nullptr, *event_ = nullptr;
  std::int64_t sequence_ = 0;
};

// Opened anew as ours is: both begin with a cold cache and a WAL that has yet to grow.
double measureFloor(const std::filesystem::path& file, const std::vector<Run>& runs, const Measured& ours,
                    int& tries) {
  Bare bare(file);
  const auto batch = std::max<std::int64_t>(
      1, (ours.transitions + ours.batches / 2) / std::max<std::int64_t>(1, ours.batches));
  const auto start = Wall::now();
  for (std::int64_t done = 0; done < ours.transitions;) {
    bare.begin();
    for (std::int64_t n = 0; n < batch && done < ours.transitions; ++n, ++done) {
      const auto index = static_cast<std::size_t>(done) % runs.size();
      if (index == 0) ++tries;  // every pass over the runs changes every node again
      bare.transition(runs[index], tries);
    }
    bare.commit();
  }
  return secondsSince(start);
}

}  // namespace

StoreBench benchStore(const std::filesystem::path& directory, const StoreBenchOptions& options) {
  const auto box = SecretBox::fromSeed(kSeed);
  fill(directory / "ours", box, options.nodes, options.nodes, 443);
  std::filesystem::create_directories(directory / "floor");
  std::filesystem::copy_file(directory / "ours" / "zellige.db", directory / "floor" / "zellige.db");
  std::vector<Run> runs;
  {
    Filling reading(directory / "ours", box, 20'000, true);
    runs = reading.store().unfinishedRuns();
  }
  StoreBench result;
  std::vector<double> latencies;
  std::int64_t batches = 0;
  double ours = 0, floor = 0;
  std::vector<double> ratios;
  int tries = 1;
  for (int round = 0; round < options.rounds; ++round) {
    const auto measured = measureOurs(directory / "ours", options, latencies);
    const auto bareSeconds = measureFloor(directory / "floor" / "zellige.db", runs, measured, tries);
    ratios.push_back(bareSeconds / measured.seconds);
    floor += bareSeconds;
    ours += measured.seconds;
    result.transitions += measured.transitions;
    batches += measured.batches;
  }
  std::sort(latencies.begin(), latencies.end());
  const auto count = static_cast<double>(result.transitions);
  result.perSecond = count / ours;
  result.floorPerSecond = count / floor;
  std::sort(ratios.begin(), ratios.end());
  result.ratio = ratios[ratios.size() / 2];
  result.meanBatch = count / static_cast<double>(std::max<std::int64_t>(1, batches));
  if (!latencies.empty()) {
    result.commitP50Ms = latencies[latencies.size() / 2];
    result.commitP99Ms = latencies[latencies.size() * 99 / 100];
  }
  return result;
}

RestartDatabase fillRestart(const std::filesystem::path& directory, const SecretBox& box,
                            const RestartSite& site) {
  fill(directory, box, site.nodes, site.runs, site.bmcPort);
  constexpr std::int64_t kFrame = 4096 + 24;  // sqlite.org/fileformat2.html#walformat
  const auto wal = directory / "zellige.db-wal";
  Filling filling(directory, box, 0, false);
  auto unfinished = filling.store().unfinishedRuns();
  const auto frames = [&] { return static_cast<std::int64_t>(std::filesystem::file_size(wal)) / kFrame; };
  if (unfinished.empty() && site.walFrames > 0)
    throw StoreFailure("a WAL is filled by changing runs: ask for at least one");
  for (std::size_t i = 0; frames() < site.walFrames;) {
    Change change;
    change.at = filling.now();
    for (int n = 0; n < 200; ++n, i = (i + 1) % unfinished.size()) {
      ++unfinished[i].act().tries;
      change.ops.emplace_back(SaveRun{unfinished[i], "run.step"});
    }
    filling.wait(filling.store().commit(std::move(change)));
  }
  return {site.nodes, static_cast<std::int64_t>(unfinished.size()), frames()};
}

}  // namespace zellige
