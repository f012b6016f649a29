// What the tests of both network ends share: a loop on a thread, a blocking way to send, and servers and clients made
// of bare sockets, for what no decent peer would do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "controller/base/loop_executor.hpp"
#include "controller/listener/listener.hpp"
#include "drivers/http/curl_transport.hpp"

namespace zellige::test {

using listener::Exchange;
using listener::HttpsServer;
using listener::ListenAddress;
using listener::ListenerOptions;

/// A LoopExecutor on its own thread with a CurlTransport on it.
class Client {
 public:
  explicit Client(http::CurlOptions options = plainToo());
  ~Client();
  static http::CurlOptions plainToo();

  /// Long enough for a machine that is busy with other things: tests that want a timeout ask for their own.
  static http::SendOptions patient();

  std::future<Result<http::Received>> begin(http::Peer peer, HttpRequest request,
                                            http::SendOptions options = patient());
  Result<http::Received> send(http::Peer peer, HttpRequest request, http::SendOptions options = patient()) {
    return begin(std::move(peer), std::move(request), std::move(options)).get();
  }
  /// Destroys the transport, with whatever is in flight; the executor goes on.
  void destroyTransport() { transport_.reset(); }
  /// Destroys every coroutine that waits, then comes back.
  void abandonAll();

 private:
  LoopExecutor executor_;
  std::unique_ptr<http::CurlTransport> transport_;
  std::thread thread_;
};

HttpRequest get(std::string target = "/");
HttpRequest post(std::string target, std::string body);
HttpReply reply(int status, std::string body);

/// The identity of all test servers that do not ask for their own.
const listener::TlsIdentity& identity();
ListenerOptions tlsOptions(std::vector<ListenAddress> addresses = {{"127.0.0.1", 0}});
ListenerOptions plainOptions(std::vector<ListenAddress> addresses = {{"127.0.0.1", 0}});
std::unique_ptr<HttpsServer> serve(ListenerOptions options, listener::Handler handler);
http::Peer tlsPeer(const ListenAddress& address);
http::Peer plainPeer(const ListenAddress& address);

/// A connected TCP socket. Blocking; reads give up after 120 s so that a broken server fails a test instead of hanging.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  /// Not connected (descriptor() < 0) if refused.
  explicit Socket(const ListenAddress& address);
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  int descriptor() const { return descriptor_; }

  bool write(std::string_view bytes);
  /// Until the peer closes.
  std::string readAll();
  /// Until `end` has come, or the peer closes.
  std::string readUntil(std::string_view end);
  /// Until something could be read; reads nothing.
  void waitForBytes();
  /// True when the peer has closed (or reset) within `wait`.
  bool closedWithin(Duration wait);
  /// Closes with a reset instead of a goodbye.
  void reset();

 private:
  int descriptor_;
};

/// Accepts connections and plays `script` on each, in a thread of its own; the connection ends with the script. Scripts
/// end at the latest when their peer closes, so destroy the client first.
class RawServer {
 public:
  explicit RawServer(std::function<void(Socket&)> script);
  ~RawServer();
  const ListenAddress& address() const { return address_; }
  int connections() const { return connections_; }

 private:
  int listening_;
  ListenAddress address_;
  std::atomic<int> connections_ = 0;
  std::function<void(Socket&)> script_;
  std::vector<std::thread> players_;  ///< touched by thread_ until it is joined
  std::thread thread_;
};

inline Task<void> sendInto(http::Transport& transport, http::Peer peer, HttpRequest request,
                           http::SendOptions options,
                           std::shared_ptr<std::promise<Result<http::Received>>> out) {
  auto outcome = co_await transport.send(std::move(peer), std::move(request), std::move(options));
  out->set_value(std::move(outcome));
}

inline sockaddr_in socketAddress(const ListenAddress& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(address.port);
  inet_pton(AF_INET, address.ip.c_str(), &out.sin_addr);
  return out;
}

