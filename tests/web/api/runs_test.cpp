#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Runs : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    be("operator");
  }
  static std::string path(std::int64_t id, const std::string& rest = "") {
    return "/api/v1/runs/" + std::to_string(id) + rest;
  }
  static std::vector<std::string> states(const Json& run) {
    std::vector<std::string> out;
    for (const auto& step : run.at("steps")) out.push_back(step.at("state"));
    return out;
  }
  Lifecycle lifecycle(int n) { return store_->node(nodeId(n))->lifecycle; }
};

TEST_F(Runs, ShowTheirStepsAndWhatTheyWaitFor) {
  const auto run = json(get(path(startRun(0, "qualify", "wait"))));
  EXPECT_EQ(run.at("state"), "active");
  EXPECT_THAT(states(run), ElementsAre("done", "done", "current", "ahead"));
  EXPECT_EQ(run.at("steps").at(2).at("waits_for"), "a person to be content");
  EXPECT_EQ(run.at("reason"), "a test");
  const auto done = json(get(path(startRun(1, "toy", ""))));
  EXPECT_EQ(done.at("state"), "done");
  EXPECT_THAT(states(done), ElementsAre("done", "done"));
  EXPECT_EQ(get(path(99)).status, 404);
  EXPECT_EQ(get("/api/v1/runs/first").status, 404);
}

TEST_F(Runs, AreListedNewestFirstWithStableCursors) {
  const auto first = startRun(0, "toy", ""), second = startRun(0, "toy", "wait"),
             third = startRun(1, "qualify", "wait");
  const auto page = json(get("/api/v1/runs?limit=2"));
  EXPECT_EQ(page.at("runs").at(0).at("id"), third);
  EXPECT_EQ(page.at("runs").at(1).at("id"), second);
  startRun(2, "toy", "");
  const auto next = json(get("/api/v1/runs?limit=2&cursor=" + page.at("next").get<std::string>()));
  ASSERT_EQ(next.at("runs").size(), 1u);
  EXPECT_EQ(next.at("runs").at(0).at("id"), first);
  EXPECT_EQ(next.at("next"), nullptr);
  EXPECT_EQ(json(get("/api/v1/runs?state=active&node=SN1001")).at("runs").size(), 1u);
  EXPECT_EQ(json(get("/api/v1/runs?workflow=toy&state=done")).at("runs").size(), 2u);
  EXPECT_EQ(get("/api/v1/runs?node=NOBODY").status, 400);
  EXPECT_EQ(get("/api/v1/runs?state=asleep").status, 400);
  EXPECT_EQ(get("/api/v1/findings?cursor=" + page.at("next").get<std::string>()).status, 400)
      << "of another list";
}

TEST_F(Runs, ACancelledRunEndsAtItsNextSafePoint) {
  const auto id = startRun(0, "toy", "wait");
  EXPECT_EQ(post(path(id, "/cancel"), {{"reason", "wrong tray"}}).status, 202);
  settle();
  const auto run = json(get(path(id)));
  EXPECT_EQ(run.at("state"), "cancelled");
  EXPECT_EQ(post(path(id, "/cancel"), {{"reason", "again"}}).status, 409);
  EXPECT_EQ(post(path(99, "/cancel"), {{"reason", "x"}}).status, 404);
  EXPECT_EQ(post(path(id, "/cancel"), Json::object()).status, 422);
  const auto events = eventsSince(0);
  const auto cancelled = std::find_if(events.begin(), events.end(),
                                      [](const auto& e) { return e.kind == "run.cancelled"; });
  ASSERT_NE(cancelled, events.end());
  EXPECT_EQ(cancelled->actor, "operator");
  EXPECT_THAT(cancelled->data, HasSubstr("wrong tray"));
}

