// A switch that takes scripted answers, and the driver of its system.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/base/virtual_time.hpp"
#include "drivers/nvos/nvos_switch.hpp"

namespace zellige::nvos {

class FakeSwitch final : public http::Transport {
 public:
  explicit FakeSwitch(Executor& executor) : executor_(executor) {}

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions) override {
    co_await sleepFor(executor_, 50ms);
    const auto key = request.method + " " + request.target;
    seen.push_back(key);
    if (onSeen) onSeen(key);
    bodies.push_back(request.body);
    if (!peer.pin.empty() && peer.pin != "pin-a") co_return Error{Errc::Rejected, "another certificate"};
    if (auto& scripted = once[key]; !scripted.empty()) {
      auto answer = std::move(scripted.front());
      scripted.pop_front();
      if (!answer) co_return answer.error();
      co_return http::Received{std::move(*answer), "pin-a"};
    }
    if (request.headers.get("Authorization") != "Basic " + toBase64("admin:" + password)) {
      ++refused;
      co_return http::Received{{401, {}, "{}"}, "pin-a"};
    }
    if (key.starts_with("PATCH /nvue_v1/system/aaa/user/admin?rev="))
      staged = Json::parse(request.body).at("password").get<std::string>();
    if (key.starts_with("PATCH /nvue_v1/revision/") && !staged.empty()) password = std::exchange(staged, {});
    const auto it = always.find(key);
    co_return http::Received{it == always.end() ? HttpReply{200, {}, "{}"} : it->second, "pin-a"};
  }

  std::map<std::string, std::deque<Result<HttpReply>>> once;
  std::map<std::string, HttpReply> always;
  std::vector<std::string> seen, bodies;
  std::function<void(const std::string&)> onSeen;
  std::string password = "factory-secret", staged;
  int refused = 0;  ///< passwords

 private:
  Executor& executor_;
};

class Access final : public AccessStore {
 public:
  Result<BmcAccess> loadAccess(AccessKey key) override {
    EXPECT_EQ(key.endpoint, Endpoint::Os);
    return stored;
  }
  Task<Result<void>> saveAccess(AccessKey, BmcAccess access) override {
    if (access.version != stored.version) co_return Error{Errc::Conflict, "changed"};
    stored = std::move(access);
    ++stored.version;
    co_return Result<void>{};
  }
  BmcAccess stored;
};

template <class T>
Task<void> into(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await task);
}

inline Task<Result<void>> waitFor(Executor& executor, Duration d) {
  co_await sleepFor(executor, d);
  co_return Result<void>{};
}

inline Error lostReply() {
  Error error{Errc::Timeout, "no reply"};
  error.left = true;
  return error;
}

inline HttpReply ok(const Json& body) { return {200, {}, body.dump()}; }

class Nvos : public testing::Test {
 protected:
  Nvos() {
    access.stored.user = "admin";
    access.stored.password = Secret("factory-secret");
    access.stored.mustChange = true;
    http::Peer peer;
    peer.address = "127.101.0.1";
    os = std::make_unique<NvosSwitch>(wiring, NodeId{1}, peer, [this] { return armed; });
    device.always["GET /nvue_v1/platform"] = ok({{"serial-number", "MT1"}, {"product-name", "N5110_LD"}});
    device.always["POST /nvue_v1/revision"] = {201, {}, R"({"7":{"state":"pending"}})"};
  }
  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    executor.spawn(into(std::move(task), out));
    while (!out && time.runOne()) {
    }
    return std::move(*out);
  }

  /// And the old one has let us in since.
  void sentBeforeACrash() {
    access.stored.nextPassword = Secret("sent-before-the-crash");
    access.stored.guessCurrent = true;
  }

  VirtualTime time;
  VirtualExecutor executor{time};
  FakeSwitch device{executor};
  Access access;
  Wiring wiring{device, access, executor, {}};
  bool armed = true;
  std::unique_ptr<NvosSwitch> os;
};

}  // namespace zellige::nvos
