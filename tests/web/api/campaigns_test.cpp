#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::HasSubstr;

class CampaignsApi : public ApiTest {
 protected:
  void SetUp() override {
    openApi(3);
    be("operator");
    auto wanted = site(3);
    wanted.baselines[0].entries[0].force = true;
    auto newer = wanted.baselines[0];
    newer.name = "2026.2";
    wanted.baselines.push_back(newer);
    const auto imported = wait(store_->importSite(wanted, by_));
    ASSERT_TRUE(imported) << imported.error().what;
    ASSERT_TRUE(wait(store_->armPlace("", by_)));
    for (int n = 0; n < 2; ++n) {
      ASSERT_TRUE(move(nodeId(n), Lifecycle::Planned, Lifecycle::Discovered));
      ASSERT_TRUE(move(nodeId(n), Lifecycle::Discovered, Lifecycle::Qualifying));
    }
  }
  static Json spring() {
    return {{"name", "spring"},
            {"baseline", "2026.2"},
            {"kind", "compute_tray"},
            {"failure_budget", 3},
            {"reason", "CVE in the BMC"}};
  }
  void makeAvailable() {
    for (int n = 0; n < 2; ++n) {
      ASSERT_TRUE(commit({PutEvidence{{nodeId(n), {}, "all", "{}", {}, time_.now()}}}));
      ASSERT_TRUE(move(nodeId(n), Lifecycle::Qualifying, Lifecycle::Available, Actor::Engine, {"all"}));
    }
  }
  Json campaign() { return json(get("/api/v1/campaigns/1")); }
  HttpReply ask(const std::string& how) { return post("/api/v1/campaigns/1/" + how, {{"reason", "a test"}}); }
};

TEST_F(CampaignsApi, AreMadeWatchedAndListed) {
  EXPECT_EQ(json(post("/api/v1/campaigns?dry_run=true", spring())).at("nodes"), 2);
  EXPECT_EQ(json(get("/api/v1/campaigns")).at("campaigns").size(), 0u) << "a dry run makes none";
  auto silent = spring();
  silent.erase("reason");
  EXPECT_EQ(post("/api/v1/campaigns", silent).status, 422) << "why?";
  EXPECT_EQ(post("/api/v1/campaigns?dry_run=true", silent).status, 200);
  const auto made = post("/api/v1/campaigns", spring());
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(json(made).at("members").at("pending"), 2);
  EXPECT_EQ(json(made).at("created_by"), "operator");
  EXPECT_EQ(json(made).at("reason"), "CVE in the BMC");
  EXPECT_THAT(get("/api/v1/events?kind=campaign.created&limit=500").body, HasSubstr("CVE in the BMC"));
  const auto list = json(get("/api/v1/campaigns?state=running&limit=1"));
  ASSERT_EQ(list.at("campaigns").size(), 1u);
  EXPECT_EQ(list.at("campaigns")[0].at("name"), "spring");
  const auto members = json(get("/api/v1/campaigns/1/members?limit=1"));
  ASSERT_EQ(members.at("members").size(), 1u);
  EXPECT_EQ(members.at("members")[0].at("serial"), serial(0));
  const auto rest = json(get("/api/v1/campaigns/1/members?cursor=" + members.at("next").get<std::string>()));
  EXPECT_EQ(rest.at("members").size(), 1u);
  EXPECT_EQ(get("/api/v1/campaigns/7").status, 404);
  EXPECT_EQ(get("/api/v1/campaigns/7/members").status, 404);
  for (const auto* bad : {"?state=lost", "?limit=0", "?cursor=00"}) {
    EXPECT_EQ(get(std::string("/api/v1/campaigns") + bad).status, 400) << bad;
    EXPECT_EQ(get(std::string("/api/v1/campaigns/1/members") + bad).status, 400) << bad;
  }
}

