// The cheap look at resting nodes, and the intake of those that arrive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/engine/intake.hpp"
#include "controller/engine/patrol.hpp"
#include "tests/engine/toy.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Resting final : public NoBmc {
 public:
  explicit Resting(Site& site) : site_(site) {}
  Task<Result<HostState>> host() override {
    ++looks;
    lastLook = site_.time.now();
    longestGap = std::max(longestGap, lastLook - previous_);
    previous_ = lastLook;
    co_await sleepFor(site_.life->executor, exchange);
    if (broken) co_return *broken;
    co_return HostState{power, "", ""};
  }
  std::optional<Error> broken;
  HostPower power = HostPower::On;
  Duration exchange = 100ms;
  int looks = 0;
  Time lastLook{};
  Duration longestGap{0};

 private:
  Site& site_;
  Time previous_ = site_.time.now();
};

Task<Result<Seen>> busy(StepContext&) { co_return Seen::Busy; }
const std::vector<Step> kSteps{{.id = "wait", .title = "Wait", .look = busy, .deadline = 1000h}};
const Workflow kFlow{.name = "toy", .steps = kSteps};

struct Patrolled {
  explicit Patrolled(int nodes, Lifecycle lifecycle = Lifecycle::InService) : site({&kFlow}) {
    for (int i = 0; i < nodes; ++i)
      ids.push_back(site.add(std::make_unique<Resting>(site), "H1/R01/RK001", lifecycle));
    site.boot();
    patrol = std::make_unique<Patrol>(site.life->store, site.life->directory, site.life->executor,
                                      PatrolOptions{});
    site.life->executor.spawn(patrol->walk());
  }
  ~Patrolled() { site.kill(); }
  Resting& machine(std::size_t i = 0) { return static_cast<Resting&>(*site.machines.at(ids[i])); }
  const Node& node(std::size_t i = 0) { return site.tables.nodes.at(ids[i]); }
  Site site;
  std::vector<NodeId> ids;
  std::unique_ptr<Patrol> patrol;
};

TEST(Patrol, LooksAtEveryRestingNodeInEveryPeriod) {
  Patrolled p(200);
  p.site.run(1h);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_GE(p.machine(i).looks, 6);
    EXPECT_LE(p.machine(i).longestGap, 10min + 1s);
  }
}

TEST(Patrol, FindsContactLostAfterTwoMissedLooksAndRegainedAfterOne) {
  Patrolled p(1);
  p.machine().broken = unreachable();
  p.site.run(5min);
  EXPECT_FALSE(p.node().unreachableSince);
  p.site.run(10min);
  EXPECT_TRUE(p.node().unreachableSince);
  p.site.run(1h);
  EXPECT_EQ(p.site.tables.count("contact"), 1);
  EXPECT_THAT(p.site.tables.findings, IsEmpty());
  p.machine().broken.reset();
  p.site.run(10min);
  EXPECT_FALSE(p.node().unreachableSince);
}

TEST(Patrol, ABmcThatIsBusyIsNotLost) {
  Patrolled p(1);
  p.machine().broken = Error{Errc::Busy, "503"};
  p.site.run(1h);
  EXPECT_FALSE(p.node().unreachableSince);
}

TEST(Patrol, AHostInServiceThatWentOffIsFoundOnce) {
  Patrolled p(1);
  p.site.run(15min);
  p.machine().power = HostPower::Off;
  p.site.run(2h);
  EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), ElementsAre("node.host_off"));
  EXPECT_EQ(p.site.tables.count("finding"), 1) << "not one event every ten minutes";
  EXPECT_EQ(p.node().lifecycle, Lifecycle::InService);
}

TEST(Patrol, AnAvailableHostMayBeOff) {
  Patrolled p(1, Lifecycle::Available);
  p.machine().power = HostPower::Off;
  p.site.run(1h);
  EXPECT_THAT(p.site.tables.findings, IsEmpty());
}

