// A campaign over simulated racks, held against what the machines were really sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/commands/campaign_rehearsal.hpp"

namespace zellige {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CampaignLongOnce, KeepsItsWindowHaltsByItsBudgetAndGoesBack) {
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

// By hand: the canary is the first rack, and tray 3 in it fails: a halt at 1. Of the second rack 20 and 25 are one too many
// for a budget of 1: a halt at 2. Tray 30 is under way then, and is forgiven with them.
TEST(CampaignLongOnce, HaltsWhereOneWouldByHand) {
  log::setLevel(log::Level::Off);
  CampaignRehearsalOptions options;
  options.racks = 2;
  options.window = 1;
  options.canary = 1;
  options.failureBudget = 1;
  options.failingTrays = {3, 20, 25, 30};
  const auto result = rehearseCampaign(options);
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_THAT(result.failedAtHalts, ElementsAre(1, 2));
  EXPECT_EQ(result.done, 32);
  EXPECT_EQ(result.failed, 4);
  EXPECT_EQ(result.wentBack, 32);
}

TEST(CampaignLong, KeepsToItsLimitsWhileTheControllerDies) {
  log::setLevel(log::Level::Off);
  SCOPED_TRACE("zellige simulate --campaign --racks 2 --window 2 --per-rack 6 --canary 0 --storm 30");
  CampaignRehearsalOptions options;
  options.racks = 2;
  options.window = 2;
  options.perRack = 6;
  options.canary = 0;
  options.storm = 30min;
  const auto result = rehearseCampaign(options);
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_EQ(result.done, 36);
  EXPECT_EQ(result.wentBack, 36);
  EXPECT_EQ(result.forward.flashesInARack, 6) << "it uses its limit";
  EXPECT_GT(result.kills, 3);
}

TEST(CampaignLongOnce, AWindowThatAdmitsTooManyIsCaught) {
  log::setLevel(log::Level::Off);
  CampaignRehearsalOptions options;
  options.racks = 3;
  options.window = 1;
  options.canary = 0;
  options.mutation = Mutation::OverAdmit;
  EXPECT_THAT(rehearseCampaign(options).wrong,
              Contains(HasSubstr("2 racks were written at a time; the window is 1")));
}

}  // namespace
}  // namespace zellige
