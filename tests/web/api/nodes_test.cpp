#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Nodes : public ApiTest {
 protected:
  void SetUp() override {
    openApi(5);
    be("operator");
  }
  std::vector<std::string> serials(const std::string& query) {
    const auto reply = get("/api/v1/nodes" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    std::vector<std::string> out;
    const auto page = json(reply);  // not in the loop's head: a temporary dies before the loop begins
    for (const auto& node : page.at("nodes")) out.push_back(node.at("serial"));
    return out;
  }
};

TEST_F(Nodes, AreListedInTheOrderAskedFor) {
  EXPECT_THAT(serials("?sort=serial&limit=2"), ElementsAre("SN1000", "SN1001"));
  EXPECT_THAT(serials("?sort=-serial&limit=2"), ElementsAre("SN1004", "SN1003"));
}

TEST_F(Nodes, AreFilteredByEveryAxis) {
  ASSERT_TRUE(move(nodeId(2), Lifecycle::Planned, Lifecycle::Discovered));
  ASSERT_TRUE(commit({SetContact{nodeId(3), time_.now()}}));
  EXPECT_THAT(serials("?lifecycle=discovered"), ElementsAre("SN1002"));
  EXPECT_EQ(serials("?lifecycle=discovered,planned").size(), 5u);
  EXPECT_THAT(serials("?contact=unreachable"), ElementsAre("SN1003"));
  EXPECT_EQ(serials("?contact=reachable").size(), 4u);
  EXPECT_THAT(serials("?place=H1/R01/RK001/U10"), ElementsAre("SN1000"));
  EXPECT_EQ(serials("?place=H1/R01").size(), 5u);
  EXPECT_THAT(serials("?q=sn1004"), ElementsAre("SN1004"));
  EXPECT_TRUE(serials("?kind=power_shelf").empty());
  EXPECT_TRUE(serials("?health=failed").empty());
}

TEST_F(Nodes, UnknownWordsInFiltersAreRefused) {
  for (const auto* query : {"?lifecycle=happy", "?kind=tray", "?kind=compute_tray,power_shelf",
                            "?contact=yes", "?health=fine", "?sort=colour", "?cursor=zz"})
    EXPECT_EQ(get(std::string("/api/v1/nodes") + query).status, 400) << query;
}

TEST_F(Nodes, CursorsAreStableWhenNodesAppear) {
  const auto first = json(get("/api/v1/nodes?sort=serial&limit=2"));
  ASSERT_TRUE(first.at("next").is_string());
  auto more = smallSite(store_->content(), directory_.path(), 5);
  auto extra = manifestNode(20);
  extra.serial = "SN0001";  // sorts before everything seen
  more.manifests[0].nodes.push_back(extra);
  ASSERT_TRUE(wait(store_->importSite(more, by_)));
  const auto next = first.at("next").get<std::string>();
  EXPECT_THAT(serials("?sort=serial&limit=2&cursor=" + next), ElementsAre("SN1002", "SN1003"));
  EXPECT_EQ(json(get("/api/v1/nodes?sort=serial&limit=500")).at("next"), nullptr);
}

TEST_F(Nodes, OneIsShownWithEverything) {
  ASSERT_TRUE(commit({PutInventory{nodeId(0), smallInventory()}}));
  Evidence evidence{nodeId(0), {}, "inventory", "{\"gpus\": 4}", {"serial:SN1000"}, time_.now()};
  ASSERT_TRUE(commit({PutEvidence{evidence}}));
  raise(nodeId(0), "cooling.leak");
  const auto reply = get("/api/v1/nodes/SN1000");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto node = json(reply);
  EXPECT_EQ(node.at("inventory").at("components").size(), 2u);
  EXPECT_EQ(node.at("evidence").at(0).at("value").at("gpus"), 4);
  EXPECT_EQ(node.at("baseline"), "2026.1");
  EXPECT_FALSE(node.at("compliance").at("holds").get<bool>());
  EXPECT_EQ(node.at("compliance").at("behind").at(0).at("component"), "HGX_FW_GPU_0");
  EXPECT_EQ(node.at("compliance").at("behind").at(0).at("wanted"), "1.4.0");
  EXPECT_EQ(node.at("findings").at(0).at("cause"), "cooling.leak");
  EXPECT_EQ(node.at("cause"), "cooling.leak");
  EXPECT_FALSE(node.at("armed").get<bool>());
  EXPECT_EQ(reply.headers.get("ETag"), "\"" + std::to_string(node.at("version").get<int>()) + "\"");
  EXPECT_FALSE(node.at("bmc").contains("user"));
  EXPECT_EQ(get("/api/v1/nodes/NOBODY").status, 404);
}

