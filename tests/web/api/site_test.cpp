// The site, its events, its files and imports.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::HasSubstr;

class Site : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    be("operator");
  }
};

TEST_F(Site, IsShownAsAWhole) {
  startRun(0, "toy", "wait");
  const auto site = json(get("/api/v1/site"));
  EXPECT_EQ(site.at("site"), "lab");
  EXPECT_EQ(site.at("nodes"), 3);
  EXPECT_EQ(site.at("lifecycles").at("planned"), 3);
  EXPECT_EQ(site.at("lifecycles").at("available"), 0);
  EXPECT_EQ(site.at("unfinished_runs"), 1);
  EXPECT_TRUE(site.at("armed").empty());
}

TEST_F(Site, PlacesAreArmedAndDisarmedWithAReason) {
  const auto armed = post("/api/v1/site/arm", {{"place", "H1/R01"}, {"reason", "bring-up"}});
  ASSERT_EQ(armed.status, 200) << armed.body;
  EXPECT_EQ(json(armed).at("armed").at(0).at("place"), "H1/R01");
  EXPECT_EQ(json(armed).at("armed").at(0).at("by"), "operator");
  EXPECT_EQ(json(armed).at("armed").at(0).at("why"), "bring-up");
  EXPECT_TRUE(store_->armed(Place{"H1/R01/RK001/U10"}));
  EXPECT_EQ(post("/api/v1/site/disarm", {{"place", "H1"}, {"reason", "x"}}).status, 409)
      << "only inside is armed";
  EXPECT_EQ(post("/api/v1/site/disarm", {{"place", "H1/R01"}, {"reason", "done"}}).status, 200);
  EXPECT_FALSE(store_->armed(Place{"H1/R01/RK001/U10"}));
  EXPECT_EQ(post("/api/v1/site/arm", {{"place", "H9"}, {"reason", "x"}}).status, 404);
  EXPECT_EQ(post("/api/v1/site/arm", {{"place", "/H1"}, {"reason", "x"}}).status, 422);
  EXPECT_EQ(post("/api/v1/site/arm", {{"place", "H1"}}).status, 422);
  EXPECT_EQ(post("/api/v1/site/arm", {{"reason", "everything"}}).status, 200);
}

TEST_F(Site, ARoleInOnePlaceArmsNoOther) {
  be("operator", "H1/R01");
  EXPECT_EQ(post("/api/v1/site/arm", {{"place", "H1"}, {"reason", "x"}}).status, 403);
  EXPECT_EQ(post("/api/v1/site/disarm", {{"reason", "x"}}).status, 403);
  EXPECT_EQ(post("/api/v1/site/arm", {{"place", "H1/R01/RK001"}, {"reason", "x"}}).status, 200);
}

class Events : public Site {
 protected:
  std::optional<HttpReply> later(const std::string& target) {
    reply_.reset();
    executor_->spawn(keep(
        api_->handle(requestOf("GET", target, {}, {{"Authorization", "Bearer " + token_}}), {"192.0.2.7"}),
        reply_));
    settle(Duration{0});
    return reply_;
  }
  std::string head() { return std::to_string(queries_->lastEvent()); }
  std::optional<HttpReply> reply_;
};

TEST_F(Events, AreReadFromASequenceOn) {
  const auto all = json(get("/api/v1/events?limit=500"));
  ASSERT_GE(all.at("events").size(), 5u);
  const auto third = all.at("events").at(2).at("sequence").get<int>();
  const auto rest = json(get("/api/v1/events?after=" + std::to_string(third)));
  EXPECT_EQ(rest.at("events").at(0).at("sequence"), third + 1);
  EXPECT_EQ(json(get("/api/v1/events?kind=token.&limit=1")).at("events").at(0).at("kind"), "token.created");
  startRun(0, "toy", "");
  const auto ofNode = json(get("/api/v1/events?node=SN1000&kind=run.")).at("events");
  ASSERT_FALSE(ofNode.empty());
  EXPECT_EQ(ofNode.at(0).at("serial"), "SN1000");
  EXPECT_FALSE(json(get("/api/v1/events?place=H1")).at("events").empty());
  for (const auto* query : {"?after=-1", "?after=x", "?wait=31", "?node=NOBODY", "?limit=0"})
    EXPECT_EQ(get(std::string("/api/v1/events") + query).status, 400) << query;
}

