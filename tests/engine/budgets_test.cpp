// Budgets by themselves: all or wait, lane then age, a tree by place; and a count that is not theirs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/random.hpp"
#include "controller/engine/budgets.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Place kHere{"H1/R01/RK001/U10"}, kThere{"H1/R01/RK002/U10"};
const std::vector<Budget> kFlash{Budget::Upload, Budget::Flash};
Time age(int seconds) { return Time{Duration{1000 * seconds}}; }

TEST(Budgets, AllNeedsAtOnceOrNone) {
  BudgetLimits limits;
  limits.uploads = 1;
  limits.flashesPerRack = 1;
  Budgets b(limits);
  EXPECT_TRUE(b.take(RunId{1}, Lane::Background, age(1), {Budget::Upload}, kThere));
  EXPECT_FALSE(b.take(RunId{2}, Lane::Background, age(2), kFlash, kHere));
  EXPECT_FALSE(b.holds(RunId{2}, Budget::Flash));
  EXPECT_TRUE(b.take(RunId{3}, Lane::Background, age(3), {Budget::Flash}, kHere))
      << "nothing was taken by the run that waits";
  EXPECT_EQ(b.shortage(kFlash, kHere), "upload: 1 of 1 in the site");
  b.releaseAll(RunId{1});
  EXPECT_THAT(b.granted(), IsEmpty());
  EXPECT_EQ(b.shortage(kFlash, kHere), "flash: 1 of 1 in H1/R01/RK001");
  b.releaseAll(RunId{3});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{2}));
  EXPECT_TRUE(b.take(RunId{2}, Lane::Background, age(2), kFlash, kHere));
  EXPECT_EQ(b.shortage(kFlash, kThere), "upload: 1 of 1 in the site");
}

TEST(Budgets, ByLaneThenAge) {
  BudgetLimits limits;
  limits.imageStreams = 1;
  Budgets b(limits);
  const std::vector<Budget> needs{Budget::ImageStream};
  ASSERT_TRUE(b.take(RunId{9}, Lane::Background, age(0), needs, kHere));
  b.take(RunId{1}, Lane::Background, age(5), needs, kHere);
  b.take(RunId{2}, Lane::Background, age(4), needs, kThere);
  b.take(RunId{3}, Lane::Operator, age(9), needs, kHere);
  b.take(RunId{4}, Lane::Rollout, age(1), needs, kThere);
  std::vector<RunId> order;
  for (auto last = RunId{9}; order.size() < 4;) {
    b.releaseAll(last);
    const auto granted = b.granted();
    ASSERT_EQ(granted.size(), 1u);
    order.push_back(last = granted[0]);
  }
  EXPECT_THAT(order, ElementsAre(RunId{3}, RunId{4}, RunId{2}, RunId{1}));
}

TEST(Budgets, ARackThatIsFullDoesNotHoldUpAnother) {
  BudgetLimits limits;
  limits.flashesPerRack = 1;
  Budgets b(limits);
  ASSERT_TRUE(b.take(RunId{1}, Lane::Background, age(1), kFlash, kHere));
  ASSERT_FALSE(b.take(RunId{2}, Lane::Background, age(2), kFlash, kHere));
  EXPECT_TRUE(b.take(RunId{3}, Lane::Background, age(3), kFlash, kThere));
}

TEST(Budgets, WhoWithdrawsIsNotGranted) {
  BudgetLimits limits;
  limits.flashesPerRack = 1;
  Budgets b(limits);
  ASSERT_TRUE(b.take(RunId{1}, Lane::Background, age(1), kFlash, kHere));
  ASSERT_FALSE(b.take(RunId{2}, Lane::Background, age(2), kFlash, kHere));
  ASSERT_FALSE(b.take(RunId{3}, Lane::Background, age(3), kFlash, kHere));
  b.withdraw(RunId{2});
  b.releaseAll(RunId{1});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{3}));
}