TEST(Patrol, LeavesNodesWithARunAlone) {
  Patrolled p(2);
  p.site.start("toy", {p.ids[0]});
  p.site.run(15min);
  const auto looks = p.machine(0).looks;
  p.site.run(1h);
  EXPECT_EQ(p.machine(0).looks, looks);
  EXPECT_GT(p.machine(1).looks, 5);
}

TEST(Patrol, SaysNothingAboutANodeThatARunTookMeanwhile) {
  Patrolled p(1);
  p.machine().broken = unreachable();
  p.machine().exchange = 30s;  // a timeout
  ASSERT_TRUE(p.site.runUntil([&] { return p.machine().looks == 2; }, 30min));
  p.site.start("toy", {p.ids[0]});
  p.site.rested.clear();
  p.site.run(5min);
  EXPECT_FALSE(p.node().unreachableSince);
  EXPECT_THAT(p.site.rested, IsEmpty());
}

Task<void> sweepInto(Intake& intake, std::vector<int>& out) { out.push_back(co_await intake.sweep()); }

TEST(Intake, StartsOneRunForEveryNodeThatArrivedAndHasAProfile) {
  Site site({&kFlow});
  for (const auto lifecycle : {Lifecycle::Planned, Lifecycle::Discovered, Lifecycle::Available,
                               Lifecycle::Unlisted, Lifecycle::Planned})
    site.add(std::make_unique<Resting>(site), "H1/R01/RK001", lifecycle);
  for (auto& [id, node] : site.tables.nodes) node.profile = "p";
  site.tables.nodes[NodeId{5}].profile.clear();
  site.tables.profiles["p"].digest = "abc";
  site.boot();
  Intake intake(site.life->store, site.engine(), site.life->executor, "toy");
  std::vector<int> started;
  site.life->executor.spawn(sweepInto(intake, started));
  site.life->executor.spawn(sweepInto(intake, started));  // an import at the same time
  site.run(1min);
  ASSERT_EQ(started.size(), 2u);
  EXPECT_EQ(started[0] + started[1], 2);
  EXPECT_EQ(site.tables.runs.size(), 2u);
  EXPECT_EQ(site.tables.runs.begin()->second.target, "abc");
  site.kill();
}

TEST(Intake, TakesUpWhatACrashLeftWithoutARunButNotWhatAPersonCancelled) {
  Site site({&kFlow});
  for (int i = 0; i < 2; ++i)
    site.add(std::make_unique<Resting>(site), "H1/R01/RK001", Lifecycle::Qualifying);
  for (auto& [id, node] : site.tables.nodes) node.profile = "p";
  site.tables.profiles["p"].digest = "abc";
  zellige::Run cancelled;
  cancelled.id = RunId{1};
  cancelled.workflow = "toy";
  cancelled.subject = {NodeId{2}};
  cancelled.state = RunState::Cancelled;
  site.tables.runs[cancelled.id] = cancelled;
  site.tables.nextRun = 2;
  site.boot();
  Intake intake(site.life->store, site.engine(), site.life->executor, "toy");
  std::vector<int> started;
  site.life->executor.spawn(sweepInto(intake, started));
  site.run(1min);
  EXPECT_THAT(started, ElementsAre(1));
  EXPECT_THAT(site.tables.runs.rbegin()->second.subject, ElementsAre(NodeId{1}));
  site.kill();
}

TEST(Intake, ANodeWhoseProfileIsUnknownDoesNotKeepOthersWaiting) {
  Site site({&kFlow});
  for (int i = 0; i < 2; ++i) site.add(std::make_unique<Resting>(site), "H1/R01/RK001", Lifecycle::Planned);
  site.tables.nodes[NodeId{1}].profile = "nothing";
  site.tables.nodes[NodeId{2}].profile = "p";
  site.tables.profiles["p"].digest = "abc";
  site.boot();
  Intake intake(site.life->store, site.engine(), site.life->executor, "toy");
  std::vector<int> started;
  site.life->executor.spawn(sweepInto(intake, started));
  site.run(1min);
  EXPECT_THAT(started, ElementsAre(1));
  site.kill();
}

}  // namespace
}  // namespace zellige::test
