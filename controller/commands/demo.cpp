// The whole thing before the reader's eyes: a simulator and a controller as child processes, real HTTPS between them,
// and this process in the part of a technician: it signs in, imports the site, arms it, and watches over the API.
#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

#include "controller/base/log.hpp"
#include "controller/base/loop_executor.hpp"
#include "controller/base/random.hpp"
#include "controller/cli/actions.hpp"
#include "controller/cli/client.hpp"
#include "controller/commands/child.hpp"
#include "controller/commands/commands.hpp"
#include "controller/commands/free_port.hpp"
#include "controller/commands/scratch.hpp"
#include "drivers/http/curl_transport.hpp"

namespace zellige::commands {

namespace {

namespace fs = std::filesystem;
constexpr auto kGiveUp = 15min;  // wall, for one demo
constexpr Duration kLeastBetweenKills = 2s, kMostBetweenKills = 5s;

struct Totals {
  int racks = 0, racksAccepted = 0;
  int nodes = 0, available = 0, quarantined = 0, stuck = 0, faultsFired = 0, duplicates = 0, kills = 0,
      wrong = 0;
  int repeatsAllowed = 0, budgetViolations = 0;
  int unlisted = 0;
  std::int64_t transitions = 0;
  std::vector<std::string> quarantinedExpected, unexpected, wrongEndStates, duplicateActs;
  std::map<std::string, int> faultsByKind;
  double wall = 0, serveCpu = 0, peakRss = 0;
};

class Demo {
 public:
  Demo(const DemoOptions& options, std::uint64_t seed, int killsLeft)
      : options_(options), watched_(!options.headless && !options.json && ::isatty(STDOUT_FILENO) == 1),
        seed_(seed), killsLeft_(killsLeft), random_(seed, "kills"),
        transport_(executor_, plainToo()), world_{transport_,
                                                  executor_,
                                                  std::cin,
                                                  quiet_,
                                                  quiet_,
                                                  false,
                                                  scratch_.path(),
                                                  [this](const std::string& name) { return environment(name); }} {}

  /// Runs one demo to its end and adds what came of it.
  void run(Totals& totals) {
    const auto began = std::chrono::steady_clock::now();
    start();
    executor_.spawn(watch(totals));
    executor_.run();
    executor_.shutDown();
    totals.kills += kills_;
    totals.wall += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }

 private:
  static http::CurlOptions plainToo() {
    http::CurlOptions options;
    options.allowPlainHttp = true;
    return options;
  }
  std::string environment(const std::string& name) const {
    if (name == "ZELLIGE_URL") return url();
    if (name == "ZELLIGE_PIN") return pin_;
    if (name == "ZELLIGE_TOKEN") return token_;
    return {};
  }
  std::string url() const { return fmt::format("https://127.0.0.1:{}", apiPort_); }
  std::string errors() const { return (scratch_.path() / "errors.log").string(); }

  /// What the children said last, for the person whose demo does not start.
  std::string lastError() const {
    std::ifstream in(errors());
    std::string line, last;
    while (std::getline(in, line))
      if (!line.empty()) last = line;
    return last.empty() ? "it said nothing" : last;
  }

  Json expectLine(Child& child, std::string_view what) const {
    const auto line = child.line(60);
    const auto json = line ? parseJson(*line) : Result<Json>(Error{Errc::Timeout, "no answer"});
    if (!json) throw std::runtime_error(fmt::format("the {} did not start: {}", what, lastError()));
    return *json;
  }

  void start() {
    origin_ = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count();
    apiPort_ = freePort();
    provisioningPort_ = freePort();
    simulator_ = std::make_unique<Child>(
        std::vector<std::string>{"simulator", options_.racks > 0 ? "--racks" : "--trays",
                                 std::to_string(options_.racks > 0 ? options_.racks : options_.trays),
                                 "--speed", fmt::format("{}", options_.speed), "--faults", options_.faults,
                                 "--seed", std::to_string(seed_), "--origin", std::to_string(origin_),
                                 "--site", (scratch_.path() / "site").string(), "--control", "127.0.0.1:0"},
        errors());
    controlPort_ = static_cast<int>(readInt(expectLine(*simulator_, "simulator"), "control_port").value_or(0));
    startController();
  }

