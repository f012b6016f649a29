// The simulator's first front door: real HTTPS servers on loopback, one address per BMC.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/base/log.hpp"
#include "controller/base/loop_executor.hpp"
#include "controller/commands/commands.hpp"
#include "controller/commands/outcome.hpp"
#include "controller/commands/simulator_control.hpp"
#include "controller/commands/site_end.hpp"
#include "controller/commands/stop_signal.hpp"
#include "controller/listener/listener.hpp"
#include "controller/site/address.hpp"
#include "controller/site/bundle.hpp"
#include "drivers/http/curl_transport.hpp"
#include "drivers/simulator/mockup.hpp"
#include "drivers/simulator/profile.hpp"
#include "drivers/simulator/site.hpp"

namespace zellige::commands {

namespace {

using listener::Exchange;
using listener::HttpsServer;
using listener::ListenAddress;
using listener::ReplyEnding;

constexpr Duration kPastAnyTimeout = 8s;  // wall: clients on this door wait 5 s

/// Hosts' firmware and agents, over real connections.
class SocketUplink final : public sim::Uplink {
 public:
  SocketUplink(Executor& executor) : executor_(executor), transport_(executor, plainToo()) {}

  void send(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) override {
    executor_.spawn(exchange(std::move(url), std::move(request), std::move(done)));
  }

 private:
  static http::CurlOptions plainToo() {
    http::CurlOptions options;
    options.allowPlainHttp = true;
    return options;
  }

  Task<void> exchange(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) {
    http::Peer peer;
    peer.tls = url.starts_with("https://");
    const auto rest = url.substr(url.find("//") + 2);
    const auto slash = rest.find('/');
    const auto address = readEndpoint(rest.substr(0, slash));
    if (!address || slash == std::string::npos) {
      done(Error{Errc::Invalid, "no such URL: " + url});
      co_return;
    }
    peer.address = address->ip;
    peer.port = address->port;
    request.target = rest.substr(slash);
    http::SendOptions options;
    options.timeout = options.connectTimeout = 10s;
    auto received = co_await transport_.send(std::move(peer), std::move(request), std::move(options));
    if (received)
      done(std::move(received->reply));
    else
      done(received.error());
  }

  Executor& executor_;
  http::CurlTransport transport_;
};

ReplyEnding endingOf(sim::Ending ending) {
  switch (ending) {
    case sim::Ending::Complete: return ReplyEnding::Complete;
    case sim::Ending::CloseAfterReply: return ReplyEnding::CloseAfterReply;
    case sim::Ending::CutShort: return ReplyEnding::CutShort;
    case sim::Ending::Refuse:
    case sim::Ending::CloseBeforeReply:
    case sim::Ending::Never: return ReplyEnding::CloseBeforeReply;
  }
  return ReplyEnding::CloseBeforeReply;
}

/// The racks behind their sockets.
class Racks {
 public:
  Racks(LoopExecutor& world, const SimulatorOptions& options)
      : world_(world), options_(options), fleet_(world, fleetOptions(options)), uplink_(world) {
    fleet_.setUplink(&uplink_);
  }

  static sim::FleetOptions fleetOptions(const SimulatorOptions& options) {
    sim::FleetOptions fleet;
    fleet.trays = options.trays;
    if (options.racks > 0) sim::fillRacks(fleet, options.racks);
    fleet.seed = options.seed;
    fleet.nextRelease = options.nextRelease;
    fleet.faults = faultLevel(options.faults);
    return fleet;
  }

  Result<void> listen() {
    listener::ListenerOptions door;
    std::vector<std::string> names;
    for (const auto machine : fleet_.machines()) {
      const auto address = fleet_.address(machine);
      door.addresses.push_back({address.host, address.port});
      byIp_.emplace(address.host, Behind{machine, sim::Door::Bmc});
      if (const auto os = fleet_.nvosAddress(machine)) {
        door.addresses.push_back({os->host, os->port});
        byIp_.emplace(os->host, Behind{machine, sim::Door::Nvos});
      }
    }
    door.tls = listener::makeSelfSigned("gb200nvl-bmc", {});
    door.maxBodyBytes = 64u << 20;
    door.maxConnections = 16'384;
    auto server = HttpsServer::start(std::move(door), [this](std::shared_ptr<Exchange> exchange) {
      world_.post([this, exchange = std::move(exchange)] { arrive(exchange); });
    });
    if (!server) return server.error();
    server_ = std::move(*server);
    return {};
  }

  sim::Fleet& fleet() { return fleet_; }
  void stop() { server_->stop(0ms); }

 private:
  /// Whose address it is.
  struct Behind {
    sim::MachineId machine;
    sim::Door door;
    auto operator<=>(const Behind&) const = default;
  };

  void arrive(const std::shared_ptr<Exchange>& exchange) {
    const auto behind = byIp_.at(exchange->connection.local.ip);
    sim::Arrival arrival;
    arrival.request = std::move(exchange->request);
    arrival.connection = exchange->connection.id;
    arrival.reused = exchange->connection.request > 0;
    auto delivery = fleet_.exchange(behind.machine, arrival, behind.door);
    if (delivery.ending == sim::Ending::Refuse) shut(behind, exchange->connection.local);
    auto wait = std::chrono::duration_cast<Duration>(delivery.latency / options_.speed);
    if (delivery.ending == sim::Ending::Never) wait = kPastAnyTimeout;
    exchange->respond(std::move(delivery.reply), endingOf(delivery.ending), wait);
  }

