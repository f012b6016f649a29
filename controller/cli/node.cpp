#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

/// What a person wants to know next: the wait, else the cause.
std::string doing(const Json& node) {
  if (at(node, "run/id")) {
    const auto waits = textAt(node, "run/waits_for");
    return fmt::format("{}{}", textAt(node, "run/step"), waits.empty() ? "" : ": " + waits);
  }
  return textAt(node, "cause");
}

void printNode(World& world, const Json& node) {
  Sheet sheet;
  for (const auto& [name, path] : {std::pair{"Serial", "serial"},
                                   {"Kind", "kind"},
                                   {"Place", "place"},
                                   {"SKU", "sku"},
                                   {"Profile", "profile"},
                                   {"Baseline", "baseline"},
                                   {"BMC", "bmc/address"},
                                   {"BMC MAC", "bmc/mac"},
                                   {"Lifecycle", "lifecycle"},
                                   {"Since", "lifecycle_since"},
                                   {"Allocation", "allocation"},
                                   {"Scheduling", "scheduling"},
                                   {"Health", "health"},
                                   {"Contact", "contact"},
                                   {"Armed", "armed"}})
    sheet.add(name, textAt(node, path));
  if (at(node, "run/id"))
    sheet.add("Run",
              fmt::format("{} {} at {}", textAt(node, "run/id"), textAt(node, "run/workflow"), doing(node)));
  sheet.print(world.out);
  if (const auto& findings = readArray(node, "findings"); !findings.empty()) {
    world.out << '\n';
    Table table({"FINDING", "CAUSE", "RAISED", "RESOLVED", "DETAIL"});
    for (const auto& f : findings)
      table.add({textAt(f, "id"), textAt(f, "cause"), textAt(f, "raised"), textAt(f, "resolved"),
                 textAt(f, "detail")});
    table.print(world.out, world.columns);
  }
  if (const auto& holds = readArray(node, "holds"); !holds.empty()) {
    world.out << '\n';
    Table table({"HOLD", "KIND", "OWNER", "EXPIRES", "REASON"});
    for (const auto& h : holds)
      table.add({textAt(h, "id"), textAt(h, "kind"), textAt(h, "owner"), textAt(h, "expires"),
                 textAt(h, "reason")});
    table.print(world.out, world.columns);
  }
  if (const auto& behind = readArray(node, "compliance/behind"); !behind.empty()) {
    world.out << '\n';
    Table table({"BEHIND", "FOUND", "WANTED"});
    for (const auto& d : behind) table.add({textAt(d, "component"), textAt(d, "found"), textAt(d, "wanted")});
    table.print(world.out, world.columns);
  }
  if (const auto& firmware = readArray(node, "inventory/firmware"); !firmware.empty()) {
    world.out << '\n';
    Table table({"FIRMWARE", "VERSION"});
    for (const auto& f : firmware) table.add({textAt(f, "id"), textAt(f, "version")});
    table.print(world.out, world.columns);
  }
}

}  // namespace

Task<Result<Json>> allPages(Client& client, std::string path, std::string name) {
  Json all = Json::array();
  std::string cursor;
  do {
    auto target = path;
    if (!cursor.empty()) target += "&cursor=" + encodePercent(cursor);
    const auto page = co_await client.get(std::move(target));
    if (!page) co_return page.error();
    for (const auto& item : readArray(*page, name)) all.push_back(item);
    cursor = readString(*page, "next").value_or("");
  } while (!cursor.empty());
  co_return all;
}

Task<int> listNodes(World& world, Options options, NodeQuery query) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  std::string path = "/api/v1/nodes?limit=500";
  if (!query.place.empty()) path += "&place=" + encodePercent(query.place);
  if (!query.lifecycle.empty()) path += "&lifecycle=" + encodePercent(query.lifecycle);
  if (!query.text.empty()) path += "&q=" + encodePercent(query.text);
  const auto nodes = co_await allPages(client, std::move(path), "nodes");
  if (!nodes) co_return complain(world, nodes.error());
  if (options.json()) {
    printJson(world, *nodes);
    co_return 0;
  }
  Table table({"SERIAL", "PLACE", "LIFECYCLE", "HEALTH", "CONTACT", "DOING"});
  for (const auto& n : *nodes)
    table.add({textAt(n, "serial"), textAt(n, "place"), textAt(n, "lifecycle"), textAt(n, "health"),
               textAt(n, "contact"), doing(n)});
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> showNode(World& world, Options options, std::string serial) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto node = co_await client.get("/api/v1/nodes/" + encodePercent(serial));
  if (!node) co_return complain(world, node.error());
  if (options.json())
    printJson(world, *node);
  else
    printNode(world, *node);
  co_return 0;
}

Task<int> moveNode(World& world, Options options, std::string serial, std::string to) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"to", to}, {"reason", options.reason}};
  const auto node = co_await client.post("/api/v1/nodes/" + encodePercent(serial) + "/lifecycle",
                                         std::move(body));
  if (!node) co_return complain(world, node.error());
  if (options.json())
    printJson(world, *node);
  else
    world.out << printable(serial) << " at " << textAt(*node, "place") << " is " << textAt(*node, "lifecycle")
              << ".\n";
  co_return 0;
}

Task<int> acceptCertificate(World& world, Options options, std::string serial) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"reason", options.reason}};
  const auto node = co_await client.post("/api/v1/nodes/" + encodePercent(serial) + "/certificate",
                                         std::move(body));
  if (!node) co_return complain(world, node.error());
  if (options.json())
    printJson(world, *node);
  else
    world.out << "The key that the BMC of " << printable(serial)
              << " shows next is pinned. Retry its failed run with: zellige run retry ID\n";
  co_return 0;
}

}  // namespace zellige::cli
