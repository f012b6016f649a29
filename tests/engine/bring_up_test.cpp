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
  bool sick = false, busy = false;
  std::optional<Error> trouble;
  Task<Result<BmcIdentity>> identify() override {
    if (trouble && trouble->code == Errc::Unreachable) co_return *trouble;
    co_return BmcIdentity{};
  }
  Task<Result<Seen>> look() {
    co_await sleepFor(site_.life->executor, takes);
    if (trouble) co_return *trouble;
    if (busy) co_return Seen::Busy;
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
  if (node.lifecycle == Lifecycle::Available) co_return Seen::Done;
  MoveLifecycle move{node.id, node.lifecycle, Lifecycle::Available, Actor::Engine, "", {"all"}};
  context.leave(std::move(move));
  co_return Seen::Done;
}

Task<Result<Seen>> lookShown(StepContext& context) {
  for (const auto& node : context.nodes()) {
    const auto seen = co_await static_cast<Member&>(context.bmcOf(node)).look();
    if (!seen || *seen != Seen::Done) co_return seen;
  }
  for (const auto& node : context.nodes()) {
    Evidence evidence{node.id, context.run().id, context.run().workflow, "{}", {}, context.now()};
    context.leave(PutEvidence{std::move(evidence)});
  }
  co_return Seen::Done;
}

Task<Result<Seen>> lookNothing(StepContext&) { co_return Seen::Done; }

constexpr Lifecycle kWhole[] = {Lifecycle::Available, Lifecycle::InService};
constexpr Lifecycle kFresh[] = {Lifecycle::Qualifying, Lifecycle::Available};
constexpr NodeKind kTrays[] = {NodeKind::ComputeTray};
std::vector<std::string> allOf(const Target&, NodeKind) { return {"all"}; }
const std::vector<Step> kQualifies{{.id = "all", .title = "All", .look = lookQualified}};
const std::vector<Step> kShows{{.id = "show", .title = "Show", .look = lookShown}};
const std::vector<Step> kNothing{{.id = "nothing", .title = "Nothing", .look = lookNothing}};
const Workflow kQualify{.name = "qualify",
                        .steps = kQualifies,
                        .kind = NodeKind::ComputeTray,
                        .qualifies = true,
                        .startsIn = kFresh,
                        .leaves = allOf};
const Workflow kDry{.name = "dry", .steps = kShows, .startsIn = kFresh, .shows = "dry"};
const Workflow kDomain{
    .name = "domain", .steps = kShows, .together = kTrays, .startsIn = kWhole, .shows = "domain"};
const Workflow kGuard{.name = "guard", .steps = kShows, .startsIn = kFresh, .shows = "guard", .guards = true};
const Workflow kEmpty{.name = "empty", .steps = kNothing, .startsIn = kFresh, .shows = "empty"};
const Workflow kBlind{.name = "blind", .steps = kShows};