  // A BMC that is down refuses connections until it is back.
  void shut(const Behind& behind, const ListenAddress& address) {
    if (!down_.insert(behind).second) return;
    if (auto done = server_->refuse(address, true); !done)
      log::warn("SIMULATOR_ADDRESS", {{"why", done.error().what}});
    reopenWhenUp(behind, address);
  }
  void reopenWhenUp(Behind behind, ListenAddress address) {
    world_.after(5s, [this, behind, address] {
      const auto truth = fleet_.groundTruth(behind.machine);
      if (!(behind.door == sim::Door::Bmc ? truth.bmcUp : truth.nvosUp)) return reopenWhenUp(behind, address);
      down_.erase(behind);
      if (auto done = server_->refuse(address, false); !done)
        log::warn("SIMULATOR_ADDRESS", {{"why", done.error().what}});
    });
  }

  LoopExecutor& world_;
  SimulatorOptions options_;
  sim::Fleet fleet_;
  SocketUplink uplink_;
  std::map<std::string, Behind> byIp_;
  std::set<Behind> down_;
  std::unique_ptr<HttpsServer> server_;
};

Result<WantedOf> wantedOf(const std::filesystem::path& site) {
  auto reading = readBundle({site});
  if (const auto* problems = std::get_if<std::vector<Problem>>(&reading))
    return Error{Errc::Invalid, describe(problems->front())};
  const auto& bundle = std::get<SiteBundle>(reading);
  WantedOf wanted;
  for (const auto kind : sim::machineKinds())
    for (const auto& profile : bundle.profiles)
      for (const auto& baseline : bundle.baselines)
        if (profile.name == sim::profileOf(kind).profile && baseline.name == profile.baseline)
          wanted[kind] = Wanted{baseline, profile.imageDigest, profile.settings};
  return wanted;
}

int refuseToStart(const Error& error) {
  fmt::print(stderr, "zellige simulator: {}\n", error.what);
  return 1;
}

int serveMockup(LoopExecutor& world, const SimulatorOptions& options) {
  auto mockup = sim::Mockup::open(options.mockup);
  if (!mockup) return refuseToStart(mockup.error());
  const auto address = readEndpoint(options.listen.empty() ? "127.1.0.1:8443" : options.listen);
  if (!address) return refuseToStart({Errc::Invalid, options.listen + " is no IP:PORT"});
  listener::ListenerOptions door;
  door.addresses = {{address->ip, address->port}};
  door.tls = listener::makeSelfSigned("recorded-bmc", {address->ip});
  auto server = HttpsServer::start(std::move(door), [&](std::shared_ptr<Exchange> exchange) {
    world.post([&, exchange = std::move(exchange)] {
      sim::Arrival arrival{std::move(exchange->request), exchange->connection.id,
                           exchange->connection.request > 0};
      auto delivery = mockup->exchange(arrival);
      exchange->respond(std::move(delivery.reply), endingOf(delivery.ending));
    });
  });
  if (!server) return refuseToStart(server.error());
  fmt::print("{} at https://{}:{}\n", options.mockup, address->ip, (*server)->addresses().front().port);
  std::fflush(stdout);
  world.run();
  (*server)->stop(0ms);
  return 0;
}

}  // namespace

int simulator(const SimulatorOptions& options) {
  log::setLevel(log::Level::Warn);
  const auto origin = options.origin != 0
                          ? fromMillis(options.origin)
                          : std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  LoopExecutor world(ScaledClock(origin, options.speed));
  StopSignal signal([&] { world.stop(); });
  if (!options.mockup.empty()) return serveMockup(world, options);
  if (!options.listen.empty())
    return refuseToStart(
        {Errc::Invalid,
         "--listen is where a recorded tree answers (--mockup); simulated trays have an address each, "
         "127.1.0.1:8443 and up"});

  Racks racks(world, options);
  WantedOf wanted;
  if (!options.site.empty()) {
    if (auto written = sim::writeSite(options.site, Racks::fleetOptions(options)); !written)
      return refuseToStart(written.error());
    auto read = wantedOf(options.site);
    if (!read) return refuseToStart(read.error());
    wanted = std::move(*read);
  }
  if (auto listening = racks.listen(); !listening) return refuseToStart(listening.error());
  std::unique_ptr<HttpsServer> ear;
  if (!options.control.empty()) {
    const auto address = readEndpoint(options.control);
    if (!address || !address->ip.starts_with("127."))  // it tells factory passwords to whoever asks
      return refuseToStart({Errc::Invalid, options.control + " is no IP:PORT on loopback (127.x.y.z)"});
    listener::ListenerOptions door;
    door.addresses = {{address->ip, address->port}};
    auto server = HttpsServer::start(std::move(door), [&](std::shared_ptr<Exchange> exchange) {
      world.post([&, exchange = std::move(exchange)] {
        exchange->respond(commands::control(exchange->request, racks.fleet(), wanted));
      });
    });
    if (!server) return refuseToStart(server.error());
    ear = std::move(*server);
  }
  const auto first = racks.fleet().address(racks.fleet().machines().front());
  fmt::print("{}\n", Json{{"ready", true},
                          {"machines", racks.fleet().size()},
                          {"first", fmt::format("https://{}:{}", first.host, first.port)},
                          {"control_port", ear ? ear->addresses().front().port : 0}}
                         .dump());
  std::fflush(stdout);
  world.run();
  if (ear) ear->stop(0ms);
  racks.stop();
  world.shutDown();
  return 0;
}

}  // namespace zellige::commands
