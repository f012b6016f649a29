// The proofs by killing, in process: few enough points for every run of the suite; `zellige killsweep` does them all.
#include "controller/commands/killsweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"

namespace zellige {
namespace {

class KillSweepLong : public testing::Test {
 protected:
  KillSweepLong() { log::setLevel(log::Level::Off); }
  static commands::KillSweepOptions of(std::string workflow, int every) {
    commands::KillSweepOptions options;
    options.workflow = std::move(workflow);
    options.every = every;
    return options;
  }
  static void expectClean(const KillSweep& sweep) {
    EXPECT_EQ(sweep.duplicates, 0);
    EXPECT_EQ(sweep.wrongEndStates, 0);
    EXPECT_THAT(sweep.examples, testing::IsEmpty());
  }
};

using KillSweepLongOnce = KillSweepLong;

// 13, and 9 below, have no factor in common with the pattern in which points come (before and after each send and commit).
TEST_F(KillSweepLong, QualifySurvivesEveryThirteenthPoint) {
  const auto sweep = sweepCrashPoints(of("qualify", 13));
  EXPECT_GT(sweep.points, 500u);
  EXPECT_GT(sweep.runs, 50);
  expectClean(sweep);
}

TEST_F(KillSweepLong, ASmallRackSurvivesEveryNinthPoint) {
  const auto sweep = sweepCrashPoints(of("bring_up", 9));
  EXPECT_GT(sweep.points, 800u);
  EXPECT_GT(sweep.runs, 80);
  expectClean(sweep);
}

TEST_F(KillSweepLong, PowerSurvivesEveryPoint) {
  const auto sweep = sweepCrashPoints(of("power", 1));
  EXPECT_GT(sweep.points, 20u);
  EXPECT_GT(sweep.runs, 20);
  expectClean(sweep);
}

TEST_F(KillSweepLong, QualifySurvivesTwoCrashes) {
  auto options = of("qualify", 1'000'000);
  options.pairs = 20;
  const auto sweep = sweepCrashPoints(options);
  EXPECT_EQ(sweep.runs, 22);
  expectClean(sweep);
}

// About one point in twelve lies between an act and the look that must come before the next.
TEST_F(KillSweepLongOnce, AnEngineThatActsWithoutLookingIsCaught) {
  auto options = of("qualify", 7);
  options.mutate = "skip-look";
  EXPECT_GT(sweepCrashPoints(options).duplicates, 0);
}

TEST_F(KillSweepLongOnce, AnEngineThatDoesNotLetThingsSettleIsCaught) {
  auto options = of("qualify", 7);
  options.mutate = "no-settle";
  EXPECT_GT(sweepCrashPoints(options).duplicates, 0);
}

TEST(KillSweep, RefusesWhatItDoesNotKnow) {
  commands::KillSweepOptions options;
  options.mutate = "everything";
  EXPECT_THROW(sweepCrashPoints(options), std::invalid_argument);
  options.mutate = "none";
  options.workflow = "nothing";
  EXPECT_THROW(sweepCrashPoints(options), std::invalid_argument);
}

}  // namespace
}  // namespace zellige
