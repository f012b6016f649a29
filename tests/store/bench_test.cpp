#include <gmock/gmock.h>

#include <iostream>

#include "controller/store/bench.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

TEST(Bench, MeasuresTransitionsAgainstABareLoop) {
  const Folder directory;
  StoreBenchOptions options;
  options.nodes = 200;
  options.committers = 50;
  options.rounds = 1;
  options.round = 300ms;
  const auto bench = benchStore(directory.path() / "bench", options);
  std::cout << bench.perSecond << "/s against " << bench.floorPerSecond << "/s, ratio " << bench.ratio
            << ", batch " << bench.meanBatch << ", commit p50 " << bench.commitP50Ms << " ms, p99 "
            << bench.commitP99Ms << " ms\n";
  EXPECT_GE(bench.transitions, options.committers) << "each makes one at least, however slow the disk is";
  EXPECT_GT(bench.floorPerSecond, 0);
  EXPECT_NEAR(bench.ratio, bench.perSecond / bench.floorPerSecond, 1e-9) << "one round is its own median";
  EXPECT_GT(bench.meanBatch, 1) << "many committers share a commit";
  EXPECT_GE(bench.commitP99Ms, bench.commitP50Ms);
  VirtualTime time;
  VirtualExecutor executor(time);
  const auto store = *SqliteStore::open(directory.path() / "bench" / "ours", executor,
                                        SecretBox::fromSeed("bench"));
  EXPECT_TRUE(store->verifyChain());
}

TEST(Bench, LeavesADatabaseAsACrashWould) {
  const Folder directory;
  const auto box = SecretBox::fromSeed("a crash");
  const auto filled = fillRestart(directory.path() / "data", box, {300, 100, 443, 2'000});
  EXPECT_GE(filled.walFrames, 2'000);
  EXPECT_GE(std::filesystem::file_size(directory.path() / "data" / "zellige.db-wal"), 2'000u * 4120);
  VirtualTime time;
  VirtualExecutor executor(time);
  const auto store = *SqliteStore::open(directory.path() / "data", executor, box);
  EXPECT_EQ(store->unfinishedRuns().size(), 100u);
  EXPECT_EQ(store->nodesIn(Lifecycle::Planned).size(), 300u);
  EXPECT_TRUE(store->verifyChain());
}

}  // namespace
}  // namespace zellige
