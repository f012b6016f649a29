// The lifecycle table: what must be true of it whatever rows it gets.
#include <gtest/gtest.h>

#include <set>

#include "controller/model/lifecycle.hpp"

namespace zellige {
namespace {

std::set<Lifecycle> reachable(NodeKind kind, Lifecycle from) {
  std::set<Lifecycle> seen{from};
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& move : lifecycleMoves())
      if (move.kind == kind && seen.contains(move.from)) grew = seen.insert(move.to).second || grew;
  }
  return seen;
}

std::string describe(const Move& m) {
  return std::string(nameOf(m.from)) + " to " + std::string(nameOf(m.to)) + " by " +
         std::string(nameOf(m.actor));
}

TEST(Lifecycle, EveryStateOfATrayHasAnExitAndAWayToBecomeAvailable) {
  for (const auto& [state, name] : EnumNames<Lifecycle>::table) {
    int exits = 0;
    for (const auto& move : lifecycleMoves())
      exits += move.kind == NodeKind::ComputeTray && move.from == state;
    EXPECT_GT(exits, 0) << name;
    EXPECT_TRUE(reachable(NodeKind::ComputeTray, state).contains(Lifecycle::Available)) << name;
  }
}

TEST(Lifecycle, EveryStateOfATrayCanBeReached) {
  auto all = reachable(NodeKind::ComputeTray, Lifecycle::Planned);
  all.merge(reachable(NodeKind::ComputeTray, Lifecycle::Unlisted));  // nobody ordered it: it begins there
  EXPECT_EQ(all.size(), EnumNames<Lifecycle>::table.size());
}

TEST(Lifecycle, NothingBecomesAvailableWithoutEvidence) {
  for (const auto& move : lifecycleMoves())
    if (move.to == Lifecycle::Available) {
      EXPECT_EQ(move.needs, Requires::Evidence) << describe(move);
    }
}

TEST(Lifecycle, NothingIsQuarantinedWithoutABlockingFinding) {
  for (const auto& move : lifecycleMoves())
    if (move.to == Lifecycle::Quarantined) {
      EXPECT_EQ(move.needs, Requires::BlockingFinding) << describe(move);
    }
}

TEST(Lifecycle, NobodyQuarantinesAMachineInService) {
  for (const auto& move : lifecycleMoves())
    EXPECT_FALSE(move.from == Lifecycle::InService && move.to == Lifecycle::Quarantined) << describe(move);
}

TEST(Lifecycle, AMachineInServiceLeavesOnlyThroughSanitising) {
  for (const auto& move : lifecycleMoves())
    if (move.from == Lifecycle::InService) {
      EXPECT_EQ(move.to, Lifecycle::Sanitising) << describe(move);
    }
}

TEST(Lifecycle, OnlyAPersonEndsAQuarantineOrARepair) {
  for (const auto& move : lifecycleMoves())
    if (move.from == Lifecycle::Quarantined || move.from == Lifecycle::Repair) {
      EXPECT_EQ(move.actor, Actor::Operator) << describe(move);
    }
}

TEST(Lifecycle, ARunningMachineCanBeAdoptedUntouched) {
  EXPECT_TRUE(findMove(NodeKind::ComputeTray, Lifecycle::Discovered, Lifecycle::InService, Actor::Operator));
  EXPECT_FALSE(findMove(NodeKind::ComputeTray, Lifecycle::Discovered, Lifecycle::InService, Actor::Engine));
}

TEST(Lifecycle, EveryMoveStandsOnceAndGoesSomewhere) {
  std::set<std::tuple<NodeKind, Lifecycle, Lifecycle, Actor>> seen;
  for (const auto& move : lifecycleMoves()) {
    EXPECT_NE(move.from, move.to);
    EXPECT_TRUE(seen.emplace(move.kind, move.from, move.to, move.actor).second) << describe(move);
    EXPECT_EQ(findMove(move.kind, move.from, move.to, move.actor), &move);
  }
}

TEST(Place, TheRackIsTheFailureDomain) {
  EXPECT_EQ((Place{"H1/R01/RK001/U10"}).rack(), "H1/R01/RK001");
  EXPECT_EQ((Place{"H1/R01/RK001"}).rack(), "H1/R01/RK001");
  EXPECT_EQ((Place{"H1"}).rack(), "H1");
  EXPECT_EQ((Place{""}).rack(), "");
}

TEST(Place, IsInsideWhatItsPathBeginsWithByWholeNames) {
  const Place place{"H1/R01/RK001/U10"};
  for (const auto* outer : {"", "H1", "H1/R01", "H1/R01/RK001/U10"})
    EXPECT_TRUE(place.isInside(outer)) << outer;
  for (const auto* outer : {"H", "H1/R0", "H1/R01/RK00", "H2", "H1/R01/RK001/U10/x"})
    EXPECT_FALSE(place.isInside(outer)) << outer;
}

}  // namespace
}  // namespace zellige