TEST_F(CampaignsApi, AreRefusedWithTheReasonBeforeAnyNodeIsTouched) {
  const auto refusal = [&](const char* key, const Json& value) {
    auto body = spring();
    body[key] = value;
    const auto reply = post("/api/v1/campaigns", body);
    EXPECT_EQ(reply.status, 422) << reply.body;
    return reply.body;
  };
  EXPECT_THAT(refusal("window", 0), HasSubstr("a window of 0 racks lets nothing begin"));
  EXPECT_THAT(refusal("window", -1), HasSubstr("must be a whole number"));
  EXPECT_THAT(refusal("window", 1.5), HasSubstr("must be a whole number"));
  EXPECT_THAT(refusal("window", 18446744073709551615u), HasSubstr("must be a whole number"));
  EXPECT_THAT(refusal("baseline", "2031"), HasSubstr("there is no baseline '2031'"));
  EXPECT_THAT(refusal("kind", "toaster"), HasSubstr("must be one of compute_tray"));
  EXPECT_THAT(refusal("kind", "power_shelf"), HasSubstr("nothing brings a power_shelf to a baseline"));
  EXPECT_THAT(refusal("place", "H9"), HasSubstr("no compute_tray"));
  EXPECT_THAT(refusal("rush", true), HasSubstr("is not known here"));
  EXPECT_EQ(post("/api/v1/campaigns?dry_run=perhaps", spring()).status, 400);
  auto nowhere = spring();
  nowhere["place"] = "H9";
  EXPECT_EQ(post("/api/v1/campaigns?dry_run=true", nowhere).status, 422);
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  EXPECT_EQ(post("/api/v1/campaigns", spring()).status, 409) << "its nodes are in the first";
}

TEST_F(CampaignsApi, AreMovedByPeople) {
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  const auto paused = ask("pause");
  ASSERT_EQ(paused.status, 200) << paused.body;
  EXPECT_EQ(json(paused).at("state"), "paused");
  EXPECT_EQ(json(paused).at("waits_for"), "a test");
  EXPECT_EQ(ask("pause").status, 409);
  EXPECT_EQ(json(ask("resume")).at("state"), "running");
  EXPECT_EQ(ask("resume").status, 409);
  EXPECT_EQ(json(ask("halt")).at("state"), "halted");
  EXPECT_EQ(ask("halt").status, 409);
  EXPECT_EQ(ask("retry").status, 409) << "none has failed";
  EXPECT_EQ(ask("rollback").status, 409) << "none was begun";
  EXPECT_EQ(json(ask("cancel")).at("members").at("left_out"), 2);
  EXPECT_EQ(ask("cancel").status, 409);
  for (const auto* how : {"pause", "resume", "halt", "cancel", "retry", "rollback"}) {
    EXPECT_EQ(post(std::string("/api/v1/campaigns/7/") + how, {{"reason", "x"}}).status, 404);
    EXPECT_EQ(post(std::string("/api/v1/campaigns/1/") + how, Json::object()).status, 422);
  }
}

TEST_F(CampaignsApi, BeginWhoIsAvailableAndGoBack) {
  makeAvailable();
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  settle();
  const auto done = get("/api/v1/campaigns/1");
  ASSERT_EQ(done.status, 200);
  EXPECT_EQ(json(done).at("state"), "done");
  EXPECT_EQ(json(done).at("members").at("done"), 2);
  EXPECT_EQ(json(get("/api/v1/campaigns/1/members?state=done")).at("members")[0].at("before"), "2026.1");
  EXPECT_EQ(ask("cancel").status, 409) << "it is over";
  const auto back = ask("rollback");
  ASSERT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(json(back).at("goal"), "back");
  settle();
  EXPECT_EQ(json(get("/api/v1/campaigns/1")).at("waits_for"), serial(0) + ": it is qualifying")
      << "the toy leaves it there";
  ASSERT_TRUE(commit({BeginMember{CampaignId{1}, nodeId(0), "2026.1"},
                      EndMember{CampaignId{1}, nodeId(0), MemberState::Failed, "run 9 failed"}}));
  const auto again = ask("retry");
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(json(again).at("members").at("failed"), 0);
}

