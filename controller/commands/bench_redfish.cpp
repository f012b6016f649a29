// What a GET of a kept-alive BMC costs: the Redfish client with its turns, session and exchange log, the guarded parse and
// our transport, against libcurl alone with a plain parse. Same process, same machines, same shards, same headers and bodies, in turn. Only this
// process's CPU counts; the machines are another process.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/resource.h>

#include "controller/base/json.hpp"
#include "controller/base/log.hpp"
#include "controller/base/loop_executor.hpp"
#include "controller/commands/bench.hpp"
#include "controller/commands/child.hpp"
#include "drivers/http/bare_loop.hpp"
#include "drivers/http/curl_transport.hpp"
#include "drivers/redfish/client.hpp"

namespace zellige::commands {

namespace {

constexpr int kAtATimeToConnect = 32;
constexpr int kServerPatience = 120;  // seconds for the next line of the machines' process
constexpr std::string_view kTarget = "/redfish/v1/Systems/System_0";
constexpr const char* kToken = "0123456789abcdefghij";
/// What our client sends.
const std::vector<std::string> kHeaders{"Accept: application/json", "Accept-Encoding: identity",
                                        "OData-Version: 4.0", fmt::format("X-Auth-Token: {}", kToken)};

double cpuUs() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string lineOf(Child& server) {
  auto line = server.line(kServerPatience);
  if (!line) throw std::runtime_error("the machines' process has ended, or says nothing");
  return std::move(*line);
}

std::vector<http::Peer> startMachines(Child& server, int bmcs) {
  const auto pin = lineOf(server);
  std::vector<http::Peer> peers;
  for (int i = 0; i < bmcs; ++i) {
    const auto line = lineOf(server);
    const auto space = line.find(' ');
    http::Peer peer;
    peer.address = line.substr(0, space);
    std::from_chars(line.data() + space + 1, line.data() + line.size(), peer.port);
    peer.pin = pin;
    peers.push_back(std::move(peer));
  }
  return peers;
}

/// Every machine knows our session already, as after a restart of the controller.
class SignedIn final : public AccessStore {
 public:
  explicit SignedIn(std::string pin) : pin_(std::move(pin)) {}
  Result<BmcAccess> loadAccess(AccessKey) override {
    BmcAccess access;
    access.user = "root";
    access.sessionToken = Secret(kToken);
    access.pin = pin_;
    return access;
  }
  Task<Result<void>> saveAccess(AccessKey, BmcAccess) override {
    co_return Error{Errc::Rejected, "a measured GET opens no session"};
  }

 private:
  std::string pin_;
};

struct Figures {
  std::vector<double> ours, floor;  ///< µs of CPU a GET, by round
  std::uint64_t gets = 0, bad = 0;  ///< measured, of both; `bad` had no reply that could be read
  std::int64_t newConnections =
      0;  ///< made while measuring; more than a few, and it was not keep-alive that was measured
};

/// Both sides, in turn, from one task. Ours: a client for each machine, as many coroutines as GETs are in flight.
class Comparison {
 public:
  Comparison(std::vector<http::Peer> peers, const RedfishBenchCommand& options)
      : options_(fitting(options)), peers_(std::move(peers)), transport_(loop_, curlOptions(options)),
        bare_(peers_, kTarget, kHeaders, curlOptions(options)),
        access_(peers_.front().pin), wiring_{transport_, access_, loop_, {}} {
    for (std::size_t i = 0; i < peers_.size(); ++i)
      clients_.push_back(std::make_unique<redfish::Client>(wiring_, NodeId{static_cast<std::int64_t>(i) + 1},
                                                           peers_[i], [] { return false; }));
  }
  ~Comparison() { loop_.shutDown(); }
  Comparison(const Comparison&) = delete;

  Figures run() {
    loop_.spawn(measure());
    loop_.run();
    return std::move(figures_);
  }

 private:
  /// Never two GETs of one machine at a time: the second would need a connection of its own.
  static RedfishBenchCommand fitting(RedfishBenchCommand options) {
    options.inFlight = std::min(options.inFlight, std::max(1, options.bmcs / 2));
    return options;
  }
  // All machines stay connected: the hash spreads them unevenly, so each shard has room for twice its share.
  static http::CurlOptions curlOptions(const RedfishBenchCommand& options) {
    http::CurlOptions curl;
    curl.maxConnectionsPerShard = std::max(curl.maxConnectionsPerShard,
                                           2 * static_cast<std::size_t>(options.bmcs) / curl.shards);
    return curl;
  }