  void startController() {
    controller_ = std::make_unique<Child>(
        std::vector<std::string>{"serve", "--data", (scratch_.path() / "data").string(), "--api",
                                 fmt::format("127.0.0.1:{}", apiPort_), "--provisioning",
                                 fmt::format("127.0.0.1:{}", provisioningPort_), "--speed",
                                 fmt::format("{}", options_.speed), "--origin", std::to_string(origin_),
                                 "--announce"},
        errors());
    auto line = expectLine(*controller_, "controller (see " + errors() + ")");
    if (const auto password = readString(line, "admin_password")) {
      password_ = *password;
      line = expectLine(*controller_, "controller");
    }
    pin_ = readString(line, "pin").value_or("");
  }

  void kill9() {
    cpuOfTheDead_ += controller_->cpuSeconds();
    peakRss_ = std::max(peakRss_, controller_->peakRssMb());
    controller_->kill(SIGKILL);
    controller_->wait();
    ++kills_;
    --killsLeft_;
    startController();
  }

  Task<Json> call(std::string method, std::string path, Json body) {
    auto server = cli::serverAt(url());
    if (!server) throw std::runtime_error(server.error().what);
    server->peer.pin = pin_;
    server->token = Secret{token_};
    cli::Client client(world_, std::move(*server));
    HttpRequest request;
    request.method = std::move(method);
    request.target = "/api/v1" + path;
    if (!body.is_null()) {
      request.headers.set("Content-Type", "application/json");
      request.body = body.dump();
    }
    Duration patience = 30s;
    auto reply = co_await client.send(std::move(request), patience);
    if (!reply) throw std::runtime_error(fmt::format("{}: {}", path, reply.error().what));
    co_return std::move(*reply);
  }

  Task<void> signIn() {
    Json first{{"user", "admin"}, {"password", password_}};
    const auto session = co_await call("POST", "/session", std::move(first));
    token_ = readString(session, "token").value_or("");
    const auto fresh = randomHex(12);
    Json change{{"current", password_}, {"password", fresh}};
    co_await call("PUT", "/users/me/password", std::move(change));
    if (const auto again = readString(session, "token"); again && again->empty())
      throw std::runtime_error("no token");
  }

  Task<void> watch(Totals& totals) {
    co_await signIn();
    cli::Options importOptions;
    importOptions.reason = "demo";
    const std::vector<fs::path> paths{scratch_.path() / "site"};
    const int imported = co_await cli::importSite(world_, importOptions, paths, false);
    if (imported != 0) throw std::runtime_error("the import failed: " + quiet_.str());
    Json arm{{"place", ""}, {"reason", "demo"}};
    co_await call("POST", "/site/arm", std::move(arm));

    const auto began = std::chrono::steady_clock::now();
    auto nextKill = executor_.now() + betweenKills();
    Json nodes, racks;
    for (bool over = false; !over;) {
      co_await sleepFor(executor_, 300ms);
      if (killsLeft_ > 0 && executor_.now() >= nextKill) {
        totals.transitions += co_await transitions();  // it counts them since its start
        kill9();
        nextKill = executor_.now() + betweenKills();
      }
      nodes = co_await allPages("/nodes?limit=500&sort=place", "nodes");
      racks = co_await allPages("/racks?limit=500", "racks");
      draw(nodes, racks);
      over = (settled(nodes) && settled(nodes, racks)) || std::chrono::steady_clock::now() - began > kGiveUp;
    }
    judge(totals, nodes, racks);
    co_await judge(totals, nodes);
    const auto unlisted = co_await call("GET", "/unlisted?limit=1", Json{});
    totals.unlisted += static_cast<int>(readInt(unlisted, "total").value_or(0));
    executor_.stop();
  }

  Task<std::int64_t> transitions() {
    const auto site = co_await call("GET", "/site", Json{});
    co_return readInt(site, "transitions").value_or(0);
  }

  Duration betweenKills() {
    return Duration{random_.between(kLeastBetweenKills.count(), kMostBetweenKills.count())};
  }

  Task<Json> allPages(std::string list, std::string name) {
    Json all = Json::array();
    std::string cursor;
    do {
      auto path = list;
      if (!cursor.empty()) path += "&cursor=" + cli::encodePercent(cursor);
      auto page = co_await call("GET", std::move(path), Json{});
      for (const auto& item : readArray(page, name)) all.push_back(item);
      cursor = readString(page, "next").value_or("");
    } while (!cursor.empty());
    co_return all;
  }

