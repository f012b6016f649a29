#include "controller/cli/client.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <netdb.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/credentials.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

constexpr std::string_view kDefaultUrl = "https://127.0.0.1:8443";

Result<std::string> addressOf(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); failed != 0)
    return Error{Errc::Unreachable,
                 fmt::format("there is no host '{}' ({}); check --url", host, ::gai_strerror(failed))};
  char text[INET6_ADDRSTRLEN] = {};
  if (found->ai_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(found->ai_addr)->sin6_addr, text, sizeof text);
  else
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr, text, sizeof text);
  ::freeaddrinfo(found);
  return std::string(text);
}

Errc codeOf(int status) {
  switch (status) {
    case 401: return Errc::Auth;
    case 404: return Errc::NotFound;
    case 409:
    case 412: return Errc::Conflict;
    case 429:
    case 503: return Errc::Busy;
    default: return Errc::Rejected;
  }
}

/// What the server said, on one line and its details on further ones.
Error errorOf(const HttpReply& reply) {
  Error error{codeOf(reply.status), {}, false, reply.status};
  const auto body = parseJson(reply.body);
  const auto detail = body ? readString(*body, "detail") : std::nullopt;
  error.what = detail ? printable(*detail)
                      : fmt::format("the server answered {} and nothing that can be read", reply.status);
  if (body)
    for (const auto& p : readArray(*body, "problems"))
      error.what += fmt::format("\n  {}:{}:{}: {}", printable(textAt(p, "file")), textAt(p, "line"),
                                textAt(p, "column"), printable(textAt(p, "reason")));
  if (reply.status == 401) error.what += "\nSign in with: zellige login";
  return error;
}

}  // namespace

std::string encodePercent(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string textAt(const Json& value, std::string_view path) {
  const auto* found = at(value, path);
  if (!found || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void printJson(World& world, const Json& value) { world.out << value.dump(2) << '\n'; }

Result<Server> serverAt(const std::string& url) {
  const Error bad{Errc::Invalid,
                  fmt::format("'{}' is no address of a controller; write it as https://HOST:PORT", url)};
  constexpr std::string_view scheme = "https://";
  std::string_view rest = url;
  if (!rest.starts_with(scheme)) return bad;
  rest.remove_prefix(scheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  Server server;
  server.url = std::string(scheme) + std::string(rest);
  server.host = rest;
  std::string_view host = rest, port;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return bad;
    host = rest.substr(1, end - 1);
    if (rest.size() > end + 1 && rest[end + 1] != ':') return bad;
    port = rest.size() > end + 1 ? rest.substr(end + 2) : std::string_view{};
  } else if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
    if (port.empty()) return bad;
  }
  if (!port.empty()) {
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), server.peer.port);
    if (ec != std::errc{} || end != port.data() + port.size() || server.peer.port == 0) return bad;
  }
  if (host.empty() || host.find('/') != std::string_view::npos) return bad;
  const auto address = addressOf(std::string(host));
  if (!address) return address.error();
  server.peer.address = *address;
  server.name = host;
  return server;
}

Result<Server> chooseServer(const World& world, const Options& options) {
  const auto stored = loadCredentials(world.home);
  if (!stored) return stored.error();
  auto url = options.url;
  if (url.empty()) url = world.environment("ZELLIGE_URL");
  if (url.empty()) url = stored->url;
  if (url.empty()) url = kDefaultUrl;
  auto server = serverAt(url);
  if (!server) return server.error();
  // A token and a key belong to the server they were got from.
  const bool known = stored->url == server->url;
  server->token = known ? stored->token : Secret{};
  if (auto token = world.environment("ZELLIGE_TOKEN"); !token.empty())
    server->token = Secret{std::move(token)};
  server->peer.pin = !options.pin.empty() ? options.pin : world.environment("ZELLIGE_PIN");
  if (!options.ca.empty()) {
    // A CA vouches for many hosts: the certificate must be this one's. Its key may change under the same CA.
    if (server->name.find(':') != std::string::npos)
      return Error{Errc::Invalid, "--ca needs the controller's name or IPv4 address in --url; or use --pin"};
    server->peer.caFile = options.ca;
    server->peer.serverName = server->name;
  } else if (server->peer.pin.empty() && known) {
    server->peer.pin = stored->pin;
  }
  return server;
}