  Task<void> measure() {
    // Few at a time, and twice: a busy machine must not time its own handshakes out.
    for (int pass = 0; pass < 2; ++pass) {
      co_await oursOnce(peers_.size());
      floorOnce(peers_.size(), kAtATimeToConnect);
    }
    const auto before = co_await connections();
    figures_.bad = 0;
    const auto gets = peers_.size() * static_cast<std::uint64_t>(options_.passes);
    for (int round = 0; round < options_.rounds; ++round) {
      auto start = cpuUs();
      co_await oursOnce(gets);
      figures_.ours.push_back((cpuUs() - start) / static_cast<double>(gets));
      start = cpuUs();
      floorOnce(gets, options_.inFlight);
      figures_.floor.push_back((cpuUs() - start) / static_cast<double>(gets));
      figures_.gets += 2 * gets;
    }
    figures_.newConnections = co_await connections() - before;
    loop_.stop();
  }

  Task<void> oursOnce(std::uint64_t gets) {
    next_ = 0;
    total_ = gets;
    running_ = options_.inFlight;
    const Completion<bool> allEnded(loop_);
    for (int i = 0; i < options_.inFlight; ++i) loop_.spawn(lane(allEnded));
    co_await allEnded;
  }

  Task<void> lane(Completion<bool> allEnded) {
    while (next_ < total_) {
      auto& client = *clients_[next_++ % clients_.size()];
      const auto document = co_await client.get(std::string(kTarget));
      if (!document || !at(*document->json, "PowerState")) ++figures_.bad;
    }
    if (--running_ == 0) allEnded.set(true);
  }

  void floorOnce(std::uint64_t gets, int inFlight) {
    const auto count = bare_.run(gets, static_cast<std::size_t>(inFlight), [this](const std::string& body) {
      if (!nlohmann::json::parse(body).contains("PowerState")) ++figures_.bad;
    });
    figures_.bad += count.failures;
  }

  /// How many connections the machines have accepted so far.
  Task<std::int64_t> connections() {
    HttpRequest request;
    request.target = "/connections";
    auto exchange = transport_.send(peers_.front(), std::move(request), http::SendOptions{});
    const auto received = co_await exchange;
    if (!received) throw std::runtime_error(received.error().what);
    co_return std::stoll(received->reply.body);
  }

  RedfishBenchCommand options_;
  std::vector<http::Peer> peers_;
  LoopExecutor loop_;
  http::CurlTransport transport_;
  http::BareLoop bare_;
  SignedIn access_;
  redfish::Wiring wiring_;
  std::vector<std::unique_ptr<redfish::Client>> clients_;
  std::uint64_t next_ = 0, total_ = 0;
  int running_ = 0;
  Figures figures_;
};

}  // namespace

int benchRedfish(const RedfishBenchCommand& options) {
  log::setLevel(log::Level::Error);
  Child server({"bench-server", "--bmcs", std::to_string(options.bmcs)});
  Comparison comparison(startMachines(server, options.bmcs), options);
  const auto figures = comparison.run();
  const double ours = median(figures.ours), floor = median(figures.floor);
  const bool sound = figures.bad == 0 &&
                     figures.newConnections * 1'000 <= static_cast<std::int64_t>(figures.gets);
  if (!sound)
    fmt::print(stderr, "not a measurement of kept connections: {} bad replies, {} new connections\n",
               figures.bad, figures.newConnections);
  if (!options.json) {
    fmt::print("{} GETs of {} machines: {:.1f} us of CPU each, a bare libcurl loop {:.1f} us: ratio {:.2f}\n",
               figures.gets, options.bmcs, ours, floor, ours / floor);
    return sound ? 0 : 1;
  }
  const Json json{{"ratio_to_floor", ours / floor},
                  {"us_per_get", ours},
                  {"floor_us_per_get", floor},
                  {"us_per_get_by_round", figures.ours},
                  {"floor_us_per_get_by_round", figures.floor},
                  {"bmcs", options.bmcs},
                  {"gets", figures.gets},
                  {"bad_replies", figures.bad},
                  {"new_connections", figures.newConnections}};
  fmt::print("{}\n", json.dump(2));
  return sound ? 0 : 1;
}

}  // namespace zellige::commands
