// Tables: what was delivered against what was ordered, and numbers against limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "workflows/compare.hpp"
#include "workflows/judge.hpp"

namespace zellige::workflows {
namespace {

using testing::HasSubstr;

Component gpu(std::string name, std::string model, bool complete = true, bool sick = false) {
  return {ComponentKind::Gpu,
          name,
          "serial-" + name,
          std::move(model),
          "",
          complete,
          sick,
          complete && !sick ? "" : "why"};
}

struct Delivery {
  std::string name;
  std::vector<Component> parts;
  std::int64_t memory = 960;
  std::string serial = "S1";
  std::vector<std::string> causes;
};
void PrintTo(const Delivery& d, std::ostream* out) { *out << d.name; }

struct Compare : testing::TestWithParam<Delivery> {};
TEST_P(Compare, FindsWhatDiffers) {
  const auto& d = GetParam();
  Inventory found;
  found.serial = d.serial;
  found.memoryGiB = d.memory;
  found.components = d.parts;
  const Sku sku{"gb200", NodeKind::ComputeTray, 960, 0, {{ComponentKind::Gpu, 2, "GB200"}}};
  Node node;
  node.serial = "S1";
  std::vector<std::string> causes;
  for (const auto& difference : compare(found, sku, node)) {
    causes.push_back(difference.cause);
    EXPECT_FALSE(difference.detail.empty());
  }
  EXPECT_EQ(causes, d.causes);
}
INSTANTIATE_TEST_SUITE_P(
    Deliveries, Compare,
    testing::Values(
        Delivery{"as_ordered", {gpu("0", "NVIDIA GB200"), gpu("1", "NVIDIA GB200")}},
        Delivery{"more_than_ordered", {gpu("0", "GB200"), gpu("1", "GB200"), gpu("2", "B200")}},
        Delivery{"nothing", {}, 960, "S1", {"inventory.missing_part"}},
        Delivery{"one_missing", {gpu("0", "GB200")}, 960, "S1", {"inventory.missing_part"}},
        Delivery{"one_incomplete",
                 {gpu("0", "GB200"), gpu("1", "GB200", false)},
                 960,
                 "S1",
                 {"inventory.missing_part"}},
        Delivery{"one_wrong", {gpu("0", "GB200"), gpu("1", "B200")}, 960, "S1", {"inventory.wrong_part"}},
        Delivery{"one_wrong_one_incomplete",
                 {gpu("0", "B200"), gpu("1", "GB200", false)},
                 960,
                 "S1",
                 {"inventory.missing_part", "inventory.wrong_part"}},
        Delivery{
            "one_sick", {gpu("0", "GB200"), gpu("1", "GB200", true, true)}, 960, "S1", {"inventory.sick_part"}},
        Delivery{
            "little_memory", {gpu("0", "GB200"), gpu("1", "GB200")}, 480, "S1", {"inventory.missing_part"}},
        Delivery{"misplaced", {gpu("0", "GB200"), gpu("1", "GB200")}, 960, "S2", {"place.wrong_serial"}},
        Delivery{"serial_unknown", {gpu("0", "GB200"), gpu("1", "GB200")}, 960, "", {"place.wrong_serial"}}),
    [](const auto& info) { return info.param.name; });

Node theMachine() {
  Node node;
  node.serial = "S1";
  return node;
}
Inventory ofTheRightMachine() {
  Inventory found;
  found.serial = "S1";
  return found;
}

TEST(Compare, NamesTheIncompletePartAndWhatWasRead) {
  auto found = ofTheRightMachine();
  found.components = {gpu("GPU_3", "", false)};
  const auto differences = compare(found, {"s", NodeKind::ComputeTray, 0, 0, {{ComponentKind::Gpu, 1, ""}}},
                                   theMachine());
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_THAT(differences[0].detail, HasSubstr("GPU_3 (why)"));
}

TEST(Compare, LinesOfOneKindDoNotAccuseEachOthersParts) {
  const Component a{ComponentKind::Nic, "NIC_0", "s0", "ConnectX-7", "", true, false, ""};
  const Component b{ComponentKind::Nic, "NIC_1", "s1", "BlueField-3", "", true, false, ""};
  const Sku sku{
      "s", NodeKind::ComputeTray, 0, 0, {{ComponentKind::Nic, 1, ""}, {ComponentKind::Nic, 1, "ConnectX-7"}}};
  auto found = ofTheRightMachine();
  found.components = {a, b};
  EXPECT_TRUE(compare(found, sku, theMachine()).empty())
      << "the line for any model takes what the other leaves";
  found.components = {a};
  const auto differences = compare(found, sku, theMachine());
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].cause, "inventory.missing_part");
  EXPECT_EQ(differences[0].detail, "ordered 1 nic, found 0");
}

