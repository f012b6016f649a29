#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/log.hpp"
#include "controller/commands/bench.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/store/bench.hpp"

namespace zellige::commands {

int benchStore(const StoreBenchCommand& options) {
  log::setLevel(log::Level::Error);
  const Scratch scratch(options.directory.empty() ? std::filesystem::temp_directory_path()
                                                  : options.directory);
  const auto bench = zellige::benchStore(scratch.path());
  if (!options.json) {
    fmt::print("{} transitions: {:.0f}/s, a bare sqlite3 loop {:.0f}/s: ratio {:.2f}\n", bench.transitions,
               bench.perSecond, bench.floorPerSecond, bench.ratio);
    fmt::print("{:.0f} transitions a commit; a committer waits {:.1f} ms (p50), {:.1f} ms (p99)\n",
               bench.meanBatch, bench.commitP50Ms, bench.commitP99Ms);
    return 0;
  }
  const nlohmann::json json{{"ratio_to_floor", bench.ratio},
                            {"transitions_per_s", bench.perSecond},
                            {"floor_transitions_per_s", bench.floorPerSecond},
                            {"transitions", bench.transitions},
                            {"mean_batch", bench.meanBatch},
                            {"commit_p50_ms", bench.commitP50Ms},
                            {"commit_p99_ms", bench.commitP99Ms}};
  fmt::print("{}\n", json.dump(2));
  return 0;
}

}  // namespace zellige::commands
