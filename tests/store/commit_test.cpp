#include <gmock/gmock.h>

#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Commit = test::StoreTest;

TEST_F(Commit, RemembersARunWithEverythingInIt) {
  openWithSite();
  auto run = newRun({nodeId(0), nodeId(2), nodeId(1)});
  run.lane = Lane::Operator;
  run.parameter = "off";
  run.target = "digest";
  run.item = "bmc_tray";
  run.acts["bmc_tray"] = {ActPhase::Intended, 2, {{"LastResetTime", "2026-01-01T00:00:00Z"}}};
  run.acts["another \"item\""] = {ActPhase::Accepted, 1, {}};
  run.lingers = true;
  run.deaths = 1;
  run.rounds = 3;
  run.facts = {{"task", "/redfish/v1/TaskService/Tasks/7"}, {"quote", "\"\n\xff"}};
  run.excused = 1500ms;
  run.waitsFor = "flash slot in H1/R01/RK001";
  run.blockedSince = time_.now();
  const auto receipt = commit({SaveRun{run, "run.started"}});
  ASSERT_TRUE(receipt) << receipt.error().what;
  const auto stored = store_->run(RunId{receipt->ids[0]});
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->subject, run.subject);
  EXPECT_EQ(stored->lane, Lane::Operator);
  EXPECT_EQ(stored->parameter, "off");
  EXPECT_EQ(stored->target, "digest");
  EXPECT_EQ(stored->item, "bmc_tray");
  EXPECT_EQ(stored->acts, run.acts);
  EXPECT_EQ(stored->act().phase, ActPhase::Intended);
  EXPECT_TRUE(stored->lingers);
  EXPECT_EQ(std::tuple(stored->deaths, stored->rounds), std::tuple(1, 3));
  EXPECT_EQ(stored->facts.get("task"), run.facts.get("task"));
  EXPECT_EQ(stored->excused, 1500ms);
  EXPECT_EQ(stored->waitsFor, run.waitsFor);
  EXPECT_EQ(stored->blockedSince, run.blockedSince);
  EXPECT_EQ(stored->stepSince, run.stepSince);
  EXPECT_FALSE(stored->ended);
  EXPECT_EQ(store_->unfinishedRuns().size(), 1u);
  EXPECT_EQ(store_->unfinishedRuns()[0].subject, run.subject);
}

TEST_F(Commit, ResolvesTheFindingsOfWhatIsRetired) {
  openWithSite();
  raise(nodeId(0), "power.stuck");
  raise(nodeId(1), "power.stuck");
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  EXPECT_FALSE(store_->hasBlockingFinding(nodeId(0))) << "nobody has to mend it any more";
  EXPECT_TRUE(store_->hasBlockingFinding(nodeId(1)));
}

TEST_F(Commit, LetsNobodyMoveANodeBeneathARun) {
  openWithSite();
  const auto run = startRun(nodeId(0));
  const auto moved = move(nodeId(0), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Errc::Conflict);
  EXPECT_THAT(moved.error().what, HasSubstr("run " + std::to_string(run.value) + " works on it"));
  EXPECT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Discovered)) << "the run itself may";
}

