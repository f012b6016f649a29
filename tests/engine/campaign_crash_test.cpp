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

/// How many points a life passes in which nothing dies.
template <class Make, class Live>
int pointsOf(Make make, Live live) {
  Hall clean(3, 2);
  make(clean);
  const auto before = clean.site.points.passed().size();
  live(clean);
  return static_cast<int>(clean.site.points.passed().size() - before);
}

TEST(Campaigns, EndTheSameWhereverTheControllerDies) {
  const auto make = [](Hall& hall) {
    hall.wanted.failureBudget = 1;
    hall.machine(2).sick = true;
    hall.begin();
  };
  const int points = pointsOf(make, [](Hall& hall) { ASSERT_TRUE(hall.runTo(CampaignState::Done)); });
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

// Asks until it is so, as a person does who was not answered.
template <class Done>
void insist(Hall& hall, CampaignMove move, Done done) {
  while (!done()) {
    if (hall.site.points.dead()) hall.boot();
    (void)hall.ask(move, "again");
  }
}

void runOn(Hall& hall, CampaignState state) {
  while (!hall.runTo(state)) {
    ASSERT_TRUE(hall.site.points.dead()) << "it is " << nameOf(hall.row().state);
    hall.boot();
  }
}

// Halted by a failure, gone on with, the failed one mended and tried again, rolled back, cancelled in the middle of that.
void wholeLife(Hall& hall) {
  runOn(hall, CampaignState::Halted);
  insist(hall, CampaignMove::Resume, [&] { return hall.row().state != CampaignState::Halted; });
  runOn(hall, CampaignState::Done);
  hall.machine(2).sick = false;
  for (auto& finding : hall.site.tables.findings) finding.resolved = hall.site.time.now();
  hall.node(2).lifecycle = Lifecycle::Available;
  insist(hall, CampaignMove::Retry, [&] { return hall.in(MemberState::Failed) == 0; });
  runOn(hall, CampaignState::Done);
  insist(hall, CampaignMove::RollBack, [&] { return hall.row().goal == CampaignGoal::Back; });
  while (hall.in(MemberState::Done) < 2) {
    if (hall.site.points.dead()) hall.boot();
    hall.site.run(1min);
  }
  insist(hall, CampaignMove::Cancel, [&] { return hall.row().isOver(); });
  if (hall.site.points.dead()) hall.boot();
  hall.site.run(1h);
  if (hall.site.points.dead()) hall.boot();
  hall.site.run(1h);
}

TEST(Campaigns, LiveTheSameLifeWhereverTheControllerDies) {
  const auto make = [](Hall& hall) {
    hall.wanted.failureBudget = 0;
    hall.wanted.window = 1;
    hall.machine(2).sick = true;
    hall.begin();
  };
  const int points = pointsOf(make, wholeLife);
  ASSERT_GT(points, 80);
  for (int point = 0; point < points; ++point) {
    SCOPED_TRACE(point);
    Hall hall(3, 2);
    make(hall);
    hall.site.points.arm(point);
    wholeLife(hall);
    EXPECT_EQ(hall.row().state, CampaignState::Cancelled);
    EXPECT_EQ(hall.in(MemberState::Pending) + hall.in(MemberState::Running), 0);
    EXPECT_EQ(hall.floor.mostRacks, 1u);
    for (const auto& [id, run] : hall.site.tables.runs) EXPECT_FALSE(run.unfinished());
    // Each node was brought to a baseline once in each direction, whatever was repeated of it.
    std::map<std::string, int> written;
    for (const auto& what : hall.floor.written) ++written[what];
    for (int i = 1; i <= 6; ++i) EXPECT_EQ(written[fmt::format("S{} new", i)], 1) << i;
    EXPECT_EQ(written["S1 own"], 1);
    EXPECT_EQ(written["S2 own"], 1);
    EXPECT_EQ(written["S5 own"] + written["S6 own"], 0);
  }
}

}  // namespace
}  // namespace zellige::test::halls