  static bool settled(const Json& nodes) {
    if (nodes.empty()) return false;
    for (const auto& node : nodes) {
      const auto lifecycle = readString(node, "lifecycle").value_or("");
      const bool running = at(node, "run") && at(node, "run")->is_object();
      if (running || (lifecycle != "available" && lifecycle != "quarantined")) return false;
    }
    return true;
  }

  /// All its members are available; a rack of which one is quarantined is not accepted.
  static bool isWhole(const Json& nodes, const std::string& rack) {
    return std::all_of(nodes.begin(), nodes.end(), [&](const Json& node) {
      return !readString(node, "place").value_or("").starts_with(rack + "/") ||
             readString(node, "lifecycle") == "available";
    });
  }

  static bool settled(const Json& nodes, const Json& racks) {
    return std::all_of(racks.begin(), racks.end(), [&](const Json& rack) {
      return readString(rack, "state") == "accepted" ||
             !isWhole(nodes, readString(rack, "place").value_or(""));
    });
  }

  static void judge(Totals& totals, const Json& nodes, const Json& racks) {
    for (const auto& rack : racks) {
      const auto place = readString(rack, "place").value_or(""),
                 state = readString(rack, "state").value_or("");
      const bool accepted = state == "accepted", whole = isWhole(nodes, place);
      ++totals.racks;
      totals.racksAccepted += accepted ? 1 : 0;
      if (accepted != whole)
        totals.unexpected.push_back(fmt::format("{}: {} though {} of its machines are available ({})", place,
                                                state, whole ? "all" : "not all",
                                                readString(rack, "waits_for").value_or("")));
    }
  }

  void draw(const Json& nodes, const Json& racks) {
    if (!watched_) return;
    std::string screen = "\x1b[H\x1b[2J";
    screen += fmt::format(
        "Zellige: {} simulated machines over HTTPS and Redfish, at {:g} times real speed\n\n", nodes.size(),
        options_.speed);
    screen += fmt::format("{:<18} {:<14} {:<12} {:<20} {}\n", "PLACE", "SERIAL", "STATE", "STEP", "WAITS FOR");
    int shown = 0;
    std::map<std::string, int> states;
    for (const auto& node : nodes) {
      ++states[readString(node, "lifecycle").value_or("?")];
      if (shown++ >= 36) continue;
      screen += fmt::format(
          "{:<18} {:<14} {:<12} {:<20} {:.50}\n", readString(node, "place").value_or(""),
          readString(node, "serial").value_or(""), readString(node, "lifecycle").value_or(""),
          readString(node, "run/step").value_or("-"),
          readString(node, "run/waits_for").value_or(readString(node, "cause").value_or("")));
    }
    screen += "\n";
    for (const auto& [state, count] : states) screen += fmt::format("{} {}   ", count, state);
    for (const auto& rack : racks)
      screen += fmt::format("\n{} {}   {}", readString(rack, "place").value_or(""),
                            readString(rack, "state").value_or(""),
                            readString(rack, "waits_for").value_or(""));
    fmt::print("{}\n", screen);
    std::fflush(stdout);
  }

  // The simulator knows what is really so.
  Task<void> judge(Totals& totals, const Json& nodes) {
    Json rows = Json::array();
    for (const auto& node : nodes) {
      Json row{{"serial", node["serial"]}, {"lifecycle", node["lifecycle"]}, {"causes", Json::array()}};
      if (const auto cause = readString(node, "cause")) row["causes"].push_back(*cause);
      row["why"] = readString(node, "run/waits_for").value_or("");
      rows.push_back(std::move(row));
    }
    http::Peer peer;
    peer.address = "127.0.0.1";
    peer.port = static_cast<std::uint16_t>(controlPort_);
    peer.tls = false;
    HttpRequest request;
    request.method = "POST";
    request.target = "/outcome";
    request.body = Json{{"nodes", std::move(rows)}}.dump();
    http::SendOptions sendOptions;
    auto received = co_await transport_.send(std::move(peer), std::move(request), std::move(sendOptions));
    if (!received) throw std::runtime_error("the simulator does not answer: " + received.error().what);
    const auto outcome = parseJson(received->reply.body);
    if (!outcome) throw std::runtime_error("the simulator's answer cannot be read");
    add(totals, *outcome);
    totals.transitions += co_await transitions();
    totals.serveCpu += cpuOfTheDead_ + controller_->cpuSeconds();
    totals.peakRss = std::max({totals.peakRss, peakRss_, controller_->peakRssMb()});
  }