TEST_F(Events, ALongPollAnswersWhenSomethingIsCommitted) {
  const auto after = head();
  EXPECT_FALSE(later("/api/v1/events?wait=30&after=" + after));
  settle(5s);
  EXPECT_FALSE(reply_) << "nothing happened yet";
  const auto before = time_.now();
  raise(nodeId(0), "node.host_off");
  settle(1s);
  ASSERT_TRUE(reply_);
  EXPECT_LE(time_.now() - before, 1s);
  EXPECT_EQ(json(*reply_).at("events").at(0).at("kind"), "finding.raised");
}

TEST_F(Events, ALongPollPassesOverWhatItsFilterLeavesOut) {
  EXPECT_FALSE(later("/api/v1/events?wait=20&kind=place.&after=" + head()));
  raise(nodeId(0), "node.host_off");
  settle(5s);
  EXPECT_FALSE(reply_);
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  settle(1s);
  ASSERT_TRUE(reply_);
  EXPECT_EQ(json(*reply_).at("events").at(0).at("kind"), "place.armed");
}

TEST_F(Events, ALongPollEndsEmptyAndNothingRunsOn) {
  const auto after = head();
  EXPECT_FALSE(later("/api/v1/events?wait=2&after=" + after));
  settle(3s);
  ASSERT_TRUE(reply_);
  EXPECT_TRUE(json(*reply_).at("events").empty());
  EXPECT_EQ(std::to_string(json(*reply_).at("next").get<std::int64_t>()), after);
  settle(1s);
  EXPECT_FALSE(time_.nextDue()) << "no timer is left when nobody waits";
}

TEST_F(Events, NobodyWaitsForAControllerThatStops) {
  EXPECT_FALSE(later("/api/v1/events?wait=30&after=" + head()));
  const auto before = time_.now();
  api_->endWaits();
  settle(Duration{0});
  ASSERT_TRUE(reply_);
  EXPECT_EQ(reply_->status, 200);
  EXPECT_TRUE(json(*reply_).at("events").empty());
  EXPECT_EQ(json(get("/api/v1/events?wait=30&after=" + head())).at("events").size(), 0u);
  EXPECT_EQ(time_.now(), before) << "neither who waited nor who comes now";
  while (time_.nextDue() && time_.runOne()) {
  }
}

class Files : public Site {
 protected:
  HttpReply put(const std::string& digest, std::string bytes, const std::string& range = "") {
    HttpRequest request{"PUT", "/api/v1/files/" + digest, {}, std::move(bytes)};
    request.headers.set("Content-Type", "application/octet-stream");
    if (!range.empty()) request.headers.set("Content-Range", range);
    return send(request);
  }
};

TEST_F(Files, ArriveWholeOrInParts) {
  const std::string whole = "a small package", large = "0123456789abcdef";
  const auto digest = sha256Hex(whole), other = sha256Hex(large);
  EXPECT_EQ(get("/api/v1/files/" + digest).status, 404);
  EXPECT_EQ(put(digest, whole).status, 201);
  EXPECT_EQ(put(digest, whole).status, 200) << "here already";
  EXPECT_TRUE(store_->content().holds(digest));
  EXPECT_EQ(put(other, large.substr(0, 10), "bytes 0-9/16").status, 202);
  EXPECT_EQ(json(get("/api/v1/files/" + other)).at("received"), 10);
  const auto misplaced = put(other, large.substr(12), "bytes 12-15/16");
  EXPECT_EQ(misplaced.status, 409);
  EXPECT_EQ(json(misplaced).at("received"), 10);
  EXPECT_EQ(put(other, large.substr(10), "bytes 10-15/16").status, 201);
  EXPECT_EQ(json(get("/api/v1/files/" + other)).at("state"), "stored");
}

TEST_F(Files, ThatAreNotWhatTheirNameSaysAreThrownAway) {
  const auto digest = sha256Hex("right");
  EXPECT_EQ(put(digest, "wrong").status, 422);
  EXPECT_FALSE(store_->content().holds(digest));
  EXPECT_EQ(get("/api/v1/files/" + digest).status, 404) << "no part is left either";
  EXPECT_EQ(put(digest, "right").status, 201);
}

