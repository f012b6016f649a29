// The command line against a server that is only a table of replies.
#pragma once

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/base/json.hpp"
#include "controller/base/virtual_time.hpp"
#include "controller/cli/cli.hpp"
#include "controller/cli/client.hpp"
#include "tests/folder.hpp"

namespace zellige::cli {

/// Answers "METHOD path?query" with what was prepared for it, in order; the last answer stays.
class FakeServer final : public http::Transport {
 public:
  void on(const std::string& request, int status, const Json& body) {
    replies_[request].push_back({status, {}, body.dump()});
  }
  void onBytes(const std::string& request, std::string bytes) {
    replies_[request].push_back({200, {}, std::move(bytes)});
  }
  void broken(Error error) { broken_ = std::move(error); }

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions) override {
    peers.push_back(peer);
    requests.push_back(request);
    if (broken_) co_return *broken_;
    auto& queue = replies_[request.method + " " + request.target];
    HttpReply reply{
        404, {}, Json{{"detail", "no reply was prepared for " + request.method + " " + request.target}}.dump()};
    if (!queue.empty()) reply = queue.front();
    if (queue.size() > 1) queue.pop_front();
    http::Received received{reply, pin};
    co_return received;
  }

  std::string pin = "cGlu";
  std::vector<HttpRequest> requests;
  std::vector<http::Peer> peers;

 private:
  std::map<std::string, std::deque<HttpReply>> replies_;
  std::optional<Error> broken_;
};

class CommandLine : public testing::Test {
 protected:
  CommandLine() {
    environment_ = {
        {"ZELLIGE_URL", "https://127.0.0.1:8443"}, {"ZELLIGE_TOKEN", "token-Canary"}, {"ZELLIGE_PIN", "cGlu"}};
  }

  static Task<void> keep(Task<int> task, std::optional<int>& out) { out = co_await task; }

  int run(std::vector<std::string> words) {
    out_.str("");
    err_.str("");
    VirtualTime time;
    VirtualExecutor executor(time);
    World world{server_, executor, in_, out_, err_, false, home_, [this](const std::string& name) {
                  const auto it = environment_.find(name);
                  return it == environment_.end() ? std::string{} : it->second;
                }};
    CLI::App app;
    std::function<Task<int>(World&)> chosen;
    addCommands(app, chosen);
    app.require_subcommand(1);
    std::vector<const char*> argv{"zellige"};
    for (const auto& word : words) argv.push_back(word.c_str());
    if (const auto code = parseWords(app, static_cast<int>(argv.size()), argv.data(), out_, err_))
      return *code;
    std::optional<int> code;
    executor.spawn(keep(chosen(world), code));
    while (!code && time.runOne()) {
    }
    return code.value_or(-1);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  Json sent(std::size_t n) const { return Json::parse(server_.requests.at(n).body); }

  static Json site() {
    return {{"site", "lab"},
            {"armed", {{{"place", "H1"}}}},
            {"restored", nullptr},
            {"nodes", 18},
            {"lifecycles", {{"planned", 17}, {"available", 1}}},
            {"budgets", {{{"budget", "flash"}, {"scope", ""}, {"used", 2}, {"limit", 18}, {"waiting", 1}}}},
            {"unfinished_runs", 3},
            {"last_event", 41}};
  }
  static Json aRun(const std::string& state, const std::string& waits = "") {
    return {
        {"id", 7},
        {"workflow", "qualify"},
        {"nodes", {"SN1"}},
        {"state", state},
        {"parameter", ""},
        {"step", "image.write"},
        {"waits_for", waits},
        {"started_by", "alice"},
        {"reason", "x"},
        {"created", "2026-01-01T00:00:00Z"},
        {"ended", nullptr},
        {"steps",
         {{{"id", "image.write"}, {"title", "Write the image"}, {"state", "current"}, {"waits_for", waits}}}}};
  }

  FakeServer server_;
  Folder folder_;
  const std::filesystem::path home_ = folder_.path();
  std::map<std::string, std::string> environment_;
  std::stringstream in_, out_, err_;
};

}  // namespace zellige::cli
