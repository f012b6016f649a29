// The writer thread: run under ThreadSanitizer too.
#include <gmock/gmock.h>
#include <thread>

#include "controller/base/loop_executor.hpp"
#include "controller/store/failure.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

class Threaded : public ::testing::Test {
 protected:
  void openStore(StoreOptions options = {}) {
    store_.reset();
    loop_ = std::make_unique<LoopExecutor>();
    auto opened = SqliteStore::open(directory_.path() / "data", *loop_, SecretBox::fromSeed("test"),
                                    std::move(options));
    ASSERT_TRUE(opened) << opened.error().what;
    store_ = std::move(*opened);
  }
  void openWithSite(int nodes) {
    openStore();
    loop_->spawn(import(*this, nodes));
    loop_->run();
    openStore();
  }
  static Task<void> import(Threaded& test, int nodes) {
    auto task = test.store_->importSite(
        test::smallSite(test.store_->content(), test.directory_.path(), nodes), {"alice", ""});
    const auto summary = co_await task;
    EXPECT_TRUE(summary);
    test.loop_->stop();
  }
  /// `commits` changes of one node, one after the other; the last committer stops the loop.
  static Task<void> change(Threaded& test, NodeId node, int commits) {
    for (int i = 0; i < commits; ++i) {
      Change c;
      c.ops.emplace_back(SetHealth{node, i % 2 == 0 ? Health::Failed : Health::Ok});
      c.ops.emplace_back(PutEvidence{{node, {}, "burnin/" + std::to_string(i), "{}", {}, Time{}}});
      auto task = test.store_->commit(std::move(c));
      const auto receipt = co_await task;
      EXPECT_TRUE(receipt);
      EXPECT_EQ(test.store_->node(node)->health, i % 2 == 0 ? Health::Failed : Health::Ok)
          << "reads see what is committed";
      ++test.acknowledged_;
    }
    if (--test.running_ == 0) test.loop_->stop();
  }
  void spawn(int nodes, int commits) {
    running_ = nodes;
    for (int n = 0; n < nodes; ++n)
      loop_->spawn(change(*this, *store_->nodeBySerial("SN" + std::to_string(1000 + n)), commits));
  }

  Folder directory_;
  std::unique_ptr<LoopExecutor> loop_;
  std::unique_ptr<SqliteStore> store_;
  int running_ = 0;
  int acknowledged_ = 0;
};

TEST_F(Threaded, CommitsForManyWhileAnotherThreadReads) {
  openWithSite(20);
  const auto before = store_->lastEvent();
  auto queries = store_->queries();
  std::atomic<bool> done{false};
  std::int64_t seen = 0;
  bool consistent = true;
  std::thread reader([&] {
    while (!done) {
      const auto last = queries->lastEvent();
      consistent = consistent && last >= seen &&
                   queries->nodes({}, NodeSort::Place, false, "", 10)->total == 20;
      seen = last;
    }
  });
  spawn(20, 10);
  loop_->run();
  done = true;
  reader.join();
  EXPECT_EQ(acknowledged_, 200);
  EXPECT_TRUE(consistent);
  EXPECT_EQ(store_->lastEvent() - before, 400);
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Threaded, DropsWhatIsQueuedWhenTheStoreIsDestroyed) {
  openWithSite(20);
  spawn(20, 1'000'000);
  loop_->post([this] { loop_->stop(); });
  loop_->run();
  loop_->shutDown();
  openStore();
  EXPECT_TRUE(store_->verifyChain());
  EXPECT_TRUE(store_->checkIntegrity());
}

TEST_F(Threaded, EndsTheRunLoopWhenTheDiskIsFull) {
  openWithSite(4);
  StoreOptions options;
  options.maxPages = 140;
  openStore(std::move(options));
  spawn(4, 1'000'000);
  try {
    loop_->run();
    ADD_FAILURE() << "the disk never filled";
  } catch (const StoreFailure& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("free space"));
  }
  loop_->shutDown();
  openStore();
  std::size_t kept = 0;
  for (int n = 0; n < 4; ++n)
    kept += store_->validEvidence(*store_->nodeBySerial("SN" + std::to_string(1000 + n))).size();
  EXPECT_GE(static_cast<int>(kept), acknowledged_);
  EXPECT_GT(acknowledged_, 0);
  EXPECT_TRUE(store_->verifyChain());
}

}  // namespace
}  // namespace zellige
