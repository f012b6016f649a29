#include <fmt/format.h>

#include "controller/site/image.hpp"
#include "tests/web/api/fixture.hpp"
#include "web/api/tokens.hpp"

namespace zellige::test {
namespace {

using testing::HasSubstr;

TEST(Tokens, AreReadBackAndSafeInAPath) {
  const auto box = SecretBox::fromSeed("site");
  for (const auto* serial : {"SN1000", "a/b?c=d e", "_~_", "1333024020524"}) {
    const auto token = api::issueToken(box, serial, "boot-17");
    EXPECT_EQ(token.find_first_of("/?=%&# "), std::string::npos) << token;
    const auto read = api::readToken(box, token);
    ASSERT_TRUE(read) << token;
    EXPECT_EQ(read->serial, serial);
    EXPECT_EQ(read->bootRun(), RunId{17});
  }
}

TEST(Tokens, OfAnotherSiteOrChangedAreRefused) {
  const auto box = SecretBox::fromSeed("site");
  const auto token = api::issueToken(box, "SN1000", "os");
  EXPECT_FALSE(api::readToken(SecretBox::fromSeed("other"), token));
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(api::readToken(box, changed)) << i;
    EXPECT_FALSE(api::readToken(box, token.substr(0, i))) << i;
  }
  EXPECT_FALSE(api::readToken(box, std::string(2000, '~')));
  EXPECT_EQ(api::readToken(box, token)->bootRun(), RunId{});
  EXPECT_EQ((api::Bearer{"SN", "boot-1x"}).bootRun(), RunId{});
}

class ProvisioningTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    be("operator");
    provisioning_ = std::make_unique<api::Provisioning>(*store_, *engine_, *executor_,
                                                        SecretBox::fromSeed("test"), "https://10.0.0.1:8444");
  }
  HttpReply ask(HttpRequest request) {
    auto answer = wait(provisioning_->handle(request, {"10.0.0.9"}));
    auto reply = api::inMemory(std::move(answer));
    recorder_.note(api::provisioningOperationOf(request), request, reply);
    return reply;
  }
  HttpReply fetch(const std::string& target, HeaderList headers = {}, std::string method = "GET") {
    return ask(requestOf(std::move(method), target, {}, std::move(headers)));
  }
  std::string tokenFor(int n, const std::string& purpose) {
    return provisioning_->token(*store_->node(nodeId(n)), purpose);
  }
  AgentReport reportOf(int n) {
    AgentReport report;
    report.serial = serial(n);
    report.bootId = "b1";
    report.sequence = 1;
    return report;
  }
  HttpReply report(const AgentReport& said, const std::string& token) {
    HttpRequest request{"POST", "/agent/v1/report", {}, toJson(said)};
    request.headers.set("Content-Type", "application/json");
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    return ask(request);
  }
  std::unique_ptr<api::Provisioning> provisioning_;
};