TEST_F(Commit, LetsOnlyOneUnfinishedRunHaveANode) {
  openWithSite();
  const auto first = startRun(nodeId(0));
  EXPECT_EQ(store_->unfinishedRunOf(nodeId(0)), first);
  const auto second = commit({SaveRun{newRun({nodeId(1), nodeId(0)}), "run.started"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::Conflict);
  EXPECT_THAT(second.error().what, HasSubstr("run 1"));
  EXPECT_FALSE(store_->unfinishedRunOf(nodeId(1)));

  auto run = *store_->run(first);
  run.state = RunState::Done;
  run.ended = time_.now();
  ASSERT_TRUE(commit({SaveRun{run, "run.done"}}));
  EXPECT_FALSE(store_->unfinishedRunOf(nodeId(0)));
  EXPECT_TRUE(commit({SaveRun{newRun({nodeId(1), nodeId(0)}), "run.started"}}));
}

TEST_F(Commit, DoesNotReviveARunThatHasEnded) {
  openWithSite();
  auto run = *store_->run(startRun(nodeId(0)));
  run.state = RunState::Cancelled;
  ASSERT_TRUE(commit({SaveRun{run, "run.cancelled"}}));
  run.state = RunState::Active;
  const auto late = commit({SaveRun{run, "run.step"}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::Conflict);
  EXPECT_EQ(store_->run(run.id)->state, RunState::Cancelled);
}

TEST_F(Commit, LosesACompareAndSetAlone) {
  openWithSite();
  const auto before = store_->lastEvent();
  std::optional<Result<Receipt>> a, b, c;
  executor_->spawn(test::keep(
      store_->commit(change({MoveLifecycle{nodeId(0), Lifecycle::Planned, Lifecycle::Discovered}})), a));
  executor_->spawn(test::keep(
      store_->commit(change({SetHealth{nodeId(1), Health::Degraded},
                             MoveLifecycle{nodeId(0), Lifecycle::Planned, Lifecycle::Discovered}})),
      b));
  executor_->spawn(test::keep(store_->commit(change({SetHealth{nodeId(2), Health::Failed}})), c));
  while (time_.runOne()) {
  }
  ASSERT_TRUE(a && b && c);
  EXPECT_TRUE(*a);
  ASSERT_FALSE(*b);
  EXPECT_EQ(b->error().code, Errc::Conflict);
  EXPECT_TRUE(*c);
  EXPECT_EQ(store_->node(nodeId(0))->lifecycle, Lifecycle::Discovered);
  EXPECT_EQ(store_->node(nodeId(1))->health, Health::Ok) << "the loser's other op was rolled back";
  EXPECT_EQ(store_->node(nodeId(2))->health, Health::Failed);
  EXPECT_THAT(kindsSince(before), ElementsAre("node.lifecycle", "node.health"));
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Commit, AnswersAfterTheVirtualLatencyAndNotBefore) {
  openWithSite();
  const auto asked = time_.now();
  ASSERT_TRUE(commit({SetHealth{nodeId(0), Health::Degraded}}));
  EXPECT_EQ(time_.now() - asked, 5ms);
}

TEST_F(Commit, MovesOnlyAsTheTableSays) {
  openWithSite();
  const auto refused = move(nodeId(0), Lifecycle::Planned, Lifecycle::InService);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Rejected);
  EXPECT_FALSE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Discovered, Actor::Operator));
  EXPECT_EQ(move(nodeId(0), Lifecycle::Discovered, Lifecycle::Qualifying).error().code, Errc::Conflict);
  EXPECT_EQ(move(NodeId{999}, Lifecycle::Planned, Lifecycle::Discovered).error().code, Errc::NotFound);
  const auto version = store_->node(nodeId(0))->version;
  time_.runOne();
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Discovered));
  EXPECT_EQ(store_->node(nodeId(0))->version, version + 1);
  EXPECT_EQ(store_->nodesIn(Lifecycle::Discovered), (std::vector{nodeId(0)}));
}

