#include "controller/commands/retention.hpp"

#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using RetentionTest = test::StoreTest;

TEST_F(RetentionTest, RemovesInBoundedPiecesUntilNothingIsTooOld) {
  openWithSite(20);
  const auto first = eventsSince(0).size();
  ASSERT_GT(first, 15u);
  RetentionOptions options;
  options.events = 24h;
  options.period = 1h;
  options.atATime = 5;
  Retention retention(*store_, *executor_, options);
  executor_->spawn(retention.walk());
  const auto runUntil = [&](Time until) {
    while (time_.nextDue() && *time_.nextDue() <= until && time_.runOne()) {
    }
  };
  const auto start = time_.now();
  runUntil(start + 23h);
  EXPECT_EQ(eventsSince(0).size(), first) << "nothing is a day old";
  runUntil(start + 25h);
  for (const auto& event : eventsSince(0)) EXPECT_GE(event.at, start + 23h) << event.kind;
  EXPECT_FALSE(eventsSince(0).empty());
  EXPECT_TRUE(store_->verifyChain());
  runUntil(start + 24h * 10);
  const auto left = eventsSince(0).size();
  runUntil(start + 24h * 20);
  EXPECT_EQ(eventsSince(0).size(), left) << "where nothing happens, it has nothing to say about itself";
  EXPECT_TRUE(store_->verifyChain());
}

}  // namespace
}  // namespace zellige