TEST_F(Nodes, ARunIsStartedAndShownWhereItWaits) {
  const auto id = startRun(0, "qualify", "wait");
  const auto node = json(get("/api/v1/nodes/SN1000"));
  EXPECT_EQ(node.at("run").at("id"), id);
  EXPECT_EQ(node.at("run").at("waits_for"), "a person to be content");
  EXPECT_EQ(node.at("lifecycle"), "qualifying");
}

TEST_F(Nodes, RunsAreRefusedWhereTheyCannotBe) {
  const Json asked{{"workflow", "toy"}, {"reason", "a test"}};
  EXPECT_EQ(post("/api/v1/nodes/NOBODY/runs", asked).status, 404);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", {{"workflow", "dance"}, {"reason", "a test"}}).status, 404);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", {{"workflow", "toy"}}).status, 422) << "no reason";
  startRun(0, "toy", "wait");
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", asked).status, 409) << "another run is unfinished";
  ASSERT_TRUE(move(nodeId(1), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  EXPECT_EQ(post("/api/v1/nodes/SN1001/runs", asked).status, 409) << "retired";
  be("operator", "H2");
  EXPECT_EQ(post("/api/v1/nodes/SN1002/runs", asked).status, 403) << "a role elsewhere";
}

TEST_F(Nodes, ARunStartsOnlyOnTheVersionThatWasSeen) {
  const Json asked{{"workflow", "toy"}, {"reason", "a test"}};
  const std::string seen{get("/api/v1/nodes/SN1000").headers.get("ETag")};
  ASSERT_TRUE(commit({SetHealth{nodeId(0), Health::Degraded}}));
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", asked, {{"If-Match", seen}}).status, 412);
  const std::string now{get("/api/v1/nodes/SN1000").headers.get("ETag")};
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", asked, {{"If-Match", now}}).status, 201);
}

TEST_F(Nodes, AStartIsAnEventWithWhoAndWhy) {
  const auto before = queries_->lastEvent();
  startRun(0, "toy", "wait");
  const auto started = eventsSince(before).at(0);
  EXPECT_EQ(started.kind, "run.started");
  EXPECT_EQ(started.actor, "operator");
  EXPECT_EQ(Json::parse(started.data).at("why"), "a test");
}

TEST_F(Nodes, HoldsStopAndAreReleasedWithAReason) {
  const auto expires = iso8601(time_.now() + 1h);
  const auto made = post("/api/v1/nodes/SN1000/holds", {{"reason", "cable swap"}, {"expires", expires}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(json(made).at("expires"), expires);
  EXPECT_THAT(store_->heldBecause(nodeId(0)), HasSubstr("cable swap"));
  EXPECT_EQ(json(get("/api/v1/nodes/SN1000/holds")).at("holds").size(), 1u);
  const auto path = "/api/v1/nodes/SN1000/holds/" + std::to_string(json(made).at("id").get<int>());
  EXPECT_EQ(send("DELETE", path).status, 400) << "no reason";
  EXPECT_EQ(send("DELETE", "/api/v1/nodes/SN1001/holds/1?reason=x").status, 404) << "of another node";
  EXPECT_EQ(send("DELETE", path + "?reason=done").status, 204);
  EXPECT_EQ(json(get("/api/v1/nodes/SN1000/holds")).at("holds").size(), 0u);
  EXPECT_EQ(get("/api/v1/nodes/NOBODY/holds").status, 404);
  EXPECT_EQ(post("/api/v1/nodes/NOBODY/holds", {{"reason", "x"}}).status, 404);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/holds", {{"reason", "x"}, {"expires", "2020-01-01T00:00:00Z"}}).status,
            422);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/holds", {{"reason", "x"}, {"expires", "tomorrow"}}).status, 422);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/holds", {{"reason", "x"}, {"kind", "hug"}}).status, 422);
}

TEST_F(Nodes, APersonalLockIsItsOwnersAlone) {
  const auto made = post("/api/v1/nodes/SN1000/holds",
                         {{"reason", "hands inside"}, {"kind", "personal_lock"}});
  const auto path = "/api/v1/nodes/SN1000/holds/" + std::to_string(json(made).at("id").get<int>()) +
                    "?reason=x";
  token_ = tokenOf("other", "operator");
  EXPECT_EQ(send("DELETE", path).status, 409);
  be("operator", "H2");
  EXPECT_EQ(send("DELETE", path).status, 403);
  be("operator");
  EXPECT_EQ(send("DELETE", path).status, 204);
}

