// Devices that no manifest names, and the scans that look for them.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

constexpr Duration kBetweenLooks = 2s;

/// What it says it is; "-" where it says nothing.
std::string whatOf(const Json& device) {
  std::string out;
  for (const auto* name : {"vendor", "product", "vendor_class", "hostname"})
    if (const auto word = readString(device, name)) out += (out.empty() ? "" : " ") + *word;
  return out.empty() ? "-" : out;
}

std::string whereOf(const Json& device) {
  if (const auto place = readString(device, "place_hint")) return *place;
  return readString(device, "circuit").value_or("-");
}

void printSightings(World& world, const Json& devices) {
  Table table({"MAC", "ADDRESS", "SAYS IT IS", "HINT OF PLACE", "FIRST SEEN", "LAST SEEN"});
  for (const auto& d : devices)
    table.add({textAt(d, "mac"), textAt(d, "address"), whatOf(d), whereOf(d), textAt(d, "first_seen"),
               textAt(d, "last_seen")});
  table.print(world.out, 140);
}

/// Looks at the scan until it has ended.
Task<Result<Json>> follow(World& world, Client& client) {
  for (;;) {
    auto scan = co_await client.get("/api/v1/scan");
    if (!scan) co_return scan.error();
    if (world.terminal)
      world.err << "\r\033[K"
                << fmt::format("{} of {} addresses asked, {} answered", textAt(*scan, "asked"),
                               textAt(*scan, "addresses"), textAt(*scan, "answered"))
                << std::flush;
    const auto* ended = at(*scan, "ended");
    if (ended && ended->is_string()) {
      if (world.terminal) world.err << "\r\033[K" << std::flush;
      co_return std::move(*scan);
    }
    co_await sleepFor(world.executor, kBetweenLooks);
  }
}

}  // namespace

Task<int> listUnlisted(World& world, Options options) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto devices = co_await allPages(client, "/api/v1/unlisted?limit=500", "devices");
  if (!devices) co_return complain(world, devices.error());
  if (options.json())
    printJson(world, *devices);
  else
    printSightings(world, *devices);
  co_return 0;
}

Task<int> scan(World& world, Options options, ScanOptions what) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{
      {"ranges", what.ranges}, {"port", what.port}, {"public", what.publicToo}, {"reason", options.reason}};
  const auto begun = co_await client.post("/api/v1/scan", std::move(body));
  if (!begun) co_return complain(world, begun.error());
  const auto ended = co_await follow(world, client);
  if (!ended) co_return complain(world, ended.error());
  if (options.json()) {
    printJson(world, *ended);
    co_return 0;
  }
  world.out << fmt::format(
      "{} addresses asked, {} left out because nodes have them; {} answered as a Redfish "
      "service. See: zellige node unlisted\n",
      textAt(*ended, "asked"), textAt(*ended, "nodes"), textAt(*ended, "answered"));
  co_return 0;
}

Task<int> stopScan(World& world, Options options) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto stopped = co_await client.remove("/api/v1/scan");
  if (!stopped) co_return complain(world, stopped.error());
  co_return 0;
}

}  // namespace zellige::cli
