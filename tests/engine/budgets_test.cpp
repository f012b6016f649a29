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
const std::vector<Need> kFlash{Budget::Upload, Budget::Flash};
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
  const std::vector<Need> needs{Budget::ImageStream};
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

BudgetLimits watts() {
  BudgetLimits limits;
  limits.power = {{"H1", 10'000, 1'000}, {"H1/R01/RK001", 6'000, 2'000}};
  return limits;
}
Need stress(std::int64_t amount) { return {Budget::Power, amount}; }

TEST(Budgets, WattsAreCountedInEveryPlaceAroundThatLimitsThem) {
  Budgets b(watts());
  const Place elsewhere{"H2/R01/RK001/U10"};
  EXPECT_TRUE(b.take(RunId{1}, Lane::Background, age(1), {stress(5'000)}, kHere));
  EXPECT_FALSE(b.take(RunId{2}, Lane::Background, age(2), {stress(5'000)}, kHere));
  EXPECT_EQ(b.shortage({stress(5'000)}, kHere),
            "power: it needs 5000 W; 5000 of 6000 W are leased in H1/R01/RK001");
  EXPECT_TRUE(b.take(RunId{3}, Lane::Background, age(3), {stress(5'000)}, kThere));
  EXPECT_EQ(b.shortage({stress(5'000)}, kThere), "power: it needs 5000 W; 10000 of 10000 W are leased in H1");
  EXPECT_TRUE(b.take(RunId{4}, Lane::Background, age(4), {stress(1'000'000)}, elsewhere)) << "no limit there";
  EXPECT_FALSE(b.holds(RunId{4}, Budget::Power));
  b.releaseAll(RunId{3});
  EXPECT_THAT(b.granted(), IsEmpty()) << "the rack is full still";
  b.releaseAll(RunId{1});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{2}));
}

TEST(Budgets, WhoNeedsMuchIsNotPassedForEverByThoseWhoNeedLittle) {
  Budgets b(watts());
  ASSERT_TRUE(b.take(RunId{1}, Lane::Background, age(1), {stress(6'000)}, kHere));
  ASSERT_FALSE(b.take(RunId{2}, Lane::Background, age(2), {stress(6'000)}, kThere));
  EXPECT_FALSE(b.take(RunId{3}, Lane::Background, age(3), {stress(1'000)}, kThere)) << "it came later";
  EXPECT_TRUE(b.take(RunId{4}, Lane::Operator, age(4), {stress(1'000)}, kThere))
      << "an operator's goes first";
  b.take(RunId{5}, Lane::Background, age(5), {stress(3'500)}, kThere);
  b.releaseAll(RunId{4});
  EXPECT_THAT(b.granted(), IsEmpty()) << "the third would fit, and waits behind the second";
  b.releaseAll(RunId{1});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{2}, RunId{3}));
}

TEST(Budgets, WhoGivesUpWaitingLetsThoseBehindGo) {
  Budgets b(watts());
  ASSERT_TRUE(b.take(RunId{1}, Lane::Background, age(1), {stress(6'000)}, kHere));
  ASSERT_FALSE(b.take(RunId{2}, Lane::Background, age(2), {stress(6'000)}, kThere));
  ASSERT_FALSE(b.take(RunId{3}, Lane::Background, age(3), {stress(1'000)}, kThere));
  b.withdraw(RunId{2});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{3}));
}

TEST(Budgets, WhatAPlaceCanNeverGiveKeepsNobodyWaiting) {
  Budgets b(watts());
  EXPECT_FALSE(b.take(RunId{1}, Lane::Background, age(1), {stress(6'500)}, kHere));
  EXPECT_THAT(b.shortage({stress(6'500)}, kHere),
              testing::HasSubstr("H1/R01/RK001 never has more than 6000 W"));
  ASSERT_EQ(b.use().size(), 2u) << "and it is shown that somebody waits";
  EXPECT_EQ(b.use().back().used, 0);
  EXPECT_EQ(b.use().back().waiting, 1);
  EXPECT_TRUE(b.take(RunId{2}, Lane::Background, age(2), {stress(6'000)}, kHere));
  EXPECT_FALSE(b.take(RunId{3}, Lane::Background, age(3), {stress(3'000)}, kHere));
  b.releaseAll(RunId{2});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{3}));
}

// The hall has no room for the fourth; what comes free in a rack of it is not for whoever came later there.
TEST(Budgets, WhoWaitsForTheHallIsNotPassedByWhoWaitsForARack) {
  Budgets b(watts());
  const Place third{"H1/R01/RK003/U10"};
  ASSERT_TRUE(b.take(RunId{1}, Lane::Background, age(1), {stress(3'000)}, kHere));
  ASSERT_TRUE(b.take(RunId{2}, Lane::Background, age(2), {stress(3'000)}, kHere));
  ASSERT_TRUE(b.take(RunId{3}, Lane::Background, age(3), {stress(4'000)}, kThere));
  ASSERT_FALSE(b.take(RunId{4}, Lane::Background, age(4), {stress(6'000)}, third));
  ASSERT_FALSE(b.take(RunId{5}, Lane::Background, age(5), {stress(3'000)}, kHere));
  b.releaseAll(RunId{1});
  EXPECT_THAT(b.granted(), IsEmpty());
  b.releaseAll(RunId{2});
  EXPECT_THAT(b.granted(), ElementsAre(RunId{4}));
}

TEST(Budgets, WhatARackCanNeverGiveKeepsNobodyInTheHallWaiting) {
  Budgets b(watts());
  ASSERT_TRUE(b.take(RunId{1}, Lane::Background, age(1), {stress(6'000)}, kThere));
  EXPECT_FALSE(b.take(RunId{2}, Lane::Operator, age(2), {stress(6'500)}, kHere));
  EXPECT_TRUE(b.take(RunId{3}, Lane::Background, age(3), {stress(1'000)}, kThere));
}

TEST(Budgets, WhereWattsAreLimitedWhoDoesNotSayHowManyGetsNone) {
  Budgets b(watts());
  EXPECT_FALSE(b.take(RunId{1}, Lane::Operator, age(1), {stress(0)}, kHere));
  EXPECT_THAT(b.shortage({stress(0)}, kHere), testing::HasSubstr("stress_watts"));
  EXPECT_TRUE(b.take(RunId{2}, Lane::Background, age(2), {stress(6'000)}, kHere))
      << "it keeps nobody else waiting";
}

TEST(Budgets, TheTightestPlaceAroundSaysHowSlowlyStressComesAndGoes) {
  const auto limits = watts();
  EXPECT_EQ(limits.termsAt(kThere).ramp, 10min + 1ms) << "10,000 W at 1,000 W/min";
  EXPECT_EQ(limits.termsAt(kHere).ramp, 10min + 1ms) << "the rack's 3 min are within";
  EXPECT_EQ(limits.termsAt(kHere).lease, kPowerLease);
  EXPECT_EQ(limits.termsAt(Place{"H2/R01/RK001/U10"}).lease, Duration{0});
}

TEST(Budgets, NeverLeaseMoreWattsThanTheLimitsByAnotherCount) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const auto limits = watts();
    Budgets b(limits);
    std::map<std::int64_t, std::pair<Place, std::int64_t>> held, waiting;
    std::int64_t next = 1, most = 0;
    for (int i = 0; i < 2000; ++i) {
      if (random.chance(0.5)) {
        const Place place{fmt::format("H1/R01/RK{:03}/U10", random.between(1, 3))};
        const auto amount = random.between(1, 4) * 1'000;
        const auto run = next++;
        const bool got = b.take(RunId{run}, Lane::Background, age(i), {stress(amount)}, place);
        (got ? held : waiting)[run] = {place, amount};
      } else if (!held.empty()) {
        const auto it = std::next(held.begin(), random.between(0, static_cast<std::int64_t>(held.size()) - 1));
        b.releaseAll(RunId{it->first});
        held.erase(it);
      }
      for (const auto run : b.granted()) {
        held[run.value] = waiting.at(run.value);
        waiting.erase(run.value);
      }
      std::int64_t all = 0, first = 0;
      for (const auto& [run, what] : held) {
        all += what.second;
        if (what.first.rack() == "H1/R01/RK001") first += what.second;
      }
      ASSERT_LE(all, 10'000);
      ASSERT_LE(first, 6'000);
      most = std::max(most, all);
    }
    EXPECT_GE(most, 9'000) << "and what is free is used";
  }
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
