// A backup that was taken from a running controller, restored, and what its next controller says and does.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "controller/base/digest.hpp"
#include "tests/commands/controller.hpp"

namespace zellige::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kAdminPassword = "a longer secret";

std::string signInAgain(Client& client, const Controller& controller) {
  const Json words{{"user", "admin"}, {"password", kAdminPassword}};
  const auto session = client.send(controller.peer, request("POST", "/session", words, ""));
  EXPECT_TRUE(session) << session.error().what;
  return readString(Json::parse(session->reply.body), "token").value_or("");
}

Json siteOf(Client& client, const Controller& controller, const std::string& token) {
  const auto got = client.send(controller.peer, request("GET", "/site", {}, token));
  EXPECT_TRUE(got) << got.error().what;
  return Json::parse(got->reply.body);
}

void armAll(Client& client, const Controller& controller, const std::string& token) {
  const Json words{{"place", ""}, {"reason", "a test"}};
  const auto armed = client.send(controller.peer, request("POST", "/site/arm", words, token));
  ASSERT_TRUE(armed) << armed.error().what;
  ASSERT_EQ(armed->reply.status, 200) << armed->reply.body;
}

void fetchBackup(Client& client, const Controller& controller, const std::string& token, const fs::path& file) {
  const auto made = client.send(controller.peer, request("POST", "/backups", {{"reason", "a test"}}, token));
  ASSERT_TRUE(made) << made.error().what;
  ASSERT_EQ(made->reply.status, 201) << made->reply.body;
  const auto backup = Json::parse(made->reply.body);
  std::ofstream out(file, std::ios::binary);
  for (std::int64_t n = 0; n < backup.at("parts"); ++n) {
    const auto path = "/backups/" + backup.at("id").get<std::string>() + "/parts/" + std::to_string(n);
    const auto part = client.send(controller.peer, request("GET", path, {}, token));
    ASSERT_TRUE(part) << part.error().what;
    ASSERT_EQ(part->reply.status, 200) << part->reply.body;
    out << part->reply.body;
  }
  out.close();
  ASSERT_EQ(*sha256HexOfFile(file), backup.at("sha256"));
}

TEST(Restore, ARestoredBackupStartsDisarmedAndTheControllerThatItIsFromGoesOn) {
  const Directory first, second;
  const auto backup = first.path() / "backup.db";
  {
    Controller controller(first, true);
    controller.ready();
    Client client;
    const auto token = signIn(client, controller);
    armAll(client, controller, token);
    fetchBackup(client, controller, token, backup);
    controller.killNow();
  }
  {
    Controller again(first, true);
    again.ready();
    Client client;
    const auto site = siteOf(client, again, signInAgain(client, again));
    EXPECT_EQ(site.at("armed").size(), 1u) << "a kill disarms nothing";
    EXPECT_TRUE(site.at("restored").is_null());
    EXPECT_THAT(again.log(), Not(HasSubstr("SERVE_DISARMED")));
    again.stop();
    EXPECT_EQ(again.wait(), 0);
  }
  fs::create_directory(second.data());
  fs::copy_file(backup, second.data() / "zellige.db");
  Controller restored(second, true);
  restored.ready();
  EXPECT_EQ(restored.password, "") << "its users are those of the backup";
  EXPECT_THAT(restored.log(), HasSubstr("SERVE_DISARMED"));
  EXPECT_THAT(restored.log(), HasSubstr("SERVE_KEY_MISSING"));
  Client client;
  const auto token = signInAgain(client, restored);
  const auto site = siteOf(client, restored, token);
  EXPECT_THAT(site.at("armed"), IsEmpty());
  EXPECT_THAT(site.at("restored").at("why").get<std::string>(), HasSubstr("is the backup"));
  EXPECT_EQ(site.at("restored").at("was_armed"), Json({""}));
  armAll(client, restored, token);
  EXPECT_TRUE(siteOf(client, restored, token).at("restored").is_null());
}

TEST(Restore, ACopiedDirectoryStartsDisarmedAndSaysSoAtTheConsole) {
  const Directory first, second;
  {
    Controller controller(first, true);
    controller.ready();
    Client client;
    armAll(client, controller, signIn(client, controller));
    controller.stop();
    ASSERT_EQ(controller.wait(), 0);
  }
  fs::copy(first.data(), second.data(), fs::copy_options::recursive);
  Controller copied(second, false);
  std::string told;
  for (int i = 0; i < 20 && told.find("SHA-256 ") == std::string::npos; ++i) told += copied.line() + "\n";
  EXPECT_THAT(told, HasSubstr("WARNING: the database file is a copy"));
  EXPECT_THAT(told, HasSubstr("armed were: the whole site"));
  EXPECT_THAT(told, Not(HasSubstr("tls.key"))) << "it came along";
}

}  // namespace
}  // namespace zellige::test