TEST_F(Runs, ARetryLiftsQuarantineAndResolvesTheFinding) {
  const auto id = startRun(0, "qualify", "fail");
  EXPECT_EQ(json(get(path(id))).at("state"), "failed");
  ASSERT_EQ(lifecycle(0), Lifecycle::Quarantined);
  const auto reply = post(path(id, "/retry"), {{"reason", "reseated GPU 3"}});
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_NE(json(reply).at("id"), id);
  EXPECT_EQ(json(reply).at("workflow"), "qualify");
  EXPECT_EQ(json(reply).at("parameter"), "fail");
  const auto findings = json(get("/api/v1/findings?state=all&node=SN1000")).at("findings");
  ASSERT_GE(findings.size(), 1u);
  EXPECT_EQ(findings.back().at("resolution"), "operator: reseated GPU 3");
  settle();
  EXPECT_EQ(lifecycle(0), Lifecycle::Quarantined) << "it failed again, by itself";
  EXPECT_EQ(json(get("/api/v1/findings?node=SN1000")).at("findings").size(), 1u);
}

// Whatever instant a crash picks, a node that left quarantine has the run that qualifies it.
TEST_F(Runs, ANodeLeavesQuarantineInOneCommitWithItsRun) {
  const auto id = startRun(0, "qualify", "fail");
  const auto ask = [&](std::string target, const Json& body) {
    auto request = requestOf("POST", std::move(target), body, {{"Authorization", "Bearer " + token_}});
    std::optional<HttpReply> reply;
    executor_->spawn(keep(api_->handle(std::move(request), {"192.0.2.7"}), reply));
    while (!reply && time_.runOne()) {
      if (lifecycle(0) == Lifecycle::Qualifying) {
        EXPECT_TRUE(store_->unfinishedRunOf(nodeId(0)));
      } else {
        EXPECT_EQ(lifecycle(0), Lifecycle::Quarantined);
        EXPECT_FALSE(store_->unfinishedRunOf(nodeId(0)));
      }
    }
    return reply ? reply->status : 0;
  };
  EXPECT_EQ(ask(path(id, "/retry"), {{"reason", "reseated"}}), 201);
  settle();
  ASSERT_EQ(lifecycle(0), Lifecycle::Quarantined);
  const auto finding = json(get("/api/v1/findings?node=SN1000")).at("findings").at(0);
  ASSERT_EQ(post("/api/v1/findings/" + std::to_string(finding.at("id").get<int>()) + "/resolve",
                 {{"resolution", "replaced"}})
                .status,
            200);
  const Json again{{"workflow", "qualify"}, {"parameter", "wait"}, {"reason", "replaced"}};
  EXPECT_EQ(ask("/api/v1/nodes/SN1000/runs", again), 201);
}

TEST_F(Runs, ARetryNeedsAFailedRunAndNothingInItsWay) {
  const auto waiting = startRun(0, "toy", "wait");
  EXPECT_EQ(post(path(waiting, "/retry"), {{"reason", "x"}}).status, 409) << "not failed";
  const auto failed = startRun(1, "qualify", "fail");
  raise(nodeId(1), "cooling.leak");
  const auto blocked = post(path(failed, "/retry"), {{"reason", "x"}});
  EXPECT_EQ(blocked.status, 409);
  EXPECT_THAT(blocked.body, HasSubstr("cooling.leak"));
  EXPECT_EQ(lifecycle(1), Lifecycle::Quarantined) << "nothing was lifted";
  EXPECT_EQ(post(path(99, "/retry"), {{"reason", "x"}}).status, 404);
  EXPECT_EQ(post(path(failed, "/retry"), Json::object()).status, 422);
}

TEST_F(Runs, AQuarantinedNodeIsQualifiedAgainOnceNothingBlocksIt) {
  startRun(0, "qualify", "fail");
  const Json again{{"workflow", "qualify"}, {"parameter", "wait"}, {"reason", "replaced"}};
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", again).status, 409);
  const auto finding = json(get("/api/v1/findings?node=SN1000")).at("findings").at(0);
  const auto resolve = "/api/v1/findings/" + std::to_string(finding.at("id").get<int>()) + "/resolve";
  const auto resolved = post(resolve, {{"resolution", "GPU 3 replaced"}});
  ASSERT_EQ(resolved.status, 200) << resolved.body;
  EXPECT_TRUE(json(resolved).at("resolved").is_string());
  EXPECT_EQ(post(resolve, {{"resolution", "again"}}).status, 409);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", again).status, 201);
  EXPECT_EQ(lifecycle(0), Lifecycle::Qualifying);
}