TEST_F(ProvisioningTest, MediaBelongToOneRunOfOneNode) {
  const auto run = startRun(0, "toy", "wait");
  const auto token = tokenFor(0, "boot-" + std::to_string(run));
  const auto media = fetch("/boot/" + token + "/deploy.iso");
  ASSERT_EQ(media.status, 200);
  const auto boot = decodeBootMedia(media.body);
  ASSERT_TRUE(boot);
  EXPECT_EQ(boot->reportUrl, "https://10.0.0.1:8444/agent/v1/report");
  EXPECT_EQ(boot->token, token);
  EXPECT_EQ(fetch("/boot/" + token + "/deploy.iso", {}, "HEAD").status, 200);
  const auto part = fetch("/boot/" + token + "/deploy.iso", {{"Range", "bytes=0-14"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "ZELLIGE-BOOT 1\n");
  EXPECT_EQ(fetch("/boot/" + token + "/deploy.iso", {{"Range", "bytes=99999-"}}).status, 416);
  EXPECT_EQ(fetch("/boot/" + tokenFor(1, "boot-" + std::to_string(run)) + "/deploy.iso").status, 403)
      << "another node's run";
  EXPECT_EQ(fetch("/boot/" + token + "0/deploy.iso").status, 401);
  EXPECT_EQ(fetch("/boot//deploy.iso").status, 404);
  post("/api/v1/runs/" + std::to_string(run) + "/cancel", {{"reason", "enough"}});
  settle();
  EXPECT_EQ(fetch("/boot/" + token + "/deploy.iso").status, 403) << "its run has ended";
}

TEST_F(ProvisioningTest, PackagesAreHandedOutDuringARun) {
  const auto run = startRun(0, "toy", "wait");
  const auto token = tokenFor(0, "boot-" + std::to_string(run));
  const auto files = store_->queries()->files();
  const auto package = std::find_if(files.begin(), files.end(),
                                    [](const auto& f) { return f.kind == FileKind::Package; });
  ASSERT_NE(package, files.end());
  const auto path = fmt::format("/{}/{}", package->file.digest, package->file.name);
  const auto whole = fetch("/packages/" + token + path);
  ASSERT_EQ(whole.status, 200);
  EXPECT_EQ(sha256Hex(whole.body), package->file.digest);
  EXPECT_EQ(fetch("/packages/" + token + path, {{"Range", "bytes=0-1"}}).status, 206);
  EXPECT_EQ(fetch("/packages/" + token + path, {{"Range", "bytes=99999999-"}}).status, 416);
  EXPECT_EQ(fetch("/packages/" + token + "/" + std::string(64, '0') + "/x").status, 404);
  EXPECT_EQ(fetch("/packages/" + token + "/..%2f/x").status, 404);
  EXPECT_EQ(fetch("/packages/" + token + "0" + path).status, 401);
  EXPECT_EQ(fetch("/packages/" + token + path, {}, "PUT").status, 405);
  post("/api/v1/runs/" + std::to_string(run) + "/cancel", {{"reason", "enough"}});
  settle();
  EXPECT_EQ(fetch("/packages/" + token + path).status, 403) << "its run has ended";
}

TEST_F(ProvisioningTest, AReportIsStoredBeforeItIsAnswered) {
  const auto said = report(reportOf(0), tokenFor(0, "os"));
  ASSERT_EQ(said.status, 200) << said.body;
  const auto order = agentOrderFromJson(said.body);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->kind, OrderKind::Wait);
  ASSERT_TRUE(store_->report(nodeId(0)));
  EXPECT_EQ(store_->report(nodeId(0))->report.bootId, "b1");
}

TEST_F(ProvisioningTest, WhatTouchesAMachineIsOrderedByTheRunAtWorkInAnArmedPlace) {
  std::int64_t sequence = 0;
  const auto tell = [&](AgentReport said) {
    said.sequence = ++sequence;
    return *agentOrderFromJson(report(said, tokenFor(0, "os")).body);
  };
  const auto told = [&] { return tell(reportOf(0)); };
  const auto toldWho = [&](OrderKind begun, const AgentOrder& order) {
    auto said = reportOf(0);
    if (begun == OrderKind::BurnIn) said.burnIn.orderId = order.id;
    if (begun == OrderKind::WriteImage) said.image = {ImageState::Writing, order.imageDigest, 0, ""};
    return tell(said);
  };
  for (const auto kind : {OrderKind::WriteImage, OrderKind::BurnIn}) {
    SCOPED_TRACE(nameOf(kind));
    ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
    const auto run = startRun(0, "toy", "wait");
    AgentOrder wanted;
    wanted.id = fmt::format("{}-order-0", run);
    wanted.kind = kind;
    wanted.imageDigest = "os-1";
    wanted.reportEvery = 30s;
    ASSERT_TRUE(commit({PutOrder{nodeId(0), wanted}}));
    EXPECT_EQ(told().kind, kind);
    EXPECT_EQ(told().id, wanted.id);
    ASSERT_TRUE(wait(store_->disarmPlace("H1", by_)));
    EXPECT_EQ(told().kind, OrderKind::Wait) << "nothing begins in observe mode";
    EXPECT_EQ(told().reportEvery, wanted.reportEvery);
    EXPECT_EQ(toldWho(kind, wanted).kind, kind) << "what was begun goes on";
    ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
    EXPECT_EQ(told().kind, kind);
    post(fmt::format("/api/v1/runs/{}/cancel", run), {{"reason", "enough"}});
    settle();
    EXPECT_EQ(told().kind, OrderKind::Wait) << "its run has ended";
    EXPECT_EQ(told().reportEvery, kIdleReports);
    const auto next = startRun(0, "toy", "wait");
    EXPECT_EQ(told().kind, OrderKind::Wait) << "another run has not ordered it";
    post(fmt::format("/api/v1/runs/{}/cancel", next), {{"reason", "enough"}});
    settle();
  }
}

// Ready is not begun: between the word to begin and the next report the place may have been disarmed.
TEST_F(ProvisioningTest, WhoWasOnlyReadyForTestsWithOthersDoesNotBeginThemInObserveMode) {
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  const auto run = startRun(0, "toy", "wait");
  AgentOrder wanted;
  wanted.id = fmt::format("{}-domain-0", run);
  wanted.kind = OrderKind::BurnIn;
  wanted.together = {{serial(0), serial(1)}, true};
  ASSERT_TRUE(commit({PutOrder{nodeId(0), wanted}}));
  ASSERT_TRUE(wait(store_->disarmPlace("H1", by_)));
  auto said = reportOf(0);
  said.burnIn.orderId = wanted.id;
  const auto told = [&] {
    ++said.sequence;
    return *agentOrderFromJson(report(said, tokenFor(0, "os")).body);
  };
  EXPECT_EQ(told().kind, OrderKind::Wait);
  said.burnIn.begun = true;
  EXPECT_TRUE(told().together.begin) << "what was begun goes on";
  said.burnIn.begun = false;
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  EXPECT_TRUE(told().together.begin);
}

TEST_F(ProvisioningTest, AnAgentWhoseRackComesUpReportsMoreOften) {
  auto wanted = site(3);
  Recipe recipe;
  recipe.name = "toys";
  recipe.members = {{NodeKind::ComputeTray, 3}};
  recipe.stages = {{"trays", "qualify", {NodeKind::ComputeTray}, {}, {}}};
  wanted.recipes = {recipe};
  const std::string place{store_->node(nodeId(0))->place.rack()};
  wanted.manifests[0].racks = {{place, "toys"}};
  const auto imported = wait(store_->importSite(wanted, by_));
  ASSERT_TRUE(imported) << imported.error().what;
  std::int64_t sequence = 0;
  const auto told = [&] {
    auto said = reportOf(0);
    said.sequence = ++sequence;
    return agentOrderFromJson(report(said, tokenFor(0, "os")).body)->reportEvery;
  };
  const auto move = [&](RackState from, RackState to) {
    ASSERT_TRUE(commit({MoveRack{place, from, to, "so"}}));
  };
  EXPECT_EQ(told(), kIdleReports) << "others of it are still to be delivered";
  move(RackState::Installing, RackState::BringUp);
  EXPECT_EQ(told(), kAwaitedReports);
  move(RackState::BringUp, RackState::Accepted);
  EXPECT_EQ(told(), kIdleReports);
  move(RackState::Accepted, RackState::Degraded);
  EXPECT_EQ(told(), kAwaitedReports);
}

TEST_F(ProvisioningTest, OnlyAChangedReportWakesTheRun) {
  const auto run = startRun(0, "toy", "wait");
  const auto token = tokenFor(0, "boot-" + std::to_string(run));
  auto said = reportOf(0);
  auto before = toyLooks();
  ASSERT_EQ(report(said, token).status, 200);
  settle(0ms);
  EXPECT_EQ(toyLooks(), before + 1);
  said.sequence = 2;
  before = toyLooks();
  ASSERT_EQ(report(said, token).status, 200);
  settle(0ms);
  EXPECT_EQ(toyLooks(), before) << "the same again";
}

TEST_F(ProvisioningTest, ReportsNeedTheirOwnNodesToken) {
  EXPECT_EQ(report(reportOf(0), "").status, 401);
  EXPECT_EQ(report(reportOf(0), "forged~os~00").status, 401);
  EXPECT_EQ(report(reportOf(0), tokenFor(1, "os")).status, 403) << "another node's";
  EXPECT_EQ(report(reportOf(0), tokenFor(0, "boot-99")).status, 403) << "of no unfinished run";
  EXPECT_EQ(report(reportOf(0), tokenFor(0, "everything")).status, 403) << "no such purpose";
  ASSERT_TRUE(move(nodeId(2), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  EXPECT_EQ(report(reportOf(2), tokenFor(2, "os")).status, 403) << "retired";
  EXPECT_FALSE(store_->report(nodeId(0)));
}

TEST_F(ProvisioningTest, BrokenAndOversizedReportsAreRefused) {
  HttpRequest request{"POST", "/agent/v1/report", {}, "{\"serial\": "};
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Authorization", "Bearer " + tokenFor(0, "os"));
  EXPECT_EQ(ask(request).status, 400);
  request.body = std::string((1u << 20) + 1, ' ');
  EXPECT_EQ(ask(request).status, 413);
}

TEST_F(ProvisioningTest, ARestartedControllerStillBelievesARunningSystem) {
  const auto token = tokenFor(0, "os");
  provisioning_.reset();
  closeApi();
  std::filesystem::remove_all(directory_.path() / "data");
  openApi(3);
  provisioning_ = std::make_unique<api::Provisioning>(*store_, *engine_, *executor_,
                                                      SecretBox::fromSeed("test"), "https://x");
  EXPECT_EQ(report(reportOf(0), token).status, 200);
}

TEST_F(ProvisioningTest, ImagesAreServedInChunksThatCachesMayKeep) {
  const auto file = directory_.path() / "os.raw";
  writeFile(file, "0123456789");
  const auto manifest = chunkImage(file, 4);
  ASSERT_TRUE(manifest);
  auto site = smallSite(store_->content(), directory_.path(), 3);
  site.files.push_back({*store_->content().importFile(file, ""), FileKind::Image});
  ASSERT_TRUE(wait(store_->importSite(site, by_)));
  writeFile(api::manifestPath(store_->filePath(manifest->digest)), toJson(*manifest));

  const auto base = "/images/" + manifest->digest;
  const auto told = fetch(base + "/manifest.json");
  ASSERT_EQ(told.status, 200);
  EXPECT_EQ(imageManifestFromJson(told.body)->chunkDigests.size(), 3u);
  std::string whole;
  for (int n = 0; n < 3; ++n) {
    const auto chunk = fetch(base + "/chunks/" + std::to_string(n));
    EXPECT_EQ(chunk.status, 200);
    EXPECT_EQ(chunk.headers.get("ETag"), "\"" + sha256Hex(chunk.body) + "\"");
    EXPECT_THAT(std::string(chunk.headers.get("Cache-Control")), HasSubstr("immutable"));
    whole += chunk.body;
  }
  EXPECT_EQ(whole, "0123456789");
  const auto tag = std::string(fetch(base + "/chunks/0").headers.get("ETag"));
  EXPECT_EQ(fetch(base + "/chunks/0", {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(fetch(base + "/manifest.json", {{"If-None-Match", std::string(told.headers.get("ETag"))}}).status,
            304);
  EXPECT_EQ(fetch(base + "/chunks/1", {{"Range", "bytes=1-2"}}).body, "56");
  EXPECT_EQ(fetch(base + "/chunks/1", {{"Range", "bytes=-1"}}).body, "7");
  EXPECT_EQ(fetch(base + "/chunks/2", {{"Range", "bytes=2-"}}).status, 416);
  EXPECT_EQ(fetch(base + "/chunks/3").status, 404);
  EXPECT_EQ(fetch(base + "/chunks/-1").status, 404);
  EXPECT_EQ(fetch("/images/" + std::string(64, 'a') + "/manifest.json").status, 404);
  EXPECT_EQ(fetch("/images/..%2f..%2fetc/manifest.json").status, 404);
}

TEST_F(ProvisioningTest, NothingElseAnswersThere) {
  for (const auto* target : {"/", "/api/v1/nodes", "/metrics", "/agent/v1", "/images", "/boot/x"})
    EXPECT_EQ(fetch(target).status, 404) << target;
  EXPECT_EQ(fetch("/agent/v1/report").status, 405);
  EXPECT_EQ(fetch("/boot/x/deploy.iso", {}, "PUT").status, 405);
  EXPECT_EQ(fetch("/images/x/manifest.json", {}, "POST").status, 405);
}

}  // namespace
}  // namespace zellige::test