TEST_F(CampaignsApi, LeaveOutANodeThatHasNotBegun) {
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  const auto leaveOut = [&](int campaign, const std::string& node,
                            const Json& body = {{"reason", "in service"}}) {
    return post("/api/v1/campaigns/" + std::to_string(campaign) + "/members/" + node + "/leave-out", body);
  };
  EXPECT_EQ(leaveOut(7, serial(0)).status, 404);
  EXPECT_EQ(leaveOut(1, "nobody").status, 404);
  EXPECT_EQ(leaveOut(1, serial(2)).status, 409) << "it is not in the campaign";
  EXPECT_EQ(leaveOut(1, serial(0), Json::object()).status, 422);
  be("viewer");
  EXPECT_EQ(leaveOut(1, serial(0)).status, 403);
  be("");
  EXPECT_EQ(leaveOut(1, serial(0)).status, 401);
  be("operator", "H1");
  const auto left = leaveOut(1, serial(0));
  ASSERT_EQ(left.status, 200) << left.body;
  EXPECT_EQ(json(left).at("members").at("left_out"), 1);
  EXPECT_EQ(leaveOut(1, serial(0)).status, 409);
  EXPECT_EQ(leaveOut(1, serial(1)).status, 200);
  settle();
  EXPECT_EQ(campaign().at("state"), "done") << "nobody is pending any more";
  EXPECT_EQ(leaveOut(1, serial(1)).status, 409);
}

// Nobody waits for the next look by time: settle() is shorter.
TEST_F(CampaignsApi, GoOnAtOnceWhenAPersonArmsAndReleases) {
  makeAvailable();
  const By by{"operator", "a test"};
  ASSERT_TRUE(wait(store_->disarmPlace("", by)));
  const auto held = post("/api/v1/nodes/" + serial(0) + "/holds", {{"reason", "hands off"}});
  ASSERT_EQ(held.status, 201) << held.body;
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  settle();
  EXPECT_THAT(campaign().at("waits_for"), HasSubstr("is not armed"));
  ASSERT_EQ(post("/api/v1/site/arm", {{"place", "H1"}, {"reason", "a test"}}).status, 200);
  settle();
  EXPECT_EQ(campaign().at("members").at("done"), 1);
  EXPECT_THAT(campaign().at("waits_for"), HasSubstr("hands off"));
  const auto hold = std::to_string(json(held).at("id").get<std::int64_t>());
  ASSERT_EQ(send("DELETE", "/api/v1/nodes/" + serial(0) + "/holds/" + hold + "?reason=done").status, 204);
  settle();
  EXPECT_EQ(campaign().at("state"), "done");
}

TEST_F(CampaignsApi, OnlyWhoMayActWhereTheyAreMovesThem) {
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  be("viewer");
  EXPECT_EQ(post("/api/v1/campaigns", spring()).status, 403);
  for (const auto* how : {"pause", "resume", "halt", "cancel", "retry", "rollback"})
    EXPECT_EQ(ask(how).status, 403);
  EXPECT_EQ(get("/api/v1/campaigns").status, 200);
  be("operator", "H1");
  EXPECT_EQ(ask("pause").status, 403) << "it is about the whole site";
  be("");
  EXPECT_EQ(get("/api/v1/campaigns").status, 401);
  EXPECT_EQ(get("/api/v1/campaigns/1").status, 401);
  EXPECT_EQ(get("/api/v1/campaigns/1/members").status, 401);
}

TEST_F(CampaignsApi, WhoIsRetiredMeanwhileLeavesAtOnce) {
  ASSERT_EQ(post("/api/v1/campaigns", spring()).status, 201);
  settle();
  const auto path = "/api/v1/nodes/" + serial(0) + "/lifecycle";
  for (const auto* to : {"discovered", "retired"})
    ASSERT_EQ(post(path, {{"to", to}, {"reason", "RMA"}}).status, 200) << to;
  settle();
  EXPECT_EQ(campaign().at("members").at("left_out"), 1);
  EXPECT_EQ(campaign().at("members").at("pending"), 1);
}

}  // namespace
}  // namespace zellige::test
