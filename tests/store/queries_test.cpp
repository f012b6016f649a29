#include <gmock/gmock.h>

#include <algorithm>
#include <ctime>

#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;

class QueriesTest : public test::StoreTest {
 protected:
  std::vector<std::string> serials(const NodeFilter& filter, NodeSort sort = NodeSort::Place,
                                   bool descending = false) {
    std::vector<std::string> out;
    const auto page = queries_->nodes(filter, sort, descending, "", 1000);
    for (const auto& row : page->nodes) out.push_back(row.node.serial);
    return out;
  }
};

TEST_F(QueriesTest, FilterNodesByEveryFact) {
  openWithSite(40);
  ASSERT_TRUE(move(nodeId(3), Lifecycle::Planned, Lifecycle::Discovered));
  ASSERT_TRUE(commit({SetContact{nodeId(4), time_.now()}, SetHealth{nodeId(5), Health::Degraded}}));
  EXPECT_THAT(serials({.lifecycles = {Lifecycle::Discovered}}), ElementsAre("SN1003"));
  EXPECT_EQ(serials({.lifecycles = {Lifecycle::Discovered, Lifecycle::Planned}}).size(), 40u);
  EXPECT_THAT(serials({.reachable = false}), ElementsAre("SN1004"));
  EXPECT_THAT(serials({.health = Health::Degraded}), ElementsAre("SN1005"));
  EXPECT_EQ(serials({.kind = NodeKind::ComputeTray}).size(), 40u);
  EXPECT_EQ(serials({.kind = NodeKind::PowerShelf}).size(), 0u);
  EXPECT_EQ(serials({.place = "H1/R01/RK001"}).size(), 18u);
  EXPECT_EQ(serials({.place = "H1/R01/RK00"}).size(), 0u) << "a place is whole, not a prefix of letters";
  EXPECT_THAT(serials({.place = "H1/R01/RK001/U12"}), ElementsAre("SN1002"));
  EXPECT_EQ(serials({.lifecycles = {Lifecycle::Discovered}, .place = "H1/R01/RK002"}).size(), 0u);
}

TEST_F(QueriesTest, FindNodesByAnyPartOfTheirNames) {
  openWithSite(40);
  auto inventory = test::smallInventory();
  ASSERT_TRUE(commit({PutInventory{nodeId(7), inventory}}));
  EXPECT_THAT(serials({.text = "sn1012"}), ElementsAre("SN1012"));
  EXPECT_EQ(serials({.text = "RK003/U1"}).size(), 4u);
  EXPECT_THAT(serials({.text = "00:00:10"}), ElementsAre("SN1000"));
  EXPECT_THAT(serials({.text = "10.0.0.40"}), ElementsAre("SN1039"));
  EXPECT_THAT(serials({.text = "165002"}), ElementsAre("SN1007")) << "the serial of one of its GPUs";
  EXPECT_EQ(serials({.text = "SN"}).size(), 40u) << "two letters: the beginning";
  EXPECT_EQ(serials({.text = "N1"}).size(), 0u);
  EXPECT_EQ(serials({.text = "100% \"_*"}).size(), 0u) << "no character means anything else";
}

TEST_F(QueriesTest, WalkEveryOrderPageByPage) {
  openWithSite(40);
  for (int n = 0; n < 40; n += 3) ASSERT_TRUE(move(nodeId(n), Lifecycle::Planned, Lifecycle::Discovered));
  for (const auto sort : {NodeSort::Place, NodeSort::Serial, NodeSort::Lifecycle, NodeSort::Since}) {
    for (const bool descending : {false, true}) {
      const auto all = serials({}, sort, descending);
      ASSERT_EQ(all.size(), 40u);
      std::vector<std::string> walked;
      std::string cursor;
      do {
        const auto page = queries_->nodes({}, sort, descending, cursor, 7);
        ASSERT_TRUE(page);
        EXPECT_EQ(page->total, 40);
        for (const auto& row : page->nodes) walked.push_back(row.node.serial);
        cursor = page->next;
      } while (!cursor.empty() && walked.size() < 100);
      EXPECT_EQ(walked, all) << nameOf(sort) << (descending ? " descending" : "");
    }
  }
  const auto page = queries_->nodes({}, NodeSort::Place, false, "", 7);
  EXPECT_FALSE(queries_->nodes({}, NodeSort::Serial, false, page->next, 7))
      << "a cursor belongs to its order";
  EXPECT_FALSE(queries_->nodes({}, NodeSort::Place, false, "zz", 7));
  EXPECT_FALSE(queries_->nodes({}, NodeSort::Place, false, toHex("[[[["), 7));
}

