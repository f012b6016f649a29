#include "controller/commands/lower_bound.hpp"

#include <gtest/gtest.h>

namespace zellige {
namespace {

TEST(LowerBound, IsTheLongestNodeWhenNothingIsScarce) {
  EXPECT_EQ(lowerBound({{.total = 10min}, {.total = 25min}, {.total = 20min}}, {}), 25min);
}

// Four nodes, one slot, 10 min each in it, 1 min before and 2 min after: 1 + 40 + 2, though each alone takes 13.
TEST(LowerBound, IsTheBudgetWhenItBinds) {
  const NodeWork node{.total = 13min, .uses = {{"flash", 1min, 10min, 2min}}};
  EXPECT_EQ(lowerBound({node, node, node, node}, {{"flash", 1}}), 43min);
  EXPECT_EQ(lowerBound({node, node, node, node}, {{"flash", 4}}), 13min);
}

TEST(LowerBound, TakesTheShortestHeadAndTailOverAllNodes) {
  const NodeWork quick{.total = 6min, .uses = {{"upload", 1min, 5min, 0min}}};
  const NodeWork slow{.total = 30min, .uses = {{"upload", 20min, 5min, 5min}}};
  EXPECT_EQ(lowerBound({quick, slow}, {{"upload", 1}}), 30min);
  EXPECT_EQ(lowerBound(std::vector<NodeWork>(10, quick), {{"upload", 1}}), 51min);
}

TEST(Quantile, IsTheSmallestValueThatCoversTheShare) {
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.99), 4);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

}  // namespace
}  // namespace zellige
