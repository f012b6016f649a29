#include "controller/commands/in_process.hpp"

#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "controller/base/digest.hpp"

namespace zellige {

namespace {

constexpr Duration kNetwork = 1ms;  // one way, inside a site

std::string addressKey(std::string_view address, int port) { return fmt::format("{}:{}", address, port); }

// The body that libcurl would send for this upload.
void writeUpload(HttpRequest& request, const http::Upload& upload) {
  const std::string boundary = "------------------------zellige0123456789";
  std::ifstream file(upload.file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (upload.parameters.empty()) {
    request.headers.set("Content-Type", "application/octet-stream");
    request.body = std::move(content);
    return;
  }
  request.headers.set("Content-Type", "multipart/form-data; boundary=" + boundary);
  request.body = fmt::format(
      "--{0}\r\nContent-Disposition: form-data; name=\"UpdateParameters\"\r\nContent-Type: "
      "application/json\r\n\r\n{1}\r\n"
      "--{0}\r\nContent-Disposition: form-data; name=\"UpdateFile\"; filename=\"{2}\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n",
      boundary, upload.parameters, upload.fileName);
  request.body += content;
  request.body += fmt::format("\r\n--{}--\r\n", boundary);
}

struct Never {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<>) const {}
  void await_resume() const {}
};

Error unreachable(const http::Peer& peer, std::string_view how, bool outcomeUnknown) {
  return Error{Errc::Unreachable, fmt::format("{}: {}", peer.address, how), outcomeUnknown};
}

Error left(Error error) {
  error.left = true;
  return error;
}

}  // namespace

// What the wire brought back, or how it broke; delivered after `latency`.
struct InProcessTransport::Outcome {
  Result<http::Received> result;
  Duration latency;
};

InProcessTransport::InProcessTransport(sim::Fleet& fleet, Executor& world, Executor& controller,
                                       CrashPlan& crash, ExchangeCount& count, Spoil spoil)
    : fleet_(fleet), world_(world), controller_(controller), crash_(crash), count_(count),
      spoil_(std::move(spoil)) {
  for (const auto machine : fleet.machines()) {
    const auto address = fleet.address(machine);
    byAddress_.emplace(addressKey(address.host, address.port), std::pair{machine, sim::Door::Bmc});
    if (const auto os = fleet.nvosAddress(machine))
      byAddress_.emplace(addressKey(os->host, os->port), std::pair{machine, sim::Door::Nvos});
  }
}

Task<Result<http::Received>> InProcessTransport::send(http::Peer peer, HttpRequest request,
                                                      http::SendOptions options) {
  if (crash_.dead()) ++count_.afterDeath;
  const auto key = addressKey(peer.address, peer.port);
  const auto what = crash_.decides() ? fmt::format("{} {} {}", request.method, key, request.target)
                                     : std::string{};
  if (crash_.reached(CrashPoint::BeforeSend, what)) co_await Never{};
  ++count_.sent;
  const auto machine = byAddress_.find(key);
  if (machine == byAddress_.end()) {
    co_await sleepFor(controller_, options.connectTimeout);
    co_return unreachable(peer, "no route to host", false);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (options.upload) writeUpload(request, *options.upload);

  sim::Arrival arrival;
  arrival.request = std::move(request);
  auto& kept = keptAlive_[key];
  arrival.reused = reads && kept != 0;
  arrival.connection = arrival.reused ? kept : nextConnection_++;
  if (reads) kept = arrival.connection;

  // The machine acts in its own world, one network latency from here; its answer comes back over the same wire. What is on
  // the wire arrives also where this controller, and this transport with it, dies meanwhile.
  Completion<Outcome> completion(controller_);
  world_.after(kNetwork, [&fleet = fleet_, &world = world_, spoil = spoil_, completion, peer, reads, options,
                          id = machine->second.first, door = machine->second.second, key,
                          arrival = std::make_shared<sim::Arrival>(std::move(arrival))] {
    const auto pin = toBase64(key);
    if (!peer.pin.empty() && peer.pin != pin) {  // nothing but the handshake
      const auto truth = fleet.groundTruth(id);
      const bool up = door == sim::Door::Bmc ? truth.bmcUp : truth.nvosUp;
      auto refused = up ? failure("bmc.certificate_changed",
                                  peer.address + " shows another TLS key than before")
                        : unreachable(peer, "connection refused", false);
      const auto outcome = std::make_shared<Outcome>(Outcome{std::move(refused), kNetwork});
      world.after(kNetwork, [completion, outcome] { completion.set(std::move(*outcome)); });
      return;
    }
    auto delivery = fleet.exchange(id, *arrival, door);
    if (spoil) spoil(id, arrival->request, delivery);
    const auto sizeLimit = options.maxReplyBytes;
    const auto toOutcome = [&]() -> Outcome {
      switch (delivery.ending) {
        case sim::Ending::Refuse: return {unreachable(peer, "connection refused", false), kNetwork};
        case sim::Ending::CloseBeforeReply:
          return {left(unreachable(peer, "the connection was closed before a reply", !reads)),
                  delivery.latency};
        case sim::Ending::CutShort:
          return {Error{Errc::BadReply, fmt::format("{}: the reply was cut short", peer.address), !reads},
                  delivery.latency};
        case sim::Ending::Never:
          return {Error{Errc::Timeout,
                        fmt::format("{}: no reply in {} s", peer.address, options.timeout.count() / 1000),
                        !reads},
                  options.timeout};
        case sim::Ending::CloseAfterReply:
        case sim::Ending::Complete: break;
      }
      if (delivery.latency > options.timeout)
        return {
            Error{Errc::Timeout,
                  fmt::format("{}: no reply in {} s", peer.address, options.timeout.count() / 1000), !reads},
            options.timeout};
      if (delivery.reply.body.size() > sizeLimit)
        return {Error{Errc::BadReply,
                      fmt::format("{}: a reply of more than {} bytes", peer.address, sizeLimit), !reads},
                delivery.latency};
      return {http::Received{std::move(delivery.reply), pin}, delivery.latency};
    };
    const auto outcome = std::make_shared<Outcome>(toOutcome());
    world.after(outcome->latency, [completion, outcome] { completion.set(std::move(*outcome)); });
  });
  auto outcome = co_await completion;
  if (!outcome.result) keptAlive_.erase(key);
  if (crash_.reached(CrashPoint::AppliedReplyLost, what)) co_await Never{};
  co_return std::move(outcome.result);
}

}  // namespace zellige