inline void limitReads(int descriptor) {
  const timeval limit{120, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

inline http::CurlOptions Client::plainToo() {
  http::CurlOptions options;
  options.shards = 4;
  options.allowPlainHttp = true;
  return options;
}

inline http::SendOptions Client::patient() {
  http::SendOptions options;
  options.timeout = options.connectTimeout = 300s;
  return options;
}

inline Client::Client(http::CurlOptions options)
    : transport_(std::make_unique<http::CurlTransport>(executor_, options)),
      thread_([this] { executor_.run(); }) {}

inline Client::~Client() {
  transport_.reset();
  executor_.stop();
  thread_.join();
}

inline std::future<Result<http::Received>> Client::begin(http::Peer peer, HttpRequest request,
                                                         http::SendOptions options) {
  auto promise = std::make_shared<std::promise<Result<http::Received>>>();
  auto future = promise->get_future();
  executor_.post([this, peer = std::move(peer), request = std::move(request), options = std::move(options),
                  promise = std::move(promise)] {
    executor_.spawn(sendInto(*transport_, peer, request, options, promise));
  });
  return future;
}

inline void Client::abandonAll() {
  std::promise<void> done;
  executor_.post([&] {
    executor_.shutDown();
    done.set_value();
  });
  done.get_future().wait();
}

inline HttpRequest get(std::string target) {
  HttpRequest request;
  request.target = std::move(target);
  return request;
}

inline HttpRequest post(std::string target, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  return request;
}

inline HttpReply reply(int status, std::string body) {
  HttpReply out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

inline const listener::TlsIdentity& identity() {
  static const auto made = listener::makeSelfSigned("bmc", {"127.0.0.1"});
  return made;
}

inline ListenerOptions tlsOptions(std::vector<ListenAddress> addresses) {
  auto options = plainOptions(std::move(addresses));
  options.tls = identity();
  return options;
}

inline ListenerOptions plainOptions(std::vector<ListenAddress> addresses) {
  ListenerOptions options;
  options.addresses = std::move(addresses);
  options.headerTimeout = options.bodyTimeout = options.idleTimeout = 300s;
  return options;
}

inline std::unique_ptr<HttpsServer> serve(ListenerOptions options, listener::Handler handler) {
  auto server = HttpsServer::start(std::move(options), std::move(handler));
  if (!server) throw std::runtime_error(server.error().what);
  return std::move(*server);
}

inline http::Peer tlsPeer(const ListenAddress& address) {
  http::Peer peer;
  peer.address = address.ip;
  peer.port = address.port;
  return peer;
}

inline http::Peer plainPeer(const ListenAddress& address) {
  auto peer = tlsPeer(address);
  peer.tls = false;
  return peer;
}

inline Socket::Socket(const ListenAddress& address)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  limitReads(descriptor_);
  const auto where = socketAddress(address);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    ::close(std::exchange(descriptor_, -1));
}

inline Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

inline bool Socket::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

inline std::string Socket::readAll() { return readUntil({}); }

inline std::string Socket::readUntil(std::string_view end) {
  std::string out;
  char block[4096];
  while (end.empty() || out.find(end) == std::string::npos) {
    const auto got = ::recv(descriptor_, block, sizeof block, 0);
    if (got <= 0) break;
    out.append(block, static_cast<std::size_t>(got));
  }
  return out;
}

inline void Socket::waitForBytes() {
  char byte;
  EXPECT_GT(::recv(descriptor_, &byte, 1, MSG_PEEK), 0);
}

inline bool Socket::closedWithin(Duration wait) {
  pollfd poll{descriptor_, POLLRDHUP, 0};
  return ::poll(&poll, 1, static_cast<int>(wait.count())) > 0 &&
         (poll.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

inline void Socket::reset() {
  const linger hard{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(std::exchange(descriptor_, -1));
}

inline RawServer::RawServer(std::function<void(Socket&)> script)
    : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), script_(std::move(script)) {
  auto where = socketAddress({"127.0.0.1", 0});
  socklen_t length = sizeof where;
  if (::bind(listening_, reinterpret_cast<sockaddr*>(&where), length) != 0 || ::listen(listening_, 16) != 0)
    throw std::runtime_error("no loopback");
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&where), &length);
  address_ = {"127.0.0.1", ntohs(where.sin_port)};
  thread_ = std::thread([this] {
    for (;;) {
      const int descriptor = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) return;
      ++connections_;
      players_.emplace_back([this, descriptor] {
        limitReads(descriptor);
        Socket socket(descriptor);
        script_(socket);
      });
    }
  });
}

inline RawServer::~RawServer() {
  ::shutdown(listening_, SHUT_RDWR);
  thread_.join();
  for (auto& player : players_) player.join();
  ::close(listening_);
}

}  // namespace zellige::test
