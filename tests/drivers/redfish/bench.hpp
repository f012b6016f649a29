// A BMC without a socket, in virtual time: it serves a recorded tree in place, keeps sessions and passwords as a BMC
// does, takes scripted replies, and remembers what it was sent.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/base/virtual_time.hpp"
#include "drivers/redfish/redfish_bmc.hpp"

namespace zellige::redfish {

// What the recorded compute tray calls them.
inline constexpr const char* kSessions = "/redfish/v1/SessionService/Sessions";
inline constexpr const char* kSystem0 = "/redfish/v1/Systems/System_0";
inline constexpr const char* kSettings0 = "/redfish/v1/Systems/System_0/Settings";

inline const std::filesystem::path mockups = std::filesystem::path(ZELLIGE_SHARED_DIR) / "redfish" / "mockups";
inline constexpr std::string_view gb200Tree = "nvidia-gb200-nvl-compute-tray";

/// Skips where the recorded trees are missing; fails in CI, where they must not be.
#define NEEDS_RECORDED_TREES()                                                            \
  do {                                                                                    \
    if (!std::filesystem::is_directory(mockups)) {                                        \
      if (std::getenv("CI")) FAIL() << "the recorded trees are missing: " << mockups;     \
      GTEST_SKIP() << "the recorded trees are not here (" << mockups << "); not checked"; \
    }                                                                                     \
  } while (false)

Json readFile(const std::filesystem::path& file);
HttpReply jsonReply(int status, const Json& body);
Json extendedInfo(std::string messageId, std::string message);

class FakeBmc final : public http::Transport {
 public:
  struct Seen {
    HttpRequest request;
    http::Peer peer;
    http::SendOptions options;
    Time at{};
    std::string path() const { return std::string(request.path()); }
    Json body() const { return Json::parse(request.body, nullptr, false); }
  };
  using Answer = std::function<Result<http::Received>(const HttpRequest&)>;

  FakeBmc(Executor& executor, std::filesystem::path tree) : executor_(executor), tree_(std::move(tree)) {}

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions options) override;

  /// The next request for this method and path gets this; several queue up.
  void once(std::string method, std::string path, Answer answer);
  void once(std::string method, std::string path, HttpReply reply);
  void once(std::string method, std::string path, Error error);
  /// Every request for it, after what is queued.
  void always(std::string method, std::string path, HttpReply reply);
  /// Laid over the recorded resource, as a merge patch; the resource need not be recorded.
  void overlay(std::string path, Json change);

  std::vector<Seen> sent(std::string_view method) const;  ///< in order; GETs included only if asked for
  std::size_t count(std::string_view method, std::string_view path) const;

  std::vector<Seen> seen;
  std::string user = "root", password = "correct";
  std::set<std::string> tokens;
  std::string pin = "pin-a";
  bool expands = true;
  bool passwordExpired = false;  ///< 403 on everything but the own account's PATCH
  Duration latency{50};
  int inFlight = 0, mostInFlight = 0;

 private:
  Result<http::Received> answer(const HttpRequest& request);
  HttpReply builtIn(const HttpRequest& request);
  HttpReply serve(const std::string& path, bool expand);
  std::optional<Json> resource(const std::string& path) const;
  HttpReply session(const HttpRequest& request);

  Executor& executor_;
  std::filesystem::path tree_;
  std::map<std::string, std::deque<Answer>> queued_;
  std::map<std::string, HttpReply> standing_;
  std::map<std::string, std::vector<Json>> overlays_;
  int nextToken_ = 1;
};

class FakeAccess final : public AccessStore {
 public:
  Result<BmcAccess> loadAccess(AccessKey) override { return stored; }
  Task<Result<void>> saveAccess(AccessKey, BmcAccess access) override {
    if (failSaves) co_return Error{Errc::Busy, "disk full"};
    if (beforeSave) beforeSave(access);
    if (access.version != stored.version) co_return Error{Errc::Conflict, "changed"};
    const auto next = stored.version + 1;
    stored = std::move(access);
    stored.version = next;
    ++saves;
    co_return Result<void>{};
  }
  BmcAccess stored;
  int saves = 0;
  bool failSaves = false;
  std::function<void(const BmcAccess&)> beforeSave;
};

template <class T>
Task<void> into(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await task);
}

struct Bench {
  explicit Bench(std::string_view tree = gb200Tree, ClientOptions options = {});

  /// Runs `task` to its end in virtual time.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    executor.spawn(into(std::move(task), out));
    while (!out && time.runOne()) {
    }
    EXPECT_TRUE(out.has_value()) << "the task waits for ever";
    return std::move(*out);
  }
  void drain() {
    while (time.runOne()) {
    }
  }
  /// What left that is not a GET and not our own session.
  std::vector<FakeBmc::Seen> writes() const;
  /// As if the controller had been killed and started again: only what was saved is left.
  void restart();
  /// As an import that names another password does.
  void import(std::string password);

  VirtualTime time;
  VirtualExecutor executor{time};
  FakeBmc machine;
  FakeAccess access;
  bool armed = true;
  Wiring wiring;
  std::unique_ptr<RedfishBmc> owned;
  RedfishBmc& bmc() { return *owned; }
};

class OverARecordedTray : public ::testing::Test {
 protected:
  void SetUp() override { NEEDS_RECORDED_TREES(); }
  std::size_t logins() const { return bench.machine.count("POST", kSessions); }
  Bench bench;
};

}  // namespace zellige::redfish
