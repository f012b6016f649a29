// Campaigns over toys: who begins when, what halts them, what they go back to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/hall_of_toys.hpp"

namespace zellige::test::halls {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Campaigns, BringEveryNodeToTheBaselineRackByRackInsideTheWindow) {
  Hall hall;
  hall.machine(0).takes = 1h;  // its rack stays open; the others slide past it
  hall.begin();
  const auto began = hall.site.time.now();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_THAT(hall.versions(), Each(std::string("new")));
  EXPECT_EQ(hall.in(MemberState::Done), 12);
  EXPECT_EQ(hall.floor.mostRacks, 2u);
  EXPECT_EQ(hall.floor.mostInARack, 2);
  EXPECT_EQ(hall.site.tables.runs.size(), 12u);
  EXPECT_LT(hall.site.time.now() - began, 1h + 1min) << "five racks of 10 minutes beside one of an hour";
  EXPECT_EQ(hall.node(3).baseline, "new");
  for (const auto& [run, row] : hall.site.tables.runs) {
    EXPECT_EQ(row.lane, Lane::Rollout);
    EXPECT_EQ(row.startedBy, "campaign 1");
  }
}

TEST(Campaigns, KeepToTheLimitInARack) {
  Hall hall(2, 4);
  hall.wanted.perRack = 1;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.floor.mostInARack, 1);
  EXPECT_EQ(hall.floor.mostRacks, 2u);
}

TEST(Campaigns, TheCanaryGoesFirstAndOneFailureInItHalts) {
  Hall hall;
  hall.wanted.canary = 1;
  hall.wanted.failureBudget = 5;
  hall.machine(1).sick = true;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_EQ(hall.row().why, "1 of 2 nodes of the canary failed");
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), hall.row().why);
  hall.site.run(5h);
  EXPECT_EQ(hall.floor.begins.size(), 2u) << "nobody else began";
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "a bad tray"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 11);
  EXPECT_EQ(hall.in(MemberState::Failed), 1);
}

TEST(Campaigns, ACanaryInWhichNobodyGotTheBaselineHaltsUntilAPersonGoesOn) {
  Hall hall;
  hall.wanted.canary = 1;
  for (const int i : {0, 1})
    hall.node(i).lifecycle = Lifecycle::Retired;  // who was retired is left out by itself
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_THAT(hall.row().why, HasSubstr("no node of the canary got the baseline"));
  EXPECT_TRUE(hall.floor.begins.empty()) << "nobody else began";
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "both trays are away"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 10);
}

// Racks of one node, one at a time: nodes 2, 4 and 5 fail, and the budget bears two.
TEST(Campaigns, HaltAtTheFailureThatTheBudgetDoesNotBear) {
  Hall hall(6, 1);
  hall.wanted.window = 1;
  hall.wanted.failureBudget = 2;
  for (const int sick : {1, 3, 4}) hall.machine(sick).sick = true;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_EQ(hall.row().why, "3 nodes failed; the budget is 2");
  EXPECT_EQ(hall.floor.begins.size(), 5u);
  EXPECT_THAT(hall.members()[4].why, HasSubstr("failed in write"));
  hall.site.run(5h);
  EXPECT_EQ(hall.floor.begins.size(), 5u) << "the sixth waits for a person";
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "known"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done)) << "those three are forgiven";
  EXPECT_THAT(hall.versions(), ElementsAre("new", "own", "new", "own", "own", "new"));
}

TEST(Campaigns, APauseLetsWhatIsUnderWayFinishAndBeginsNothing) {
  Hall hall;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.ask(CampaignMove::Pause, "lunch"), "");
  hall.site.run(5h);
  EXPECT_EQ(hall.in(MemberState::Done), 4);
  EXPECT_EQ(hall.in(MemberState::Pending), 8);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "lunch");
  EXPECT_EQ(hall.ask(CampaignMove::Pause, "again"), "campaign 1 is paused: it cannot be paused");
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "back"), "");
  EXPECT_TRUE(hall.runTo(CampaignState::Done));
}

TEST(Campaigns, ACancelLeavesOutWhatDidNotBegin) {
  Hall hall;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.ask(CampaignMove::Cancel, "wrong baseline"), "");
  hall.site.run(5h);
  EXPECT_EQ(hall.in(MemberState::LeftOut), 12);
  EXPECT_EQ(hall.floor.begins.size(), 4u);
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "no"), "campaign 1 is cancelled: it cannot be resumed");
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "no", CampaignId{7}), "there is no campaign 7");
}

TEST(Campaigns, GoBackToWhatEachNodeHadAndLeaveTheRestAlone) {
  Hall hall;
  hall.node(0).baseline = "older";
  hall.machine(0).version = "older";
  hall.begin();
  hall.site.run(15min);  // the first two racks are done, the next two under way
  EXPECT_EQ(hall.ask(CampaignMove::RollBack, "it overheats"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.row().goal, CampaignGoal::Back);
  EXPECT_THAT(hall.versions(), ElementsAre("older", "own", "own", "own", "own", "own", "own", "own", "own",
                                           "own", "own", "own"));
  EXPECT_EQ(hall.in(MemberState::Done), 8);
  EXPECT_EQ(hall.in(MemberState::LeftOut), 4);
  EXPECT_EQ(hall.floor.written.size(), 16u) << "each once there and once back";
  EXPECT_EQ(hall.floor.mostRacks, 2u);
  EXPECT_EQ(hall.node(0).baseline, "older");
}

TEST(Campaigns, TryTheFailedAgain) {
  Hall hall(2, 2);
  hall.machine(3).sick = true;
  hall.wanted.failureBudget = 1;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Failed), 1);
  hall.machine(3).sick = false;
  EXPECT_EQ(hall.ask(CampaignMove::Retry, "it was reseated"), "");
  hall.site.run(1h);
  EXPECT_EQ(hall.row().state, CampaignState::Running);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S4: it is quarantined");
  for (auto& finding : hall.site.tables.findings) finding.resolved = hall.site.time.now();
  hall.node(3).lifecycle = Lifecycle::Available;
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 4);
}

TEST(Campaigns, HaltWhenAnImportHasChangedTheBaseline) {
  Hall hall;
  hall.begin();
  hall.site.run(5min);
  hall.site.tables.baselines["new"] = "d2";
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_THAT(hall.row().why, HasSubstr("an import has changed the baseline new"));
  EXPECT_EQ(hall.in(MemberState::Pending), 8);
}

}  // namespace
}  // namespace zellige::test::halls
