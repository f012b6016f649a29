// Racks of toys: in which order they come up, what they wait for, and what a crash leaves.
#include "controller/engine/bring_up.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/no_bmc.hpp"
#include "tests/engine/site.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kPlace = "H1/R01/RK001";

// What a machine does when its workflow looks at it; the log says who was looked at, in order.
class Member final : public NoBmc {
 public:
  explicit Member(Site& site) : site_(site) {}
  Duration takes = 1min;
  bool sick = false;
  Task<Result<Seen>> look() {
    co_await sleepFor(site_.life->executor, takes);
    if (sick) co_return failure("inventory.sick_part", "it is sick");
    co_return Seen::Done;
  }

 private:
  Site& site_;
};

Member& memberOf(StepContext& context) { return static_cast<Member&>(context.bmc()); }

Task<Result<Seen>> lookQualified(StepContext& context) {
  const auto seen = co_await memberOf(context).look();
  if (!seen || *seen != Seen::Done) co_return seen;
  const auto& node = context.node();
  context.leave(PutEvidence{{node.id, context.run().id, "all", "{}", {}, context.now()}});
  MoveLifecycle move{node.id, node.lifecycle, Lifecycle::Available, Actor::Engine, "", {"all"}};
  context.leave(std::move(move));
  co_return Seen::Done;
}

Task<Result<Seen>> lookShown(StepContext& context) {
  const auto seen = co_await memberOf(context).look();
  if (!seen || *seen != Seen::Done) co_return seen;
  for (const auto& node : context.nodes()) {
    Evidence evidence{node.id, context.run().id, context.run().workflow, "{}", {}, context.now()};
    context.leave(PutEvidence{std::move(evidence)});
  }
  co_return Seen::Done;
}

constexpr Lifecycle kWhole[] = {Lifecycle::Available};
constexpr Lifecycle kFresh[] = {Lifecycle::Qualifying};
const std::vector<Step> kQualifies{{.id = "all", .title = "All", .look = lookQualified}};
const std::vector<Step> kShows{{.id = "show", .title = "Show", .look = lookShown}};
const Workflow kQualify{.name = "qualify",
                        .steps = kQualifies,
                        .kind = NodeKind::ComputeTray,
                        .qualifies = true,
                        .startsIn = kFresh};
const Workflow kDry{.name = "dry", .steps = kShows, .startsIn = kFresh, .shows = "dry"};
const Workflow kDomain{.name = "domain", .steps = kShows, .startsIn = kWhole, .shows = "domain"};
const Workflow kBlind{.name = "blind", .steps = kShows};

struct RackOfToys {
  explicit RackOfToys(int trays = 3) : site({&kQualify, &kDry, &kDomain, &kBlind}) {
    for (int i = 0; i < trays; ++i) addTray(i);
    auto& recipe = site.tables.recipes["r"];
    recipe.name = "r";
    recipe.members[NodeKind::ComputeTray] = trays;
    recipe.stages = {{"dry", "dry", {NodeKind::ComputeTray}, {}, false, {}},
                     {"trays", "qualify", {NodeKind::ComputeTray}, {"dry"}, false, {}},
                     {"domain", "domain", {NodeKind::ComputeTray}, {"trays"}, true, {}}};
    site.tables.racks[kPlace] = {kPlace, "r", RackState::Installing, {}};
    site.tables.profiles["p"].digest = "abc";
  }
  ~RackOfToys() { site.kill(); }
  NodeId addTray(int i) {
    const auto id = site.add(std::make_unique<Member>(site), fmt::format("{}/U{}", kPlace, 10 + i));
    site.tables.nodes[id].profile = "p";
    return id;
  }
  void boot() {
    bringUp.reset();
    site.boot();
    bringUp = std::make_unique<BringUp>(site.life->store, site.engine(), site.life->executor);
    site.engine().onEnd([this](const std::vector<NodeId>& subject) { bringUp->look(subject.front()); });
    bringUp->sweep();
  }
  Member& member(int i) { return static_cast<Member&>(*site.machines.at(NodeId{i + 1})); }
  Node& node(int i) { return site.tables.nodes.at(NodeId{i + 1}); }
  RackState state() const { return site.tables.racks.at(kPlace).state; }
  bool runToAccepted(Duration horizon = 10h) {
    return site.runUntil([&] { return state() == RackState::Accepted; }, horizon);
  }
  /// "dry 1": workflow and first node, in the order in which they began.
  std::vector<std::string> began() const {
    std::vector<std::string> out;
    for (const auto& [id, run] : site.tables.runs)
      out.push_back(fmt::format("{} {}", run.workflow, run.subject.front().value));
    return out;
  }

  Site site;
  std::unique_ptr<BringUp> bringUp;
};

TEST(BringUp, GoesFromStageToStageWhenAllHavePassed) {
  RackOfToys rack;
  rack.member(1).takes = 1h;
  rack.boot();
  rack.site.run(30min);
  EXPECT_EQ(rack.state(), RackState::BringUp);
  EXPECT_THAT(rack.began(), UnorderedElementsAre("dry 1", "dry 2", "dry 3"))
      << "the others wait for the second";
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "stage dry: 2 of 3 passed, 1 under way, 0 out");
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.site.tables.runs.size(), 7u);
  const auto& last = rack.site.tables.runs.rbegin()->second;
  EXPECT_EQ(last.workflow, "domain");
  EXPECT_THAT(last.subject, ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  EXPECT_EQ(last.lane, Lane::Rollout);
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "");
}

