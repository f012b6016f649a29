#include "controller/commands/serve.hpp"

#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "controller/base/log.hpp"
#include "controller/base/loop_executor.hpp"
#include "controller/commands/control_plane.hpp"
#include "controller/commands/stop_signal.hpp"
#include "controller/listener/listener.hpp"
#include "controller/site/configuration.hpp"
#include "drivers/http/curl_transport.hpp"
#include "web/api/api.hpp"

namespace zellige::commands {

namespace {

namespace fs = std::filesystem;
using listener::HttpsServer;
using listener::ListenAddress;

Result<Configuration> readConfigurationOf(const ServeOptions& options) {
  Configuration configuration;
  if (!options.configuration.empty()) {
    std::ifstream in(options.configuration, std::ios::binary);
    if (!in)
      return Error{Errc::Invalid, fmt::format("cannot read the configuration {}", options.configuration)};
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    auto reading = readConfiguration(options.configuration, text);
    if (const auto* problems = std::get_if<std::vector<Problem>>(&reading)) {
      std::string all;
      for (const auto& p : *problems) all += (all.empty() ? "" : "\n") + describe(p);
      return Error{Errc::Invalid, all};
    }
    configuration = std::get<Configuration>(std::move(reading));
  }
  if (!options.dataDir.empty()) configuration.dataDir = options.dataDir;
  if (!options.apiListen.empty()) configuration.api.listen = options.apiListen;
  if (!options.provisioningListen.empty()) configuration.provisioning.listen = options.provisioningListen;
  return configuration;
}

/// "[::1]:8443" or "10.0.0.1:8443"; the configuration's reader has checked files, not command lines.
Result<ListenAddress> addressOf(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return Error{Errc::Invalid, fmt::format("'{}' is no IP:PORT", text)};
  auto ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  int port = -1;
  const auto digits = text.substr(colon + 1);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size() || port < 0 || port > 65'535)
    return Error{Errc::Invalid, fmt::format("'{}' is no IP:PORT", text)};
  return ListenAddress{std::string(ip), static_cast<std::uint16_t>(port)};
}

bool isPlainHttp(const Configuration& configuration) {
  return configuration.provisioning.url.starts_with("http://");
}

std::string provisioningUrl(const Configuration& configuration) {
  if (!configuration.provisioning.url.empty()) return configuration.provisioning.url;
  return "https://" + configuration.provisioning.listen;
}

/// The configured certificate, or our own: made once and kept, so that what people and machines pinned stays valid.
Result<listener::TlsIdentity> identityOf(const Configuration& configuration) {
  const auto& api = configuration.api;
  if (!api.certificate.empty()) return listener::loadTlsIdentity(api.certificate, api.key);
  const auto certificate = fs::path(configuration.dataDir) / "tls.crt",
             key = fs::path(configuration.dataDir) / "tls.key";
  if (fs::exists(certificate) && fs::exists(key)) return listener::loadTlsIdentity(certificate, key);
  std::vector<std::string> names{"localhost", "127.0.0.1"};
  for (const auto& listen : {api.listen, configuration.provisioning.listen})
    if (const auto address = addressOf(listen)) names.push_back(address->ip);
  auto identity = listener::makeSelfSigned("zellige", names);
  std::ofstream(certificate) << identity.certificatePem;
  std::ofstream(key) << identity.keyPem;
  ::chmod(key.c_str(), 0600);
  if (!fs::exists(key)) return Error{Errc::Invalid, fmt::format("cannot write {}", key.string())};
  return identity;
}

ControlPlaneOptions planeOptions(const Configuration& configuration, const ServeOptions& options) {
  ControlPlaneOptions plane;
  plane.provisioningUrl = provisioningUrl(configuration);
  plane.engine.budgets = {configuration.limits.uploads, configuration.limits.siteFlashes,
                          configuration.limits.flashesPerRack, configuration.limits.imageStreams};
  plane.patrol.period = configuration.engine.patrol;
  if (options.speed != 1) {
    // Transport does not speed up: on this clock settle is at least 2 s of wall time, a deadline 10 s, a poll 0.1 s.
    const auto wall = [&](Duration d) {
      return Duration{static_cast<std::int64_t>(d.count() * options.speed)};
    };
    plane.engine.minSettle = wall(2s);
    plane.engine.minDeadline = wall(10s);
    plane.engine.minPoll = wall(100ms);
    plane.engine.budgets = {};
    plane.redfish.connectTimeout = plane.redfish.readTimeout = plane.redfish.writeTimeout = 5s;
    plane.redfish.slowReadTimeout = plane.redfish.uploadTimeout = 5s;
  }
  return plane;
}

// On standard output and never in a log.
void printPassword(const Secret& password) {
  fmt::print("Sign in as admin with this one-time password:\n\n    {}\n\n", password.reveal());
  std::fflush(stdout);
}

class Server {
 public:
  Server(Configuration configuration, ServeOptions options, LoopExecutor& executor, SecretBox box,
         std::unique_ptr<SqliteStore> store)
      : configuration_(std::move(configuration)), options_(std::move(options)), executor_(executor),
        box_(std::move(box)), store_(std::move(store)), transport_(executor, curlOptions()),
        plane_(*store_, transport_, executor, box_, planeOptions(configuration_, options_)),
        api_(*store_, plane_.engine(), executor, apiOptions()) {}

