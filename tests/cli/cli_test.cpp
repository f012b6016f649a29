// The command line against a server that is only a table of replies.
#include "controller/cli/cli.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/base/digest.hpp"
#include "controller/base/json.hpp"
#include "controller/base/virtual_time.hpp"
#include "controller/cli/client.hpp"
#include "controller/cli/credentials.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Answers "METHOD path?query" with what was prepared for it, in order; the last answer stays.
class FakeServer final : public http::Transport {
 public:
  void on(const std::string& request, int status, const Json& body) {
    replies_[request].push_back({status, {}, body.dump()});
  }
  void broken(Error error) { broken_ = std::move(error); }

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions) override {
    peers.push_back(peer);
    requests.push_back(request);
    if (broken_) co_return *broken_;
    auto& queue = replies_[request.method + " " + request.target];
    HttpReply reply{
        404, {}, Json{{"detail", "no reply was prepared for " + request.method + " " + request.target}}.dump()};
    if (!queue.empty()) reply = queue.front();
    if (queue.size() > 1) queue.pop_front();
    http::Received received{reply, pin};
    co_return received;
  }

  std::string pin = "cGlu";
  std::vector<HttpRequest> requests;
  std::vector<http::Peer> peers;

 private:
  std::map<std::string, std::deque<HttpReply>> replies_;
  std::optional<Error> broken_;
};

class CommandLine : public testing::Test {
 protected:
  CommandLine() {
    auto name = (std::filesystem::temp_directory_path() / "zellige-cli-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    environment_ = {
        {"ZELLIGE_URL", "https://127.0.0.1:8443"}, {"ZELLIGE_TOKEN", "token-Canary"}, {"ZELLIGE_PIN", "cGlu"}};
  }
  ~CommandLine() override { std::filesystem::remove_all(home_); }

  static Task<void> keep(Task<int> task, std::optional<int>& out) { out = co_await task; }

