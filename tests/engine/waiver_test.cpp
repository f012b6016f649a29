// Racks that go on without one of their nodes, by waiver: provisional until it is back, and no longer than was signed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/rack_of_toys.hpp"

namespace zellige::test::toys {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Waived : RackOfToys {
  /// The second of three trays is sick, and quarantined.
  Waived() {
    member(1).sick = true;
    boot();
    site.run(3h);
  }
  void waive(Duration time = 10h) {
    site.tables.waivers[NodeId{2}] = {
        WaiverId{1}, NodeId{2}, "amina", "GPU on order", site.time.now(), site.time.now() + time, {}};
    bringUp->look({NodeId{2}});
  }
  bool runTo(RackState wanted, Duration horizon = 20h) {
    return site.runUntil([&] { return state() == wanted; }, horizon);
  }
  void mend() {
    member(1).sick = false;
    for (auto& finding : site.tables.findings) finding.resolved = site.time.now();
    node(1).lifecycle = Lifecycle::Qualifying;
    node(1).lifecycleSince = site.time.now();
    bringUp->look({NodeId{2}});
  }
  std::string waits() const { return bringUp->waitsFor(kPlace); }
};

TEST(Waivers, LetARackGoOnWithoutAQuarantinedNode) {
  Waived rack;
  EXPECT_EQ(rack.state(), RackState::BringUp) << "nobody has signed anything";
  rack.waive();
  ASSERT_TRUE(rack.runTo(RackState::Provisional)) << rack.waits();
  EXPECT_THAT(rack.lastRun().subject, ElementsAre(NodeId{1}, NodeId{3}));
  EXPECT_EQ(rack.lastRun().workflow, "domain");
  EXPECT_THAT(rack.waits(), HasSubstr("without S2 until"));
  EXPECT_THAT(rack.waits(), HasSubstr("(amina: GPU on order)"));
}

TEST(Waivers, AreOverWhenTheNodeIsBack) {
  Waived rack;
  rack.waive();
  ASSERT_TRUE(rack.runTo(RackState::Provisional));
  rack.mend();
  ASSERT_TRUE(rack.runTo(RackState::Accepted)) << rack.waits();
  EXPECT_EQ(rack.lastRun().workflow, "domain");
  EXPECT_EQ(rack.lastRun().subject.size(), 3u) << "what was shown without it does not hold for it";
  EXPECT_EQ(rack.waits(), "");
  rack.site.run(20h);
  EXPECT_EQ(rack.state(), RackState::Accepted) << "the end of the waiver means nothing now";
}

// It is worked on all the time; nobody waits for it.
TEST(Waivers, ANodeThatIsBeingQualifiedAgainDoesNotTakeTheRackBack) {
  Waived rack;
  rack.waive();
  ASSERT_TRUE(rack.runTo(RackState::Provisional));
  rack.member(1).takes = 4h;
  rack.mend();
  rack.site.run(2h);
  EXPECT_EQ(rack.state(), RackState::Provisional) << rack.waits();
  EXPECT_TRUE(rack.lastRun().unfinished());
  EXPECT_THAT(rack.lastRun().subject, ElementsAre(NodeId{2}));
}

TEST(Waivers, EndByThemselves) {
  Waived rack;
  rack.waive(5h);
  ASSERT_TRUE(rack.runTo(RackState::Provisional));
  const auto granted = rack.site.tables.waivers.at(NodeId{2}).granted;
  ASSERT_TRUE(rack.runTo(RackState::Degraded));
  EXPECT_GE(rack.site.time.now() - granted, 5h);
  EXPECT_LE(rack.site.time.now() - granted, 5h + 1s);
  EXPECT_THAT(rack.waits(), HasSubstr("1 out (S2 quarantined)"));
}

TEST(Waivers, EndWhenTheyAreWithdrawn) {
  Waived rack;
  rack.waive();
  ASSERT_TRUE(rack.runTo(RackState::Provisional));
  rack.site.tables.waivers[NodeId{2}].withdrawn = rack.site.time.now();
  rack.bringUp->look({NodeId{2}});
  ASSERT_TRUE(rack.runTo(RackState::Degraded, 1min));
}

TEST(Waivers, OutliveARestart) {
  Waived rack;
  rack.waive();
  ASSERT_TRUE(rack.runTo(RackState::Provisional));
  rack.boot();
  rack.site.run(1h);
  EXPECT_EQ(rack.state(), RackState::Provisional);
}

TEST(Waivers, OfAGoodNodeChangeNothing) {
  RackOfToys rack;
  rack.boot();
  const auto now = rack.site.time.now();
  rack.site.tables.waivers[NodeId{2}] = {WaiverId{1}, NodeId{2}, "amina", "", now, now + 100h, {}};
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.lastRun().subject.size(), 3u);
}

// The recipe lets it go on with two of three; without a third by waiver, two are all.
TEST(Waivers, CountBesideWhatTheRecipeForgives) {
  RackOfToys rack;
  rack.site.tables.recipes["r"].stages[1].atLeast = 3;
  rack.member(1).sick = true;
  rack.boot();
  rack.site.run(3h);
  const auto now = rack.site.time.now();
  rack.site.tables.waivers[NodeId{2}] = {WaiverId{1}, NodeId{2}, "amina", "", now, now + 100h, {}};
  rack.bringUp->look({NodeId{2}});
  EXPECT_TRUE(rack.site.runUntil([&] { return rack.state() == RackState::Provisional; }, 10h));
}

TEST(Waivers, LetAPersonBeginWhatTakesAllWithoutIt) {
  Waived rack;
  const auto start = [&] {
    return *rack.site.tryStart({.workflow = "domain", .subject = {NodeId{1}, NodeId{3}}});
  };
  rack.waive();
  ASSERT_TRUE(rack.runTo(RackState::Provisional));
  const auto waivers = std::exchange(rack.site.tables.waivers, {});
  EXPECT_EQ(start().error().code, Errc::Invalid) << "two are not the rack";
  rack.site.tables.waivers = waivers;
  EXPECT_TRUE(start());
}

}  // namespace
}  // namespace zellige::test::toys
