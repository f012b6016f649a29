// Requests to the API, with what a person is told when they fail.
#pragma once

#include <optional>
#include <string>

#include "controller/base/json.hpp"
#include "controller/base/secret.hpp"
#include "controller/cli/world.hpp"

namespace zellige::cli {

struct Server {
  std::string url;  ///< as given, without a slash at the end
  http::Peer peer;
  std::string host;  ///< for the Host header
  std::string name;  ///< without the port: what a certificate must be issued to
  Secret token;
};

/// "https://10.0.0.1:8443" → where that is. Names are looked up here, once. Invalid: what is wrong with it.
Result<Server> serverAt(const std::string& url);
/// From --url, ZELLIGE_URL or the credentials, in this order; with token and pin, as far as they are known.
Result<Server> chooseServer(const World& world, const Options& options);

class Client {
 public:
  Client(World& world, Server server) : world_(world), server_(std::move(server)) {}

  /// The body of a success (null for none). An Error carries the HTTP status and a text that says what to do.
  Task<Result<Json>> get(std::string path);
  Task<Result<Json>> post(std::string path, Json body, Duration patience = Duration{30'000});
  Task<Result<Json>> remove(std::string path);
  Task<Result<Json>> send(HttpRequest request, Duration patience);
  /// The bytes of a success.
  Task<Result<std::string>> download(std::string path);
  Server& server() { return server_; }
  /// Of the server that answered last.
  const std::string& pin() const { return pin_; }

 private:
  /// A success, or what a person is told of the failure.
  Task<Result<HttpReply>> exchange(HttpRequest request, Duration patience);
  World& world_;
  Server server_;
  std::string pin_;
};

/// Prints the error for a person and gives its exit code.
int complain(World& world, const Error& error);
Exit exitOf(const Error& error);

/// For query strings and path segments.
std::string encodePercent(std::string_view text);

/// "path/to" of a JSON value as text: strings as they are, null and missing as "-".
std::string textAt(const Json& value, std::string_view path);
void printJson(World& world, const Json& value);

}  // namespace zellige::cli
