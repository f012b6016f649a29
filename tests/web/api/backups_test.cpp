// Backups through the API, and what is told of a database that was restored.
#include "controller/base/digest.hpp"
#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class BackupsApi : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    be("admin");
  }
  api::ApiOptions options() override {
    auto options = ApiTest::options();
    options.backupPartBytes = 64u << 10;
    return options;
  }
  HttpReply make() { return post("/api/v1/backups", {{"reason", "weekly"}}); }
  std::string part(const Json& backup, std::int64_t n) {
    const auto reply = get("/api/v1/backups/" + backup.at("id").get<std::string>() + "/parts/" +
                           std::to_string(n));
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.headers.get("Content-Type"), "application/octet-stream");
    return reply.body;
  }
  void pass(Duration span) {
    executor_->after(span, [] {});
    settle(span);
  }
  std::vector<std::string> outgoing() {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(directory_.path() / "data" / "outgoing"))
      out.push_back(entry.path().filename());
    return out;
  }
};

TEST_F(BackupsApi, AreFetchedPartByPartAndRemoved) {
  const auto made = make();
  ASSERT_EQ(made.status, 201) << made.body;
  const auto backup = json(made);
  EXPECT_EQ(backup.at("part_bytes"), 64 << 10);
  ASSERT_GT(backup.at("parts"), 2);
  std::string all;
  for (std::int64_t n = 0; n < backup.at("parts"); ++n) all += part(backup, n);
  EXPECT_EQ(all.size(), backup.at("bytes"));
  EXPECT_EQ(sha256Hex(all), backup.at("sha256"));
  EXPECT_THAT(all, testing::StartsWith("SQLite format 3"));
  const auto events = queries_->events(store_->lastEvent() - 1, {}, 1).events;
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, "site.backed_up");
  EXPECT_THAT(events[0].data, HasSubstr("weekly"));
  const auto there = "/api/v1/backups/" + backup.at("id").get<std::string>();
  EXPECT_EQ(get(there + "/parts/" + backup.at("parts").dump()).status, 404);
  EXPECT_EQ(get(there + "/parts/-1").status, 404);
  EXPECT_EQ(get(there + "/parts/0?x=1").status, 400);
  EXPECT_EQ(get("/api/v1/backups/..%2fzellige/parts/0").status, 404);
  EXPECT_THAT(outgoing(), ElementsAre(backup.at("id").get<std::string>() + ".db"));
  EXPECT_EQ(send("DELETE", there).status, 204);
  EXPECT_THAT(outgoing(), IsEmpty());
  EXPECT_EQ(send("DELETE", there).status, 404);
  EXPECT_EQ(get(there + "/parts/0").status, 404);
}

TEST_F(BackupsApi, AreMadeOneAtATime) {
  std::optional<HttpReply> first;
  executor_->spawn(keep(api_->handle(requestOf("POST", "/api/v1/backups", Json{{"reason", "first"}},
                                               {{"Authorization", "Bearer " + token_}}),
                                     {"192.0.2.7"}),
                        first));
  EXPECT_EQ(make().status, 409);
  settle(Duration{1000});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 201);
  pass(61s);
  const auto second = make();
  EXPECT_EQ(second.status, 201) << "and the next replaces the last";
  EXPECT_THAT(outgoing(), ElementsAre(json(second).at("id").get<std::string>() + ".db"));
}

TEST_F(BackupsApi, AreNotTakenFromWhoFetchesThem) {
  const auto backup = json(make());
  EXPECT_EQ(make().status, 409) << "its maker is about to fetch it";
  pass(50s);
  part(backup, 0);
  pass(50s);
  const auto refused = make();
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("being fetched"));
  part(backup, 1);
  const auto there = "/api/v1/backups/" + backup.at("id").get<std::string>();
  EXPECT_EQ(send("DELETE", there).status, 204);
  EXPECT_EQ(make().status, 201) << "who has it whole removes it, and nobody waits";
}

TEST_F(BackupsApi, AreKeptForAQuarterOfAnHourAfterTheyWereRead) {
  const auto backup = json(make());
  settle(10min);
  part(backup, 0);
  settle(10min);
  part(backup, 0);
  settle(16min);
  EXPECT_THAT(outgoing(), IsEmpty());
  EXPECT_EQ(get("/api/v1/backups/" + backup.at("id").get<std::string>() + "/parts/0").status, 404);
}

TEST_F(BackupsApi, OfAKilledProcessAreRemoved) {
  closeApi();
  fs::create_directories(directory_.path() / "data" / "outgoing");
  for (const auto* name : {"ffff.db", "ffff.db-journal"})
    writeFile(directory_.path() / "data" / "outgoing" / name, "half");
  openStore();
  serveStore();
  EXPECT_THAT(outgoing(), IsEmpty());
}

TEST_F(BackupsApi, SayWhyTheyCannotBeMade) {
  writeFile(directory_.path() / "data" / "outgoing", "a file where the directory should be");
  const auto reply = make();
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, HasSubstr("cannot be made"));
}

TEST_F(BackupsApi, AreForAdministratorsOfTheWholeSite) {
  be("admin", "H1");
  EXPECT_EQ(make().status, 403);
  EXPECT_EQ(get("/api/v1/backups/x/parts/0").status, 403);
  EXPECT_EQ(send("DELETE", "/api/v1/backups/x").status, 403);
}

TEST_F(BackupsApi, ADatabaseThatWasRestoredIsToldUntilAPlaceIsArmed) {
  EXPECT_TRUE(json(get("/api/v1/site")).at("restored").is_null());
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  auto lasting = virtualOptions();
  lasting.durable = true;
  closeApi();
  openStore(lasting);  // as an upgrade does: from now on the directory knows its database
  close();
  fs::remove(directory_.path() / "data" / "incarnation");
  openStore(lasting);
  serveStore();
  const auto site = json(get("/api/v1/site"));
  EXPECT_THAT(site.at("armed"), IsEmpty());
  EXPECT_THAT(site.at("restored").at("why").get<std::string>(),
              HasSubstr("never run in this data directory"));
  EXPECT_EQ(site.at("restored").at("was_armed"), Json({"H1"}));
  EXPECT_EQ(post("/api/v1/site/arm", {{"place", "H1"}, {"reason", "looked"}}).status, 200);
  EXPECT_TRUE(json(get("/api/v1/site")).at("restored").is_null());
}

}  // namespace
}  // namespace zellige::test
