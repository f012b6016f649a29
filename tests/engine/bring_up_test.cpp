// Racks of toys: in which order they come up, what they wait for, and what a crash leaves.
#include "controller/engine/bring_up.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/engine/campaigns.hpp"
#include "tests/engine/rack_of_toys.hpp"

namespace zellige::test::toys {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

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

TEST(BringUp, LeavesTheDomainAloneUntilACampaignIsDoneWithItsTrays) {
  RackOfToys rack;
  rack.site.tables.baselines["new"] = "d1";
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  const auto before = rack.site.tables.runs.size();
  auto& engine = rack.site.engine();
  Campaigns campaigns(rack.site.life->store, engine, rack.site.life->executor);
  engine.onState([&](const std::vector<NodeId>& subject) {
    rack.bringUp->look(subject);
    campaigns.look(subject);
  });
  campaigns.onFreed([&](const std::string& place) { rack.bringUp->sweep(place); });
  Campaign wanted;
  wanted.baseline = "new";
  wanted.perRack = 1;
  const auto id = **rack.site.await(campaigns.create(wanted, "amina"));
  const auto ask = [&](CampaignMove move) {
    return bool(*rack.site.await(campaigns.ask(id, move, "amina", "smoke")));
  };
  // New firmware breaks what was shown of the domain: at once, when the first tray has it.
  for (auto& [key, stored] : rack.site.tables.evidence)
    if (key.second == "domain") stored.valid = false;
  rack.site.run(90s);
  ASSERT_TRUE(ask(CampaignMove::Halt));
  rack.site.run(24h);
  EXPECT_EQ(rack.site.tables.runs.size(), before + 2) << "the second tray was under way";
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace),
            "stage domain: 0 of 3 passed, 3 not begun; campaign 1 (halted) is not done with every node here");
  EXPECT_THAT(rack.ask("domain").error().what, HasSubstr("campaign 1 (halted) is not done"));
  ASSERT_TRUE(ask(CampaignMove::Resume));
  ASSERT_TRUE(rack.runToAccepted());
  EXPECT_EQ(rack.lastRun().workflow, "domain");
  EXPECT_EQ(rack.site.tables.runs.size(), before + 4) << "the third tray, and one check of the domain";
  EXPECT_EQ(rack.site.tables.campaigns.at(id).state, CampaignState::Done);
  rack.site.kill();
}

TEST(BringUp, LooksAtTheDomainAgainWhenACampaignIsCancelled) {
  RackOfToys rack;
  rack.site.tables.baselines["new"] = "d1";
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  Campaigns campaigns(rack.site.life->store, rack.site.engine(), rack.site.life->executor);
  campaigns.onFreed([&](const std::string& place) { rack.bringUp->sweep(place); });
  rack.node(0).allocation = rack.node(1).allocation = rack.node(2).allocation = Allocation::Assigned;
  Campaign wanted;
  wanted.baseline = "new";
  const auto id = **rack.site.await(campaigns.create(wanted, "amina"));
  for (auto& [key, stored] : rack.site.tables.evidence)
    if (key.second == "domain") stored.valid = false;
  rack.bringUp->look({NodeId{1}});
  rack.site.run(1h);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  ASSERT_TRUE(*rack.site.await(campaigns.ask(id, CampaignMove::Cancel, "amina", "not now")));
  EXPECT_TRUE(rack.runToAccepted(1h));
  rack.site.kill();
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
}  // namespace zellige::test::toys
