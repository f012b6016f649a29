#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

Task<int> listRacks(World& world, Options options, RackQuery query) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  std::string path = "/api/v1/racks?limit=500";
  if (!query.place.empty()) path += "&place=" + encodePercent(query.place);
  if (!query.state.empty()) path += "&state=" + encodePercent(query.state);
  const auto racks = co_await allPages(client, std::move(path), "racks");
  if (!racks) co_return complain(world, racks.error());
  if (options.json()) {
    printJson(world, *racks);
    co_return 0;
  }
  Table table({"RACK", "STATE", "SINCE", "RECIPE", "WAITS FOR"});
  for (const auto& r : *racks)
    table.add({textAt(r, "place"), textAt(r, "state"), textAt(r, "since"), textAt(r, "recipe"),
               textAt(r, "waits_for")});
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> showRack(World& world, Options options, std::string place) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto rack = co_await client.get("/api/v1/racks/" + place);
  if (!rack) co_return complain(world, rack.error());
  if (options.json()) {
    printJson(world, *rack);
    co_return 0;
  }
  Sheet sheet;
  sheet.add("Rack", textAt(*rack, "place"));
  sheet.add("Recipe", textAt(*rack, "recipe"));
  sheet.add("State", fmt::format("{} since {}", textAt(*rack, "state"), textAt(*rack, "since")));
  sheet.add("Waits for", textAt(*rack, "waits_for"));
  sheet.print(world.out);
  world.out << '\n';
  Table stages({"STAGE", "WORKFLOW", "PASSED", "RUNNING", "STOPPED", "NOT BEGUN", "OUT", "OVER"});
  for (const auto& s : readArray(*rack, "stages"))
    stages.add({textAt(s, "id"), textAt(s, "workflow"),
                fmt::format("{} of {}", textAt(s, "passed"), textAt(s, "members")), textAt(s, "running"),
                textAt(s, "stopped"), textAt(s, "not_begun"), textAt(s, "out"), textAt(s, "over")});
  stages.print(world.out, world.columns);
  world.out << '\n';
  Table members({"SERIAL", "KIND", "PLACE", "LIFECYCLE"});
  for (const auto& m : readArray(*rack, "members"))
    members.add({textAt(m, "serial"), textAt(m, "kind"), textAt(m, "place"), textAt(m, "lifecycle")});
  members.print(world.out, world.columns);
  co_return 0;
}

Task<int> bringUpRack(World& world, Options options, std::string place, std::string stage) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"reason", options.reason}};
  if (!stage.empty()) body["stage"] = stage;
  const auto begun = co_await client.post("/api/v1/racks/" + place + "/bring-up", std::move(body));
  if (!begun) co_return complain(world, begun.error());
  if (options.json()) {
    printJson(world, *begun);
    co_return 0;
  }
  Table table({"RUN", "WORKFLOW", "NODES"});
  for (const auto& run : readArray(*begun, "runs")) {
    const auto& nodes = readArray(run, "nodes");
    auto first = nodes.empty() || !nodes[0].is_string() ? std::string("-") : nodes[0].get<std::string>();
    if (nodes.size() > 1) first += fmt::format(" +{}", nodes.size() - 1);
    table.add({textAt(run, "id"), textAt(run, "workflow"), std::move(first)});
  }
  table.print(world.out, world.columns);
  co_return 0;
}

}  // namespace zellige::cli
