#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <future>

#include "controller/base/log.hpp"
#include "controller/listener/connection.hpp"

namespace zellige::listener {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<SocketAddress> socketAddress(const ListenAddress& address) {
  SocketAddress out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, address.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    out.length = sizeof *v4;
    return out;
  }
  if (inet_pton(AF_INET6, address.ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    out.length = sizeof *v6;
    return out;
  }
  return std::nullopt;
}

ListenAddress listenAddress(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return {text, ntohs(v4->sin_port)};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return {text, ntohs(v6->sin6_port)};
}

ListenAddress localAddress(int descriptor) {
  SocketAddress local;
  local.length = sizeof local.storage;
  ::getsockname(descriptor, local.get(), &local.length);
  return listenAddress(local);
}

/// A listening, non-blocking descriptor.
Result<int> listenOn(const ListenAddress& address) {
  auto where = socketAddress(address);
  if (!where) return Error{Errc::Invalid, fmt::format("{} is not a numeric address", address.ip)};
  const int descriptor = ::socket(where->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (descriptor >= 0) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (where->storage.ss_family == AF_INET6)
      ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(descriptor, where->get(), where->length) == 0 && ::listen(descriptor, SOMAXCONN) == 0)
      return descriptor;
  }
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  const auto* hint = code == EADDRINUSE ? "; another program, perhaps another zellige, has it" : "";
  return Error{Errc::Invalid, fmt::format("cannot listen on {} port {}: {}{}", address.ip, address.port,
                                          std::strerror(code), hint)};
}

/// Runs `work` on `loop` and waits for it; at once when that is the thread we are on.
void runOn(Loop& loop, Callback work) {
  if (loop.onOwnThread()) return work();
  auto done = std::make_shared<std::promise<void>>();
  auto waiting = done->get_future();
  const bool running = loop.post([&work, done] {
    work();
    done->set_value();
  });
  if (running) waiting.wait();
}

constexpr Duration kAcceptPause{100};  ///< when the process has no descriptor left

}  // namespace

/// One address. Touched on the first worker's thread only.
struct Listening {
  ListenAddress address;
  std::shared_ptr<ssl_ctx_st> tls;
  std::unique_ptr<Watch> watch;  ///< none: refused
};

struct HttpsServer::State {
  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<ListenAddress> addresses;
  std::vector<Listening> listening;  ///< same order
  std::unique_ptr<Alarm> pause;
  std::uint64_t nextConnection = 1;

  Loop& acceptLoop() { return *workers.front()->loop; }
  std::optional<std::size_t> indexOf(const ListenAddress& address) const;
  void watchOn(std::size_t index, int descriptor);
  void acceptSome(std::size_t index);
  void take(std::size_t index, int descriptor, const ListenAddress& peer);
  void closeConnectionsOf(std::size_t index);
  void stop(Duration grace);
};

std::optional<std::size_t> HttpsServer::State::indexOf(const ListenAddress& address) const {
  const auto it = std::find(addresses.begin(), addresses.end(), address);
  if (it == addresses.end()) return std::nullopt;
  return static_cast<std::size_t>(it - addresses.begin());
}

void HttpsServer::State::watchOn(std::size_t index, int descriptor) {
  listening[index].watch = std::make_unique<Watch>(acceptLoop(), descriptor);
  acceptSome(index);
}

void HttpsServer::State::acceptSome(std::size_t index) {
  auto& watch = listening[index].watch;
  while (watch) {
    SocketAddress peer;
    peer.length = sizeof peer.storage;
    const int descriptor = ::accept4(watch->descriptor(), peer.get(), &peer.length,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      take(index, descriptor, listenAddress(peer));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log::warn("LISTENER_NO_DESCRIPTORS", {{"address", listening[index].address.ip}});
      pause->set(std::chrono::steady_clock::now() + kAcceptPause, [this] {
        for (std::size_t i = 0; i < listening.size(); ++i) acceptSome(i);
      });
      return;
    }
    if (errno != EAGAIN) continue;  // that connection ended before we took it
    watch->whenReadable([this, index] { acceptSome(index); });
    return;
  }
}