TEST_F(Commit, DemandsWhatAMoveRequires) {
  openWithSite();
  const auto node = nodeId(0);
  ASSERT_TRUE(move(node, Lifecycle::Planned, Lifecycle::Discovered));
  EXPECT_EQ(move(node, Lifecycle::Discovered, Lifecycle::Quarantined).error().code, Errc::Rejected);
  raise(node, "power.stuck");
  EXPECT_TRUE(store_->hasBlockingFinding(node));
  EXPECT_EQ(move(node, Lifecycle::Discovered, Lifecycle::Qualifying).error().code, Errc::Rejected);
  ASSERT_TRUE(commit({ResolveFindings{node, "power.stuck", "it works"}}));
  ASSERT_TRUE(move(node, Lifecycle::Discovered, Lifecycle::Qualifying));

  EXPECT_EQ(move(node, Lifecycle::Qualifying, Lifecycle::Available).error().code, Errc::Rejected);
  Evidence evidence{node, {}, "firmware", "{}", {"serial:SN1000"}, time_.now()};
  ASSERT_TRUE(commit({PutEvidence{evidence}}));
  EXPECT_THAT(
      move(node, Lifecycle::Qualifying, Lifecycle::Available, Actor::Engine, {"firmware", "burnin"}).error().what,
      HasSubstr("burnin"));
  ASSERT_TRUE(commit({InvalidateEvidence{node, "serial:SN1000", "swapped"}}));
  EXPECT_FALSE(move(node, Lifecycle::Qualifying, Lifecycle::Available, Actor::Engine, {"firmware"}));
  ASSERT_TRUE(commit({PutEvidence{evidence}}));
  EXPECT_TRUE(move(node, Lifecycle::Qualifying, Lifecycle::Available, Actor::Engine, {"firmware"}));
}

TEST_F(Commit, SaysWhatChangedAndNothingElse) {
  openWithSite();
  const auto node = nodeId(0);
  const auto before = store_->lastEvent();
  ASSERT_TRUE(commit({SetContact{node, time_.now()}}));
  ASSERT_TRUE(commit({SetContact{node, time_.now()}}));
  ASSERT_TRUE(commit({SetContact{node, std::nullopt}}));
  ASSERT_TRUE(commit({SetHealth{node, Health::Degraded}, SetHealth{node, Health::Degraded}}));
  raise(node, "power.stuck", "off");
  raise(node, "power.stuck", "off");
  raise(node, "power.stuck", "still off");
  ASSERT_TRUE(commit({ResolveFindings{node, "", "all fine"}}));
  ASSERT_TRUE(commit({ResolveFindings{node, "", "all fine"}}));
  EXPECT_THAT(kindsSince(before), ElementsAre("node.contact", "node.contact", "node.health", "finding.raised",
                                              "finding.updated", "finding.resolved"));
  const auto findings = queries_->findings({.openOnly = false}, {}, 10).findings;
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].finding.detail, "still off");
  EXPECT_EQ(findings[0].finding.resolution, "all fine");
  EXPECT_EQ(commit({SetContact{NodeId{99}, std::nullopt}}).error().code, Errc::NotFound);
  EXPECT_EQ(commit({SetHealth{NodeId{99}, Health::Ok}}).error().code, Errc::NotFound);
}

TEST_F(Commit, RefusesAFindingWhoseCauseNobodyKnows) {
  openWithSite();
  Finding finding;
  finding.node = nodeId(0);
  finding.cause = "no.such.cause";
  EXPECT_THROW((void)commit({RaiseFinding{finding}}), std::logic_error);
}