struct RackOfToys {
  explicit RackOfToys(int trays = 3) : site({&kQualify, &kDry, &kDomain, &kBlind, &kGuard, &kEmpty}) {
    for (int i = 0; i < trays; ++i) addTray(i);
    auto& recipe = site.tables.recipes["r"];
    recipe.name = "r";
    recipe.members[NodeKind::ComputeTray] = trays;
    recipe.stages = {{"dry", "dry", {NodeKind::ComputeTray}, {}, {}},
                     {"trays", "qualify", {NodeKind::ComputeTray}, {"dry"}, {}},
                     {"domain", "domain", {NodeKind::ComputeTray}, {"trays"}, {}}};
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
    site.engine().onState([this](const std::vector<NodeId>& subject) { bringUp->look(subject); });
    bringUp->sweep();
  }
  Member& member(int i) { return static_cast<Member&>(*site.machines.at(NodeId{i + 1})); }
  Node& node(int i) { return site.tables.nodes.at(NodeId{i + 1}); }
  RackState state() const { return site.tables.racks.at(kPlace).state; }
  bool runToAccepted(Duration horizon = 10h) {
    return site.runUntil([&] { return state() == RackState::Accepted; }, horizon);
  }
  Result<std::vector<RunId>> ask(std::string stage = {}) {
    AskedBringUp asked{kPlace, std::move(stage), "amina", "mended"};
    return *site.await(bringUp->begin(std::move(asked)));
  }
  /// All have passed what comes before the domain, and its run was begun.
  void runToDomain() {
    ASSERT_TRUE(
        site.runUntil([&] { return !site.tables.runs.empty() && lastRun().workflow == "domain"; }, 10h));
  }
  void endDomain(Duration horizon = 10h) {
    ASSERT_TRUE(
        site.runUntil([&] { return lastRun().workflow == "domain" && !lastRun().unfinished(); }, horizon));
  }
  const zellige::Run& lastRun() const { return site.tables.runs.rbegin()->second; }
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
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "stage dry: 2 of 3 passed, 1 running");
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
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "stage dry: 2 of 3 passed, 1 out (S3 quarantined)");
  EXPECT_THAT(rack.began(), UnorderedElementsAre("dry 1", "dry 2", "dry 3"));
  rack.member(2).sick = false;
  for (auto& finding : rack.site.tables.findings) finding.resolved = rack.site.time.now();
  rack.node(2).lifecycle = Lifecycle::Qualifying;
  rack.node(2).lifecycleSince = rack.site.time.now();
  rack.bringUp->look({NodeId{3}});
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
  rack.bringUp->look({NodeId{2}});
  rack.site.run(10s);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.site.tables.runs.rbegin()->second.subject.size(), 3u);
  EXPECT_EQ(rack.site.tables.runs.size(), 8u) << "and nothing else was done again";
}

TEST(BringUp, RefusesARecipeThatDoesNotFitItsWorkflows) {
  RackOfToys rack;
  auto& recipe = rack.site.tables.recipes["r"];
  const auto refusal = [&] {
    rack.boot();
    rack.site.run(1h);
    EXPECT_THAT(rack.site.tables.runs, IsEmpty());
    return rack.bringUp->waitsFor(kPlace);
  };
  recipe.stages[2].atLeast = 2;
  EXPECT_EQ(refusal(), "recipe r: domain takes all together: stage domain has no at_least");
  recipe.stages[2].atLeast.reset();
  recipe.stages.erase(recipe.stages.begin() + 1);
  EXPECT_EQ(refusal(), "recipe r: no stage qualifies a compute_tray");
}

TEST(BringUp, IsNotCompleteWithAMachineThatTheRecipeDoesNotKnow) {
  RackOfToys rack;
  const auto shelf = rack.addTray(3);
  rack.site.tables.nodes[shelf].kind = NodeKind::PowerShelf;
  rack.boot();
  rack.site.run(1h);
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "recipe r has no power_shelf, but S4 is on the manifest");
  EXPECT_THAT(rack.site.tables.runs, IsEmpty());
}

TEST(BringUp, WhatIsDoneAndShowsNothingIsNotBegunForEver) {
  RackOfToys rack;
  rack.site.tables.recipes["r"].stages[0].workflow = "empty";
  rack.boot();
  rack.site.run(10h);
  EXPECT_EQ(rack.site.tables.runs.size(), 3u) << "one each";
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace),
            "stage dry: 0 of 3 passed, 3 stopped (S1: run 1 done, S2: run 2 done, S3: run 3 done)");
}

TEST(Together, OneMembersTroubleTakesNobodyAway) {
  RackOfToys rack;
  rack.boot();
  rack.runToDomain();
  rack.member(1).trouble = Error{Errc::Auth, "refused"};
  rack.endDomain();
  rack.site.run(1s);
  EXPECT_EQ(rack.lastRun().state, RunState::Failed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rack.node(i).lifecycle, Lifecycle::Available);
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{2}), ElementsAre("rack.run_failed"));
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_FALSE(rack.site.tables.hasBlocking(NodeId{2}));
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace),
            "stage domain: 0 of 3 passed, 3 stopped (all: run 7 failed (rack.run_failed))");
}

