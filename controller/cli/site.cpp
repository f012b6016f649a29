#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

std::string nameOf(const std::string& place) { return place.empty() ? "the whole site" : place; }

/// Beside the sheet, so that a script's output stays what it is.
void warn(World& world, const Json& site) {
  const auto* life = at(site, "restored");
  if (!life || !life->is_object()) return;
  std::string places;
  for (const auto& place : readArray(*life, "was_armed"))
    if (place.is_string()) places += (places.empty() ? "" : ", ") + nameOf(place.get<std::string>());
  world.err << "Warning: " << printable(textAt(*life, "why")) << " (seen at "
            << printable(textAt(*life, "at")) << "). So every place was disarmed"
            << (places.empty() ? "" : "; armed were: " + printable(places))
            << ". Make sure that no other controller works on these machines, then arm again: zellige site "
               "arm PLACE\n";
}

void printSite(World& world, const Options& options, const Json& site) {
  warn(world, site);
  if (options.json()) return printJson(world, site);
  Sheet sheet;
  sheet.add("Site", textAt(site, "site"));
  std::string armed;
  for (const auto& place : readArray(site, "armed"))
    armed += (armed.empty() ? "" : ", ") + nameOf(textAt(place, "place"));
  sheet.add("Armed", armed.empty() ? "nothing: reads only" : armed);
  sheet.add("Nodes", textAt(site, "nodes"));
  if (const auto* counts = at(site, "lifecycles"); counts && counts->is_object())
    for (const auto& [lifecycle, count] : counts->items())
      if (count != 0) sheet.add("  " + lifecycle, count.dump());
  sheet.add("Unfinished runs", textAt(site, "unfinished_runs"));
  sheet.print(world.out);
  const auto& budgets = readArray(site, "budgets");
  if (budgets.empty()) return;
  world.out << '\n';
  Table table({"BUDGET", "WHERE", "USED", "LIMIT", "WAITING"});
  for (const auto& b : budgets) {
    const auto scope = textAt(b, "scope");
    table.add({textAt(b, "budget"), scope.empty() ? "site" : scope, textAt(b, "used"), textAt(b, "limit"),
               textAt(b, "waiting")});
  }
  table.print(world.out, world.columns);
}

}  // namespace

Task<int> showSite(World& world, Options options) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto site = co_await client.get("/api/v1/site");
  if (!site) co_return complain(world, site.error());
  printSite(world, options, *site);
  co_return 0;
}

Task<int> armSite(World& world, Options options, std::string place, bool arm) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"place", place == "." ? "" : place}, {"reason", options.reason}};
  std::string path = arm ? "/api/v1/site/arm" : "/api/v1/site/disarm";
  const auto site = co_await client.post(std::move(path), std::move(body));
  if (!site) co_return complain(world, site.error());
  printSite(world, options, *site);
  co_return 0;
}

}  // namespace zellige::cli
