// Whom the command line trusts, and how it signs in.
#include <fstream>

#include "controller/cli/credentials.hpp"
#include "tests/cli/command_line.hpp"

namespace zellige::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(CommandLine, AnotherKeyIsNotTrusted) {
  Error changed{Errc::Rejected, "pin"};
  changed.cause = "bmc.certificate_changed";
  server_.broken(changed);
  EXPECT_EQ(run({"site", "show"}), 3);
  EXPECT_THAT(err(), HasSubstr("shows another key"));
}

TEST_F(CommandLine, ACaVouchesForThisHostAlone) {
  const auto ca = (home_ / "ca.pem").string();
  std::ofstream(ca) << "a CA";
  server_.on("GET /api/v1/site", 200, site());
  environment_.erase("ZELLIGE_PIN");
  EXPECT_EQ(run({"site", "show", "--ca", ca}), 0) << err();
  EXPECT_EQ(server_.peers.back().caFile, ca);
  EXPECT_EQ(server_.peers.back().serverName, "127.0.0.1")
      << "checked against the addresses in the certificate";
  EXPECT_EQ(run({"site", "show", "--ca", ca, "--url", "https://localhost:8443"}), 0) << err();
  EXPECT_EQ(server_.peers.back().serverName, "localhost");
  EXPECT_EQ(run({"site", "show", "--ca", ca, "--url", "https://[::1]:8443"}), 2);
  EXPECT_THAT(err(), HasSubstr("or use --pin"));
  Error untrusted{Errc::Rejected, "name"};
  untrusted.cause = "bmc.certificate_untrusted";
  server_.broken(untrusted);
  EXPECT_EQ(run({"site", "show", "--ca", ca}), 3);
  EXPECT_THAT(err(), HasSubstr("issued to another name"));
}

TEST_F(CommandLine, AChangedKeyIsNotTakenWhereNobodyCanCompare) {
  environment_ = {{"ZELLIGE_URL", "https://127.0.0.1:8443"}, {"ZELLIGE_PASSWORD", "secret"}};
  server_.on("GET /api/v1/version", 200, {{"version", "0.1.0"}});
  server_.on("POST /api/v1/session", 201,
             {{"token", "t1"}, {"expires", "soon"}, {"user", {{"must_change", false}}}});
  EXPECT_EQ(run({"login", "--user", "ci"}), 0) << err();
  server_.pin = "b3RoZXI=";
  const auto before = server_.requests.size();
  EXPECT_EQ(run({"login", "--user", "ci"}), 3);
  EXPECT_THAT(err(), HasSubstr("THE KEY HAS CHANGED"));
  EXPECT_THAT(err(), HasSubstr("ZELLIGE_PIN"));
  EXPECT_EQ(server_.requests.size(), before + 1) << "the key was asked for, and no password sent";
  EXPECT_EQ(run({"login", "--user", "ci", "--pin", "b3RoZXI="}), 0) << err();
  EXPECT_EQ(server_.peers.back().pin, "b3RoZXI=");
}