  Result<void> listen() {
    auto identity = identityOf(configuration_);
    if (!identity) return identity.error();
    auto people = startServer(configuration_.api.listen, *identity, api::Api::kMaxBodyBytes,
                              [this](auto exchange) { onLoop(&Server::answer, std::move(exchange)); });
    if (!people) return people.error();
    people_ = std::move(*people);
    std::optional<listener::TlsIdentity> tls;
    if (!isPlainHttp(configuration_)) tls = *identity;
    auto nodes = startServer(configuration_.provisioning.listen, tls, 1u << 20,
                             [this](auto exchange) { onLoop(&Server::provision, std::move(exchange)); });
    if (!nodes) return nodes.error();
    nodes_ = std::move(*nodes);
    pin_ = listener::spkiPin(identity->certificatePem).operator bool()
               ? *listener::spkiPin(identity->certificatePem)
               : "";
    return {};
  }

  Task<void> begin() {
    api::TellPassword tell = [this](const Secret& password) { announcePassword(password); };
    co_await api::ensureAdmin(*store_, std::move(tell));
    plane_.start();
    const auto api = people_->addresses().front();
    log::info("SERVE_READY", {{"api", fmt::format("{}:{}", api.ip, api.port)},
                              {"provisioning", provisioningUrl(configuration_)},
                              {"data_dir", configuration_.dataDir}});
    if (options_.announce) {
      fmt::print("{}\n", Json{{"ready", true}, {"api_port", api.port}, {"pin", pin_}}.dump());
      std::fflush(stdout);
    }
  }

  void stop() {
    if (people_) people_->stop(2s);
    if (nodes_) nodes_->stop(2s);
  }

 private:
  static http::CurlOptions curlOptions() { return {}; }
  api::ApiOptions apiOptions() const {
    api::ApiOptions api;
    api.clockSpeed = options_.speed;
    api.incoming = fs::path(configuration_.dataDir) / "incoming";
    return api;
  }

  template <class Handler>
  static Result<std::unique_ptr<HttpsServer>> startServer(std::string_view listen,
                                                          std::optional<listener::TlsIdentity> tls,
                                                          std::size_t maxBody, Handler handler) {
    auto address = addressOf(listen);
    if (!address) return address.error();
    listener::ListenerOptions options;
    options.addresses = {*address};
    options.tls = std::move(tls);
    options.maxBodyBytes = maxBody;
    return HttpsServer::start(std::move(options), std::move(handler));
  }

