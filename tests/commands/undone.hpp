// A driver whose handling of one thing is undone: what comes over the wire is changed so that the controller behaves as
// one would that does not know the thing. One simulated tray, brought up through it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "controller/base/json.hpp"
#include "controller/commands/site_end.hpp"
#include "drivers/http/transport.hpp"

namespace zellige {

/// What stands between driver and machine. `now` is virtual.
struct Undoing {
  /// Answers in place of the machine.
  std::function<std::optional<HttpReply>(const HttpRequest&)> instead;
  /// Changes what the machine answered.
  std::function<void(Time now, const HttpRequest&, Result<http::Received>&)> after;
  bool repeatsUnknown = false;  ///< sends a write again whose outcome is not known
};

class Undone final : public http::Transport {
 public:
  Undone(http::Transport& wire, Undoing undoing, std::function<Time()> now)
      : wire_(wire), undoing_(std::move(undoing)), now_(std::move(now)) {}

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions options) override {
    if (undoing_.instead)
      if (auto reply = undoing_.instead(request)) co_return http::Received{std::move(*reply), peer.pin};
    auto result = co_await wire_.send(peer, request, options);
    if (undoing_.repeatsUnknown && !result && result.error().outcomeUnknown)
      result = co_await wire_.send(peer, request, options);
    if (undoing_.after) undoing_.after(now_(), request, result);
    co_return result;
  }

 private:
  http::Transport& wire_;
  Undoing undoing_;
  std::function<Time()> now_;
};

/// Every object in `json`, itself first.
template <class F>
void forEachObject(Json& json, F&& change) {
  if (json.is_object()) change(json);
  if (json.is_structured())
    for (auto& inner : json) forEachObject(inner, change);
}

/// Changes the body of a good JSON reply.
template <class F>
void changeBody(Result<http::Received>& result, F&& change) {
  if (!result || result->reply.status != 200) return;
  auto json = Json::parse(result->reply.body, nullptr, false);
  if (json.is_discarded()) return;
  change(json);
  result->reply.body = json.dump();
}

struct TrayEnd {
  FleetOutcome end;
  int fired = 0;  ///< faults
  bool good() const { return end.good(); }
  std::string text() const {
    std::string out;
    for (const auto* list : {&end.unexpected, &end.wrongEndStates, &end.duplicates})
      for (const auto& line : *list) out += line + "\n";
    return out;
  }
};

struct Bringup {
  std::optional<sim::ScriptedFault> fault;
  std::optional<Undoing> undoing;
  std::function<void(const std::filesystem::path&)> editSite;
};

/// One tray from planned to its end.
TrayEnd bringUp(Bringup bringup);

}  // namespace zellige
