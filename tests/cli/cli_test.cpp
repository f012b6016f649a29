// What each command sends and shows.
#include "tests/cli/command_line.hpp"

namespace zellige::cli {
namespace {

using testing::HasSubstr;

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

TEST_F(CommandLine, WarnsOfADatabaseThatWasRestored) {
  auto restored = site();
  restored["restored"] = {{"at", "2026-11-27T07:00:00Z"},
                          {"why", "the database is the backup that was made at 2026-11-26T07:00:00Z"},
                          {"was_armed", {"", "H1"}}};
  server_.on("GET /api/v1/site", 200, restored);
  EXPECT_EQ(run({"site", "show", "-o", "json"}), 0);
  EXPECT_EQ(Json::parse(out()), restored);
  EXPECT_THAT(err(), HasSubstr("Warning: the database is the backup that was made at 2026-11-26T07:00:00Z"));
  EXPECT_THAT(err(), HasSubstr("armed were: the whole site, H1."));
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

TEST_F(CommandLine, AcceptsACertificateWithAReason) {
  server_.on("POST /api/v1/nodes/S%2F1/certificate", 200, {{"serial", "S/1"}});
  EXPECT_EQ(run({"node", "accept-certificate", "S/1", "--reason", "board swapped"}), 0) << err();
  EXPECT_EQ(sent(0), (Json{{"reason", "board swapped"}}));
  EXPECT_EQ(run({"node", "accept-certificate", "S/1"}), 2) << "why must be said";
}

TEST_F(CommandLine, MovesANodeAndRetiresIt) {
  const Json node{{"serial", "S1"}, {"place", "H1/R01/RK001/U10"}, {"lifecycle", "repair"}};
  server_.on("POST /api/v1/nodes/S1/lifecycle", 200, node);
  EXPECT_EQ(run({"node", "move", "S1", "repair", "--reason", "GPU 2 is dead"}), 0) << err();
  EXPECT_EQ(sent(0), (Json{{"to", "repair"}, {"reason", "GPU 2 is dead"}}));
  EXPECT_EQ(out(), "S1 at H1/R01/RK001/U10 is repair.\n");
  EXPECT_EQ(run({"node", "retire", "S1"}), 0);
  EXPECT_EQ(sent(1), (Json{{"to", "retired"}, {"reason", "command line: zellige node retire"}}));
}

TEST_F(CommandLine, SwapsWhatIsSimulatedAndLeavesItsManifest) {
  const auto file = home_ / "swapped.yaml";
  server_.on("POST /swap", 200,
             {{"place", "H1/U10"}, {"was", "S1"}, {"serial", "S2"}, {"manifest", "site: SIM1"}});
  EXPECT_EQ(run({"node", "swap", "H1/U10", "--simulator", "127.0.0.1:9000", "--manifest", file.string()}), 0)
      << err();
  EXPECT_EQ(sent(0), (Json{{"place", "H1/U10"}}));
  EXPECT_FALSE(server_.peers.back().tls);
  EXPECT_THAT(out(), HasSubstr("zellige node retire S1; zellige import " + file.string()));
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "site: SIM1");
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(run({"node", "swap", "H1/U10", "--simulator", "127.0.0.1:9000", "--manifest", file.string()}), 2)
      << "the one before would be lost";
  EXPECT_THAT(err(), HasSubstr("is there already"));
  const auto nowhere = (home_ / "no-folder" / "swapped.yaml").string();
  EXPECT_EQ(run({"node", "swap", "H1/U10", "--simulator", "127.0.0.1:9000", "--manifest", nowhere}), 2);
  EXPECT_EQ(server_.peers.size(), 1u) << "nothing was swapped";
  const auto other = (home_ / "other.yaml").string();
  for (const auto* at : {"here", "127.0.0.1:9000x", ":9000", "127.0.0.1:70000", "10.0.0.1:9000"})
    EXPECT_EQ(run({"node", "swap", "H1/U10", "--simulator", at, "--manifest", other}), 2) << at;
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(run({"node", "swap", "H1/U10", "--simulator", "127.0.0.1:9000", "--gpu", "1", "--manifest", "x"}),
            2);
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
  EXPECT_THAT(out(), HasSubstr("image.write: the agent writes the image: 12 MiB\n"))
      << "nothing is cut in a pipe";
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

TEST_F(CommandLine, ListsAndShowsRacks) {
  const Json rack{{"place", "H1/R01/RK001"},
                  {"recipe", "nvl72"},
                  {"state", "bring_up"},
                  {"since", "2026-11-27T03:00:00Z"},
                  {"waits_for", "stage dry: 2 of 3 passed"}};
  server_.on("GET /api/v1/racks?limit=500&place=H1&state=bring_up", 200,
             {{"racks", {rack}}, {"next", nullptr}});
  EXPECT_EQ(run({"rack", "list", "--place", "H1", "--state", "bring_up"}), 0);
  EXPECT_THAT(out(), HasSubstr("stage dry: 2 of 3 passed"));
  auto detail = rack;
  detail["stages"] = {{{"id", "dry"},
                       {"workflow", "check_leaks"},
                       {"members", 3},
                       {"passed", 2},
                       {"running", 1},
                       {"stopped", 0},
                       {"not_begun", 0},
                       {"out", 0},
                       {"over", false}}};
  detail["members"] = {{{"serial", "SN1"},
                        {"kind", "compute_tray"},
                        {"place", "H1/R01/RK001/U10"},
                        {"lifecycle", "discovered"}}};
  server_.on("GET /api/v1/racks/H1/R01/RK001", 200, detail);
  EXPECT_EQ(run({"rack", "show", "H1/R01/RK001"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("2 of 3"), HasSubstr("check_leaks"), HasSubstr("SN1")));
}

TEST_F(CommandLine, BeginsWhatIsMissingInARackAndWantsAReason) {
  EXPECT_NE(run({"rack", "bring-up", "H1/R01/RK001"}), 0);
  auto domain = aRun("active");
  domain["workflow"] = "qualify_domain";
  domain["nodes"] = {"SN1", "SN2", "SN3"};
  server_.on("POST /api/v1/racks/H1/R01/RK001/bring-up", 201, {{"runs", {domain}}});
  EXPECT_EQ(run({"rack", "bring-up", "H1/R01/RK001", "--stage", "domain", "--reason", "tray swapped"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("qualify_domain"), HasSubstr("SN1 +2")));
  EXPECT_EQ(sent(0), (Json{{"stage", "domain"}, {"reason", "tray swapped"}}));
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

}  // namespace
}  // namespace zellige::cli