TEST(BringUp, WaitsUntilTheManifestIsCompleteAndThePlaceArmed) {
  RackOfToys rack(2);
  rack.site.tables.recipes["r"].members[NodeKind::ComputeTray] = 3;
  rack.site.tables.armed.clear();
  rack.boot();
  rack.site.run(1h);
  EXPECT_EQ(rack.state(), RackState::Installing);
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "2 of 3 compute_trays are on the manifest");
  rack.addTray(2);
  rack.bringUp->sweep();
  rack.site.run(1h);
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "the place to be armed");
  EXPECT_THAT(rack.site.tables.runs, IsEmpty());
  rack.site.tables.armed.insert(kPlace);
  rack.bringUp->sweep();
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(BringUp, RefusesARecipeThatCouldNeverFinish) {
  RackOfToys rack;
  const auto refusal = [&](const std::string& workflow) {
    rack.site.tables.recipes["r"].stages[0].workflow = workflow;
    rack.boot();
    rack.site.run(1h);
    EXPECT_THAT(rack.site.tables.runs, IsEmpty());
    return rack.bringUp->waitsFor(kPlace);
  };
  EXPECT_EQ(refusal("nothing"), "recipe r: there is no workflow nothing");
  EXPECT_EQ(refusal("blind"), "recipe r: whether blind is done cannot be seen afterwards");
  rack.site.tables.recipes["r"].stages[0].of = {NodeKind::SwitchTray};
  EXPECT_EQ(refusal("qualify"), "recipe r: qualify is not for a switch_tray");
  rack.site.tables.recipes.clear();
  rack.boot();
  rack.site.run(1h);
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "the recipe r is not in the catalogue");
}

TEST(BringUp, AQuarantinedMemberHoldsTheRackUntilItIsReleased) {
  RackOfToys rack;
  rack.member(2).sick = true;
  rack.boot();
  rack.site.run(2h);
  EXPECT_EQ(rack.node(2).lifecycle, Lifecycle::Quarantined);
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "stage dry: 2 of 3 passed, 0 under way, 1 out");
  EXPECT_THAT(rack.began(), UnorderedElementsAre("dry 1", "dry 2", "dry 3"));
  rack.member(2).sick = false;
  for (auto& finding : rack.site.tables.findings) finding.resolved = rack.site.time.now();
  rack.node(2).lifecycle = Lifecycle::Qualifying;
  rack.node(2).lifecycleSince = rack.site.time.now();
  rack.bringUp->look(NodeId{3});
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(BringUp, GoesOnWithFewerWhereTheRecipeSaysSo) {
  RackOfToys rack;
  rack.site.tables.recipes["r"].stages[0].atLeast = 2;
  rack.member(2).sick = true;
  rack.boot();
  rack.site.run(2h);
  EXPECT_EQ(rack.node(0).lifecycle, Lifecycle::Available);
  EXPECT_EQ(rack.node(1).lifecycle, Lifecycle::Available);
  EXPECT_EQ(rack.state(), RackState::BringUp) << "but a domain of two is not the rack";
  EXPECT_THAT(rack.began(), Not(testing::Contains(HasSubstr("domain"))));
}

TEST(BringUp, WhatAPersonCancelledIsNotBegunAgainAndWhatFailedOnlyWhenSomethingChanged) {
  RackOfToys rack;
  for (const auto state : {RunState::Cancelled, RunState::Failed}) {
    zellige::Run run;
    run.id = RunId{rack.site.tables.nextRun++};
    run.workflow = "dry";
    run.subject = {NodeId{run.id.value}};
    run.state = state;
    run.ended = rack.site.time.now() + 1s;
    rack.site.tables.runs[run.id] = run;
  }
  rack.boot();
  rack.site.run(1h);
  EXPECT_THAT(rack.began(), ElementsAre("dry 1", "dry 2", "dry 3"));
  rack.node(0).lifecycleSince = rack.node(1).lifecycleSince = rack.site.time.now();
  rack.bringUp->sweep();
  rack.site.run(1h);
  EXPECT_THAT(rack.began(), ElementsAre("dry 1", "dry 2", "dry 3", "dry 2"));
}

TEST(BringUp, AMemberThatChangedMakesTheRackDegradedAndIsShownAgainWithAllTogether) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  rack.site.tables.evidence[{NodeId{2}, "domain"}].valid = false;  // as a swapped part does
  rack.bringUp->look(NodeId{2});
  rack.site.run(10s);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.site.tables.runs.rbegin()->second.subject.size(), 3u);
  EXPECT_EQ(rack.site.tables.runs.size(), 8u) << "and nothing else was done again";
}

TEST(BringUp, EndsTheSameWhereverTheControllerDies) {
  RackOfToys clean;
  clean.boot();
  ASSERT_TRUE(clean.runToAccepted());
  clean.site.run(1h);
  const auto points = static_cast<int>(clean.site.points.passed().size());
  ASSERT_GT(points, 10);
  for (int point = 0; point < points; ++point) {
    SCOPED_TRACE(point);
    RackOfToys rack;
    rack.boot();
    rack.site.points.arm(point);
    rack.site.run(2h);
    if (rack.site.points.dead()) rack.boot();
    EXPECT_TRUE(rack.runToAccepted()) << rack.bringUp->waitsFor(kPlace);
    rack.site.run(1h);
    EXPECT_EQ(rack.site.tables.runs.size(), 7u) << "every run once";
    EXPECT_EQ(rack.state(), RackState::Accepted);
  }
}

}  // namespace
}  // namespace zellige::test