Task<Result<HttpReply>> Client::exchange(HttpRequest request, Duration patience) {
  if (server_.peer.pin.empty() && server_.peer.caFile.empty())
    co_return Error{
        Errc::Auth,
        fmt::format("the key of {0} is not known yet; sign in with: zellige login --url {0}", server_.url)};
  request.headers.set("Host", server_.host);
  if (!server_.token.empty()) request.headers.set("Authorization", "Bearer " + server_.token.reveal());
  http::SendOptions options;
  options.timeout = patience;
  options.maxReplyBytes = 64u << 20;
  auto received = co_await world_.transport.send(server_.peer, std::move(request), std::move(options));
  if (!received) {
    auto error = received.error();
    if (error.cause == "bmc.certificate_changed")
      error = {
          Errc::Auth,
          fmt::format("{0} shows another key than when you signed in. If it was set up anew, compare its "
                      "fingerprint and run: zellige login --url {0}",
                      server_.url)};
    else if (error.cause == "bmc.certificate_untrusted")
      error = {Errc::Auth,
               fmt::format("{}: its certificate is not one that {} vouches for, or is issued to another "
                           "name; nothing was sent",
                           server_.url, server_.peer.caFile)};
    else if (error.outcomeUnknown)
      error.what = fmt::format("{}; whether it was done is not known: look before you repeat it", error.what);
    else
      error.what = fmt::format("cannot reach {}: {}; check --url and that the controller runs", server_.url,
                               error.what);
    error.httpStatus = 0;
    co_return error;
  }
  pin_ = received->pin;
  if (received->reply.status >= 300) co_return errorOf(received->reply);
  co_return std::move(received->reply);
}

Task<Result<Json>> Client::send(HttpRequest request, Duration patience) {
  request.headers.set("Accept", "application/json");
  const auto reply = co_await exchange(std::move(request), patience);
  if (!reply) co_return reply.error();
  if (reply->body.empty()) co_return Json{};
  auto body = parseJson(reply->body, {.bytes = 64u << 20, .depth = 32, .values = 5'000'000});
  if (!body)
    co_return Error{Errc::BadReply, fmt::format("{} answered something that cannot be read: {}", server_.url,
                                                body.error().what)};
  co_return std::move(*body);
}

Task<Result<std::string>> Client::download(std::string path) {
  HttpRequest request{"GET", std::move(path), {}, {}};
  request.headers.set("Accept", "application/octet-stream");
  auto reply = co_await exchange(std::move(request), Duration{60'000});
  if (!reply) co_return reply.error();
  co_return std::move(reply->body);
}

Task<Result<Json>> Client::get(std::string path) {
  HttpRequest request{"GET", std::move(path), {}, {}};
  co_return co_await send(std::move(request), Duration{60'000});
}

Task<Result<Json>> Client::post(std::string path, Json body, Duration patience) {
  HttpRequest request{"POST", std::move(path), {}, body.dump()};
  request.headers.set("Content-Type", "application/json");
  co_return co_await send(std::move(request), patience);
}

Task<Result<Json>> Client::remove(std::string path) {
  HttpRequest request{"DELETE", std::move(path), {}, {}};
  co_return co_await send(std::move(request), Duration{30'000});
}

Exit exitOf(const Error& error) {
  switch (error.code) {
    case Errc::Unreachable:
    case Errc::Timeout:
    case Errc::Auth: return Exit::NoAccess;
    case Errc::Conflict: return Exit::Conflict;
    case Errc::Invalid: return Exit::Usage;
    case Errc::PasswordExpired:
    case Errc::NotFound:
    case Errc::Busy:
    case Errc::Rejected:
    case Errc::BadReply:
    case Errc::Unsupported:
    case Errc::NotArmed: return Exit::Failed;
  }
  return Exit::Failed;
}

int complain(World& world, const Error& error) {
  world.err << "zellige: " << error.what << '\n';
  return static_cast<int>(exitOf(error));
}

}  // namespace zellige::cli
