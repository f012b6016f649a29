// The HTTP(S) server under the REST API and under the simulator's machines. It knows requests and replies, addresses
// and certificates; it must never know a route, a node or a Redfish resource. Asio and Beast stay in the .cpp files.
//
// One server may listen on thousands of addresses (the simulator gives each BMC its own 127.x.y.z); the handler learns
// from Exchange::connection which one was meant, and refuse() takes a single one down and up again.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/http_message.hpp"
#include "controller/base/result.hpp"
#include "controller/base/time.hpp"
#include "controller/listener/tls_identity.hpp"

namespace zellige::listener {

struct ListenAddress {
  std::string ip;          ///< numeric, IPv4 or IPv6
  std::uint16_t port = 0;  ///< 0: chosen by the system; HttpsServer::addresses() tells
  auto operator<=>(const ListenAddress&) const = default;
};

/// What a request may bring, judged from its head.
struct BodyAllowance {
  std::size_t bytes = 0;
  int otherwise = 413;  ///< status of the refusal, if it brings more
};
/// Called on the server's threads when a head has come that announces a body; must not block for long.
using AllowBody = std::function<BodyAllowance(const HttpRequest& head)>;

struct ListenerOptions {
  std::vector<ListenAddress> addresses;
  std::optional<TlsIdentity> tls;          ///< nullopt: plain HTTP
  std::size_t maxHeaderBytes = 16u << 10;  ///< more: 431
  std::size_t maxBodyBytes = 8u << 20;     ///< more: 413
  AllowBody allowBody;                     ///< less for some requests; none: maxBodyBytes for all
  Duration headerTimeout{10'000};          ///< TLS handshake, and the first byte to the last of a header
  Duration bodyTimeout{30'000};            ///< per 64 KiB, of a body that comes and of a reply that goes
  Duration idleTimeout{120'000};           ///< between two requests on one connection
  std::size_t maxConnections = 8'192;      ///< more are accepted and closed
  std::size_t maxStreamBytes = 256u << 10;  ///< waiting in one Stream; a reader that lets more pile up is dropped
  int threads = 1;                          ///< the handler runs on all of them
};

enum class ReplyEnding {
  Complete,
  CloseBeforeReply,  ///< close without a byte
  CloseAfterReply,
  CutShort,  ///< the full Content-Length, half of the body, close
};

struct ConnectionInfo {
  ListenAddress local, peer;
  std::uint64_t id = 0;       ///< of the connection; never reused by one server
  std::uint64_t request = 0;  ///< index of the request on its connection
};

/// A reply that goes on (Server-Sent Events). All members may be called from any thread, also after the server's end.
/// When the last copy dies, the stream ends properly.
class Stream {
 public:
  /// False: nobody reads any more (gone, too slow, or the server stops).
  bool write(std::string bytes) const;
  void end() const;
  bool closed() const;

  struct State;
  explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<State> state_;
};

/// One request and the right to answer it once, from any thread, now or later. Let go unanswered, it becomes a 500.
class Exchange {
 public:
  struct Link;
  Exchange(HttpRequest r, ConnectionInfo c, std::unique_ptr<Link> link);
  Exchange(const Exchange&) = delete;
  ~Exchange();

  HttpRequest request;
  ConnectionInfo connection;

  /// Content-Length, Transfer-Encoding and Connection are the server's: such headers in `reply` are ignored.
  /// `delay` is wall time; other exchanges do not wait for it.
  void respond(HttpReply reply, ReplyEnding ending = ReplyEnding::Complete, Duration delay = Duration{0});
  /// `head` with `length` bytes of `file` from `offset` as the body, read piece by piece while they are sent.
  /// A file that cannot be opened is answered with a 404.
  void respondFile(HttpReply head, const std::filesystem::path& file, std::uint64_t offset,
                   std::uint64_t length);
  /// Sends `head` and leaves the body open (chunked).
  Stream openStream(HttpReply head);

 private:
  std::unique_ptr<Link> link_;
};

/// Called on a thread of the server; must not block.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

class HttpsServer {
 public:
  /// Errc::Invalid with the address: not numeric, in use, not ours; or the certificate and key do not fit.
  static Result<std::unique_ptr<HttpsServer>> start(ListenerOptions options, Handler handler);
  /// stop(0) if it was not stopped.
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;

  /// As asked for, in the same order, with the ports filled in.
  const std::vector<ListenAddress>& addresses() const;

  /// True: closes the listening socket of that address and its connections; a connect is then refused.
  /// False: listens again on the same port. May be called from any thread, also from the handler's.
  /// Errc::NotFound: not one of addresses(). Errc::Invalid: the port was taken meanwhile.
  Result<void> refuse(const ListenAddress& address, bool refused);

  /// New connections to that address are shown this certificate: a machine that was reset to factory defaults.
  Result<void> present(const ListenAddress& address, const TlsIdentity& identity);

  std::size_t connectionCount() const;

  /// Accepts no more, ends idle connections and streams, waits up to `grace` for answers in flight, closes the rest.
  /// Not from the handler.
  void stop(Duration grace);

 private:
  struct State;
  explicit HttpsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace zellige::listener