  static void append(std::vector<std::string>& to, const Json& from) {
    for (const auto& text : from)
      if (text.is_string()) to.push_back(text.get<std::string>());
  }

  static void add(Totals& totals, const Json& outcome) {
    const auto number = [&](const char* name) { return static_cast<int>(readInt(outcome, name).value_or(0)); };
    totals.nodes += number("nodes");
    totals.available += number("available");
    totals.quarantined += number("quarantined");
    totals.stuck += number("stuck");
    totals.faultsFired += number("faults_fired");
    totals.duplicates += number("duplicates");
    totals.repeatsAllowed += number("repeats_allowed");
    totals.budgetViolations += number("budget_violations");
    totals.wrong += number("wrong_end_states");
    append(totals.quarantinedExpected, readArray(outcome, "quarantined_expected"));
    append(totals.unexpected, readArray(outcome, "unexpected"));
    append(totals.wrongEndStates, readArray(outcome, "wrong_end_state_list"));
    append(totals.duplicateActs, readArray(outcome, "duplicate_acts"));
    if (const auto* kinds = at(outcome, "faults_by_kind"))
      for (const auto& [kind, count] : kinds->items()) totals.faultsByKind[kind] += count.get<int>();
  }

  const DemoOptions& options_;
  bool watched_;  // a table is drawn, on a terminal
  std::uint64_t seed_;
  int killsLeft_, kills_ = 0;
  Random random_;
  Scratch scratch_;
  LoopExecutor executor_;
  http::CurlTransport transport_;
  std::ostringstream quiet_;
  cli::World world_;
  std::int64_t origin_ = 0;
  int apiPort_ = 0, provisioningPort_ = 0, controlPort_ = 0;
  std::string pin_, password_, token_;
  double cpuOfTheDead_ = 0, peakRss_ = 0;
  std::unique_ptr<Child> simulator_, controller_;
};

Json jsonOf(const Totals& t, const DemoOptions& options) {
  return {{"nodes", t.nodes},
          {"available", t.available},
          {"unlisted", t.unlisted},
          {"racks", t.racks},
          {"racks_accepted", t.racksAccepted},
          {"quarantined", t.quarantined},
          {"quarantined_expected", t.quarantinedExpected},
          {"unexpected", t.unexpected},
          {"faults_fired", t.faultsFired},
          {"faults_by_kind", t.faultsByKind},
          {"duplicates", t.duplicates},
          {"duplicate_acts", t.duplicateActs},
          {"repeats_allowed", t.repeatsAllowed},
          {"stuck", t.stuck},
          {"kills", t.kills},
          {"budget_violations", t.budgetViolations},
          {"wrong_end_states", t.wrong},
          {"wrong_end_state_list", t.wrongEndStates},
          {"transitions", t.transitions},
          {"wall_s", t.wall},
          {"serve_cpu_ms_per_node", t.nodes > 0 ? t.serveCpu * 1000.0 / t.nodes : 0.0},
          {"peak_rss_mb", t.peakRss},
          {"seed", options.seed}};
}

}  // namespace

int demo(const DemoOptions& options) {
  log::setLevel(log::Level::Error);
  signal(SIGPIPE, SIG_IGN);
  Totals totals;
  auto seed = options.seed;
  do {
    Demo one(options, seed++, options.kills - totals.kills);
    one.run(totals);
  } while (totals.kills < options.kills);
  if (options.json)
    fmt::print("{}\n", jsonOf(totals, options).dump(2));
  else
    fmt::print(
        "{} of {} available, {} quarantined ({} expected) after {:.0f} s; {} duplicates; the controller was "
        "killed {} times\n",
        totals.available, totals.nodes, totals.quarantined, totals.quarantinedExpected.size(), totals.wall,
        totals.duplicates, totals.kills);
  for (const auto& line : totals.unexpected) fmt::print(stderr, "unexpected: {}\n", line);
  for (const auto& line : totals.wrongEndStates) fmt::print(stderr, "wrong end state: {}\n", line);
  for (const auto& line : totals.duplicateActs) fmt::print(stderr, "duplicate: {}\n", line);
  const bool good = totals.stuck == 0 && totals.unexpected.empty() && totals.duplicates == 0 &&
                    totals.wrong == 0;
  return good ? 0 : 1;
}

}  // namespace zellige::commands
