#include <fmt/format.h>

#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Racks : public ApiTest {
 protected:
  void SetUp() override {
    openApi(3);
    be("viewer");
    auto wanted = site(3);
    Recipe recipe;
    recipe.name = "toys";
    recipe.members = {{NodeKind::ComputeTray, 3}};
    recipe.stages = {{"trays", "qualify", {NodeKind::ComputeTray}, {}, {}},
                     {"domain", "domain", {NodeKind::ComputeTray}, {"trays"}, {}}};
    wanted.recipes = {recipe};
    wanted.manifests[0].racks = {{"H1/R01/RK001", "toys"}, {"H1/R01/RK002", "toys"}, {"H2/R01/RK001", "toys"}};
    const auto imported = wait(store_->importSite(wanted, by_));
    ASSERT_TRUE(imported) << imported.error().what;
  }
  std::vector<std::string> places(const std::string& query) {
    const auto page = json(get("/api/v1/racks" + query));
    std::vector<std::string> out;
    for (const auto& rack : page.at("racks")) out.push_back(rack.at("place"));
    return out;
  }
};

TEST_F(Racks, AreListedByPlaceStateAndPage) {
  EXPECT_THAT(places(""), ElementsAre("H1/R01/RK001", "H1/R01/RK002", "H2/R01/RK001"));
  EXPECT_THAT(places("?place=H1"), ElementsAre("H1/R01/RK001", "H1/R01/RK002"));
  EXPECT_THAT(places("?state=accepted,degraded"), ElementsAre());
  const auto first = json(get("/api/v1/racks?limit=2"));
  EXPECT_THAT(places("?limit=2&cursor=" + first.at("next").get<std::string>()), ElementsAre("H2/R01/RK001"));
  EXPECT_EQ(get("/api/v1/racks?state=upside_down").status, 400);
  EXPECT_EQ(get("/api/v1/racks?limit=0").status, 400);
  EXPECT_EQ(get("/api/v1/racks?cursor=00").status, 400);
}

TEST_F(Racks, AreShownStageByStageWithTheirMembers) {
  bringUp_->sweep();
  for (int i = 0; i < 100 && !bringUp_->idle() && time_.runOne(); ++i) {
  }
  const auto reply = get("/api/v1/racks/H1/R01/RK001");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto rack = json(reply);
  EXPECT_EQ(rack.at("state"), "installing");
  EXPECT_EQ(rack.at("recipe"), "toys");
  EXPECT_EQ(rack.at("waits_for"), "the place to be armed");
  EXPECT_EQ(rack.at("members").size(), 3u);
  ASSERT_EQ(rack.at("stages").size(), 2u);
  EXPECT_EQ(rack.at("stages")[0].at("members"), 3);
  EXPECT_EQ(rack.at("stages")[0].at("not_begun"), 3);
  EXPECT_EQ(rack.at("stages")[0].at("over"), false);
  EXPECT_EQ(json(get("/api/v1/racks/H1/R01/RK002")).at("waits_for"),
            "0 of 3 compute_trays are on the manifest");
  EXPECT_EQ(get("/api/v1/racks/H9/R01/RK001").status, 404);
}

TEST_F(Racks, AreBegunByAnOperatorWhoSaysWhy) {
  const std::string path = "/api/v1/racks/H1/R01/RK001/bring-up";
  EXPECT_EQ(post(path, {{"reason", "go on"}}).status, 403);
  be("operator", "H2");
  EXPECT_EQ(post(path, {{"reason", "go on"}}).status, 403) << "of another hall";
  be("operator");
  EXPECT_EQ(post(path, Json::object()).status, 422);
  EXPECT_EQ(post("/api/v1/racks/H9/R01/RK001/bring-up", {{"reason", "go on"}}).status, 404);
  const auto early = post(path, {{"reason", "go on"}});
  EXPECT_EQ(early.status, 409);
  EXPECT_THAT(early.body, HasSubstr("not armed"));
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  EXPECT_EQ(post(path, {{"reason", "go on"}, {"stage", "domain"}}).status, 409) << "the trays come first";
  EXPECT_EQ(post(path, {{"reason", "go on"}, {"stage", "roof"}}).status, 404);
  const auto reply = post(path, {{"reason", "tray swapped"}});
  ASSERT_EQ(reply.status, 201) << reply.body;
  ASSERT_EQ(json(reply).at("runs").size(), 3u);
  EXPECT_EQ(json(reply).at("runs")[0].at("workflow"), "qualify");
  const auto run = store_->run(RunId{json(reply).at("runs")[0].at("id").get<std::int64_t>()});
  EXPECT_EQ(run->startedBy, "operator");
  EXPECT_EQ(run->facts.get("asked.why"), "tray swapped");
}

TEST_F(Racks, ARunThatTakesAllMembersIsStartedOverTheRackWhicheverIsNamed) {
  be("operator");
  const auto started = post("/api/v1/nodes/" + serial(1) + "/runs",
                            {{"workflow", "domain"}, {"parameter", "fail"}, {"reason", "look again"}});
  ASSERT_EQ(started.status, 201) << started.body;
  EXPECT_EQ(json(started).at("nodes").size(), 3u);
  settle();
  const auto id = json(started).at("id").get<std::int64_t>();
  EXPECT_EQ(store_->run(RunId{id})->state, RunState::Failed);
  EXPECT_EQ(store_->nodesIn(Lifecycle::Quarantined).size(), 0u);
  const auto again = post(fmt::format("/api/v1/runs/{}/retry", id), {{"reason", "mended"}});
  ASSERT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(json(again).at("nodes").size(), 3u);
}

}  // namespace
}  // namespace zellige::test