// A disk that is full after 4 MiB of this file: what lies there is given back, or the controller's next commit fails.
TEST_F(Files, ThatTheDiskDoesNotHoldAreRefusedAndLeaveNoPart) {
  constexpr std::size_t kHolds = 4u << 20;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = kHolds;
  auto* handler = ::signal(SIGXFSZ, SIG_IGN);
  const std::string large(kHolds + 2, 'x');
  const auto digest = sha256Hex(large);
  const auto total = "/" + std::to_string(large.size());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto first = put(digest, large.substr(0, 1u << 20), "bytes 0-1048575" + total);
  const auto rest = put(digest, large.substr(1u << 20),
                        "bytes 1048576-" + std::to_string(large.size() - 1) + total);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(rest.status, 503);
  EXPECT_THAT(rest.body, HasSubstr("make room and send it again"));
  EXPECT_EQ(json(get("/api/v1/files/" + digest)).at("received"), 0);
  EXPECT_EQ(put(digest, large).status, 201);
}

TEST_F(Files, BadNamesRangesAndSizesAreRefused) {
  EXPECT_EQ(put("..%2F..%2Fetc%2Fpasswd", "x").status, 404);
  EXPECT_EQ(put(std::string(64, 'G'), "x").status, 404);
  const auto digest = sha256Hex("x");
  for (const auto* range :
       {"bytes 0-1/1", "bytes 0-0/", "bytes 1-0/9", "lines 0-0/1", "bytes 0-0/99999999999999999999"})
    EXPECT_EQ(put(digest, "x", range).status, 400) << range;
  EXPECT_EQ(put(digest, "x", "bytes 0-0/99999999999999").status, 413);
  EXPECT_EQ(put(digest, "").status, 400);
  be("operator", "H1");
  EXPECT_EQ(put(digest, "x").status, 403) << "files are the whole site's";
}

constexpr std::string_view kSku =
    "sku: gb300\nkind: compute_tray\ncomponents:\n  - { kind: gpu, count: 4 }\n";
constexpr std::string_view kManifest =
    "site: lab\nnodes:\n"
    "  - serial: SN2000\n    kind: compute_tray\n    place: H1/R02/RK900/U10\n    sku: gb300\n    profile: "
    "gb300-sim\n"
    "    bmc: { mac: \"02:00:00:00:09:01\", address: 10.0.9.1, user: root, factory_password: "
    "factory-Canary-8d1f0b }\n";

class Import : public Files {
 protected:
  Json bundle() {
    return {{"files",
             {{{"path", "sku.yaml"}, {"text", kSku}},
              {{"path", "profile.yaml"},
               {"text",
                "profile: gb300-sim\nsku: gb300\nbaseline: \"2026.1\"\nplan: short\n"
                "image: { name: os, file: images/os2.img, sha256: " +
                    image_ + " }\n"}},
              {{"path", "images/os2.img"}, {"sha256", image_}},
              {{"path", "manifest.yaml"}, {"text", kManifest}}}},
            {"reason", "phase 1"}};
  }
  void sendImage() { ASSERT_EQ(put(image_, "another image").status, 201); }
  const std::string image_ = sha256Hex("another image");
};

TEST_F(Import, TakesABundleAndTheSameAgainChangesNothing) {
  EXPECT_EQ(post("/api/v1/import", bundle()).status, 422) << "the image was not sent";
  sendImage();
  const auto reply = post("/api/v1/import", bundle());
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(json(reply).at("nodes_added"), 1);
  EXPECT_EQ(json(reply).at("documents_changed"), 2);
  EXPECT_EQ(json(reply).at("files_added"), 1);
  EXPECT_EQ(json(get("/api/v1/nodes/SN2000")).at("place"), "H1/R02/RK900/U10");
  const auto head = queries_->lastEvent();
  const auto again = json(post("/api/v1/import", bundle()));
  EXPECT_EQ(again.at("changed"), false);
  EXPECT_EQ(again.at("nodes_unchanged"), 1);
  EXPECT_EQ(queries_->lastEvent(), head);
  EXPECT_TRUE(std::filesystem::exists(api::manifestPath(store_->filePath(image_))))
      << "chunks are known from now on";
}