  // The listeners' threads hand every request to the engine's loop.
  void onLoop(Task<void> (Server::*handle)(std::shared_ptr<listener::Exchange>),
              std::shared_ptr<listener::Exchange> exchange) {
    executor_.post([this, handle, exchange = std::move(exchange)]() mutable {
      executor_.spawn((this->*handle)(std::move(exchange)));
    });
  }

  Task<void> answer(std::shared_ptr<listener::Exchange> exchange) {
    api::Caller caller{exchange->connection.peer.ip};
    const bool imports = api::operationOf(exchange->request) == "importBundle";
    auto request = std::move(exchange->request);
    auto reply = co_await api_.handle(std::move(request), std::move(caller));
    if (imports && reply.status < 300) plane_.sweep();
    exchange->respond(std::move(reply));
  }

  Task<void> provision(std::shared_ptr<listener::Exchange> exchange) {
    api::Caller caller{exchange->connection.peer.ip};
    auto request = std::move(exchange->request);
    auto answer = co_await plane_.provisioning().handle(std::move(request), std::move(caller));
    if (answer.body)
      exchange->respondFile(std::move(answer.reply), answer.body->file, answer.body->offset,
                            answer.body->length);
    else
      exchange->respond(std::move(answer.reply));
  }

  void announcePassword(const Secret& password) const {
    if (!options_.announce) return printPassword(password);
    fmt::print("{}\n", Json{{"admin_password", password.reveal()}}.dump());
    std::fflush(stdout);
  }

  Configuration configuration_;
  ServeOptions options_;
  LoopExecutor& executor_;
  SecretBox box_;
  std::unique_ptr<SqliteStore> store_;
  http::CurlTransport transport_;
  ControlPlane plane_;
  api::Api api_;
  std::unique_ptr<HttpsServer> people_, nodes_;
  std::string pin_;
};

Task<void> resetAndStop(SqliteStore& store, LoopExecutor& executor, Result<void>& outcome) {
  api::TellPassword tell = printPassword;
  outcome = co_await api::resetAdmin(store, std::move(tell));
  executor.stop();
}

int refuse(const Error& error) {
  fmt::print(stderr, "zellige serve: {}\n", error.what);
  return 1;
}

}  // namespace

int serve(const ServeOptions& options) {
  auto configuration = readConfigurationOf(options);
  if (!configuration) return refuse(configuration.error());
  log::setLevel(configuration->logLevel);
  std::error_code error;
  fs::create_directories(configuration->dataDir, error);
  if (error)
    return refuse(
        {Errc::Invalid, fmt::format("cannot make the data directory {}: {}; create it, or set data_dir",
                                    configuration->dataDir, error.message())});
  LoopExecutor executor(options.speed == 1 ? ScaledClock{}
                                           : ScaledClock(fromMillis(options.origin), options.speed));
  StopSignal signal([&] { executor.stop(); });
  auto box = SecretBox::openOrCreate(fs::path(configuration->dataDir) / "site.key");
  if (!box) return refuse(box.error());
  auto store = SqliteStore::open(configuration->dataDir, executor, *box);
  if (!store) return refuse(store.error());
  if (options.resetAdmin) {
    Result<void> outcome;
    executor.spawn(resetAndStop(**store, executor, outcome));
    executor.run();
    return outcome ? 0 : refuse(outcome.error());
  }
  Server server(*configuration, options, executor, *box, std::move(*store));
  if (auto listening = server.listen(); !listening) return refuse(listening.error());
  executor.spawn(server.begin());
  try {
    executor.run();
  } catch (...) {  // a broken program or database: the process ends, the supervisor starts another
    server.stop();
    executor.shutDown();
    throw;
  }
  log::info("SERVE_STOPPING", {});
  server.stop();
  executor.shutDown();
  return 0;
}

}  // namespace zellige::commands
