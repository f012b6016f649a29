// Power shelves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/fleet_of_one.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Shelf : FleetOfOne {
  Shelf() : FleetOfOne(workflows::shelfSteps(), Lifecycle::Discovered) {
    site.tables.nodes[node].kind = NodeKind::PowerShelf;
  }
};

TEST(Shelf, IsSwitchedOnOnceAndLeavesEvidence) {
  Shelf t;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, ElementsAre("feed"));
  EXPECT_TRUE(t.hasEvidence("feeding"));
  EXPECT_EQ(t.site.tables.nodes[t.node].lifecycle, Lifecycle::Qualifying);
}

TEST(Shelf, ThatFeedsAlreadyIsLeftAlone) {
  Shelf t;
  t.machine().feeding = true;
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_THAT(t.machine().writes, IsEmpty());
}

TEST(Shelf, WhoseReplyIsLostIsNotSwitchedOnTwice) {
  Shelf t;
  t.machine().refuse["feed"] = {Error{Errc::Timeout, "no reply in time", true}};
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Shelf, IsNotForATray) {
  Shelf t;
  t.flow.kind = NodeKind::PowerShelf;
  t.site.tables.nodes[t.node].kind = NodeKind::ComputeTray;
  t.site.boot();
  EXPECT_EQ(t.tryStart().error().code, Errc::Invalid);
}

}  // namespace
}  // namespace zellige::test