TEST_F(Commit, TurnsWhatTheSchemaForbidsIntoAConflict) {
  openWithSite();
  const auto before = store_->lastEvent();
  const auto result = commit({SetHealth{nodeId(0), Health::Failed}, PutOrder{NodeId{999}, {}}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Conflict);
  EXPECT_EQ(store_->node(nodeId(0))->health, Health::Ok);
  EXPECT_EQ(store_->lastEvent(), before);
}

TEST_F(Commit, InvalidatesEvidenceThatRestsOnAChangedPartAndNoOther) {
  openWithSite();
  const auto node = nodeId(0);
  auto inventory = test::smallInventory();
  const auto start = store_->lastEvent();
  ASSERT_TRUE(commit({PutInventory{node, inventory}}));
  ASSERT_TRUE(commit(
      {PutEvidence{
           {node, {}, "burnin/gpu0", "{}", {"gpu:GPU_0=165001", "fw:HGX_FW_GPU_0=97.00.1"}, time_.now()}},
       PutEvidence{{node, {}, "burnin/gpu1", "{}", {"gpu:GPU_1=165002"}, time_.now()}},
       PutEvidence{
           {node, {}, "firmware", "{}", {"fw:HGX_FW_GPU_1=97.00.1", "fw:not-in-the-inventory=1"}, time_.now()}},
       PutEvidence{{node, {}, "inventory", "{}", {"serial:SN1000"}, time_.now()}}}));
  raise(node, "inventory.sick_part");
  EXPECT_EQ(kindsSince(start).front(), "inventory.changed");

  const auto same = store_->lastEvent();
  ASSERT_TRUE(commit({PutInventory{node, inventory}}));
  EXPECT_EQ(store_->lastEvent(), same) << "the same inventory again says nothing";

  inventory.components[0].serial = "165099";
  inventory.firmware[1].version = " 97.00.1 ";
  ASSERT_TRUE(commit({PutInventory{node, inventory}}));
  std::vector<std::string> valid;
  for (const auto& e : store_->validEvidence(node)) valid.push_back(e.subject);
  EXPECT_THAT(valid, ElementsAre("burnin/gpu1", "firmware", "inventory"));
  EXPECT_THAT(kindsSince(same), ElementsAre("inventory.changed", "evidence.invalidated"));
  EXPECT_THAT(eventsSince(same)[0].data, HasSubstr(R"({"from":"165001","part":"gpu:GPU_0","to":"165099"})"));
  EXPECT_TRUE(store_->hasBlockingFinding(node)) << "an inventory resolves nothing";

  inventory.components.pop_back();  // GPU_1 is gone
  inventory.firmware[1].version = "98";
  inventory.serial = "SN7777";
  ASSERT_TRUE(commit({PutInventory{node, inventory}}));
  EXPECT_TRUE(store_->validEvidence(node).empty());
  EXPECT_EQ(store_->inventory(node)->components.size(), 1u);
  EXPECT_EQ(store_->inventory(node)->firmware, inventory.firmware);
}

TEST_F(Commit, KeepsTheLatestReportOfABoot) {
  openWithSite();
  const auto node = nodeId(0);
  AgentReport report;
  report.serial = "SN1000";
  report.bootId = "boot-1";
  report.sequence = 5;
  report.image.state = ImageState::Writing;
  const auto before = store_->lastEvent();
  ASSERT_TRUE(commit({PutReport{node, report, time_.now()}}));
  report.sequence = 4;
  report.image.state = ImageState::Failed;
  ASSERT_TRUE(commit({PutReport{node, report, time_.now()}}));
  EXPECT_EQ(store_->report(node)->report.sequence, 5);
  EXPECT_EQ(store_->report(node)->report.image.state, ImageState::Writing);
  report.bootId = "boot-2";
  report.sequence = 1;
  report.image.state = ImageState::Verified;
  ASSERT_TRUE(commit({PutReport{node, report, time_.now()}}));
  EXPECT_EQ(store_->report(node)->report.bootId, "boot-2");
  report.sequence = 2;  // nothing new: no event tells of it
  const auto heard = time_.now() + 3h;
  ASSERT_TRUE(commit({PutReport{node, report, heard}}));
  EXPECT_EQ(store_->lastSign(), heard);
  EXPECT_THAT(kindsSince(before), ElementsAre("agent.boot", "agent.image", "agent.boot", "agent.image"));
}

TEST_F(Commit, KeepsAnOrderUntilItIsReplaced) {
  openWithSite();
  const auto node = nodeId(0);
  EXPECT_FALSE(store_->order(node));
  AgentOrder order;
  order.id = "run-1-image";
  order.kind = OrderKind::WriteImage;
  order.imageDigest = "abc";
  order.seed = "ZELLIGE-BOOT 1\n{\"token\":\"t\"}\n";
  const auto before = store_->lastEvent();
  ASSERT_TRUE(commit({PutOrder{node, order}, PutOrder{node, order}}));
  EXPECT_EQ(toJson(*store_->order(node)), toJson(order));
  EXPECT_THAT(kindsSince(before), ElementsAre("order.put"));
}

TEST_F(Commit, KeepsHowToReachABmc) {
  openWithSite();
  const auto node = nodeId(0);
  auto access = store_->loadAccess(node);
  ASSERT_TRUE(access);
  EXPECT_EQ(access->password.reveal(), test::kPassword);
  EXPECT_TRUE(access->mustChange);
  EXPECT_FALSE(access->nextPassword);
  const auto before = store_->lastEvent();
  access->nextPassword = Secret{"next"};
  access->guessCurrent = true;
  access->pin = "pin";
  ASSERT_TRUE(wait(store_->saveAccess(node, *access)));
  ++access->version;
  access->sessionToken = Secret{"session"};
  access->sessionUri = "/redfish/v1/SessionService/Sessions/1";
  ASSERT_TRUE(wait(store_->saveAccess(node, *access)));
  const auto stored = store_->loadAccess(node);
  EXPECT_EQ(stored->nextPassword, access->nextPassword);
  EXPECT_TRUE(stored->guessCurrent);
  EXPECT_EQ(stored->sessionToken, access->sessionToken);
  EXPECT_EQ(stored->pin, "pin");
  EXPECT_THAT(kindsSince(before), ElementsAre("access.changed")) << "a session alone is no change of access";
  EXPECT_EQ(store_->loadAccess(NodeId{99}).error().code, Errc::NotFound);
}

TEST_F(Commit, RefusesAWayInThatWasReadBeforeSomebodyElseChangedIt) {
  openWithSite();
  const auto node = nodeId(0);
  const auto old = *store_->loadAccess(node);
  auto access = old;
  access.password = Secret{"rotated"};
  ASSERT_TRUE(wait(store_->saveAccess(node, access)));
  EXPECT_EQ(wait(store_->saveAccess(node, old)).error().code, Errc::Conflict);
  auto unread = old;
  unread.version = 0;
  EXPECT_EQ(wait(store_->saveAccess(node, unread)).error().code, Errc::Conflict);
  ASSERT_TRUE(wait(store_->acceptCertificate(node, {"alice", "board swapped"})));
  ++access.version;
  EXPECT_EQ(wait(store_->saveAccess(node, access)).error().code, Errc::Conflict);
  EXPECT_EQ(store_->loadAccess(node)->password.reveal(), "rotated");
}

TEST_F(Commit, FreezesAProfileWithAllItNames) {
  openWithSite();
  const auto target = wait(store_->freezeTarget("gb200-sim", ""));
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ((*target)->sku.components.size(), 2u);
  EXPECT_EQ((*target)->baseline.entries.at(0).activation, Activation::AuxCycle);
  EXPECT_EQ((*target)->plan.tests.at(0).limits.at("gemm_tflops").min, 700.5);
  EXPECT_EQ((*target)->profile.settings.syslogPort, 514);
  EXPECT_EQ(wait(store_->freezeTarget("gb200-sim", ""))->get(), target->get());
  const auto missing = wait(store_->freezeTarget("nothing", ""));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::NotFound);
  EXPECT_THAT(missing.error().what, HasSubstr("profile 'nothing'"));

  const auto digest = (*target)->digest;
  auto changed = site(3);
  changed.plans[0].tests[0].duration = 10min;
  ASSERT_TRUE(wait(store_->importSite(changed, by_)));
  const auto next = wait(store_->freezeTarget("gb200-sim", ""));
  EXPECT_NE((*next)->digest, digest);
  openStore();
  ASSERT_TRUE(store_->target(digest)) << "a frozen target outlives the catalogue's change";
  EXPECT_EQ(store_->target(digest)->plan.tests[0].duration, 5min);
  EXPECT_EQ(store_->target("none"), nullptr);
}

