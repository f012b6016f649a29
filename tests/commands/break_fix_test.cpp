// Break-fix in an accepted rack: what is swapped is shown again, with what rested on it, and nothing else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/simulation.hpp"
#include "controller/commands/site_end.hpp"
#include "controller/site/bundle.hpp"
#include "web/api/keep.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kRack = "H1/R01/RK001";

class BreakFix : public testing::Test {
 protected:
  BreakFix() : site_((log::setLevel(log::Level::Off), scratch_.path()), oneRack()) {
    if (!site_.run(48h) || site_.store().rack(kRack)->state != RackState::Accepted)
      throw std::runtime_error("the rack did not come up");
    before_ = site_.store().queries()->runs({}, {}, 500).runs.front().id;
    lastEvidence_ = evidence();
  }

  static VirtualSiteOptions oneRack() {
    VirtualSiteOptions options;
    sim::fillRacks(options.fleet, 1);
    return options;
  }

  NodeId nodeOf(int machine) {
    return site_.store().nodeBySerial(site_.fleet().serial({machine})).value_or(NodeId{});
  }
  template <class T>
  Result<T> wait(Task<Result<T>> task) {
    std::optional<Result<T>> out;
    site_.spawn(keep(std::move(task), out));
    for (int i = 0; !out && i < 1'000; ++i) site_.runFor(10ms);
    return std::move(*out);
  }
  template <class T>
  static Task<void> keep(Task<Result<T>> task, std::optional<Result<T>>& out) {
    out.emplace(co_await task);
  }
  /// As POST /nodes/{serial}/lifecycle does.
  void move(NodeId node, Lifecycle to) {
    Change change{site_.now(), "amina", {}};
    change.ops.emplace_back(
        MoveLifecycle{node, site_.store().node(node)->lifecycle, to, Actor::Operator, "swap", {}});
    const auto moved = wait(site_.store().commit(std::move(change)));
    ASSERT_TRUE(moved) << moved.error().what;
    site_.plane().bringUp().look({node});
    site_.plane().campaigns().look({node});
    site_.plane().takeIn();
  }
  void import(const std::string& manifest) {
    const auto file = scratch_.path() / "swap.yaml";
    std::ofstream(file) << manifest;
    Known known;
    known.skus["gb200-nvl-compute"] = NodeKind::ComputeTray;
    known.profiles["gb200-sim"] = "gb200-nvl-compute";
    auto reading = readBundle({file}, known);
    const auto* problems = std::get_if<std::vector<Problem>>(&reading);
    ASSERT_FALSE(problems) << describe(problems->front());
    auto bundle = api::keepBundle(std::get<SiteBundle>(std::move(reading)), site_.store().content());
    ASSERT_TRUE(bundle);
    const auto imported = wait(site_.store().importSite(std::move(*bundle), {"amina", "a new tray"}));
    ASSERT_TRUE(imported) << imported.error().what;
    site_.plane().sweep();
  }
  bool runToAccepted(Duration horizon) {
    const auto end = site_.now() + horizon;
    while (site_.now() < end) {
      site_.runFor(10s);
      if (site_.store().rack(kRack)->state == RackState::Accepted) return true;
    }
    return false;
  }

  using Shown = std::map<std::pair<std::string, std::string>, Time>;  ///< by place and subject
  Shown evidence() {
    Shown out;
    for (const auto& node : site_.store().nodesOfRack(kRack))
      if (node.lifecycle != Lifecycle::Retired)
        for (const auto& e : site_.store().validEvidence(node.id)) out[{node.place.path, e.subject}] = e.at;
    return out;
  }
  /// "U12 burnin/gpu_gemm": what was shown anew since the rack was first accepted; what is of all members "domain of 27".
  std::vector<std::string> shownAnew() {
    std::vector<std::string> out;
    std::map<std::string, int> ofAll;
    for (const auto& [what, at] : evidence()) {
      const auto was = lastEvidence_.find(what);
      if (was != lastEvidence_.end() && was->second == at) continue;
      if (what.second.starts_with("domain"))
        ++ofAll[what.second];
      else
        out.push_back(what.first.substr(kRack.size() + 1) + " " + what.second);
    }
    for (const auto& [subject, members] : ofAll) out.push_back(fmt::format("{} of {}", subject, members));
    return out;
  }
  /// "qualify", "qualify_domain": the runs since then, in their order.
  std::vector<std::string> runsSince() {
    std::vector<std::string> out;
    for (const auto& row : site_.store().queries()->runs({}, {}, 500).runs)
      if (row.id > before_) out.insert(out.begin(), row.workflow);
    return out;
  }

  Scratch scratch_;
  VirtualSite site_;
  RunId before_;
  Shown lastEvidence_;
};

TEST_F(BreakFix, ASwappedTrayIsShownAllAnewAndTheDomainWithIt) {
  const auto old = nodeOf(3);
  const auto place = site_.store().node(old)->place.path;
  move(old, Lifecycle::Retired);
  site_.runFor(1min);
  EXPECT_EQ(site_.store().rack(kRack)->state, RackState::Degraded);
  site_.fleet().swap({3});
  import(site_.fleet().manifest({3}));
  const auto began = site_.now();
  ASSERT_TRUE(runToAccepted(6h)) << site_.plane().bringUp().waitsFor(kRack);
  const auto fresh = nodeOf(3);
  EXPECT_NE(fresh, old);
  EXPECT_EQ(site_.store().node(fresh)->place.path, place);
  EXPECT_THAT(runsSince(), ElementsAre("check_leaks", "qualify", "qualify_domain", "burn_in_domain"));
  EXPECT_THAT(shownAnew(), UnorderedElementsAre("U13 leaks", "U13 inventory", "U13 settings", "U13 firmware",
                                                "U13 image", "U13 burnin/cpu", "U13 burnin/memory",
                                                "U13 burnin/disk", "U13 burnin/gpu_gemm", "U13 burnin/nvlink",
                                                "domain of 27", "domain_burnin of 27"));
  const auto took = site_.now() - began;
  const auto path = site_.fleet().busyUnion({3}).total + kMandatoryWaits;
  RecordProperty("took_s", static_cast<int>(took / 1s));
  EXPECT_LE(took, path * 12 / 10) << took / 1s << " s against " << path / 1s << " s";
  const auto end = endOf(site_);
  EXPECT_TRUE(end.good()) << testing::PrintToString(end.unexpected)
                          << testing::PrintToString(end.wrongEndStates);
  EXPECT_THAT(end.duplicates, IsEmpty());
}

TEST_F(BreakFix, ASwappedGpuIsShownAnewWithWhatRestedOnItAndNothingElse) {
  const auto node = nodeOf(5);
  const auto flashes = site_.fleet().groundTruth({5}).flashes;
  const auto before = site_.fleet().busyUnion({5}).total;
  move(node, Lifecycle::Repair);
  site_.fleet().swapGpu({5}, 2);
  move(node, Lifecycle::Qualifying);
  const auto began = site_.now();
  ASSERT_TRUE(runToAccepted(6h)) << site_.plane().bringUp().waitsFor(kRack);
  EXPECT_EQ(site_.store().node(node)->lifecycle, Lifecycle::Available);
  EXPECT_THAT(runsSince(), ElementsAre("qualify", "qualify_domain", "burn_in_domain"));
  EXPECT_THAT(shownAnew(), UnorderedElementsAre("U15 inventory", "U15 settings", "U15 firmware", "U15 image",
                                                "U15 burnin/gpu_gemm", "U15 burnin/nvlink", "domain of 27",
                                                "domain_burnin of 27"))
      << "settings, firmware and image were read again";
  std::set<std::string> acts;
  for (const auto& entry : site_.fleet().ledger().entriesOf(5))
    if (entry.at >= began) acts.insert(std::string(nameOf(entry.kind)));
  EXPECT_THAT(acts, ElementsAre("burn_in", "reset", "session")) << "and nothing but the tests was done again";
  EXPECT_EQ(site_.fleet().groundTruth({5}).flashes, flashes) << "its firmware was not written again";
  const auto took = site_.now() - began;
  const auto path = site_.fleet().busyUnion({5}).total - before + kMandatoryWaits;
  RecordProperty("took_s", static_cast<int>(took / 1s));
  EXPECT_LE(took, path * 12 / 10) << took / 1s << " s against " << path / 1s << " s";
  EXPECT_TRUE(endOf(site_).good());
}

}  // namespace
}  // namespace zellige
