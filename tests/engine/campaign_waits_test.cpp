// Campaigns over toys: who cannot begin or go on, what is said of it, and what takes them up again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/hall_of_toys.hpp"

namespace zellige::test::halls {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

TEST(Campaigns, PassOverWhoCannotBeginWithoutHoldingTheWindow) {
  Hall hall(4, 1);
  hall.wanted.window = 1;
  hall.node(0).lifecycle = Lifecycle::InService;
  hall.site.tables.holds[NodeId{2}] = "personal lock of bob";
  hall.begin();
  hall.site.run(1h);
  EXPECT_THAT(hall.versions(), ElementsAre("own", "own", "new", "new"));
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: it is in_service; and so 1 more rack");
  hall.site.tables.holds.clear();
  hall.node(0).lifecycle = Lifecycle::Available;
  EXPECT_TRUE(hall.runTo(CampaignState::Done, 26min)) << "seen by time alone, in five";
}

// The window has room for all: the others end one by one, and nothing else happens.
TEST(Campaigns, SayWhoIsPassedOverAndTakeThemWhenTheyAreBack) {
  Hall hall(4, 1);
  hall.wanted.window = 4;
  hall.node(0).lifecycle = Lifecycle::InService;
  for (int i = 1; i < 4; ++i) hall.machine(i).takes = i * 10min;
  hall.begin();
  hall.site.run(1h);
  EXPECT_EQ(hall.in(MemberState::Done), 3);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: it is in_service");
  hall.node(0).lifecycle = Lifecycle::Available;
  EXPECT_TRUE(hall.runTo(CampaignState::Done, 1h));
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "");
}

TEST(Campaigns, GoOnAtOnceWhereTheyAreToldThatSomethingChanged) {
  Hall hall(2, 2);
  hall.node(0).lifecycle = hall.node(2).lifecycle = Lifecycle::InService;
  hall.begin();
  hall.site.run(62min);  // not when it looks by itself
  const auto began = hall.floor.begins.size();
  hall.node(0).lifecycle = hall.node(2).lifecycle = Lifecycle::Available;
  hall.campaigns->look({NodeId{1}});
  hall.site.run(1s);
  EXPECT_EQ(hall.floor.begins.size(), began + 1) << "in its rack";
  hall.campaigns->lookAgain();
  hall.site.run(1s);
  EXPECT_EQ(hall.floor.begins.size(), began + 2) << "everywhere";
}

TEST(Campaigns, BeginNoRunThatWouldOnlyWait) {
  Hall hall(4, 1);
  hall.wanted.window = 1;
  hall.node(0).unreachableSince = hall.site.time.now();
  hall.node(1).bmc.address.clear();
  hall.site.tables.findings.push_back({.node = NodeId{3}, .cause = "cooling.leak"});
  hall.begin();
  hall.site.run(1h);
  EXPECT_THAT(hall.versions(), ElementsAre("own", "own", "own", "new"));
  EXPECT_EQ(hall.floor.begins.size(), 1u);
  EXPECT_THAT(hall.campaigns->waitsFor(hall.id),
              MatchesRegex("S1: it has been without contact since .*; and so 2 more racks"));
  hall.node(0).unreachableSince.reset();
  hall.node(1).bmc.address = "10.0.0.2";
  hall.site.tables.findings.clear();
  EXPECT_TRUE(hall.runTo(CampaignState::Done));
}

// What a machine that fell silent is still doing, nobody knows: its rack stays in the window.
TEST(Campaigns, SayWhoKeepsTheWindow) {
  Hall hall(3, 1);
  hall.wanted.window = 1;
  hall.machine(0).silent = true;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "") << "it may be back in a moment";
  hall.site.run(24h);
  EXPECT_TRUE(hall.floor.begins.empty());
  EXPECT_THAT(hall.campaigns->waitsFor(hall.id),
              MatchesRegex("S1: run 1 cannot go on since .*: contact with the BMC: nobody answers"));
  hall.machine(0).silent = false;
  EXPECT_TRUE(hall.runTo(CampaignState::Done));
}

