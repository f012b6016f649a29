// A campaign over simulated racks, held against what the machines were really sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/commands/campaign_rehearsal.hpp"

namespace zellige {
namespace {

using testing::IsEmpty;

TEST(CampaignLong, KeepsItsWindowHaltsByItsBudgetAndGoesBack) {
  log::setLevel(log::Level::Off);
  SCOPED_TRACE(
      "zellige simulate --campaign --racks 3 --window 2 --canary 1 --failure-budget 1 --failing 0.05");
  CampaignRehearsalOptions options;
  options.racks = 3;
  options.window = 2;
  options.canary = 1;
  options.failureBudget = 1;
  options.failing = 0.05;
  const auto result = rehearseCampaign(options);
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_EQ(result.nodes, 54);
  EXPECT_EQ(result.failed, static_cast<int>(result.failing.size()));
  EXPECT_EQ(result.done, 54 - result.failed);
  EXPECT_EQ(result.wentBack, result.done);
  EXPECT_EQ(result.forward.racksFlashing, 2) << "it uses its window";
  EXPECT_GE(result.failedAtHalts.size(), 1u) << "it halts at least once, or the seed proves nothing";
}

}  // namespace
}  // namespace zellige
