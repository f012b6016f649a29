// A run that is cancelled at any minute of the firmware steps, and a baseline that is another one when the next run
// begins: whatever the first one left is neither written again nor cut off, and nothing of it is left over.
#include <gtest/gtest.h>

#include "tests/workflows/retried_tray.hpp"

namespace zellige::test {
namespace {

struct Rebase {
  std::string name;
  void (*to)(RetriedTray&);  ///< before the next run
  std::string wanted;        ///< of FW_BMC_0 in the end; empty: whatever was written
  bool alone = false;        ///< the other package is not wanted any more
};
void PrintTo(const Rebase& change, std::ostream* out) { *out << change.name; }

void correct(RetriedTray& t, Activation activation) {
  t.target().digest = "corrected";
  t.target().baseline.entries.front().activation = activation;
}

std::vector<Rebase> changes() {
  return {{"SetBack", [](RetriedTray& t) { t.want("package-old", "1"); }, "1"},
          {"SetBackAlone",
           [](RetriedTray& t) {
             t.want("package-old", "1");
             t.target().baseline.entries.pop_back();
           },
           "1", true},
          {"SetBackAndReordered",
           [](RetriedTray& t) {
             t.want("package-old", "1");
             std::swap(t.target().baseline.entries.front(), t.target().baseline.entries.back());
           },
           "1"},
          {"NothingWanted",
           [](RetriedTray& t) {
             t.target().digest = "nothing";
             t.target().baseline.entries.clear();
           },
           "", true},
          {"Newer", [](RetriedTray& t) { t.want("package-newer", "3"); }, "3"},
          {"ShorterByOne",
           [](RetriedTray& t) {
             t.target().digest = "shorter";
             t.target().baseline.entries.erase(t.target().baseline.entries.begin());
           },
           ""},
          {"LongerByOne",
           [](RetriedTray& t) {
             t.target().digest = "longer";
             t.wantFirmware("nic", "FW_NIC_0", Activation::HostCycle);
           },
           "2"},
          {"LongerByOneThatRestarts",
           [](RetriedTray& t) {
             t.target().digest = "longer";
             t.wantFirmware("rot", "FW_ROT_0", Activation::BmcReset);
           },
           "2"},
          {"CorrectedToTheTraysPower", [](RetriedTray& t) { correct(t, Activation::AuxCycle); }, "2"},
          {"CorrectedToTheBmcsRestart", [](RetriedTray& t) { correct(t, Activation::BmcReset); }, "2"}};
}

class Rebased : public testing::TestWithParam<std::tuple<Kind, Rebase>> {};

TEST_P(Rebased, LeavesNothingBehind) {
  const auto& [kind, change] = GetParam();
  int cancelled = 0;
  for (auto after = 10s;; after += 50s) {
    RetriedTray t(kind);
    t.site.boot();
    t.id = t.start();
    t.cancelAfter(after);
    if (t.run().state != RunState::Cancelled) break;
    ++cancelled;
    SCOPED_TRACE(testing::Message() << "cancelled after " << after.count() << " s, in " << t.run().step);
    t.site.run(kind.between);
    change.to(t);
    t.startAgain();
    auto& tray = t.machine();
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(tray.duplicates, tray.needless) << testing::PrintToString(tray.writes);
    // Where neither a wanted version nor the BMC tells what became of it, it gets a cycle that it may not need.
    const bool told = kind.name == "AsRecorded" && !change.alone;
    EXPECT_LE(tray.needless, told ? 0 : 1) << testing::PrintToString(tray.writes);
    EXPECT_EQ(tray.interrupted, 0) << testing::PrintToString(tray.writes);
    EXPECT_LE(tray.count("push package-bmc"), 1);
    EXPECT_LE(tray.count("push package-hgx"), 1);
    EXPECT_FALSE(tray.writesNow());
    EXPECT_TRUE(tray.staged.empty()) << testing::PrintToString(tray.staged);
    EXPECT_EQ(tray.power, HostPower::On);
    if (!change.wanted.empty()) {
      EXPECT_EQ(tray.versions["FW_BMC_0"], change.wanted);
    }
    if (!change.alone) {
      EXPECT_EQ(tray.versions["HGX_FW_GPU_0"], "2");
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(cancelled, 10);
}

INSTANTIATE_TEST_SUITE_P(Baselines, Rebased,
                         testing::Combine(testing::ValuesIn(kinds()), testing::ValuesIn(changes())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
                         });

}  // namespace
}  // namespace zellige::test