TEST(Compare, TellsAllThatHasOneCauseInOneDetail) {
  auto found = ofTheRightMachine();
  found.components = {gpu("GPU_0", "GB200", true, true), gpu("GPU_1", "GB200", true, true)};
  const auto differences = compare(found, {"s", NodeKind::ComputeTray, 0, {}}, theMachine());
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].cause, "inventory.sick_part");
  EXPECT_EQ(differences[0].detail, "gpu GPU_0: why; gpu GPU_1: why");
}

TEST(Compare, CallsNothingMissingThatCouldNotBeRead) {
  const Sku sku{"gb200", NodeKind::ComputeTray, 960, 0, {{ComponentKind::Gpu, 2, "GB200"}}};
  auto found = ofTheRightMachine();
  found.components = {gpu("GPU_0", "B200")};
  found.incomplete = "/redfish/v1/Systems/HGX_Baseboard_0: 503";
  const auto differences = compare(found, sku, theMachine());
  ASSERT_EQ(differences.size(), 1u);  // what was read is believed
  EXPECT_EQ(differences[0].cause, "inventory.wrong_part");
}

TEST(Compare, EvidenceRestsOnSerialPlaceAndPartsInOrder) {
  Inventory found;
  found.serial = "S1";
  found.components = {gpu("1", ""), gpu("0", "")};
  Node node;
  node.serial = "S1";
  node.place.path = "H1/R01";
  EXPECT_THAT(restsOnParts(found, node),
              testing::ElementsAre("gpu:0=serial-0", "gpu:1=serial-1", "place:H1/R01", "serial:S1"));
}

struct Judged {
  std::string name;
  bool required;
  std::vector<TestResult> results;
  bool passed;
  std::string why;
};
void PrintTo(const Judged& j, std::ostream* out) { *out << j.name; }

struct Judge : testing::TestWithParam<Judged> {};
TEST_P(Judge, HoldsNumbersAgainstLimits) {
  const auto& j = GetParam();
  Plan::Test test{"gemm", 30min, j.required, {}, {{"tflops", {100.0, {}}}, {"errors", {{}, 0.0}}}};
  const auto verdict = judge(test, j.results);
  EXPECT_EQ(verdict.passed, j.passed);
  EXPECT_THAT(verdict.why, HasSubstr(j.why));
  EXPECT_EQ(verdict.why.empty(), j.passed);
}
std::vector<TestResult> one(TestOutcome outcome, std::map<std::string, double> values,
                            std::string detail = "") {
  return {{"gemm", outcome, std::move(values), std::move(detail)}};
}
using enum TestOutcome;
INSTANTIATE_TEST_SUITE_P(
    Results, Judge,
    testing::Values(
        Judged{"good", true, one(Pass, {{"tflops", 120}, {"errors", 0}}), true, ""},
        Judged{"at_the_limit", true, one(Pass, {{"tflops", 100}, {"errors", 0}}), true, ""},
        Judged{"too_low", true, one(Pass, {{"tflops", 99}, {"errors", 0}}), false, "at least 100"},
        Judged{"too_high", true, one(Pass, {{"tflops", 120}, {"errors", 1}}), false, "at most 0"},
        Judged{"value_missing", true, one(Pass, {{"errors", 0}}), false, "tflops was not reported"},
        Judged{"not_a_number", true, one(Pass, {{"tflops", std::nan("")}, {"errors", 0}}), false,
               "not reported"},
        Judged{"infinite", true, one(Pass, {{"tflops", INFINITY}, {"errors", 0}}), false, "not reported"},
        Judged{"failed", false, one(Fail, {{"tflops", 120}, {"errors", 0}}, "ecc"), false, "ecc"},
        Judged{"skipped_required", true, one(Skipped, {}), false, "skipped, but the plan requires it"},
        Judged{"void_required", true, one(Void, {}), false, "void, but the plan requires it"},
        Judged{"skipped_optional", false, one(Skipped, {}), true, ""},
        Judged{"absent", true, {}, false, "no result"},
        Judged{"other_test", true, {{"cpu", Pass, {}, ""}}, false, "no result"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace zellige::workflows
