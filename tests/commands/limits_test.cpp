// What is scarce, held against what the machines were really doing at a time, by code that is not the scheduler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/base/random.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"

namespace zellige {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// Two racks of nine trays whose budgets are all smaller than what is wanted.
VirtualSiteOptions scarce() {
  log::setLevel(log::Level::Off);
  VirtualSiteOptions options;
  options.fleet.trays = 18;
  options.fleet.traysPerRack = 9;
  options.engine.budgets = {.uploads = 1, .flashes = 7, .flashesPerRack = 4, .imageStreams = 3};
  return options;
}

TEST(Limits, AreUsedToTheFullAndNeverExceeded) {
  Scratch scratch;
  VirtualSite site(scratch.path(), scarce());
  ASSERT_TRUE(site.run(48h));
  const auto end = endOf(site);
  EXPECT_EQ(end.available, 18);
  EXPECT_THAT(end.wrongEndStates, IsEmpty());
  EXPECT_EQ(end.budgetViolations, 0);
  const auto peak = site.fleet().peak();
  EXPECT_EQ(peak.uploads, 1);
  EXPECT_EQ(peak.flashes, 7);
  EXPECT_EQ(peak.flashesInARack, 4);
  EXPECT_EQ(peak.imageWrites, 3);
}

TEST(Limits, AreHeldWhileTheControllerDies) {
  Scratch scratch;
  auto options = scarce();
  options.storm = 10min;
  VirtualSite site(scratch.path(), options);
  ASSERT_TRUE(site.run(48h));
  EXPECT_GT(site.kills(), 3);
  EXPECT_THAT(endOf(site).wrongEndStates, IsEmpty());
}

TEST(Limits, ASchedulerThatAdmitsTooManyIsCaught) {
  Scratch scratch;
  auto options = scarce();
  options.engine.mutation = Mutation::OverAdmit;
  VirtualSite site(scratch.path(), options);
  ASSERT_TRUE(site.run(48h));
  const auto wrong = endOf(site).wrongEndStates;
  EXPECT_EQ(endOf(site).budgetViolations, 4);
  for (const auto* what : {"uploads at a time", "flashes at a time in the site",
                           "flashes at a time in a rack", "image streams at a time"})
    EXPECT_THAT(wrong, Contains(HasSubstr(what)));
}

/// Two trays of 5,400 W at a time, and full in no less than five minutes.
VirtualSiteOptions limitedPower() {
  VirtualSiteOptions options;
  options.fleet.trays = 8;
  options.engine.budgets.power = {{"", 11'000, 2'200}, {"H1", 12'000, 4'000}};
  return options;
}

TEST(Limits, StressIsLeasedWithinItsWattsAndItsRamps) {
  Scratch scratch;
  VirtualSite site(scratch.path(), limitedPower());
  ASSERT_TRUE(site.run(48h));
  const auto end = endOf(site);
  EXPECT_TRUE(end.good()) << testing::PrintToString(end.wrongEndStates);
  EXPECT_EQ(end.available, 8);
  const auto peak = site.fleet().power("");
  EXPECT_NEAR(peak.watts, 10'800, 1) << "two of 5,400 W at a time, never three";
  EXPECT_GT(peak.risePerMinute, 1'000);
  EXPECT_GT(peak.fallPerMinute, 1'000);
  EXPECT_LE(peak.risePerMinute, 2'200);
  EXPECT_LE(peak.fallPerMinute, 2'200);
}

// Nobody renews the leases: the agents go back to idle by themselves, and finish when the controller is back.
TEST(Limits, ADeadControllerBreaksNoRampAndNothingIsBurntInTwice) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Scratch scratch;
    auto options = limitedPower();
    options.fleet.seed = seed;
    options.restartAfter = 15min;
    VirtualSite site(scratch.path(), options);
    Random random(seed);
    const auto stressed = [&] { return site.fleet().power("").watts > 10'000; };
    for (int i = 0; i < 1'000 && !stressed(); ++i) site.runFor(1min);
    ASSERT_TRUE(stressed());
    for (int death = 0; death < 4; ++death) {
      site.runFor(Duration{random.between(1, std::int64_t{30} * 60'000)});
      site.kill();
    }
    ASSERT_TRUE(site.run(96h));
    const auto end = endOf(site);
    EXPECT_TRUE(end.good()) << testing::PrintToString(end.wrongEndStates)
                            << testing::PrintToString(end.unexpected);
    EXPECT_EQ(end.available, 8);
    EXPECT_EQ(end.budgetViolations, 0);
    EXPECT_THAT(end.duplicates, IsEmpty());
    EXPECT_GE(site.kills(), 2) << "one that comes while it is down kills nobody";
  }
}

TEST(Limits, ASchedulerThatLeasesTooManyWattsIsCaught) {
  Scratch scratch;
  auto options = limitedPower();
  options.engine.mutation = Mutation::OverAdmit;
  VirtualSite site(scratch.path(), options);
  ASSERT_TRUE(site.run(48h));
  EXPECT_THAT(endOf(site).wrongEndStates, Contains(HasSubstr("W above idle in the site")));
}

// What a cancelled run had begun draws on until its lease is over: nobody else gets its watts before.
TEST(Limits, ACancelledBurnInKeepsItsWattsUntilTheMachineIsIdle) {
  Scratch scratch;
  VirtualSite site(scratch.path(), limitedPower());
  const auto stressed = [&] { return site.fleet().power("").watts > 10'000; };
  for (int i = 0; i < 1'000 && !stressed(); ++i) site.runFor(1min);
  ASSERT_TRUE(stressed());
  int cancelled = 0;
  for (const auto& run : site.store().unfinishedRuns())
    if (run.step == "burnin.run" && run.waitsFor.find("power") == std::string::npos) {
      site.spawn([](Engine& engine, RunId id, int& done) -> Task<void> {
        if (co_await engine.cancel(id, "amina", "a rehearsal")) ++done;
      }(site.plane().engine(), run.id, cancelled));
    }
  site.run(48h);
  EXPECT_GE(cancelled, 1);
  EXPECT_EQ(endOf(site).budgetViolations, 0) << testing::PrintToString(endOf(site).wrongEndStates);
  EXPECT_NEAR(site.fleet().power("").watts, 10'800, 1);
}

}  // namespace
}  // namespace zellige
