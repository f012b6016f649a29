// `serve` as a process of its own, and a person who speaks to it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "controller/base/json.hpp"
#include "controller/commands/free_port.hpp"
#include "controller/commands/serve.hpp"
#include "tests/drivers/http/loopback.hpp"
#include "tests/folder.hpp"

namespace zellige::test {

struct Directory : Folder {
  std::filesystem::path data() const { return path() / "data"; }
};

inline std::string textOf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Forked, so start it before this process has threads of its own.
class Controller {
 public:
  Controller(const Directory& directory, bool announce, bool resetAdmin = false, bool root = true)
      : log_(directory.path() / "log") {
    commands::ServeOptions options;
    options.dataDir = directory.data();
    options.apiListen = "127.0.0.1:0";
    options.provisioningListen = fmt::format("127.0.0.1:{}", commands::freePort());
    options.announce = announce;
    options.resetAdmin = resetAdmin;
    int pipe[2];
    if (::pipe(pipe) != 0) throw std::runtime_error("no pipe");
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe[1], STDOUT_FILENO);
      ::close(pipe[0]);
      ::close(pipe[1]);
      if (!std::freopen(log_.c_str(), "w", stderr)) ::_exit(99);
      if (!root && ::seteuid(65534) != 0) ::_exit(98);
      const int code = commands::serve(options);
      std::fflush(nullptr);
      ::_exit(code);
    }
    ::close(pipe[1]);
    output_ = ::fdopen(pipe[0], "r");
  }
  ~Controller() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::fclose(output_);
  }
  Controller(const Controller&) = delete;

  std::string line() {
    std::string out;
    for (int c = std::fgetc(output_); c != EOF && c != '\n'; c = std::fgetc(output_))
      out += static_cast<char>(c);
    return out;
  }
  std::string rest() {
    std::string out;
    for (int c = std::fgetc(output_); c != EOF; c = std::fgetc(output_)) out += static_cast<char>(c);
    return out;
  }
  /// Takes the two announcements.
  void ready() {
    auto told = Json::parse(line());
    if (told.contains("admin_password")) {
      password = told.at("admin_password");
      told = Json::parse(line());
    }
    peer.address = "127.0.0.1";
    peer.port = told.at("api_port");
    peer.pin = told.at("pin");
  }
  void stop() { ::kill(pid_, SIGTERM); }
  void killNow() {
    ::kill(pid_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string log() const { return textOf(log_); }

  std::string password;
  http::Peer peer;

 private:
  std::filesystem::path log_;
  pid_t pid_ = -1;
  std::FILE* output_ = nullptr;
};

inline HttpRequest request(std::string method, std::string target, const Json& body, const std::string& token) {
  HttpRequest out{std::move(method), "/api/v1" + target, {}, body.is_null() ? "" : body.dump()};
  out.headers.set("Host", "controller");
  if (!body.is_null()) out.headers.set("Content-Type", "application/json");
  if (!token.empty()) out.headers.set("Authorization", "Bearer " + token);
  return out;
}

inline std::string signIn(Client& client, const Controller& controller) {
  const Json words{{"user", "admin"}, {"password", controller.password}};
  const auto session = client.send(controller.peer, request("POST", "/session", words, ""));
  EXPECT_TRUE(session) << session.error().what;
  auto token = readString(Json::parse(session->reply.body), "token").value_or("");
  const Json change{{"current", controller.password}, {"password", "a longer secret"}};
  const auto changed = client.send(controller.peer, request("PUT", "/users/me/password", change, token));
  EXPECT_EQ(changed->reply.status, 204) << changed->reply.body;
  return token;
}

}  // namespace zellige::test