  int run(std::vector<std::string> words) {
    out_.str("");
    err_.str("");
    VirtualTime time;
    VirtualExecutor executor(time);
    World world{server_, executor, in_, out_, err_, false, home_, [this](const std::string& name) {
                  const auto it = environment_.find(name);
                  return it == environment_.end() ? std::string{} : it->second;
                }};
    CLI::App app;
    std::function<Task<int>(World&)> chosen;
    addCommands(app, chosen);
    app.require_subcommand(1);
    std::vector<const char*> argv{"zellige"};
    for (const auto& word : words) argv.push_back(word.c_str());
    if (const auto code = parseWords(app, static_cast<int>(argv.size()), argv.data(), out_, err_))
      return *code;
    std::optional<int> code;
    executor.spawn(keep(chosen(world), code));
    while (!code && time.runOne()) {
    }
    return code.value_or(-1);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  Json sent(std::size_t n) const { return Json::parse(server_.requests.at(n).body); }

  static Json site() {
    return {{"site", "lab"},
            {"armed", {{{"place", "H1"}}}},
            {"nodes", 18},
            {"lifecycles", {{"planned", 17}, {"available", 1}}},
            {"budgets", {{{"budget", "flash"}, {"scope", ""}, {"used", 2}, {"limit", 18}, {"waiting", 1}}}},
            {"unfinished_runs", 3},
            {"last_event", 41}};
  }
  static Json aRun(const std::string& state, const std::string& waits = "") {
    return {
        {"id", 7},
        {"workflow", "qualify"},
        {"nodes", {"SN1"}},
        {"state", state},
        {"parameter", ""},
        {"step", "image.write"},
        {"waits_for", waits},
        {"started_by", "alice"},
        {"reason", "x"},
        {"created", "2026-01-01T00:00:00Z"},
        {"ended", nullptr},
        {"steps",
         {{{"id", "image.write"}, {"title", "Write the image"}, {"state", "current"}, {"waits_for", waits}}}}};
  }

  FakeServer server_;
  std::filesystem::path home_;
  std::map<std::string, std::string> environment_;
  std::stringstream in_, out_, err_;
};

TEST_F(CommandLine, ShowsTheSite) {
  server_.on("GET /api/v1/site", 200, site());
  EXPECT_EQ(run({"site", "show"}), 0);
  EXPECT_THAT(out(), HasSubstr("Armed:            H1\n"));
  EXPECT_THAT(out(), HasSubstr("flash   site   2     18     1\n"));
  EXPECT_EQ(server_.requests.at(0).headers.get("Authorization"), "Bearer token-Canary");
  EXPECT_EQ(server_.peers.at(0).pin, "cGlu");
  EXPECT_EQ(server_.peers.at(0).address, "127.0.0.1");
  EXPECT_EQ(server_.peers.at(0).port, 8443);
}

TEST_F(CommandLine, JsonIsWhatTheServerSaid) {
  server_.on("GET /api/v1/site", 200, site());
  EXPECT_EQ(run({"site", "show", "-o", "json"}), 0);
  EXPECT_EQ(Json::parse(out()), site());
}

TEST_F(CommandLine, ArmsWithAReason) {
  server_.on("POST /api/v1/site/arm", 200, site());
  EXPECT_EQ(run({"site", "arm", "H1/R01", "--reason", "bring-up"}), 0);
  EXPECT_EQ(sent(0), (Json{{"place", "H1/R01"}, {"reason", "bring-up"}}));
  EXPECT_EQ(run({"site", "arm", "."}), 0);
  EXPECT_EQ(sent(1), (Json{{"place", ""}, {"reason", "command line: zellige site arm"}}));
  server_.on("POST /api/v1/site/disarm", 409, {{"detail", "H1 is armed: disarm that"}});
  EXPECT_EQ(run({"site", "disarm", "H1/R01"}), 4);
  EXPECT_EQ(err(), "zellige: H1 is armed: disarm that\n");
}

TEST_F(CommandLine, WordsThatMeanNothingAreUsage) {
  EXPECT_EQ(run({"site"}), 2);
  EXPECT_EQ(run({"site", "arm"}), 2);
  EXPECT_EQ(run({"node", "power", "SN1", "sideways"}), 2);
  EXPECT_EQ(run({"site", "show", "-o", "xml"}), 2);
  EXPECT_EQ(run({"finding", "resolve", "3"}), 2) << "a resolution must be said";
  EXPECT_EQ(run({"import"}), 2);
  EXPECT_EQ(run({"dance"}), 2);
  EXPECT_EQ(run({"site", "show", "--url", "http://127.0.0.1"}), 2);
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(CommandLine, HelpIsNoMistake) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out(), HasSubstr("login"));
  EXPECT_EQ(run({"node", "power", "--help"}), 0);
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(out(), "");
  EXPECT_THAT(err(), HasSubstr("subcommand"));
}

TEST_F(CommandLine, ExitCodesTellWhy) {
  server_.on("GET /api/v1/site", 401, {{"detail", "sign in"}});
  EXPECT_EQ(run({"site", "show"}), 3);
  EXPECT_THAT(err(), HasSubstr("zellige login"));
  server_.on("GET /api/v1/nodes/X", 404, {{"detail", "there is no node 'X'"}});
  EXPECT_EQ(run({"node", "show", "X"}), 1);
  server_.on("POST /api/v1/nodes/X/runs", 403, {{"detail", "you may not"}});
  EXPECT_EQ(run({"node", "power", "X", "on"}), 1);
  server_.on("POST /api/v1/nodes/Y/runs", 412, {{"detail", "it has changed"}});
  EXPECT_EQ(run({"node", "power", "Y", "on"}), 4);
  server_.broken({Errc::Unreachable, "connection refused"});
  EXPECT_EQ(run({"site", "show"}), 3);
  EXPECT_THAT(err(), HasSubstr("cannot reach https://127.0.0.1:8443: connection refused; check --url"));
  Error unknown{Errc::Timeout, "30 s", true};
  server_.broken(unknown);
  EXPECT_EQ(run({"node", "power", "X", "on"}), 3);
  EXPECT_THAT(err(), HasSubstr("whether it was done is not known"));
}

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