TEST_F(Commit, AllocationAndSchedulingMoveByTheirTablesAsCompareAndSet) {
  openWithSite();
  ASSERT_TRUE(commit({SetAllocation{nodeId(0), Allocation::Free, Allocation::Assigned, "tenant 7"}}));
  EXPECT_EQ(store_->node(nodeId(0))->allocation, Allocation::Assigned);
  EXPECT_EQ(commit({SetAllocation{nodeId(0), Allocation::Free, Allocation::Reserved, ""}}).error().code,
            Errc::Conflict);
  EXPECT_EQ(commit({SetAllocation{nodeId(0), Allocation::Assigned, Allocation::Reserved, ""}}).error().code,
            Errc::Rejected);
  ASSERT_TRUE(commit({SetScheduling{nodeId(0), Scheduling::Open, Scheduling::Cordoned, "noisy fan"}}));
  EXPECT_EQ(commit({SetScheduling{nodeId(0), Scheduling::Cordoned, Scheduling::Drained, ""}}).error().code,
            Errc::Rejected);
  EXPECT_EQ(store_->node(nodeId(0))->scheduling, Scheduling::Cordoned);
  EXPECT_EQ(commit({MoveLifecycle{nodeId(0), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator, "", {}}})
                .error()
                .code,
            Errc::Rejected)
      << "somebody's data is on it";
}