TEST(Together, WhatAPersonMendedIsBegunAgainWhenHeAsks) {
  for (const bool cancel : {false, true}) {
    RackOfToys rack;
    rack.boot();
    rack.runToDomain();
    rack.member(0).busy = cancel;
    if (cancel)
      ASSERT_TRUE(*rack.site.await(rack.site.engine().cancel(rack.lastRun().id, "amina", "stop")));
    else
      rack.member(1).trouble = Error{Errc::Auth, "refused"};
    rack.endDomain();
    rack.member(0).busy = false;
    rack.member(1).trouble.reset();
    rack.bringUp->sweep();
    rack.site.run(3h);
    EXPECT_EQ(rack.site.tables.runs.size(), 7u) << "not by itself";
    const auto begun = rack.ask();
    ASSERT_TRUE(begun) << begun.error().what;
    EXPECT_THAT(*begun, ElementsAre(RunId{8}));
    EXPECT_EQ(rack.lastRun().startedBy, "amina");
    EXPECT_EQ(rack.lastRun().facts.get("asked.why"), "mended");
    EXPECT_EQ(rack.lastRun().lane, Lane::Operator);
    EXPECT_EQ(rack.ask().error().code, Errc::Conflict) << "it runs";
    EXPECT_TRUE(rack.runToAccepted());
  }
}

TEST(Together, IsBegunAgainWhenAMemberIsAnotherOrWasQualifiedAgain) {
  RackOfToys rack;
  rack.member(1).takes = 2min;
  rack.boot();
  rack.runToDomain();
  rack.member(1).trouble = Error{Errc::Auth, "refused"};
  rack.endDomain();
  rack.member(1).trouble.reset();
  rack.node(1).lifecycle = Lifecycle::Retired;
  const auto fresh = rack.addTray(1);
  rack.bringUp->sweep();
  ASSERT_TRUE(rack.runToAccepted()) << rack.bringUp->waitsFor(kPlace);
  EXPECT_THAT(rack.lastRun().subject, UnorderedElementsAre(NodeId{1}, fresh, NodeId{3}));

  rack.site.tables.evidence[{fresh, "domain"}].valid = false;
  rack.member(0).trouble = Error{Errc::Auth, "refused"};
  rack.bringUp->sweep();
  rack.site.run(1h);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  rack.member(0).trouble.reset();
  rack.node(0).lifecycleSince = rack.site.time.now();
  rack.bringUp->sweep();
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(Together, AMemberInServiceTakesPart) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  rack.node(0).lifecycle = Lifecycle::InService;
  rack.site.tables.evidence[{NodeId{2}, "domain"}].valid = false;
  rack.bringUp->look({NodeId{2}});
  rack.site.run(10s);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(Together, ARunTakesAllMembersOrDoesNotStart) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  const auto refusal = [&](std::string workflow, std::vector<NodeId> subject) {
    StartRun request;
    request.workflow = std::move(workflow);
    request.subject = std::move(subject);
    return rack.site.tryStart(std::move(request))->error();
  };
  EXPECT_EQ(refusal("domain", {NodeId{2}}).what,
            "domain takes all 3 members of a rack together, not 1 of them");
  EXPECT_EQ(refusal("domain", {NodeId{2}}).code, Errc::Invalid);
  EXPECT_EQ(refusal("dry", {NodeId{1}, NodeId{2}}).what, "a run of dry is about one node, not 2");
  EXPECT_EQ(refusal("qualify", {NodeId{1}}).code, Errc::Rejected) << "without a profile";
  EXPECT_THAT(rack.site.engine().subjectOf(kDomain, rack.node(1)),
              ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
}

TEST(Together, ARunThatIsKeptWaitingFreesTheOthersAndBeginsAgain) {
  RackOfToys rack;
  rack.boot();
  rack.runToDomain();
  rack.member(1).trouble = Error{Errc::Unreachable, "no route"};
  rack.endDomain(30min);
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{2}), ElementsAre("rack.kept_waiting"));
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_TRUE(rack.node(1).unreachableSince);
  EXPECT_FALSE(rack.node(0).unreachableSince);
  rack.site.run(5h);
  EXPECT_EQ(rack.site.tables.runs.size(), 7u) << "the member is still away";
  rack.member(1).trouble.reset();
  rack.node(1).unreachableSince.reset();  // as the patrol does
  EXPECT_TRUE(rack.runToAccepted()) << rack.bringUp->waitsFor(kPlace);
  EXPECT_EQ(rack.site.tables.runs.size(), 8u);
}