void HttpsServer::State::take(std::size_t index, int descriptor, const ListenAddress& peer) {
  {
    const std::lock_guard lock(shared.mutex);
    if (shared.open >= shared.options.maxConnections || shared.stopping) {
      ::close(descriptor);
      return;
    }
    ++shared.open;
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ConnectionInfo info{localAddress(descriptor), peer, nextConnection++, 0};
  auto& worker = *workers[info.id % workers.size()];
  const auto adopt = [this, &worker, descriptor, index, info, tls = listening[index].tls] {
    auto connection = std::make_shared<Connection>(shared, worker, descriptor, tls, info, index);
    worker.connections.emplace(info.id, connection);
    shared.stopping ? connection->close() : connection->start();
  };
  // Never queued behind a refuse() on this very thread, which would not see the connection.
  worker.loop->onOwnThread() ? adopt() : void(worker.loop->post(adopt));
}

void HttpsServer::State::closeConnectionsOf(std::size_t index) {
  for (const auto& worker : workers) {
    const auto closeAll = [&connections = worker->connections, index] {
      const auto all = connections;  // close() takes them out
      for (const auto& [id, connection] : all)
        if (connection->home() == index) connection->close();
    };
    worker->loop->onOwnThread() ? closeAll() : void(worker->loop->post(closeAll));
  }
}

void HttpsServer::State::stop(Duration grace) {
  if (shared.stopping.exchange(true)) return;
  runOn(acceptLoop(), [this] {
    pause.reset();
    for (auto& l : listening) l.watch.reset();
  });
  const auto onEach = [this](void (Connection::*act)()) {
    for (const auto& worker : workers)
      runOn(*worker->loop, [&worker, act] {
        const auto all = worker->connections;
        for (const auto& [id, connection] : all) (connection.get()->*act)();
      });
  };
  onEach(&Connection::windDown);
  {
    std::unique_lock lock(shared.mutex);
    shared.changed.wait_for(lock, grace, [this] { return shared.open == 0; });
  }
  onEach(&Connection::close);
  for (const auto& worker : workers) worker->loop->stop();
}

Result<std::unique_ptr<HttpsServer>> HttpsServer::start(ListenerOptions options, Handler handler) {
  auto state = std::make_unique<State>();
  std::shared_ptr<ssl_ctx_st> tls;
  if (options.tls) {
    auto context = serverContext(*options.tls);
    if (!context) return context.error();
    tls = std::move(*context);
  }
  std::vector<int> descriptors;
  for (const auto& address : options.addresses) {
    auto descriptor = listenOn(address);
    if (!descriptor) {
      for (const int d : descriptors) ::close(d);
      return descriptor.error();
    }
    descriptors.push_back(*descriptor);
    state->addresses.push_back({address.ip, localAddress(*descriptor).port});
    state->listening.push_back({state->addresses.back(), tls, nullptr});
  }
  for (int i = 0; i < std::max(1, options.threads); ++i) state->workers.push_back(std::make_unique<Worker>());
  state->pause = std::make_unique<Alarm>(state->acceptLoop());
  state->shared.options = std::move(options);
  state->shared.handler = std::move(handler);
  runOn(state->acceptLoop(), [&] {
    for (std::size_t i = 0; i < descriptors.size(); ++i) state->watchOn(i, descriptors[i]);
  });
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(state)));
}

HttpsServer::HttpsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsServer::~HttpsServer() { stop(Duration{0}); }

const std::vector<ListenAddress>& HttpsServer::addresses() const { return state_->addresses; }

Result<void> HttpsServer::refuse(const ListenAddress& address, bool refused) {
  const auto index = state_->indexOf(address);
  if (!index || state_->shared.stopping)
    return Error{Errc::NotFound, fmt::format("nothing listens on {} port {}", address.ip, address.port)};
  Result<void> result;
  runOn(state_->acceptLoop(), [this, refused, i = *index, &result] {
    auto& listening = state_->listening[i];
    if (refused) {
      listening.watch.reset();
      state_->closeConnectionsOf(i);
    } else if (!listening.watch) {
      auto descriptor = listenOn(listening.address);
      if (descriptor)
        state_->watchOn(i, *descriptor);
      else
        result = descriptor.error();
    }
  });
  return result;
}

Result<void> HttpsServer::present(const ListenAddress& address, const TlsIdentity& identity) {
  const auto index = state_->indexOf(address);
  if (!index || state_->shared.stopping)
    return Error{Errc::NotFound, fmt::format("nothing listens on {} port {}", address.ip, address.port)};
  auto context = serverContext(identity);
  if (!context) return context.error();
  runOn(state_->acceptLoop(), [&] { state_->listening[*index].tls = *context; });
  return {};
}

std::size_t HttpsServer::connectionCount() const {
  const std::lock_guard lock(state_->shared.mutex);
  return state_->shared.open;
}

void HttpsServer::stop(Duration grace) { state_->stop(grace); }

}  // namespace zellige::listener
