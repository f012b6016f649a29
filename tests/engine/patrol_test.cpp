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
  Task<Result<BmcIdentity>> identify() override {
    ++greetings;
    lastLook = site_.time.now();
    co_await sleepFor(site_.life->executor, exchange);
    if (broken && broken->code != Errc::Auth) co_return *broken;  // it is asked without signing in
    co_return BmcIdentity{};
  }
  std::optional<Error> broken;
  HostPower power = HostPower::On;
  Duration exchange = 100ms;
  int looks = 0;      ///< signed in
  int greetings = 0;  ///< without signing in
  Time lastLook{};
  Duration longestGap{0};

 private:
  Site& site_;
  Time previous_ = site_.time.now();
};

Task<Result<Seen>> busy(StepContext&) { co_return Seen::Busy; }
const std::vector<Step> kSteps{{.id = "wait", .title = "Wait", .look = busy, .deadline = 1000h}};
const Workflow kFlow{.name = "toy", .steps = kSteps, .kind = NodeKind::ComputeTray, .qualifies = true};
const Workflow kOther{.name = "other", .steps = kSteps};

struct Patrolled {
  explicit Patrolled(int nodes, Lifecycle lifecycle = Lifecycle::InService) : site({&kFlow, &kOther}) {
    for (int i = 0; i < nodes; ++i) addNode(lifecycle);
    reboot();
  }
  void reboot() {
    site.boot();
    patrol = std::make_unique<Patrol>(site.life->store, site.life->directory, site.life->executor,
                                      RoundsOptions{});
    site.life->executor.spawn(patrol->walk());
  }
  ~Patrolled() { site.kill(); }
  void addNode(Lifecycle lifecycle) {
    ids.push_back(site.add(std::make_unique<Resting>(site), "H1/R01/RK001", lifecycle));
    site.tables.nodes[ids.back()].bmc.address = "10.0.0.1";
  }
  void resolveAll() {
    for (auto& finding : site.tables.findings) finding.resolved = site.time.now();
  }
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

TEST(Patrol, TellsOfEveryNodeOfWhichItHasNews) {
  Patrolled p(2);
  std::vector<NodeId> news;
  p.patrol->onNews(
      [&](const std::vector<NodeId>& nodes) { news.insert(news.end(), nodes.begin(), nodes.end()); });
  p.site.run(30min);
  news.clear();
  p.machine(1).broken = unreachable();
  p.site.run(1h);
  EXPECT_THAT(news, ElementsAre(p.ids[1])) << "once, when it was lost";
  p.machine(1).broken.reset();
  p.site.run(1h);
  EXPECT_THAT(news, ElementsAre(p.ids[1], p.ids[1]));
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

TEST(Patrol, AHostThatIsOnAgainResolvesItsFinding) {
  Patrolled p(1);
  p.machine().power = HostPower::Off;
  p.site.run(15min);
  EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), ElementsAre("node.host_off"));
  p.machine().power = HostPower::On;
  p.site.run(10min);
  EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), IsEmpty());
  p.machine().power = HostPower::Off;
  p.site.run(10min);
  EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), ElementsAre("node.host_off")) << "and off once more";
}

TEST(Patrol, AFindingOfAnEarlierLifeIsResolvedToo) {
  Patrolled p(1);
  p.machine().power = HostPower::Off;
  p.site.run(15min);
  p.reboot();
  p.machine().power = HostPower::On;
  p.site.run(10min);
  EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), IsEmpty());
}

TEST(Patrol, RefusedCredentialsAreFoundOnceAndNotTriedAgain) {
  for (const auto lifecycle : {Lifecycle::Available, Lifecycle::InService}) {
    Patrolled p(1, lifecycle);
    p.machine().broken = Error{Errc::Auth, "user root: password refused twice", false, 401};
    p.site.run(24h);
    EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), ElementsAre("bmc.credentials"));
    EXPECT_EQ(p.site.tables.count("finding"), 1);
    EXPECT_EQ(p.machine().looks, 1) << "a wrong password every ten minutes locks the account";
    EXPECT_GT(p.machine().greetings, 100) << "whether it is there is still asked";
    EXPECT_FALSE(p.node().unreachableSince);
    EXPECT_EQ(p.node().lifecycle, lifecycle);

    p.resolveAll();  // a person entered another one, and that is wrong too
    p.site.run(10min);
    EXPECT_EQ(p.machine().looks, 2);
    EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), ElementsAre("bmc.credentials"));
    p.resolveAll();
    p.machine().broken.reset();
    p.site.run(1h);
    EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), IsEmpty());
    EXPECT_GT(p.machine().looks, 6);
  }
}

