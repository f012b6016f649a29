#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

std::string countOf(const Json& campaign, const std::string& state) {
  const auto* members = at(campaign, "members");
  return members ? textAt(*members, state) : "";
}

void printCampaign(World& world, const Options& options, const Json& campaign) {
  if (options.json()) return printJson(world, campaign);
  const auto racks = [&](const char* key) { return textAt(campaign, key) + " racks"; };
  Sheet sheet;
  sheet.add("Campaign", fmt::format("{} {}", textAt(campaign, "id"), textAt(campaign, "name")));
  sheet.add("Baseline", fmt::format("{}, {}", textAt(campaign, "baseline"), textAt(campaign, "goal")));
  const auto place = textAt(campaign, "place");
  sheet.add("Nodes",
            fmt::format("every {} in {}", textAt(campaign, "kind"), place.empty() ? "the site" : place));
  sheet.add("Profile", textAt(campaign, "profile"));
  sheet.add("Window", racks("window"));
  if (textAt(campaign, "per_rack") != "0")
    sheet.add("In a rack", textAt(campaign, "per_rack") + " at a time");
  sheet.add("Canary", racks("canary"));
  sheet.add("Failure budget", fmt::format("{} nodes, {} forgiven", textAt(campaign, "failure_budget"),
                                          textAt(campaign, "forgiven")));
  sheet.add("State", fmt::format("{} since {}", textAt(campaign, "state"), textAt(campaign, "since")));
  sheet.add("Waits for", textAt(campaign, "waits_for"));
  for (const auto* state : {"pending", "running", "done", "failed", "left_out"})
    sheet.add(std::string("  ") + state, countOf(campaign, state));
  sheet.add("Made by", fmt::format("{}, {}", textAt(campaign, "created_by"), textAt(campaign, "created")));
  sheet.print(world.out);
}

void printPreview(World& world, const Options& options, const Json& preview) {
  if (options.json()) return printJson(world, preview);
  Sheet sheet;
  sheet.add("Selected", fmt::format("{} nodes in {} racks, {} of them in the canary", textAt(preview, "nodes"),
                                    textAt(preview, "racks"), textAt(preview, "canary_nodes")));
  sheet.add("At the baseline", textAt(preview, "compliant"));
  sheet.add("Behind", textAt(preview, "behind"));
  sheet.add("Not known", textAt(preview, "unknown"));
  if (const auto* counts = at(preview, "lifecycles"); counts && counts->is_object())
    for (const auto& [lifecycle, count] : counts->items())
      if (count != 0) sheet.add("  " + lifecycle, count.dump());
  std::string racks;
  for (const auto& rack : readArray(preview, "first_racks"))
    racks += (racks.empty() ? "" : ", ") + rack.get<std::string>();
  sheet.add("First", racks);
  const auto noWayBack = textAt(preview, "no_way_back");
  sheet.add("Way back", noWayBack.empty() ? "yes" : "none: " + noWayBack);
  sheet.print(world.out);
  world.out << '\n';
  Table table({"COMPONENT", "FOUND", "WANTED", "NODES"});
  for (const auto& c : readArray(preview, "changes"))
    table.add({textAt(c, "component"), textAt(c, "found"), textAt(c, "wanted"), textAt(c, "nodes")});
  table.print(world.out, world.columns);
}

}  // namespace

Task<int> listCampaigns(World& world, Options options, std::string state) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  std::string path = "/api/v1/campaigns?limit=500";
  if (!state.empty()) path += "&state=" + encodePercent(state);
  const auto campaigns = co_await allPages(client, std::move(path), "campaigns");
  if (!campaigns) co_return complain(world, campaigns.error());
  if (options.json()) {
    printJson(world, *campaigns);
    co_return 0;
  }
  Table table(
      {"ID", "NAME", "BASELINE", "STATE", "GOAL", "DONE", "FAILED", "RUNNING", "PENDING", "WAITS FOR"});
  for (const auto& c : *campaigns)
    table.add({textAt(c, "id"), textAt(c, "name"), textAt(c, "baseline"), textAt(c, "state"),
               textAt(c, "goal"), countOf(c, "done"), countOf(c, "failed"), countOf(c, "running"),
               countOf(c, "pending"), textAt(c, "waits_for")});
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> createCampaign(World& world, Options options, NewCampaign wanted) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{
      {"name", wanted.name},     {"baseline", wanted.baseline}, {"kind", wanted.kind},
      {"place", wanted.place},   {"profile", wanted.profile},   {"window", wanted.window},
      {"canary", wanted.canary}, {"per_rack", wanted.perRack},  {"failure_budget", wanted.failureBudget},
      {"reason", options.reason}};
  std::string path = "/api/v1/campaigns";
  if (wanted.dryRun) path += "?dry_run=true";
  const auto made = co_await client.post(std::move(path), std::move(body));
  if (!made) co_return complain(world, made.error());
  wanted.dryRun ? printPreview(world, options, *made) : printCampaign(world, options, *made);
  co_return 0;
}

Task<int> showCampaign(World& world, Options options, std::string id, std::string members) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto path = "/api/v1/campaigns/" + encodePercent(id);
  auto campaign = co_await client.get(path);
  if (!campaign) co_return complain(world, campaign.error());
  if (members.empty()) {
    printCampaign(world, options, *campaign);
    co_return 0;
  }
  auto list = path + "/members?limit=500";
  if (members != "all") list += "&state=" + encodePercent(members);
  const auto rows = co_await allPages(client, std::move(list), "members");
  if (!rows) co_return complain(world, rows.error());
  if (options.json()) {
    printJson(world, *rows);
    co_return 0;
  }
  printCampaign(world, options, *campaign);
  world.out << '\n';
  Table table({"SERIAL", "PLACE", "STATE", "SINCE", "CANARY", "LIFECYCLE", "BEFORE", "WHY"});
  for (const auto& m : *rows)
    table.add({textAt(m, "serial"), textAt(m, "place"), textAt(m, "state"), textAt(m, "since"),
               textAt(m, "canary") == "true" ? "yes" : "", textAt(m, "lifecycle"), textAt(m, "before"),
               textAt(m, "reason")});
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> moveCampaign(World& world, Options options, std::string id, std::string how) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"reason", options.reason}};
  auto path = fmt::format("/api/v1/campaigns/{}/{}", encodePercent(id), how);
  const auto campaign = co_await client.post(std::move(path), std::move(body));
  if (!campaign) co_return complain(world, campaign.error());
  printCampaign(world, options, *campaign);
  co_return 0;
}

}  // namespace zellige::cli