TEST_F(Commit, FirmwareAloneIsReplacedWithItsConsequences) {
  openWithSite();
  Inventory inventory;
  inventory.serial = store_->node(nodeId(0))->serial;
  inventory.components = {{ComponentKind::Gpu, "GPU_0", "165", "GB200", "", true, false, ""}};
  inventory.firmware = {{"FW_BMC_0", "1", true, false}};
  ASSERT_TRUE(commit({PutInventory{nodeId(0), inventory}}));
  ASSERT_TRUE(commit({PutEvidence{{nodeId(0), {}, "burnin/gemm", "{}", {"fw:FW_BMC_0=1"}, time_.now()}},
                      PutEvidence{{nodeId(0), {}, "burnin/disk", "{}", {"gpu:GPU_0=165"}, time_.now()}}}));
  ASSERT_TRUE(commit({PutFirmware{nodeId(0), {{"FW_BMC_0", "2", true, false}}}}));
  const auto valid = store_->validEvidence(nodeId(0));
  ASSERT_EQ(valid.size(), 1u);
  EXPECT_EQ(valid[0].subject, "burnin/disk");
  EXPECT_EQ(store_->inventory(nodeId(0))->firmware[0].version, "2");
  EXPECT_EQ(store_->inventory(nodeId(0))->components.size(), 1u);
}

TEST_F(Commit, ARefusalUndoesItselfAloneAndNothingBeforeOrAfterIt) {
  openWithSite();
  // In one batch: good, changed-then-refused, good, refused again, good.
  const auto good = [&](int n, Health health) { return Change{{}, "t", {SetHealth{nodeId(n), health}}}; };
  const auto bad = [&](int n) {
    return Change{
        {},
        "t",
        {SetHealth{nodeId(n), Health::Failed},
         MoveLifecycle{nodeId(n), Lifecycle::Available, Lifecycle::Retired, Actor::Operator, "", {}}}};
  };
  std::vector<std::optional<Result<Receipt>>> answers(5);
  std::vector<Change> changes{good(0, Health::Degraded), bad(1), good(2, Health::Degraded), bad(0),
                              good(1, Health::Degraded)};
  for (std::size_t i = 0; i < changes.size(); ++i)
    executor_->spawn(test::keep(store_->commit(changes[i]), answers[i]));
  while (time_.runOne()) {
  }
  EXPECT_TRUE(*answers[0]);
  EXPECT_EQ(answers[1]->error().code, Errc::Conflict);
  EXPECT_TRUE(*answers[2]);
  EXPECT_EQ(answers[3]->error().code, Errc::Conflict);
  EXPECT_TRUE(*answers[4]);
  for (int n = 0; n < 3; ++n) EXPECT_EQ(store_->node(nodeId(n))->health, Health::Degraded) << n;
  EXPECT_TRUE(store_->verifyChain());
  EXPECT_LT((*answers[0])->lastEvent, (*answers[2])->lastEvent);
}

}  // namespace
}  // namespace zellige