TEST_F(Import, WhatAKilledImportLeftBehindIsRemovedAtTheStart) {
  const auto dead = ::fork();
  if (dead == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(dead, nullptr, 0), dead);
  const auto incoming = options().incoming;
  const auto left = incoming / ("zellige-import-" + std::to_string(dead) + "-ab12cd");
  const auto others = incoming / ("zellige-import-" + std::to_string(::getppid()) + "-ab12cd");
  closeApi();
  std::filesystem::create_directories(left);
  std::filesystem::create_directories(others);
  std::ofstream(left / "manifest.yaml") << kManifest;
  openApi(3);
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(others)) << "another controller's, which lives";
}

TEST_F(Import, ADryRunTellsAndChangesNothing) {
  sendImage();
  const auto head = queries_->lastEvent();
  const auto reply = json(post("/api/v1/import?dry_run=true", bundle()));
  EXPECT_EQ(reply.at("dry_run"), true);
  EXPECT_EQ(reply.at("nodes_added"), 1);
  EXPECT_EQ(queries_->lastEvent(), head);
  EXPECT_EQ(get("/api/v1/nodes/SN2000").status, 404);
  EXPECT_EQ(post("/api/v1/import?dry_run=perhaps", bundle()).status, 400);
}

TEST_F(Import, TellsFileLineAndReasonAndTakesNothing) {
  sendImage();
  auto wrong = bundle();
  wrong["files"][0]["text"] = "sku: gb300\nkind: toaster\ncomponents:\n  - { kind: gpu, count: 4 }\n";
  const auto reply = post("/api/v1/import", wrong);
  ASSERT_EQ(reply.status, 422);
  const auto told = json(reply);
  const auto& problems = told.at("problems");
  EXPECT_EQ(problems.at(0).at("file"), "sku.yaml");
  EXPECT_EQ(problems.at(0).at("line"), 2);
  EXPECT_THAT(problems.at(0).at("reason").get<std::string>(), HasSubstr("toaster"));
  EXPECT_THAT(reply.body, testing::Not(HasSubstr("zellige-import")));
  EXPECT_EQ(get("/api/v1/nodes/SN2000").status, 404);
}

TEST_F(Import, PathsStayInTheBundle) {
  sendImage();
  for (const auto* path : {"../x.yaml", "/etc/x.yaml", "a/../../x.yaml", ".hidden.yaml", "a//b.yaml", ""}) {
    auto wrong = bundle();
    wrong["files"][0]["path"] = path;
    EXPECT_EQ(post("/api/v1/import", wrong).status, 422) << path;
  }
  auto twice = bundle();
  twice["files"][1]["path"] = "sku.yaml";
  EXPECT_EQ(post("/api/v1/import", twice).status, 422);
}

TEST_F(Import, ConflictsWithWhatIsThereAreConflicts) {
  sendImage();
  auto taken = bundle();
  auto text = std::string(kManifest);
  text.replace(text.find("H1/R02/RK900/U10"), 16, "H1/R01/RK001/U10");  // SN1000 stands there
  taken["files"][3]["text"] = text;
  EXPECT_EQ(post("/api/v1/import", taken).status, 409);
  be("operator", "H1");
  EXPECT_EQ(post("/api/v1/import", bundle()).status, 403) << "an import is the whole site's";
}

TEST_F(Import, FactoryPasswordsAreNeitherAnsweredNorRecordedAsEvents) {
  sendImage();
  ASSERT_EQ(post("/api/v1/import", bundle()).status, 200);
  get("/api/v1/nodes?limit=500");
  get("/api/v1/nodes/SN2000");
  get("/api/v1/events?limit=500");
  for (const auto& reply : replies_) EXPECT_THAT(reply, testing::Not(HasSubstr("Canary")));
  for (const auto& event : eventsSince(0)) EXPECT_THAT(event.data, testing::Not(HasSubstr("Canary")));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find("Canary"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace zellige::test