TEST_F(Nodes, AreMovedAlongTheirLifecycleByAPersonWhoSaysWhy) {
  const std::string path = "/api/v1/nodes/SN1000/lifecycle";
  EXPECT_EQ(post(path, {{"to", "retired"}}).status, 422) << "why?";
  EXPECT_EQ(post(path, {{"to", "asleep"}, {"reason", "x"}}).status, 422);
  EXPECT_EQ(post("/api/v1/nodes/NOBODY/lifecycle", {{"to", "retired"}, {"reason", "x"}}).status, 404);
  const auto refused = post(path, {{"to", "available"}, {"reason", "x"}});
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("SN1000 is planned: a person can make it retired"));
  const auto run = startRun(0, "toy", "wait");
  EXPECT_EQ(post(path, {{"to", "retired"}, {"reason", "x"}}).status, 409) << "a run works on it";
  ASSERT_EQ(post("/api/v1/runs/" + std::to_string(run) + "/cancel", {{"reason", "x"}}).status, 202);
  settle();
  const std::string tag(get("/api/v1/nodes/SN1000").headers.get("ETag"));
  const Json asked{{"to", "retired"}, {"reason", "RMA 4711"}};
  EXPECT_EQ(post(path, asked, {{"If-Match", "\"77\""}}).status, 412);
  const auto reply = post(path, asked, {{"If-Match", tag}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(json(reply).at("lifecycle"), "retired");
  EXPECT_THAT(get("/api/v1/events?kind=node.lifecycle&node=SN1000&limit=500").body, HasSubstr("RMA 4711"));
  be("technician");
  EXPECT_EQ(post("/api/v1/nodes/SN1001/lifecycle", {{"to", "retired"}, {"reason", "x"}}).status, 403);
}

TEST_F(Nodes, WhoseHandsAreInsideLocksAndTheShiftLeadReleases) {
  const auto lock = [&](std::string_view kind) {
    const auto made = post("/api/v1/nodes/SN1000/holds", {{"reason", "hands inside"}, {"kind", kind}});
    EXPECT_EQ(made.status, 201) << made.body;
    return "/api/v1/nodes/SN1000/holds/" + std::to_string(json(made).at("id").get<int>()) + "?reason=x";
  };
  be("viewer");
  EXPECT_EQ(post("/api/v1/nodes/SN1000/holds", {{"reason", "x"}}).status, 403);
  be("technician", "H2");
  EXPECT_EQ(post("/api/v1/nodes/SN1000/holds", {{"reason", "x"}}).status, 403) << "works elsewhere";
  be("technician");
  const auto own = lock("personal_lock"), left = lock("personal_lock");
  EXPECT_EQ(send("DELETE", own).status, 204);
  be("operator");
  const auto operators = lock("hold");
  EXPECT_EQ(send("DELETE", left).status, 409) << "hands are inside";
  be("technician");
  EXPECT_EQ(send("DELETE", operators).status, 403) << "not theirs";
  be("shift_lead");
  EXPECT_EQ(send("DELETE", left).status, 204);
  EXPECT_EQ(send("DELETE", operators).status, 204);
}

TEST_F(Nodes, AnotherCertificateIsAcceptedByAPersonWhoSaysWhy) {
  const std::string path = "/api/v1/nodes/SN1000/certificate";
  auto access = *store_->loadAccess(nodeId(0));
  access.pin = "old";
  ASSERT_TRUE(wait(store_->saveAccess(nodeId(0), access)));
  raise(nodeId(0), "bmc.certificate_changed");
  EXPECT_EQ(post(path, Json::object()).status, 422) << "why?";
  EXPECT_EQ(post("/api/v1/nodes/NOBODY/certificate", {{"reason", "x"}}).status, 404);
  const auto run = startRun(0, "toy", "wait");
  EXPECT_EQ(post(path, {{"reason", "board swapped"}}).status, 409) << "a run speaks to it";
  EXPECT_EQ(store_->loadAccess(nodeId(0))->pin, "old");
  EXPECT_TRUE(forgotten_.empty());
  ASSERT_EQ(post("/api/v1/runs/" + std::to_string(run) + "/cancel", {{"reason", "x"}}).status, 202);
  settle();
  const auto reply = post(path, {{"reason", "board swapped"}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(json(reply).at("serial"), "SN1000");
  EXPECT_EQ(store_->loadAccess(nodeId(0))->pin, "");
  EXPECT_THAT(forgotten_, ElementsAre(nodeId(0))) << "nor does the driver remember it";
  EXPECT_TRUE(json(get("/api/v1/findings?node=SN1000")).at("findings").empty());
  EXPECT_THAT(get("/api/v1/events?kind=access.&node=SN1000&limit=500").body, HasSubstr("board swapped"));
  be("operator", "H2");
  EXPECT_EQ(post(path, {{"reason", "x"}}).status, 403);
}

}  // namespace
}  // namespace zellige::test
