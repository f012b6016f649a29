#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

void printFinding(World& world, const Options& options, const Json& finding) {
  if (options.json()) return printJson(world, finding);
  Sheet sheet;
  for (const auto& [name, path] : {std::pair{"Finding", "id"},
                                   {"What", "title"},
                                   {"Cause", "cause"},
                                   {"Node", "serial"},
                                   {"Place", "place"},
                                   {"Run", "run"},
                                   {"Blocking", "blocking"},
                                   {"Raised", "raised"},
                                   {"Detail", "detail"},
                                   {"Next", "next_action"},
                                   {"Resolved", "resolved"},
                                   {"Resolution", "resolution"}})
    sheet.add(name, textAt(finding, path));
  sheet.print(world.out);
}

}  // namespace

Task<int> listFindings(World& world, Options options, std::string place, bool all) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  std::string path = "/api/v1/findings?limit=500";
  if (all) path += "&state=all";
  if (!place.empty()) path += "&place=" + encodePercent(place);
  const auto findings = co_await allPages(client, std::move(path), "findings");
  if (!findings) co_return complain(world, findings.error());
  if (options.json()) {
    printJson(world, *findings);
    co_return 0;
  }
  Table table({"FINDING", "NODE", "PLACE", "CAUSE", "RAISED", "DETAIL"});
  for (const auto& f : *findings)
    table.add({textAt(f, "id"), textAt(f, "serial"), textAt(f, "place"), textAt(f, "cause"),
               textAt(f, "raised"), textAt(f, "detail")});
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> showFinding(World& world, Options options, std::string id) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto finding = co_await client.get("/api/v1/findings/" + encodePercent(id));
  if (!finding) co_return complain(world, finding.error());
  printFinding(world, options, *finding);
  co_return 0;
}

Task<int> resolveFinding(World& world, Options options, std::string id) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"resolution", options.reason}};
  const auto finding = co_await client.post("/api/v1/findings/" + encodePercent(id) + "/resolve",
                                            std::move(body));
  if (!finding) co_return complain(world, finding.error());
  printFinding(world, options, *finding);
  co_return 0;
}

}  // namespace zellige::cli