TEST(BringUp, ATrayThatLostWhatQualifiedItIsQualifiedAgain) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  rack.site.tables.evidence[{NodeId{2}, "all"}].valid = false;  // as an import that moves it to another slot does
  rack.bringUp->look({NodeId{2}});
  rack.site.run(10s);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.lastRun().workflow, "qualify");
  rack.node(2).lifecycle = Lifecycle::InService;
  rack.site.tables.evidence[{NodeId{3}, "all"}].valid = false;
  rack.bringUp->look({NodeId{3}});
  rack.site.run(1h);
  EXPECT_EQ(rack.state(), RackState::Accepted) << "what is in use is not judged";
}

TEST(BringUp, GoesOnWithoutADeadMemberWhereTheRecipeSaysSoButNotPastAGuard) {
  for (const bool guards : {false, true}) {
    RackOfToys rack;
    auto& first = rack.site.tables.recipes["r"].stages[0];
    first.atLeast = 2;
    if (guards) first.workflow = "guard";
    rack.member(2).trouble = Error{Errc::Unreachable, "no route"};
    rack.boot();
    rack.site.run(20min);
    EXPECT_THAT(rack.began(), testing::Not(testing::Contains("qualify 1"))) << "it may come back";
    rack.site.run(2h);
    EXPECT_EQ(rack.node(0).lifecycle == Lifecycle::Available, !guards);
  }
}

TEST(BringUp, GoesOnWithoutACancelledMemberWhereTheRecipeSaysSo) {
  RackOfToys rack;
  rack.site.tables.recipes["r"].stages[0].atLeast = 2;
  rack.member(2).busy = true;
  rack.boot();
  rack.site.run(10min);
  ASSERT_TRUE(*rack.site.await(rack.site.engine().cancel(RunId{3}, "amina", "later")));
  rack.site.run(1h);
  EXPECT_EQ(rack.node(0).lifecycle, Lifecycle::Available);
}

TEST(BringUp, IsDegradedByABlockingFindingAndByALongSilence) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  rack.site.tables.findings.push_back(
      {FindingId{1}, NodeId{2}, {}, "bmc.credentials", "", rack.site.time.now(), {}, {}});
  rack.bringUp->look({NodeId{2}});
  rack.site.run(1min);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  EXPECT_THAT(rack.bringUp->waitsFor(kPlace), HasSubstr("a blocking finding is open on S2"));
  rack.site.tables.findings.back().resolved = rack.site.time.now();
  rack.bringUp->look({NodeId{2}});
  rack.site.run(1min);
  EXPECT_EQ(rack.state(), RackState::Accepted);
  rack.node(0).unreachableSince = rack.site.time.now();
  rack.bringUp->look({NodeId{1}});
  rack.site.run(10min);
  EXPECT_EQ(rack.state(), RackState::Accepted) << "it may come back";
  rack.site.run(30min);
  EXPECT_EQ(rack.state(), RackState::Degraded);
}

TEST(BringUp, BeginsNothingInAPlaceThatWasDisarmedMeanwhile) {
  RackOfToys rack;
  rack.boot();
  rack.site.run(30s);
  rack.site.tables.armed.clear();
  rack.site.run(2h);
  EXPECT_THAT(rack.began(), ElementsAre("dry 1", "dry 2", "dry 3"));
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace), "the place to be armed; stage trays: 0 of 3 passed, 3 not begun");
  EXPECT_EQ(rack.ask().error().code, Errc::Conflict);
  rack.site.tables.armed.insert("H1");
  rack.bringUp->sweep("H1/R01");
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(BringUp, IsAskedForOneStageAndSaysWhyNothingCanBegin) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.ask("nothing").error().code, Errc::NotFound);
  EXPECT_EQ(rack.ask().error().what, "nothing can begin: every stage holds for every member of H1/R01/RK001");
  EXPECT_EQ(rack.ask("dry").error().code, Errc::Conflict);
  const auto begun = rack.ask("domain");
  ASSERT_TRUE(begun) << "what all show together may be wanted once more";
  EXPECT_EQ(begun->size(), 1u);
  EXPECT_EQ(rack.state(), RackState::Accepted);
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
