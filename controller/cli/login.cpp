// Signing in. The server's key is taken on first use: its fingerprint is printed before a password leaves, so that a
// person can compare it with what `zellige serve` printed.
#include <fmt/format.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <termios.h>
#include <unistd.h>

#include "controller/cli/actions.hpp"
#include "controller/cli/credentials.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

/// Switches the terminal's echo off while it lives.
class Silence {
 public:
  explicit Silence(bool wanted) {
    active_ = wanted && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!active_) return;
    auto quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Silence() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

std::string ask(World& world, const std::string& what, bool secret) {
  if (world.terminal) world.err << what << ": " << std::flush;
  std::string line;
  {
    const Silence silence(secret && world.terminal);
    std::getline(world.in, line);
  }
  if (secret && world.terminal) world.err << '\n';
  return line;
}

/// Learns the key of a server that is not pinned yet. Nothing secret is sent.
Task<Result<std::string>> learnKey(World& world, Server server) {
  server.token = Secret{};
  HttpRequest request{"GET", "/api/v1/version", {}, {}};
  request.headers.set("Host", server.host);
  const auto received = co_await world.transport.send(server.peer, std::move(request), http::SendOptions{});
  if (!received)
    co_return Error{received.error().code,
                    fmt::format("cannot reach {}: {}; check --url and that the controller runs", server.url,
                                received.error().what)};
  co_return received->pin;
}

/// From ZELLIGE_NEW_PASSWORD, or asked for; twice where a person types it blindly.
Result<Secret> newPassword(World& world) {
  if (auto given = world.environment("ZELLIGE_NEW_PASSWORD"); !given.empty()) return Secret{std::move(given)};
  Secret fresh{ask(world, "New password", true)};
  if (fresh.empty())
    return Error{Errc::Auth,
                 "your password was given by somebody else and must be changed now: sign in again and type a "
                 "new one, or set ZELLIGE_NEW_PASSWORD"};
  if (world.terminal && Secret{ask(world, "Again", true)} != fresh)
    return Error{Errc::Auth, "the two are not the same; sign in again"};
  return fresh;
}

/// The session is of no use before. A refusal ends it, so that it does not lie about.
Task<Result<void>> changePassword(World& world, Client& client, Secret current) {
  world.err << "Your password was given by somebody else; choose your own now.\n";
  auto fresh = newPassword(world);
  Error refused;
  if (fresh) {
    const Json body{{"current", current.reveal()}, {"password", fresh->reveal()}};
    HttpRequest request{"PUT", "/api/v1/users/me/password", {}, body.dump()};
    request.headers.set("Content-Type", "application/json");
    const auto changed = co_await client.send(std::move(request), Duration{30'000});
    if (changed) co_return Result<void>{};
    refused = changed.error();
  } else {
    refused = fresh.error();
  }
  (void)co_await client.remove("/api/v1/session");
  co_return refused;
}

}  // namespace

Task<int> login(World& world, Options options, std::string user) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  server->token = Secret{};
  const bool given = !options.pin.empty() || !options.ca.empty() || !world.environment("ZELLIGE_PIN").empty();
  const auto remembered = server->peer.pin;
  if (!given) {
    server->peer.pin.clear();
    const auto key = co_await learnKey(world, *server);
    if (!key) co_return complain(world, key.error());
    server->peer.pin = *key;
    if (*key != remembered) {
      const bool changed = !remembered.empty();
      world.err << (remembered.empty() ? "The key of " : "THE KEY HAS CHANGED of ") << server->url
                << "\n  SHA-256 " << *key << "\nCompare it with what the controller printed at its start.\n";
      if (changed && !world.terminal) {
        world.err << "zellige: not signed in, as nobody can compare; nothing was sent. If the controller was "
                     "set up "
                     "anew, say which key it has: --pin or ZELLIGE_PIN\n";
        co_return static_cast<int>(Exit::NoAccess);
      }
      if (world.terminal && ask(world, "Is it the same? [y/N]", false) != "y") {
        world.err << "zellige: not signed in; nothing was sent\n";
        co_return static_cast<int>(Exit::NoAccess);
      }
    }
  }
  if (user.empty()) user = ask(world, "User", false);
  Secret password{world.environment("ZELLIGE_PASSWORD")};
  if (password.empty()) password = Secret{ask(world, "Password", true)};

  Client client(world, *server);
  Json body{{"user", user}, {"password", password.reveal()}};
  const auto session = co_await client.post("/api/v1/session", std::move(body));
  if (!session) {
    auto error = session.error();
    if (error.httpStatus == 401) error.what = "user and password do not belong together; try again";
    co_return complain(world, error);
  }
  client.server().token = Secret{readString(*session, "token").value_or("")};
  if (readBool(*session, "user/must_change").value_or(false))
    if (const auto changed = co_await changePassword(world, client, password); !changed)
      co_return complain(world, changed.error());
  Credentials credentials{server->url, client.server().token, client.pin()};
  if (auto saved = saveCredentials(world.home, credentials); !saved) co_return complain(world, saved.error());
  world.err << "Signed in to " << server->url << " as " << printable(user) << " until "
            << textAt(*session, "expires") << '\n';
  co_return 0;
}

}  // namespace zellige::cli
