// Campaigns over toys: what a crash leaves, and what is on its way when a person or an import comes between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/hall_of_toys.hpp"

namespace zellige::test::halls {
namespace {

// At every instant after it was made: what was on its way to the store then must not begin any more.
TEST(Campaigns, BeginNothingOnceAHaltIsAcknowledged) {
  int begunBefore = 0;
  for (int instant = 0; instant < 60; ++instant) {
    SCOPED_TRACE(instant);
    Hall hall;
    hall.wanted.window = 6;
    hall.begin();
    for (int i = 0; i < instant; ++i) hall.site.time.runOne();
    EXPECT_EQ(hall.ask(CampaignMove::Halt, "smoke"), "");
    const auto begun = hall.site.tables.runs.size();
    begunBefore = std::max(begunBefore, static_cast<int>(begun));
    hall.site.run(1h);
    EXPECT_EQ(hall.site.tables.runs.size(), begun);
    EXPECT_EQ(hall.in(MemberState::Pending), 12 - static_cast<int>(begun));
  }
  EXPECT_GT(begunBefore, 3) << "or the instants prove nothing";
}

TEST(Campaigns, BeginNothingOnWhatAnImportHasChanged) {
  for (int instant = 0; instant < 60; ++instant) {
    SCOPED_TRACE(instant);
    Hall hall;
    hall.wanted.window = 6;
    hall.begin();
    for (int i = 0; i < instant; ++i) hall.site.time.runOne();
    const auto begun = hall.site.tables.runs.size();
    hall.site.tables.baselines["new"] = "d2";
    hall.campaigns->lookAgain();
    ASSERT_TRUE(hall.runTo(CampaignState::Halted));
    EXPECT_EQ(hall.site.tables.runs.size(), begun);
  }
}

TEST(Campaigns, CountNobodyAsDoneWhoWasBroughtToAnotherBaseline) {
  Hall hall(1, 2);
  hall.begin();
  hall.site.run(5min);
  hall.site.kill();  // and when it is back, run 1 is over: somebody had asked for something else
  auto& tables = hall.site.tables;
  auto other = *tables.targets.at("abc/new");
  other.digest = "abc/other";
  other.baseline.name = "other";
  tables.targets["abc/other"] = std::make_shared<const Target>(other);
  tables.runs.at(RunId{1}).target = "abc/other";
  tables.runs.at(RunId{1}).state = RunState::Done;
  hall.boot();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.members()[0].state, MemberState::LeftOut);
  EXPECT_EQ(hall.members()[0].why, "run 1 was about another baseline");
  EXPECT_EQ(hall.members()[1].state, MemberState::Done);
}

TEST(Campaigns, EndTheSameWhereverTheControllerDies) {
  const auto make = [](Hall& hall) {
    hall.wanted.failureBudget = 1;
    hall.machine(2).sick = true;
    hall.begin();
  };
  int points = 0;
  {
    Hall clean(3, 2);
    make(clean);
    const auto before = clean.site.points.passed().size();
    ASSERT_TRUE(clean.runTo(CampaignState::Done));
    points = static_cast<int>(clean.site.points.passed().size() - before);
  }
  ASSERT_GT(points, 30);
  for (int point = 0; point < points; ++point) {
    SCOPED_TRACE(point);
    Hall hall(3, 2);
    make(hall);
    hall.site.points.arm(point);
    hall.site.run(3h);
    if (hall.site.points.dead()) hall.boot();
    ASSERT_TRUE(hall.runTo(CampaignState::Done));
    EXPECT_EQ(hall.in(MemberState::Done), 5);
    EXPECT_EQ(hall.in(MemberState::Failed), 1);
    EXPECT_EQ(hall.site.tables.runs.size(), 6u) << "every run once";
    EXPECT_LE(hall.floor.mostRacks, 2u);
  }
}

}  // namespace
}  // namespace zellige::test::halls
