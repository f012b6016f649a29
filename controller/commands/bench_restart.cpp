// A restart as a crash leaves it: a data directory that was served before, a full database with a WAL that nobody folded
// in, and `zellige serve` as a new process. Measured by the clock of the process that starts it, from before exec to
// the first request that one of the site's BMCs reads, its TLS handshake included.
#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "controller/base/log.hpp"
#include "controller/commands/bench.hpp"
#include "controller/commands/child.hpp"
#include "controller/commands/free_port.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/listener/tls_identity.hpp"
#include "controller/store/bench.hpp"
#include "controller/store/site_key.hpp"

namespace zellige::commands {

namespace {

namespace fs = std::filesystem;
using Wall = std::chrono::steady_clock;

constexpr int kRestartPatience = 60;  // seconds

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

/// Every BMC that a resumed run works on: one port on all of 127.0.0.0/8. They read one request, and answer nothing.
class Machines {
 public:
  Machines()
      : tls_(*listener::serverContext(listener::makeSelfSigned("bench", {}))),
        socket_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")) {
    constexpr char loopback[] = "lo";
    checked(::setsockopt(socket_, SOL_SOCKET, SO_BINDTODEVICE, loopback, sizeof loopback),
            "bind to loopback");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    checked(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(socket_, SOMAXCONN), "listen");
    socklen_t size = sizeof address;
    checked(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
  }
  ~Machines() { ::close(socket_); }
  Machines(const Machines&) = delete;

  int port() const { return port_; }
  void awaitRequest() const {
    pollfd waiting{socket_, POLLIN, 0};
    if (checked(::poll(&waiting, 1, kRestartPatience * 1'000), "poll") == 0)
      throw std::runtime_error(
          fmt::format("the restarted controller reached no BMC in {} s", kRestartPatience));
    const int connection = checked(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC), "accept");
    const timeval patience{kRestartPatience, 0};
    checked(::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "patience");
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(tls_.get()), SSL_free);
    std::array<char, 4'096> request{};
    const bool read = SSL_set_fd(tls.get(), connection) == 1 && SSL_accept(tls.get()) == 1 &&
                      SSL_read(tls.get(), request.data(), request.size()) > 0;
    ::close(connection);
    if (!read || !std::string_view(request.data(), request.size()).starts_with("GET /"))
      throw std::runtime_error("the restarted controller sent no request");
  }
  void hangUp() const {
    for (int connection = 0; (connection = ::accept(socket_, nullptr, nullptr)) >= 0;) ::close(connection);
  }

 private:
  std::shared_ptr<ssl_ctx_st> tls_;
  int socket_;
  int port_ = 0;
};

std::vector<std::string> serving(const fs::path& directory) {
  return {"serve", "--announce",  "--data",         directory.string(),
          "--api", "127.0.0.1:0", "--provisioning", fmt::format("127.0.0.1:{}", freePort())};
}

/// A site's first start makes its keys and its administrator; what is measured is a later one.
SecretBox servedOnce(const fs::path& directory) {
  {
    Child first(serving(directory));
    for (;;) {
      const auto line = first.line(kRestartPatience);
      if (!line) throw std::runtime_error("the controller does not start in an empty directory");
      if (line->find("\"ready\"") != std::string::npos) break;
    }
  }
  auto claimed = DataDirectory::claim(directory);
  if (!claimed) throw std::runtime_error(claimed.error().what);
  auto box = openSiteKey(**claimed);
  if (!box) throw std::runtime_error(box.error().what);
  return *box;
}

double firstExchangeMs(const fs::path& directory, const Machines& machines) {
  const auto start = Wall::now();
  Child child(serving(directory));
  machines.awaitRequest();
  const auto took = Wall::now() - start;
  child.kill(SIGKILL);
  child.wait();
  machines.hangUp();
  return std::chrono::duration<double, std::milli>(took).count();
}

}  // namespace

int benchRestart(const RestartBenchCommand& options) {
  log::setLevel(log::Level::Error);
  const Scratch scratch(options.directory.empty() ? fs::temp_directory_path() : options.directory);
  const auto filled = scratch.path() / "filled";
  const auto box = servedOnce(filled);
  const Machines machines;
  const auto database = fillRestart(filled, box, {options.nodes, options.runs, machines.port()});
  // Each start finds the same files, just written, so the page cache is warm. The first only warms the program itself.
  double firstMs = 0;
  for (const auto* name : {"first", "second"}) {
    const auto copy = scratch.path() / name;
    fs::copy(filled, copy, fs::copy_options::recursive);
    firstMs = firstExchangeMs(copy, machines);
    fs::remove_all(copy);
  }
  if (!options.json) {
    fmt::print("{} nodes, {} unfinished runs, a WAL of {} frames\n", database.nodes, database.runs,
               database.walFrames);
    fmt::print("first exchange {:.0f} ms after exec\n", firstMs);
    return 0;
  }
  const nlohmann::json json{{"first_exchange_ms", firstMs},
                            {"nodes", database.nodes},
                            {"runs", database.runs},
                            {"wal_frames", database.walFrames}};
  fmt::print("{}\n", json.dump(2));
  return 0;
}

}  // namespace zellige::commands