TEST_F(Runs, AWorkflowThatQualifiesNothingLeavesQuarantineAlone) {
  startRun(0, "qualify", "fail");
  startRun(0, "toy", "wait");
  EXPECT_EQ(lifecycle(0), Lifecycle::Quarantined);
}

TEST_F(Runs, RolesElsewhereDoNotReachThem) {
  const auto id = startRun(0, "toy", "wait");
  be("operator", "H2");
  EXPECT_EQ(post(path(id, "/cancel"), {{"reason", "x"}}).status, 403);
  EXPECT_EQ(post(path(id, "/retry"), {{"reason", "x"}}).status, 403);
}

TEST_F(Runs, FindingsTellWhatToDo) {
  startRun(0, "qualify", "fail");
  const auto list = json(get("/api/v1/findings?cause=burnin.failed&place=H1/R01&limit=1"));
  ASSERT_EQ(list.at("findings").size(), 1u);
  const auto& finding = list.at("findings").at(0);
  EXPECT_EQ(finding.at("serial"), "SN1000");
  EXPECT_EQ(finding.at("blocking"), true);
  EXPECT_THAT(finding.at("detail").get<std::string>(), HasSubstr("gemm_tflops 12"));
  EXPECT_FALSE(finding.at("next_action").get<std::string>().empty());
  EXPECT_EQ(get("/api/v1/findings/" + std::to_string(finding.at("id").get<int>())).status, 200);
  EXPECT_EQ(get("/api/v1/findings/99").status, 404);
  EXPECT_EQ(get("/api/v1/findings?state=closed").status, 400);
  EXPECT_EQ(get("/api/v1/findings?node=NOBODY").status, 400);
  EXPECT_EQ(post("/api/v1/findings/99/resolve", {{"resolution", "x"}}).status, 404);
  const auto id = std::to_string(finding.at("id").get<int>());
  EXPECT_EQ(post("/api/v1/findings/" + id + "/resolve", Json::object()).status, 422);
}

TEST_F(Runs, TheSameKeyStartsOneRun) {
  const Json asked{{"workflow", "toy"}, {"parameter", "wait"}, {"reason", "once"}};
  const auto first = post("/api/v1/nodes/SN1000/runs", asked, {{"Idempotency-Key", "k1"}});
  const auto again = post("/api/v1/nodes/SN1000/runs", asked, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  auto other = asked;
  other["reason"] = "another";
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", other, {{"Idempotency-Key", "k1"}}).status, 422);
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", asked, {{"Idempotency-Key", "k2"}}).status, 409)
      << "really asked again";
  EXPECT_EQ(post("/api/v1/nodes/SN1001/runs", asked, {{"Idempotency-Key", std::string(65, 'k')}}).status, 400);
  token_ = tokenOf("other", "operator");
  EXPECT_EQ(post("/api/v1/nodes/SN1001/runs", asked, {{"Idempotency-Key", "k1"}}).status, 201)
      << "keys are per user";
}

TEST_F(Runs, ARefusalIsNotKeptUnderItsKey) {
  const Json asked{{"workflow", "toy"}, {"reason", "later"}};
  startRun(0, "toy", "wait");
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", asked, {{"Idempotency-Key", "k"}}).status, 409);
  post("/api/v1/runs/1/cancel", {{"reason", "make room"}});
  settle();
  EXPECT_EQ(post("/api/v1/nodes/SN1000/runs", asked, {{"Idempotency-Key", "k"}}).status, 201);
}

TEST_F(Runs, TwoAtOnceWithOneKeyAreNotTwoRuns) {
  auto asked = requestOf("POST", "/api/v1/nodes/SN1000/runs",
                         Json{{"workflow", "toy"}, {"parameter", "wait"}, {"reason", "x"}},
                         {{"Idempotency-Key", "k"}, {"Authorization", "Bearer " + token_}});
  std::optional<HttpReply> first, second;
  executor_->spawn(keep(api_->handle(asked, {"192.0.2.7"}), first));
  executor_->spawn(keep(api_->handle(asked, {"192.0.2.8"}), second));
  settle();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->status, 201);
  EXPECT_EQ(second->status, 409);
  EXPECT_EQ(json(get("/api/v1/runs")).at("runs").size(), 1u);
}

}  // namespace
}  // namespace zellige::test