TEST_F(CommandLine, WithoutAKnownKeyNothingIsSent) {
  environment_.erase("ZELLIGE_PIN");
  EXPECT_EQ(run({"site", "show"}), 3);
  EXPECT_THAT(err(), HasSubstr("zellige login --url https://127.0.0.1:8443"));
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(CommandLine, SigningInPinsTheKeyAndKeepsATokenForOneself) {
  environment_ = {{"ZELLIGE_PASSWORD", "secret"}};
  server_.on("GET /api/v1/version", 200, {{"version", "0.1.0"}});
  server_.on("POST /api/v1/session", 201,
             {{"token", "t1"}, {"expires", "soon"}, {"user", {{"must_change", false}}}});
  EXPECT_EQ(run({"login", "--url", "https://localhost:9443", "--user", "admin"}), 0);
  EXPECT_THAT(err(), HasSubstr("SHA-256 cGlu"));
  EXPECT_EQ(server_.peers.at(0).pin, "") << "the key is learnt…";
  EXPECT_EQ(server_.peers.at(1).pin, "cGlu") << "…before the password goes";
  EXPECT_FALSE(server_.requests.at(0).headers.has("Authorization"));
  EXPECT_THAT(err() + out(), Not(HasSubstr("secret")));
  const auto file = credentialsFile(home_);
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  server_.on("GET /api/v1/site", 200, site());
  EXPECT_EQ(run({"site", "show"}), 0);
  EXPECT_EQ(server_.requests.back().headers.get("Authorization"), "Bearer t1");
  EXPECT_EQ(server_.peers.back().port, 9443);
  EXPECT_EQ(run({"site", "show", "--url", "https://127.0.0.2:9443"}), 3)
      << "the token is not for another server";
}

TEST_F(CommandLine, AOneTimePasswordIsChangedWhileSigningIn) {
  environment_ = {{"ZELLIGE_PIN", "cGlu"}};
  server_.on("POST /api/v1/session", 201,
             {{"token", "t1"}, {"expires", "soon"}, {"user", {{"must_change", true}}}});
  server_.on("PUT /api/v1/users/me/password", 422, {{"detail", "must have 12 to 256 bytes"}});
  server_.on("PUT /api/v1/users/me/password", 204, nullptr);
  in_.str("admin\none-time\nshort\n");
  EXPECT_EQ(run({"login"}), 1);
  EXPECT_THAT(err(), HasSubstr("must have 12 to 256 bytes"));
  EXPECT_EQ(server_.requests.back().method, "DELETE") << "a session that opens nothing is not left behind";
  EXPECT_FALSE(std::filesystem::exists(credentialsFile(home_)));

  in_.clear();
  in_.str("admin\none-time\na longer secret\n");
  EXPECT_EQ(run({"login"}), 0) << err();
  EXPECT_EQ(server_.requests.back().headers.get("Authorization"), "Bearer t1");
  EXPECT_EQ(Json::parse(server_.requests.back().body),
            (Json{{"current", "one-time"}, {"password", "a longer secret"}}));
  EXPECT_TRUE(std::filesystem::exists(credentialsFile(home_)));

  environment_["ZELLIGE_NEW_PASSWORD"] = "from the environment";
  in_.clear();
  in_.str("admin\none-time\n");
  EXPECT_EQ(run({"login"}), 0) << err();
  EXPECT_EQ(Json::parse(server_.requests.back().body).at("password"), "from the environment");

  environment_.erase("ZELLIGE_NEW_PASSWORD");
  in_.clear();
  in_.str("admin\none-time\n");
  EXPECT_EQ(run({"login"}), 3);
  EXPECT_THAT(err(), HasSubstr("set ZELLIGE_NEW_PASSWORD"));
}

TEST_F(CommandLine, WrongPasswordsSayso) {
  environment_ = {};
  in_.str("alice\nwrong\n");
  server_.on("GET /api/v1/version", 200, {{"version", "0.1.0"}});
  server_.on("POST /api/v1/session", 401, {{"detail", "no"}});
  EXPECT_EQ(run({"login"}), 3);
  EXPECT_THAT(err(), HasSubstr("do not belong together"));
  EXPECT_EQ(sent(1), (Json{{"user", "alice"}, {"password", "wrong"}}));
  EXPECT_FALSE(std::filesystem::exists(credentialsFile(home_)));
}

TEST_F(CommandLine, CredentialsThatOthersCanReadAreNotUsed) {
  std::filesystem::create_directories(credentialsFile(home_).parent_path());
  std::ofstream(credentialsFile(home_)) << "{}";
  std::filesystem::permissions(credentialsFile(home_), std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(run({"site", "show"}), 2);
  EXPECT_THAT(err(), HasSubstr("chmod 600"));
}

TEST(Urls, AreReadStrictly) {
  EXPECT_EQ(serverAt("https://127.0.0.1:8443/")->url, "https://127.0.0.1:8443");
  EXPECT_EQ(serverAt("https://[::1]:8443")->peer.address, "::1");
  EXPECT_EQ(serverAt("https://127.0.0.1")->peer.port, 443);
  for (const auto* url :
       {"127.0.0.1", "http://127.0.0.1", "https://", "https://127.0.0.1:", "https://127.0.0.1:0",
        "https://127.0.0.1:99999", "https://127.0.0.1/api", "https://[::1"})
    EXPECT_FALSE(serverAt(url)) << url;
}

}  // namespace
}  // namespace zellige::cli