TEST(Patrol, NoSecondGuessAfterARestartEither) {
  Patrolled p(1);
  p.machine().broken = Error{Errc::Auth, "user root: password refused twice", false, 401};
  p.site.run(15min);
  p.reboot();
  p.site.run(2h);
  EXPECT_EQ(p.machine().looks, 1);
}

TEST(Patrol, AnotherCertificateIsFoundOnceAndIsContact) {
  Patrolled p(1);
  p.machine().broken = failure("bmc.certificate_changed", "10.0.0.1 shows another certificate than before");
  p.site.run(2h);
  EXPECT_THAT(p.site.tables.openCauses(p.ids[0]), ElementsAre("bmc.certificate_changed"));
  EXPECT_EQ(p.site.tables.count("finding"), 1);
  EXPECT_EQ(p.machine().looks, 1);
  EXPECT_FALSE(p.node().unreachableSince);
}

TEST(Patrol, ANodeThatIsNotReadyIsAskedWithoutSigningIn) {
  for (const auto lifecycle : {Lifecycle::Discovered, Lifecycle::Qualifying, Lifecycle::Sanitising,
                               Lifecycle::Quarantined, Lifecycle::Repair}) {
    Patrolled p(1, lifecycle);
    p.machine().broken = unreachable();
    p.site.run(20min);
    EXPECT_TRUE(p.node().unreachableSince) << nameOf(lifecycle);
    p.machine().broken.reset();
    p.site.run(10min);
    EXPECT_FALSE(p.node().unreachableSince) << nameOf(lifecycle);
    EXPECT_EQ(p.machine().looks, 0) << nameOf(lifecycle);
    EXPECT_THAT(p.site.tables.findings, IsEmpty());
  }
}

TEST(Patrol, LeavesAloneWhatNobodyOrderedOrWhatIsNotThere) {
  for (const auto lifecycle : {Lifecycle::Planned, Lifecycle::Unlisted, Lifecycle::Retired}) {
    Patrolled p(1, lifecycle);
    p.site.run(1h);
    EXPECT_EQ(p.machine().looks + p.machine().greetings, 0) << nameOf(lifecycle);
  }
  Patrolled p(1);
  p.site.tables.nodes[p.ids[0]].bmc.address.clear();
  p.site.run(1h);
  EXPECT_EQ(p.machine().looks, 0);
}

TEST(Patrol, ANewNodeWaitsAtMostOnePeriod) {
  for (auto when = 0min; when < 10min; when += 1min) {
    Patrolled p(20);
    p.site.run(when + 1s);
    for (int i = 0; i < 20; ++i) p.addNode(Lifecycle::InService);
    p.site.run(10min);
    for (std::size_t i = 20; i < 40; ++i) EXPECT_GT(p.machine(i).looks, 0) << i << ", after " << when.count();
  }
}

TEST(Patrol, SpreadsItsLooksOverTheRound) {
  Patrolled p(1'000);
  p.site.run(10min);
  std::map<std::int64_t, int> inMinute;
  for (std::size_t i = 0; i < 1'000; ++i) ++inMinute[toMillis(p.machine(i).lastLook) / 60'000];
  for (const auto& [minute, looks] : inMinute) EXPECT_LE(looks, 130) << minute;
}

TEST(Patrol, AnAvailableHostMayBeOff) {
  Patrolled p(1, Lifecycle::Available);
  p.machine().power = HostPower::Off;
  p.site.run(1h);
  EXPECT_THAT(p.site.tables.findings, IsEmpty());
}

TEST(Patrol, LeavesNodesWithARunAlone) {
  Patrolled p(2);
  p.site.start("other", {p.ids[0]});
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
  p.site.start("other", {p.ids[0]});
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
  Intake intake(site.life->store, site.engine(), site.life->executor);
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
  Intake intake(site.life->store, site.engine(), site.life->executor);
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
  Intake intake(site.life->store, site.engine(), site.life->executor);
  std::vector<int> started;
  site.life->executor.spawn(sweepInto(intake, started));
  site.run(1min);
  EXPECT_THAT(started, ElementsAre(1));
  site.kill();
}

}  // namespace
}  // namespace zellige::test