TEST_F(QueriesTest, ShowANodeWithEverything) {
  openWithSite();
  const auto node = nodeId(0);
  ASSERT_TRUE(commit({PutInventory{node, test::smallInventory()},
                      PutEvidence{{node, {}, "burnin/x", "{}", {"gpu:GPU_0=165001"}, time_.now()}}}));
  auto swapped = test::smallInventory();
  swapped.components[0].serial = "new";
  AgentReport report;
  report.serial = "SN1000";
  report.bootId = "b";
  ASSERT_TRUE(commit({PutInventory{node, swapped}, PutReport{node, report, time_.now()}}));
  const auto run = startRun(node);
  raise(node, "bmc.password_change");
  raise(node, "power.stuck");
  Hold hold;
  hold.node = node;
  hold.owner = "alice";
  hold.reason = "looking";
  ASSERT_TRUE(wait(store_->addHold(hold, by_)));
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  const auto detail = queries_->node(node, time_.now());
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->row.run, run);
  EXPECT_EQ(detail->row.step, "discover.identify");
  EXPECT_EQ(detail->row.openFindings, 2);
  EXPECT_EQ(detail->row.cause, "power.stuck") << "the blocking one";
  EXPECT_EQ(detail->inventory->components[0].serial, "new");
  ASSERT_EQ(detail->evidence.size(), 1u);
  EXPECT_TRUE(detail->evidence[0].invalidSince);
  EXPECT_THAT(detail->evidence[0].invalidWhy, ::testing::HasSubstr("gpu:GPU_0=165001"));
  EXPECT_EQ(detail->findings.size(), 2u);
  EXPECT_EQ(detail->holds.size(), 1u);
  EXPECT_EQ(detail->run->workflow, "qualify");
  EXPECT_EQ(detail->report->report.bootId, "b");
  EXPECT_TRUE(detail->armed);
  EXPECT_FALSE(queries_->node(NodeId{99}, time_.now()));
}

TEST_F(QueriesTest, ListRunsAndFindings) {
  openWithSite(40);
  for (int n = 0; n < 10; ++n) startRun(nodeId(n));
  auto run = *store_->run(RunId{4});
  run.state = RunState::Failed;
  ASSERT_TRUE(commit({SaveRun{run, "run.failed"}}));
  EXPECT_EQ(queries_->runs({}, {}, 100).runs.size(), 10u);
  EXPECT_EQ(queries_->runs({.states = {RunState::Active, RunState::Blocked}}, {}, 100).runs.size(), 9u);
  EXPECT_EQ(queries_->runs({.states = {RunState::Failed}}, {}, 100).runs.at(0).subject,
            (std::vector{nodeId(3)}));
  EXPECT_EQ(queries_->runs({.workflow = "other"}, {}, 100).runs.size(), 0u);
  EXPECT_EQ(queries_->runs({.node = nodeId(2)}, {}, 100).runs.at(0).id, RunId{3});
  const auto page = queries_->runs({}, {}, 4);
  EXPECT_EQ(page.runs.size(), 4u);
  EXPECT_EQ(queries_->runs({}, page.next, 4).runs.at(0).id, RunId{6});

  raise(nodeId(0), "power.stuck");
  raise(nodeId(20), "power.stuck");
  raise(nodeId(20), "step.tries");
  ASSERT_TRUE(commit({ResolveFindings{nodeId(0), "power.stuck", "ok"}}));
  EXPECT_EQ(queries_->findings({}, {}, 10).findings.size(), 2u);
  EXPECT_EQ(queries_->findings({.openOnly = false}, {}, 10).findings.size(), 3u);
  EXPECT_EQ(queries_->findings({.cause = "step.tries"}, {}, 10).findings.at(0).serial, "SN1020");
  EXPECT_EQ(queries_->findings({.openOnly = false, .place = "H1/R01/RK001"}, {}, 10).findings.size(), 1u);
  EXPECT_EQ(queries_->findings({.node = nodeId(20)}, {}, 1).findings.size(), 1u);
  EXPECT_TRUE(queries_->findings({.node = nodeId(20)}, {}, 1).next);
  EXPECT_EQ(queries_->finding(FindingId{1})->resolution, "ok");
}

TEST_F(QueriesTest, CountByLifecycleAndByRack) {
  openWithSite(40);
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Discovered));
  ASSERT_TRUE(commit({SetContact{nodeId(1), time_.now()}, SetHealth{nodeId(1), Health::Failed}}));
  EXPECT_EQ(queries_->lifecycleCounts(),
            (std::map<Lifecycle, std::int64_t>{{Lifecycle::Planned, 39}, {Lifecycle::Discovered, 1}}));
  const auto racks = queries_->racks("H1/R01");
  ASSERT_EQ(racks.size(), 3u);
  EXPECT_EQ(racks[0].rack, "H1/R01/RK001");
  EXPECT_EQ(racks[0].total, 18);
  EXPECT_EQ(racks[0].lifecycles.at(Lifecycle::Discovered), 1);
  EXPECT_EQ(racks[0].unreachable, 1);
  EXPECT_EQ(racks[0].notOk, 1);
  EXPECT_EQ(racks[2].total, 4);
  EXPECT_EQ(queries_->documents("profile").at(0).name, "gb200-sim");
  EXPECT_EQ(queries_->files().size(), 2u);
  EXPECT_TRUE(queries_->document("plan", "short"));
}

}  // namespace
}  // namespace zellige
