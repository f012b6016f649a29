#include "controller/model/compliance.hpp"

#include <gmock/gmock.h>

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Baseline baselineOf(std::vector<Baseline::Component> components) {
  Baseline baseline{"b", {}};
  baseline.entries.push_back({"e", {}, {}, std::move(components), Activation::None, false});
  return baseline;
}

Inventory machine() {
  Inventory inventory;
  inventory.firmware = {{"HGX_FW_GPU_0", "97.00.1 ", true, false, false},
                        {"HGX_FW_GPU_1", "96", true, false, false},
                        {"FW_BMC_0", "", true, false, false},
                        {"FW_ERoT", "3", true, true, false}};
  return inventory;
}

TEST(Compliance, NamesWhatIsAtAnotherVersion) {
  const auto found = complianceOf(baselineOf({{"HGX_FW_GPU_*", "97.00.1"}}), machine());
  EXPECT_THAT(found.behind, ElementsAre(FirmwareDifference{"HGX_FW_GPU_1", "96", "97.00.1"}));
  EXPECT_THAT(found.unknown, IsEmpty());
  EXPECT_FALSE(found.holds());
  EXPECT_FALSE(found.knowsNothing);
}

TEST(Compliance, WhatTheMachineDoesNotTellIsNeitherBehindNorAsWanted) {
  const auto found = complianceOf(baselineOf({{"FW_BMC_0", "1"}, {"FW_ERoT", "3"}, {"CPLD_*", "2"}}),
                                  machine());
  EXPECT_THAT(found.behind, IsEmpty());
  EXPECT_THAT(found.unknown, ElementsAre("FW_BMC_0", "FW_ERoT", "CPLD_*"));
  EXPECT_FALSE(found.holds());
}

TEST(Compliance, ABaselineForOtherMachinesKnowsNothingOfThisOne) {
  EXPECT_TRUE(complianceOf(baselineOf({{"iDRAC", "7"}}), machine()).knowsNothing);
  EXPECT_TRUE(complianceOf(baselineOf({{"HGX_FW_GPU_0", "97.00.1"}}), machine()).holds());
}

}  // namespace
}  // namespace zellige
