// What survives: everything that was acknowledged, nothing that was half done.
#include <gmock/gmock.h>

#include "controller/store/failure.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::HasSubstr;

struct Killed {};

class Crash : public test::StoreTest {
 protected:
  /// Opens a store that stops the world at the `n`-th commit point of this kind from now on.
  void openKillingAt(CommitPoint point, int n) {
    auto options = virtualOptions();
    options.hook = [point, left = std::make_shared<int>(n)](CommitPoint here) {
      if (here == point && --*left == 0) throw Killed{};
    };
    openStore(std::move(options));
  }
};

TEST_F(Crash, BeforeTheCommitLeavesNothingOfTheBatch) {
  openWithSite();
  const auto before = store_->eventHash();
  openKillingAt(CommitPoint::Before, 1);
  std::optional<Result<Receipt>> a, b;
  executor_->spawn(test::keep(store_->commit(change({SetHealth{nodeId(0), Health::Failed}})), a));
  executor_->spawn(test::keep(store_->commit(change({SaveRun{newRun({nodeId(1)}), "run.started"}})), b));
  EXPECT_THROW(while (time_.runOne()){}, Killed);
  openStore();
  EXPECT_FALSE(a || b) << "nobody heard of what is not durable";
  EXPECT_EQ(store_->node(nodeId(0))->health, Health::Ok);
  EXPECT_TRUE(store_->unfinishedRuns().empty());
  EXPECT_EQ(store_->eventHash(), before);
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Crash, AfterTheCommitLeavesAllOfItThoughNobodyHeard) {
  openWithSite();
  openKillingAt(CommitPoint::After, 1);
  std::optional<Result<Receipt>> a;
  executor_->spawn(test::keep(store_->commit(change({SetHealth{nodeId(0), Health::Failed},
                                                     SaveRun{newRun({nodeId(1)}), "run.started"}})),
                              a));
  EXPECT_THROW(while (time_.runOne()){}, Killed);
  openStore();
  EXPECT_FALSE(a);
  EXPECT_EQ(store_->node(nodeId(0))->health, Health::Failed);
  EXPECT_EQ(store_->unfinishedRuns().size(), 1u);
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Crash, OfTheControllerDropsWhatWasStillQueued) {
  openWithSite();
  std::optional<Result<Receipt>> a;
  executor_->spawn(test::keep(store_->commit(change({SetHealth{nodeId(0), Health::Failed}})), a));
  ASSERT_TRUE(time_.runOne());  // the change is queued, the instant is not over
  openStore();
  while (time_.runOne()) {
  }
  EXPECT_FALSE(a);
  EXPECT_EQ(store_->node(nodeId(0))->health, Health::Ok);
}

TEST_F(Crash, KeepsTheHashChainAcrossLives) {
  openWithSite();
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(commit({SetHealth{nodeId(0), life % 2 == 0 ? Health::Failed : Health::Ok}}));
    const auto hash = store_->eventHash();
    openStore();
    EXPECT_EQ(store_->eventHash(), hash);
  }
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Crash, TheSameHistoryHasTheSameHash) {
  std::vector<std::string> hashes;
  for (int run = 0; run < 2; ++run) {
    const Folder fresh;
    VirtualTime time;
    VirtualExecutor executor(time);
    auto store = *SqliteStore::open(fresh.path() / "data", executor, SecretBox::fromSeed("test"),
                                    virtualOptions());
    std::optional<Result<ImportSummary>> imported;
    executor.spawn(
        test::keep(store->importSite(test::smallSite(store->content(), fresh.path(), 5), by_), imported));
    while (time.runOne()) {
    }
    ASSERT_TRUE(imported && *imported);
    hashes.push_back(store->eventHash());
  }
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[0].size(), 64u);
}

TEST_F(Crash, AFullDiskEndsTheProcessAndLosesNothingAcknowledged) {
  openWithSite();
  auto options = virtualOptions();
  options.maxPages = 150;
  openStore(std::move(options));
  int acknowledged = 0;
  std::string text;
  try {
    for (; acknowledged < 10'000; ++acknowledged) {
      Evidence evidence{nodeId(0),  {}, "burnin/" + std::to_string(acknowledged), std::string(3000, 'x'), {},
                        time_.now()};
      ASSERT_TRUE(commit({PutEvidence{evidence}}));
    }
  } catch (const StoreFailure& e) {
    text = e.what();
  }
  EXPECT_THAT(text, HasSubstr("free space"));
  EXPECT_GT(acknowledged, 10);
  openStore();
  EXPECT_EQ(static_cast<int>(store_->validEvidence(nodeId(0)).size()), acknowledged);
  EXPECT_TRUE(store_->checkIntegrity());
  EXPECT_TRUE(commit({SetHealth{nodeId(0), Health::Failed}})) << "and goes on when there is space again";
}

}  // namespace
}  // namespace zellige