TEST(Campaigns, LeaveOutByThemselvesWhoWasRetired) {
  Hall hall(3, 2);
  hall.wanted.canary = 1;
  hall.node(1).lifecycle = hall.node(4).lifecycle = Lifecycle::Retired;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 4);
  EXPECT_EQ(hall.members()[1].state, MemberState::LeftOut);
  EXPECT_EQ(hall.members()[1].why, "it is retired");
}

TEST(Campaigns, GoOnPastACanaryWhenAPersonLeavesOutWhoKeepsIt) {
  Hall hall(3, 2);
  hall.wanted.canary = 1;
  hall.node(1).lifecycle = Lifecycle::InService;
  hall.begin();
  hall.site.run(1h);
  EXPECT_EQ(hall.floor.begins.size(), 1u);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S2: it is in_service");
  const auto leaveOut = [&](int i) {
    const auto left = hall.site.await(hall.campaigns->leaveOut(hall.id, NodeId{i + 1}, "anna", "in use"));
    return left && *left;
  };
  EXPECT_TRUE(leaveOut(1));
  EXPECT_FALSE(leaveOut(0)) << "it is done";
  ASSERT_TRUE(hall.runTo(CampaignState::Done, 1h));
  EXPECT_EQ(hall.members()[1].why, "in use");
  EXPECT_FALSE(leaveOut(2)) << "the campaign is over";
}

// A failure counts at once, but what it began still writes its machine: the rack is not up yet.
TEST(Campaigns, KeepARackInTheWindowWhileAFailedFlashGoesOn) {
  Hall hall(2, 1, kFlash);
  hall.wanted.window = 1;
  hall.wanted.failureBudget = 1;
  hall.machine(0).hangs = true;
  hall.begin();
  hall.site.run(24h);
  EXPECT_EQ(hall.members()[0].state, MemberState::Failed);
  EXPECT_FALSE(hall.machine(1).flashing);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: its last run is over, but what it began may still go on");
  hall.boot();
  hall.site.run(24h);
  EXPECT_FALSE(hall.machine(1).flashing) << "nor after a restart";
  hall.machine(0).flashing = false;
  EXPECT_TRUE(hall.runTo(CampaignState::Done, 1h));
  EXPECT_TRUE(hall.machine(1).flashing);
}

TEST(Campaigns, CountWhatACancelledOneLeftUnderWay) {
  Hall hall(3, 1);
  hall.wanted.window = 1;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.ask(CampaignMove::Cancel, "wrong window"), "");
  hall.id = **hall.site.await(hall.campaigns->create(hall.wanted, "anna"));
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.floor.mostRacks, 1u);
}

TEST(Campaigns, TakeNoTrayFromADomainThatIsInUse) {
  Hall hall(3, 2);
  for (const auto* place : {"H1/R01/RK001", "H1/R01/RK002"}) hall.site.tables.racks[place].place = place;
  hall.node(0).lifecycle = Lifecycle::InService;
  hall.node(2).allocation = Allocation::Reserved;
  hall.node(4).lifecycle = Lifecycle::InService;  // a machine of its own: no recipe makes its rack a domain
  hall.begin();
  hall.site.run(1h);
  EXPECT_THAT(hall.versions(), ElementsAre("own", "own", "own", "own", "own", "new"));
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: it is in_service; and so 2 more racks");
  hall.node(0).lifecycle = Lifecycle::Retired;
  hall.site.run(1h);
  EXPECT_EQ(hall.machine(1).version, "new");
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S3: it is reserved; and so 1 more rack");
}

TEST(Campaigns, LookAtThousandsWithoutHoldingUpTheEventLoop) {
  Hall hall(200, 18);
  for (auto& [id, node] : hall.site.tables.nodes) node.lifecycle = Lifecycle::InService;
  hall.begin();
  hall.site.run(1min);
  int& read = hall.site.life->store.nodesRead;
  read = 0;
  hall.campaigns->lookAgain();
  int most = read, all = read;
  for (; !hall.campaigns->idle(); all += read) {
    read = 0;
    hall.site.time.runOne();
    most = std::max(most, read);
  }
  EXPECT_GE(all, 3600);
  EXPECT_LE(most, 1'100);
}

}  // namespace
}  // namespace zellige::test::halls
