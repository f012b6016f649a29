#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

Task<int> createToken(World& world, Options options, std::string name, std::string user) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  Json body{{"name", name}, {"reason", options.reason}};
  if (!user.empty()) body["user"] = user;
  const auto token = co_await client.post("/api/v1/tokens", std::move(body));
  if (!token) co_return complain(world, token.error());
  if (options.json()) {
    printJson(world, *token);
  } else {
    world.err << "token " << textAt(*token, "id") << " of " << printable(textAt(*token, "user"))
              << "; it is shown only now:\n";
    world.out << textAt(*token, "token") << '\n';
  }
  co_return 0;
}

Task<int> listTokens(World& world, Options options, std::string user) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  std::string path = "/api/v1/tokens";
  if (!user.empty()) path += "?user=" + encodePercent(user);
  const auto reply = co_await client.get(std::move(path));
  if (!reply) co_return complain(world, reply.error());
  if (options.json()) {
    printJson(world, readArray(*reply, "tokens"));
    co_return 0;
  }
  Table table({"TOKEN", "KIND", "NAME", "CREATED", "EXPIRES", "REVOKED"});
  for (const auto& t : readArray(*reply, "tokens"))
    table.add({textAt(t, "id"), textAt(t, "kind"), textAt(t, "name"), textAt(t, "created"),
               textAt(t, "expires"), textAt(t, "revoked")});
  table.print(world.out, world.columns);
  co_return 0;
}

Task<int> revokeToken(World& world, Options options, std::string id) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  const auto done = co_await client.remove("/api/v1/tokens/" + encodePercent(id) +
                                           "?reason=" + encodePercent(options.reason));
  if (!done) co_return complain(world, done.error());
  world.err << "token " << printable(id) << " is revoked\n";
  co_return 0;
}

}  // namespace zellige::cli
