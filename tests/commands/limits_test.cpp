// What is scarce, held against what the machines were really doing at a time, by code that is not the scheduler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
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

}  // namespace
}  // namespace zellige