TEST_F(CommandLine, AcceptsACertificateWithAReason) {
  server_.on("POST /api/v1/nodes/S%2F1/certificate", 200, {{"serial", "S/1"}});
  EXPECT_EQ(run({"node", "accept-certificate", "S/1", "--reason", "board swapped"}), 0) << err();
  EXPECT_EQ(sent(0), (Json{{"reason", "board swapped"}}));
  EXPECT_EQ(run({"node", "accept-certificate", "S/1"}), 2) << "why must be said";
}

TEST_F(CommandLine, WithoutAKnownKeyNothingIsSent) {
  environment_.erase("ZELLIGE_PIN");
  EXPECT_EQ(run({"site", "show"}), 3);
  EXPECT_THAT(err(), HasSubstr("zellige login --url https://127.0.0.1:8443"));
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(CommandLine, ListsNodesPageByPage) {
  const auto node = [](const std::string& serial) {
    return Json{{"serial", serial},
                {"place", "H1/R01/RK001/U10"},
                {"lifecycle", "qualifying"},
                {"health", "ok"},
                {"contact", "reachable"},
                {"cause", nullptr},
                {"run",
                 {{"id", 7},
                  {"workflow", "qualify"},
                  {"step", "image.write"},
                  {"waits_for", "the agent writes the image: 12 MiB"}}}};
  };
  server_.on("GET /api/v1/nodes?limit=500&place=H1%2FR01&lifecycle=qualifying&q=SN", 200,
             {{"nodes", {node("SN1")}}, {"next", "c2"}});
  server_.on("GET /api/v1/nodes?limit=500&place=H1%2FR01&lifecycle=qualifying&q=SN&cursor=c2", 200,
             {{"nodes", {node("SN2")}}, {"next", nullptr}});
  EXPECT_EQ(run({"node", "list", "--place", "H1/R01", "--lifecycle", "qualifying", "-q", "SN"}), 0);
  EXPECT_THAT(out(), HasSubstr("SERIAL  PLACE"));
  EXPECT_THAT(out(), HasSubstr("SN1"));
  EXPECT_THAT(out(), HasSubstr("SN2"));
  std::string line;
  for (std::istringstream lines(out()); std::getline(lines, line);)
    EXPECT_LE(line.size(), 100u + 2u) << "… is three bytes";
}

TEST_F(CommandLine, ShowsANodeWithWhatIsWrong) {
  server_.on(
      "GET /api/v1/nodes/S%2F1", 200,
      {{"serial", "S/1"},
       {"kind", "compute_tray"},
       {"place", "H1"},
       {"lifecycle", "quarantined"},
       {"run", nullptr},
       {"findings",
        {{{"id", 3},
          {"cause", "cooling.leak"},
          {"raised", "now"},
          {"resolved", nullptr},
          {"detail", "wet\033[2J"}}}},
       {"holds", {{{"id", 1}, {"kind", "hold"}, {"owner", "bob"}, {"expires", nullptr}, {"reason", "hands"}}}},
       {"inventory", {{"firmware", {{{"id", "FW_BMC_0"}, {"version", "1.2"}}}}}}});
  EXPECT_EQ(run({"node", "show", "S/1"}), 0);
  EXPECT_THAT(out(), HasSubstr("cooling.leak"));
  EXPECT_THAT(out(), HasSubstr("wet?[2J")) << "a machine's text must not move the cursor";
  EXPECT_THAT(out(), HasSubstr("FW_BMC_0  1.2"));
  EXPECT_THAT(out(), HasSubstr("hands"));
}

TEST_F(CommandLine, PowersANode) {
  server_.on("POST /api/v1/nodes/SN1/runs", 201, aRun("active"));
  EXPECT_EQ(run({"node", "power", "SN1", "restart", "--reason", "hung"}), 0);
  EXPECT_EQ(sent(0), (Json{{"workflow", "power"}, {"parameter", "restart"}, {"reason", "hung"}}));
}

TEST_F(CommandLine, WaitsUntilTheRunHasEnded) {
  server_.on("POST /api/v1/nodes/SN1/runs", 201, aRun("active"));
  server_.on("GET /api/v1/site", 200, site());
  server_.on("GET /api/v1/runs/7", 200, aRun("active", "the deploy agent to report"));
  server_.on("GET /api/v1/runs/7", 200, aRun("active", "the deploy agent to report"));
  server_.on("GET /api/v1/runs/7", 200, aRun("done"));
  server_.on("GET /api/v1/events?wait=20&after=41&node=SN1", 200, {{"events", Json::array()}, {"next", 44}});
  server_.on("GET /api/v1/events?wait=20&after=44&node=SN1", 200, {{"events", Json::array()}, {"next", 50}});
  EXPECT_EQ(run({"run", "start", "SN1", "qualify", "--wait"}), 0);
  EXPECT_EQ(err(), "run 7 active: image.write (waits for the deploy agent to report)\n")
      << "told once while it is the same";
  EXPECT_THAT(out(), HasSubstr("State:     done"));
}

TEST_F(CommandLine, ARunThatFailedWhileWaitedForIsAFailure) {
  server_.on("POST /api/v1/runs/7/retry", 201, aRun("active"));
  server_.on("GET /api/v1/site", 200, site());
  server_.on("GET /api/v1/runs/7", 200, aRun("failed"));
  EXPECT_EQ(run({"run", "retry", "7", "--wait"}), 1);
  EXPECT_THAT(err(), HasSubstr("ended failed"));
}

TEST_F(CommandLine, ACancelIsDoneWhenTheRunIsCancelled) {
  server_.on("POST /api/v1/runs/7/cancel", 202, aRun("active"));
  server_.on("GET /api/v1/site", 200, site());
  server_.on("GET /api/v1/runs/7", 200, aRun("cancelled"));
  EXPECT_EQ(run({"run", "cancel", "7", "--wait"}), 0);
}

TEST_F(CommandLine, ListsAndShowsRunsAndFindings) {
  server_.on("GET /api/v1/runs?limit=500&state=failed&node=SN1", 200,
             {{"runs", {aRun("failed")}}, {"next", nullptr}});
  EXPECT_EQ(run({"run", "list", "--state", "failed", "--node", "SN1"}), 0);
  EXPECT_THAT(out(), HasSubstr("7    qualify   SN1   failed"));
  server_.on("GET /api/v1/runs/7", 200, aRun("failed"));
  EXPECT_EQ(run({"run", "show", "7"}), 0);
  const Json finding{{"id", 3},
                     {"serial", "SN1"},
                     {"place", "H1"},
                     {"cause", "cooling.leak"},
                     {"title", "A leak"},
                     {"run", 7},
                     {"blocking", true},
                     {"raised", "now"},
                     {"detail", "wet"},
                     {"next_action", "Do not power the tray."},
                     {"resolved", nullptr},
                     {"resolution", ""}};
  server_.on("GET /api/v1/findings?limit=500&state=all", 200, {{"findings", {finding}}, {"next", nullptr}});
  EXPECT_EQ(run({"finding", "list", "--all"}), 0);
  EXPECT_THAT(out(), HasSubstr("cooling.leak"));
  server_.on("GET /api/v1/findings/3", 200, finding);
  EXPECT_EQ(run({"finding", "show", "3"}), 0);
  EXPECT_THAT(out(), HasSubstr("Next:        Do not power the tray."));
  server_.on("POST /api/v1/findings/3/resolve", 200, finding);
  EXPECT_EQ(run({"finding", "resolve", "3", "--reason", "dried"}), 0);
  EXPECT_EQ(Json::parse(server_.requests.back().body).at("resolution"), "dried");
}

TEST_F(CommandLine, ATokenIsPrintedAlone) {
  server_.on("POST /api/v1/tokens", 201, {{"id", 5}, {"user", "alice"}, {"token", "abc"}});
  EXPECT_EQ(run({"token", "create", "ci"}), 0);
  EXPECT_EQ(out(), "abc\n");
  server_.on("GET /api/v1/tokens?user=bob", 200, {{"tokens", {{{"id", 5}, {"kind", "api"}, {"name", "ci"}}}}});
  EXPECT_EQ(run({"token", "list", "--user", "bob"}), 0);
  server_.on("DELETE /api/v1/tokens/5?reason=leaked%20it", 200, nullptr);
  EXPECT_EQ(run({"token", "revoke", "5", "--reason", "leaked it"}), 0);
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

class ImportCommand : public CommandLine {
 protected:
  ImportCommand() {
    std::filesystem::create_directories(home_ / "site" / "images");
    write("site/manifest.yaml", "site: lab\n");
    write("site/profile.yml", "image: { sha256: " + digest_ + " }\n");
    write("site/images/os.img", "an image");
    write("site/notes.txt", "nothing names this");
    write("site/.hidden.yaml", "no");
    result_ = {{"dry_run", false},     {"nodes_added", 18},      {"nodes_changed", 0},
               {"nodes_unchanged", 0}, {"documents_changed", 4}, {"documents_unchanged", 0},
               {"files_added", 1},     {"changed", true}};
  }
  void write(const std::string& path, const std::string& text) {
    std::ofstream(home_ / path, std::ios::binary) << text;
  }
  const std::string digest_ = sha256Hex("an image");
  Json result_;
};

TEST_F(ImportCommand, SendsWhatIsNamedAndThenTheTexts) {
  server_.on("PUT /api/v1/files/" + digest_, 201, {{"state", "stored"}});
  server_.on("POST /api/v1/import", 200, result_);
  EXPECT_EQ(run({"import", (home_ / "site").string(), "--reason", "phase 1"}), 0) << err();
  ASSERT_EQ(server_.requests.size(), 3u);
  EXPECT_EQ(server_.requests[1].body, "an image");
  EXPECT_EQ(server_.requests[1].headers.get("Content-Range"), "bytes 0-7/8");
  const auto body = sent(2);
  EXPECT_EQ(body.at("reason"), "phase 1");
  ASSERT_EQ(body.at("files").size(), 3u);
  EXPECT_EQ(body.at("files")[0], (Json{{"path", "manifest.yaml"}, {"text", "site: lab\n"}}));
  EXPECT_EQ(body.at("files")[2], (Json{{"path", "images/os.img"}, {"sha256", digest_}}));
  EXPECT_THAT(out(), HasSubstr("Nodes added:          18"));
}

TEST_F(ImportCommand, GoesOnWhereAnUploadStopped) {
  server_.on("GET /api/v1/files/" + digest_, 200, {{"state", "partial"}, {"received", 3}});
  server_.on("PUT /api/v1/files/" + digest_, 201, {{"state", "stored"}});
  server_.on("POST /api/v1/import?dry_run=true", 200, result_);
  EXPECT_EQ(run({"import", (home_ / "site").string(), "--dry-run"}), 0) << err();
  EXPECT_EQ(server_.requests[1].headers.get("Content-Range"), "bytes 3-7/8");
  EXPECT_EQ(server_.requests[1].body, "image");
}

TEST_F(ImportCommand, TellsFileAndLineOfWhatIsWrong) {
  server_.on("GET /api/v1/files/" + digest_, 200, {{"state", "stored"}, {"received", 8}});
  server_.on(
      "POST /api/v1/import", 422,
      {{"detail", "nothing was taken"},
       {"problems",
        {{{"file", "manifest.yaml"}, {"line", 12}, {"column", 5}, {"reason", "missing key 'serial'"}}}}});
  EXPECT_EQ(run({"import", (home_ / "site").string()}), 1);
  EXPECT_THAT(err(), HasSubstr("\n  manifest.yaml:12:5: missing key 'serial'\n"));
  EXPECT_EQ(run({"import", (home_ / "nowhere").string()}), 2);
  EXPECT_EQ(run({"import", (home_ / "site" / "images").string()}), 2) << "no YAML in there";
}

TEST(Tables, FitAHundredColumnsAndCountCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"é", std::string(300, 'x')});
  table.add({std::string(50, 'y'), "z"});
  std::ostringstream out;
  table.print(out);
  std::string line;
  for (std::istringstream lines(out.str()); std::getline(lines, line);) {
    const auto characters = std::count_if(
        line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    EXPECT_LE(characters, 100);
  }
  EXPECT_THAT(out.str(), HasSubstr("…"));
  EXPECT_THAT(out.str(), HasSubstr("é" + std::string(49, ' ')));
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
