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
      if (move.kinds.contains(kind) && seen.contains(move.from)) grew = seen.insert(move.to).second || grew;
  }
  return seen;
}

std::string describe(const Move& m) {
  return std::string(nameOf(m.from)) + " to " + std::string(nameOf(m.to)) + " by " +
         std::string(nameOf(m.actor));
}

/// What a node of this kind can be.
std::set<Lifecycle> statesOf(NodeKind kind) {
  auto all = reachable(kind, Lifecycle::Planned);
  all.merge(reachable(kind, Lifecycle::Unlisted));  // nobody ordered it: it begins there
  return all;
}

TEST(Lifecycle, EveryStateHasAnExitAndAWayToBecomeAvailable) {
  for (const auto& [kind, kindName] : EnumNames<NodeKind>::table)
    for (const auto state : statesOf(kind)) {
      int exits = 0;
      for (const auto& move : lifecycleMoves()) exits += move.kinds.contains(kind) && move.from == state;
      EXPECT_GT(exits, 0) << kindName << " " << nameOf(state);
      EXPECT_TRUE(reachable(kind, state).contains(Lifecycle::Available)) << kindName << " " << nameOf(state);
    }
}

// From service nothing leads to another tenant but a wipe, and no run does that yet: a finding, too, is no way round it.
TEST(Lifecycle, WhatWasInServiceLeavesSanitisingOnlyOnceItIsWipedOrRetired) {
  std::set<Lifecycle> to;
  for (const auto& move : lifecycleMoves())
    if (move.from == Lifecycle::Sanitising) to.insert(move.to);
  EXPECT_EQ(to, (std::set{Lifecycle::Qualifying, Lifecycle::Retired}));
}

// The engine may know no way on (a wipe that it does not do, a run that never ends): a person always does.
TEST(Lifecycle, APersonAloneCanTakeANodeOutOfEveryState) {
  for (const auto& [kind, kindName] : EnumNames<NodeKind>::table)
    for (const auto state : statesOf(kind)) {
      std::set<Lifecycle> seen{state};
      for (std::size_t before = 0; before != seen.size();) {
        before = seen.size();
        for (const auto& move : lifecycleMoves())
          if (move.kinds.contains(kind) && move.actor == Actor::Operator && seen.contains(move.from))
            seen.insert(move.to);
      }
      EXPECT_TRUE(seen.contains(Lifecycle::Retired)) << kindName << " " << nameOf(state);
    }
}

TEST(Lifecycle, ATrayCanBeEverythingAndTheOthersAreNeverSanitised) {
  const auto tray = statesOf(NodeKind::ComputeTray);
  EXPECT_EQ(tray.size(), EnumNames<Lifecycle>::table.size());
  auto others = tray;
  others.erase(Lifecycle::Sanitising);
  EXPECT_EQ(statesOf(NodeKind::SwitchTray), others);
  EXPECT_EQ(statesOf(NodeKind::PowerShelf), others);
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

TEST(Lifecycle, ATrayInServiceLeavesOnlyThroughSanitising) {
  for (const auto& move : lifecycleMoves())
    if (move.kinds.contains(NodeKind::ComputeTray) && move.from == Lifecycle::InService) {
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
    for (const auto& [kind, name] : EnumNames<NodeKind>::table) {
      if (!move.kinds.contains(kind)) continue;
      EXPECT_TRUE(seen.emplace(kind, move.from, move.to, move.actor).second) << name << " " << describe(move);
      EXPECT_EQ(findMove(kind, move.from, move.to, move.actor), &move);
    }
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