TEST(Budgets, WhatIsRetakenMayExceedTheLimitAndIsThenWaitedOut) {
  BudgetLimits limits;
  limits.flashesPerRack = 1;  // it was 2 before the restart
  Budgets b(limits);
  b.retake(RunId{1}, {Budget::Flash}, kHere);
  b.retake(RunId{2}, {Budget::Flash}, kHere);
  EXPECT_FALSE(b.take(RunId{3}, Lane::Operator, age(1), kFlash, kHere));
  b.releaseAll(RunId{1});
  EXPECT_THAT(b.granted(), IsEmpty());
  b.releaseAll(RunId{2});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{3}));
}

// Another count of who holds what, kept by the test from what it was told.
struct Count {
  std::map<std::int64_t, Place> flashing;
  void check(const BudgetLimits& limits) const {
    std::map<std::string, int> perRack;
    for (const auto& [run, place] : flashing) ++perRack[place.rack()];
    EXPECT_LE(static_cast<int>(flashing.size()), std::min(limits.uploads, limits.flashes));
    for (const auto& [rack, n] : perRack) EXPECT_LE(n, limits.flashesPerRack) << rack;
  }
};

int mostEver(const BudgetLimits& limits, const BudgetLimits& checked, std::uint64_t seed, bool expect) {
  Random random(seed);
  Budgets b(limits);
  Count count;
  std::map<std::int64_t, Place> waiting;
  std::int64_t next = 1;
  std::size_t most = 0, ended = 0;
  for (int i = 0; i < 2000; ++i) {
    if (random.chance(0.6)) {
      const auto run = next++;
      const Place place{fmt::format("H1/R01/RK{:03}/U10", random.between(1, 4))};
      const auto lane = static_cast<Lane>(random.between(0, 2));
      if (b.take(RunId{run}, lane, age(i), kFlash, place))
        count.flashing[run] = place;
      else
        waiting[run] = place;
    } else if (!count.flashing.empty()) {
      auto it = std::next(count.flashing.begin(),
                          random.between(0, static_cast<std::int64_t>(count.flashing.size()) - 1));
      b.releaseAll(RunId{it->first});
      count.flashing.erase(it);
      ++ended;
    } else if (!waiting.empty()) {
      b.withdraw(RunId{waiting.begin()->first});
      waiting.erase(waiting.begin());
    }
    for (const auto run : b.granted()) {
      count.flashing[run.value] = waiting.at(run.value);
      waiting.erase(run.value);
    }
    if (expect) count.check(checked);
    most = std::max(most, count.flashing.size());
    // Nobody waits for what is free.
    for (const auto& [run, place] : waiting)
      EXPECT_FALSE(b.shortage(kFlash, place).empty()) << "seed " << seed;
  }
  EXPECT_GT(ended, 100u);
  return static_cast<int>(most);
}

TEST(Budgets, NeverAdmitMoreThanTheLimitsByAnotherCount) {
  BudgetLimits limits;
  limits.uploads = 9;
  limits.flashesPerRack = 3;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) mostEver(limits, limits, seed, true);
  auto tooMany = limits;
  tooMany.uploads = 10;
  EXPECT_GT(mostEver(tooMany, limits, 1, false), 9) << "an over-admitting scheduler is seen";
}

TEST(Budgets, UseCountsHoldersAndWaitersByScope) {
  BudgetLimits limits;
  limits.flashesPerRack = 1;
  Budgets b(limits);
  b.take(RunId{1}, Lane::Background, age(1), kFlash, kHere);
  b.take(RunId{2}, Lane::Background, age(2), kFlash, kHere);
  for (const auto& row : b.use()) {
    EXPECT_EQ(row.used, 1);
    EXPECT_EQ(row.waiting, 1);
    EXPECT_EQ(row.limit, row.budget == Budget::Upload ? 400 : row.scope.empty() ? 100'000 : 1);
  }
  EXPECT_EQ(b.use().size(), 3u);
}

}  // namespace
}  // namespace zellige
