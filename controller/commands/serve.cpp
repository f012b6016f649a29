#include "controller/commands/serve.hpp"

#include <fmt/format.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "controller/base/log.hpp"
#include "controller/base/loop_executor.hpp"
#include "controller/commands/after_restore.hpp"
#include "controller/commands/control_plane.hpp"
#include "controller/commands/own_identity.hpp"
#include "controller/commands/retention.hpp"
#include "controller/commands/scanner.hpp"
#include "controller/commands/serve_options.hpp"
#include "controller/commands/stop_signal.hpp"
#include "controller/listener/listener.hpp"
#include "controller/site/address.hpp"
#include "controller/store/site_key.hpp"
#include "drivers/http/curl_transport.hpp"
#include "web/api/api.hpp"
#include "web/api/gate.hpp"

namespace zellige::commands {

namespace {

namespace fs = std::filesystem;
using listener::HttpsServer;

bool isPlainHttp(const Configuration& configuration) {
  return configuration.provisioning.url.starts_with("http://");
}

// On standard output and never in a log.
void printPassword(const Secret& password) {
  fmt::print("Sign in as admin with this one-time password:\n\n    {}\n\n", password.reveal());
  std::fflush(stdout);
}

class Server {
 public:
  static constexpr Duration kGrace{20'000};  ///< an import of a whole site takes seconds; supervisors wait 90 s

  Server(Configuration configuration, ServeOptions options, LoopExecutor& executor, SecretBox box,
         std::unique_ptr<SqliteStore> store)
      : configuration_(std::move(configuration)), options_(std::move(options)), executor_(executor),
        box_(std::move(box)), store_(std::move(store)), transport_(executor, curlOptions(configuration_)),
        plane_(*store_, transport_, executor, box_, planeOptions(configuration_, options_)),
        scanner_(
            *store_, executor,
            [this] { return std::make_unique<http::CurlTransport>(executor_, scanCurlOptions()); },
            scannerOptions(options_)),
        api_(*store_, plane_.engine(), plane_.bringUp(), plane_.campaigns(), executor, apiOptions()),
        gate_(*store_, executor), retention_(*store_, executor, retentionOptions(configuration_)) {}

  Result<void> listen() {
    auto identity = ownIdentity(configuration_);
    if (!identity) return identity.error();
    auto pin = listener::spkiPin(identity->certificatePem);
    if (!pin) return pin.error();
    pin_ = std::move(*pin);
    listener::ListenerOptions forPeople;
    forPeople.tls = *identity;
    forPeople.maxBodyBytes = api::Api::kMaxBodyBytes;
    forPeople.allowBody = [this](const HttpRequest& head) -> listener::BodyAllowance {
      const auto verdict = gate_.judge(head);
      return {verdict.bytes, verdict.otherwise};
    };
    auto people = startServer(configuration_.api.listen, std::move(forPeople),
                              [this](auto exchange) { onLoop(&Server::answer, std::move(exchange)); });
    if (!people) return people.error();
    people_ = std::move(*people);
    listener::ListenerOptions forNodes;
    if (!isPlainHttp(configuration_)) forNodes.tls = *identity;
    forNodes.maxBodyBytes = 1u << 20;
    auto nodes = startServer(configuration_.provisioning.listen, std::move(forNodes),
                             [this](auto exchange) { onLoop(&Server::provision, std::move(exchange)); });
    if (!nodes) return nodes.error();
    nodes_ = std::move(*nodes);
    return {};
  }

  Task<void> begin() {
    api::TellPassword tell = [this](const Secret& password) { announcePassword(password); };
    co_await api::ensureAdmin(*store_, std::move(tell));
    plane_.start();
    executor_.spawn(retention_.walk());
    const auto api = people_->addresses().front();
    log::info("SERVE_READY", {{"api", fmt::format("{}:{}", api.ip, api.port)},
                              {"key_sha256", pin_},
                              {"provisioning", provisioningUrl(configuration_)},
                              {"data_dir", configuration_.dataDir}});
    if (options_.announce)
      fmt::print("{}\n", Json{{"ready", true}, {"api_port", api.port}, {"pin", pin_}}.dump());
    else
      fmt::print("The key of this controller; `zellige login` shows the same:\n\n    SHA-256 {}\n\n", pin_);
    std::fflush(stdout);
  }

  /// On another thread than the loop's, which must go on meanwhile: takes nothing new, answers what is in flight.
  void drain() {
    log::info("SERVE_STOPPING", {});
    executor_.post([this] { api_.endWaits(); });
    people_->stop(kGrace);
    nodes_->stop(2s);  // who reads an image goes on where it was, after the restart
  }
  /// Without the loop: nothing can be answered any more.
  void drop() {
    if (people_) people_->stop(0s);
    if (nodes_) nodes_->stop(0s);
  }

 private:
  api::ApiOptions apiOptions() {
    api::ApiOptions api;
    api.clockSpeed = options_.speed;
    api.incoming = fs::path(configuration_.dataDir) / "incoming";
    api.scanning = &scanner_;
    api.forgetBmc = [this](NodeId node) { plane_.machines().forget(node); };
    return api;
  }

  static RetentionOptions retentionOptions(const Configuration& configuration) {
    RetentionOptions retention;
    retention.events = configuration.retention.events;
    retention.unlisted = configuration.retention.unlisted;
    return retention;
  }

  template <class Handler>
  static Result<std::unique_ptr<HttpsServer>> startServer(std::string_view listen,
                                                          listener::ListenerOptions options, Handler handler) {
    const auto endpoint = readEndpoint(listen);
    if (!endpoint) return Error{Errc::Invalid, fmt::format("'{}' is no numeric IP:PORT", listen)};
    options.addresses = {{endpoint->ip, endpoint->port}};
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
    const auto operation = api::operationOf(exchange->request);
    const bool imports = operation == "importBundle", moves = operation == "moveNode";
    auto request = std::move(exchange->request);
    auto reply = co_await api_.handle(std::move(request), std::move(caller));
    if (imports && reply.status < 300) plane_.sweep();
    if (moves && reply.status < 300) plane_.takeIn();
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
  Scanner scanner_;
  api::Api api_;
  api::Gate gate_;
  Retention retention_;
  std::unique_ptr<HttpsServer> people_, nodes_;
  std::string pin_;
};

Task<void> resetAndStop(SqliteStore& store, LoopExecutor& executor, Result<void>& outcome) {
  api::TellPassword tell = printPassword;
  outcome = co_await api::resetAdmin(store, std::move(tell));
  executor.stop();
}

/// What a stop signal does, on the signal's own thread: drains the server, if there is one by then, and ends the loop.
class Stopping {
 public:
  explicit Stopping(LoopExecutor& executor) : executor_(executor) {}
  Stopping(const Stopping&) = delete;
  void operator()() {
    {
      const std::lock_guard lock(mutex_);
      if (server_) server_->drain();
    }
    executor_.stop();
  }
  /// While the guard lives, `server` is drained first.
  std::shared_ptr<void> drains(Server& server) {
    const std::lock_guard lock(mutex_);
    server_ = &server;
    return {nullptr, [this](void*) {
              const std::lock_guard lock2(mutex_);
              server_ = nullptr;
            }};
  }

 private:
  LoopExecutor& executor_;
  std::mutex mutex_;
  Server* server_ = nullptr;  // guarded by mutex_
};

int refuse(const Error& error) {
  fmt::print(stderr, "zellige serve: {}\n", error.what);
  return 1;
}

}  // namespace

int serve(const ServeOptions& options) {
  ::umask(077);  // whatever is made from here on is for the controller's user alone
  auto configuration = configurationOf(options);
  if (!configuration) return refuse(configuration.error());
  log::setLevel(configuration->logLevel);
  LoopExecutor executor(options.speed == 1 ? ScaledClock{}
                                           : ScaledClock(fromMillis(options.origin), options.speed));
  Stopping stopping(executor);
  StopSignal signal([&] { stopping(); });
  // In this order: whoever does not hold the directory makes no key in it.
  auto directory = DataDirectory::claim(configuration->dataDir);
  if (!directory) return refuse(directory.error());
  auto box = openSiteKey(**directory);
  if (!box) return refuse(box.error());
  auto store = SqliteStore::open(std::move(*directory), executor, *box);
  if (!store) return refuse(store.error());
  if (auto sound = (*store)->checkPages(); !sound) return refuse(sound.error());
  if (options.resetAdmin) {
    Result<void> outcome;
    executor.spawn(resetAndStop(**store, executor, outcome));
    executor.run();
    return outcome ? 0 : refuse(outcome.error());
  }
  tellOfRestore(**store, *configuration, !options.announce);
  Server server(*configuration, options, executor, *box, std::move(*store));
  if (auto listening = server.listen(); !listening) return refuse(listening.error());
  const auto drained = stopping.drains(server);
  executor.spawn(server.begin());
  try {
    executor.run();
  } catch (...) {  // a broken program or database: the process ends, the supervisor starts another
    server.drop();
    executor.shutDown();
    throw;
  }
  server.drop();
  executor.shutDown();
  return 0;
}

}  // namespace zellige::commands
