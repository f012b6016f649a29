#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

bool unfinished(const Json& run) {
  const auto state = textAt(run, "state");
  return state == "active" || state == "blocked";
}

void printRun(World& world, const Options& options, const Json& run) {
  if (options.json()) return printJson(world, run);
  Sheet sheet;
  sheet.add("Run", textAt(run, "id"));
  sheet.add("Workflow", textAt(run, "workflow") +
                            (textAt(run, "parameter").empty() ? "" : " " + textAt(run, "parameter")));
  std::string nodes;
  for (const auto& n : readArray(run, "nodes"))
    nodes += (nodes.empty() ? "" : ", ") + (n.is_string() ? n.get<std::string>() : "-");
  sheet.add("Nodes", nodes);
  sheet.add("State", textAt(run, "state"));
  sheet.add("Started", fmt::format("{} by {}", textAt(run, "created"), textAt(run, "started_by")));
  if (!textAt(run, "reason").empty()) sheet.add("Reason", textAt(run, "reason"));
  sheet.add("Ended", textAt(run, "ended"));
  sheet.print(world.out);
  world.out << '\n';
  Table table({"STEP", "STATE", "WHAT", "WAITS FOR"});
  for (const auto& s : readArray(run, "steps"))
    table.add({textAt(s, "id"), textAt(s, "state"), textAt(s, "title"), textAt(s, "waits_for")});
  table.print(world.out, world.columns);
}

/// One line that tells where a run stands: redrawn on a terminal, else one more line whenever it changes.
class Progress {
 public:
  explicit Progress(World& world) : world_(world) {}
  ~Progress() {
    if (drawn_ && world_.terminal) world_.err << "\r\033[K" << std::flush;
  }
  Progress(const Progress&) = delete;
  void tell(const Json& run) {
    const auto waits = textAt(run, "waits_for");
    auto line = printable(fmt::format("run {} {}: {}{}", textAt(run, "id"), textAt(run, "state"),
                                      textAt(run, "step"), waits.empty() ? "" : " (waits for " + waits + ")"));
    if (line == last_) return;
    if (world_.terminal)
      world_.err << "\r\033[K" << line.substr(0, 99) << std::flush;
    else
      world_.err << line << '\n';
    drawn_ = true;
    last_ = std::move(line);
  }

 private:
  World& world_;
  bool drawn_ = false;
  std::string last_;
};

/// Follows the run to its end by the events of its node.
Task<Result<Json>> follow(World& world, Client& client, Json run) {
  Progress progress(world);
  const auto path = "/api/v1/runs/" + textAt(run, "id");
  const auto& nodes = readArray(run, "nodes");
  const auto serial = nodes.empty() || !nodes[0].is_string() ? std::string{} : nodes[0].get<std::string>();
  const auto site = co_await client.get("/api/v1/site");
  if (!site) co_return site.error();
  auto after = readInt(*site, "last_event").value_or(0);
  for (;;) {
    auto now = co_await client.get(path);
    if (!now) co_return now.error();
    if (!unfinished(*now)) co_return std::move(*now);
    progress.tell(*now);
    const auto events = co_await client.get(
        fmt::format("/api/v1/events?wait=20&after={}&node={}", after, encodePercent(serial)));
    if (!events) co_return events.error();
    after = readInt(*events, "next").value_or(after);
  }
}

/// Prints the run, after its end if --wait was given; then the exit code tells how it ended.
Task<int> finish(World& world, Client& client, Options options, Json run, std::string wanted) {
  if (!options.wait) {
    printRun(world, options, run);
    co_return 0;
  }
  const auto ended = co_await follow(world, client, std::move(run));
  if (!ended) co_return complain(world, ended.error());
  printRun(world, options, *ended);
  const auto state = textAt(*ended, "state");
  if (state == wanted) co_return 0;
  world.err << "zellige: run " << textAt(*ended, "id") << " ended " << state << ": "
            << printable(textAt(*ended, "step")) << "; see: zellige finding list\n";
  co_return static_cast<int>(Exit::Failed);
}

Task<int> act(World& world, Options options, std::string path, Json body, std::string wanted) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  auto run = co_await client.post(std::move(path), std::move(body));
  if (!run) co_return complain(world, run.error());
  co_return co_await finish(world, client, options, std::move(*run), std::move(wanted));
}

}  // namespace

Task<int> listRuns(World& world, Options options, RunQuery query) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  std::string path = "/api/v1/runs?limit=500";
  if (!query.state.empty()) path += "&state=" + encodePercent(query.state);
  if (!query.workflow.empty()) path += "&workflow=" + encodePercent(query.workflow);
  if (!query.node.empty()) path += "&node=" + encodePercent(query.node);
  const auto runs = co_await allPages(client, std::move(path), "runs");
  if (!runs) co_return complain(world, runs.error());
  if (options.json()) {
    printJson(world, *runs);
    co_return 0;
  }
  Table table({"RUN", "WORKFLOW", "NODE", "STATE", "STEP", "WAITS FOR"});
  for (const auto& r : *runs) {
    const auto& nodes = readArray(r, "nodes");
    auto node = nodes.empty() || !nodes[0].is_string() ? std::string("-") : nodes[0].get<std::string>();
    if (nodes.size() > 1) node += fmt::format(" +{}", nodes.size() - 1);
    table.add({textAt(r, "id"), textAt(r, "workflow"), std::move(node), textAt(r, "state"), textAt(r, "step"),
               textAt(r, "waits_for")});
  }
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> showRun(World& world, Options options, std::string id) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  auto run = co_await client.get("/api/v1/runs/" + encodePercent(id));
  if (!run) co_return complain(world, run.error());
  co_return co_await finish(world, client, options, std::move(*run), "done");
}

Task<int> startRun(World& world, Options options, std::string serial, std::string workflow,
                   std::string parameter) {
  Json body{{"workflow", workflow}, {"parameter", parameter}, {"reason", options.reason}};
  auto path = "/api/v1/nodes/" + encodePercent(serial) + "/runs";
  co_return co_await act(world, options, std::move(path), std::move(body), "done");
}

Task<int> cancelRun(World& world, Options options, std::string id) {
  Json body{{"reason", options.reason}};
  auto path = "/api/v1/runs/" + encodePercent(id) + "/cancel";
  co_return co_await act(world, options, std::move(path), std::move(body), "cancelled");
}

Task<int> retryRun(World& world, Options options, std::string id) {
  Json body{{"reason", options.reason}};
  auto path = "/api/v1/runs/" + encodePercent(id) + "/retry";
  co_return co_await act(world, options, std::move(path), std::move(body), "done");
}

}  // namespace zellige::cli
