// A restart as a crash leaves it: a full database with a WAL that nobody folded in, and a process that starts from
// nothing. Measured by the clock of the process that starts it.
#include <ctime>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unistd.h>

#include "controller/base/json.hpp"
#include "controller/base/log.hpp"
#include "controller/base/loop_executor.hpp"
#include "controller/commands/bench.hpp"
#include "controller/commands/child.hpp"
#include "controller/commands/control_plane.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/store/bench.hpp"

namespace zellige::commands {

namespace {

std::int64_t monotonicNs() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

double msSince(std::int64_t startNs) { return static_cast<double>(monotonicNs() - startNs) / 1e6; }

/// Sends nothing: remembers when the first request would have left, and answers none.
class FirstSend final : public http::Transport {
 public:
  FirstSend(Executor& executor, std::int64_t startedNs) : executor_(executor), startedNs_(startedNs) {}

  Task<Result<http::Received>> send(http::Peer, HttpRequest request, http::SendOptions) override {
    if (!afterMs) {
      afterMs = msSince(startedNs_);
      what = request.method + ' ' + request.target;
    }
    const Completion<Result<http::Received>> never(executor_);
    co_return co_await never;
  }

  std::optional<double> afterMs;
  std::string what;

 private:
  Executor& executor_;
  std::int64_t startedNs_;
};

/// The first request may need a commit before it: the loop runs until it left.
Task<void> untilSent(LoopExecutor& loop, const FirstSend& transport, std::int64_t startedNs) {
  constexpr double kPatienceMs = 60'000;
  while (!transport.afterMs && msSince(startedNs) < kPatienceMs) co_await sleepFor(loop, Duration{1});
  loop.stop();
}

Json startOnce(const std::filesystem::path& directory) {
  const auto started = monotonicNs();
  Child child({"bench-resume", "--directory", directory.string(), "--started-ns", std::to_string(started)});
  const auto output = child.rest();
  const int status = child.wait();
  auto reply = parseJson(output);
  if (status != 0 || !reply)
    throw std::runtime_error(fmt::format("the restarted process ended with {}: {}", status, output));
  return std::move(*reply);
}

}  // namespace

int benchResume(const std::filesystem::path& directory, std::int64_t startedNs) {
  log::setLevel(log::Level::Error);
  const double mainMs = msSince(startedNs);
  const auto box = SecretBox::fromSeed("bench");  // that of the filled database
  LoopExecutor loop;
  auto opened = SqliteStore::open(directory, loop, box);
  if (!opened) throw std::runtime_error(opened.error().what);
  auto& store = **opened;
  if (auto sound = store.checkPages(); !sound) throw std::runtime_error(sound.error().what);  // as serve does
  const double openedMs = msSince(startedNs);
  FirstSend transport(loop, startedNs);
  ControlPlaneOptions options;
  options.provisioningUrl = "https://10.0.0.1:8444";
  ControlPlane plane(store, transport, loop, box, std::move(options));
  const double builtMs = msSince(startedNs);
  plane.start();
  const double begunMs = msSince(startedNs);
  if (!transport.afterMs) {
    loop.spawn(untilSent(loop, transport, startedNs));
    loop.run();
  }
  Json json{{"first_exchange_ms", transport.afterMs ? Json(*transport.afterMs) : Json(nullptr)},
            {"first_request", transport.what},
            {"exec_to_main_ms", mainMs},
            {"open_ms", openedMs - mainMs},
            {"build_ms", builtMs - openedMs},
            {"start_ms", begunMs - builtMs},
            {"resumed_runs", store.unfinishedRuns().size()}};
  fmt::print("{}\n", json.dump());
  std::fflush(stdout);
  ::_exit(transport.afterMs ? 0 : 1);  // as a crash would: nothing is folded in, nothing is freed
}

int benchRestart(const RestartBenchCommand& options) {
  log::setLevel(log::Level::Error);
  const Scratch scratch(options.directory.empty() ? std::filesystem::temp_directory_path()
                                                  : options.directory);
  const auto filled = scratch.path() / "filled";
  const auto database = fillRestart(filled, options.nodes, options.runs);
  // Each start finds the same files, just written, so the page cache is warm. The first only warms the program itself.
  Json result;
  for (const auto* name : {"first", "second"}) {
    const auto copy = scratch.path() / name;
    std::filesystem::copy(filled, copy, std::filesystem::copy_options::recursive);
    result = startOnce(copy);
    std::filesystem::remove_all(copy);
  }
  result["nodes"] = database.nodes;
  result["runs"] = database.runs;
  result["wal_frames"] = database.walFrames;
  if (options.json) {
    fmt::print("{}\n", result.dump(2));
    return 0;
  }
  const auto ms = [&](const char* key) { return result.at(key).get<double>(); };
  fmt::print("{} nodes, {} unfinished runs, a WAL of {} frames\n", database.nodes, database.runs,
             database.walFrames);
  fmt::print("first exchange {:.0f} ms after exec ({})\n", ms("first_exchange_ms"),
             result.at("first_request").get<std::string>());
  fmt::print("exec {:.0f} ms, opening {:.0f} ms, starting {:.0f} ms\n", ms("exec_to_main_ms"), ms("open_ms"),
             ms("start_ms"));
  return 0;
}

}  // namespace zellige::commands
