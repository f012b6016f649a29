// Where a controller may die, and the one that decides. In virtual time a crash is exact: at the chosen point the
// coroutine that reached it never goes on, nothing else of this controller runs, and what was not committed is gone.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <string_view>

#include "controller/base/names.hpp"

namespace zellige {

enum class CrashPoint { BeforeSend, AppliedReplyLost, BeforeCommit, AfterCommit };
ZELLIGE_NAMES(CrashPoint, {CrashPoint::BeforeSend, "before_send"},
              {CrashPoint::AppliedReplyLost, "applied_reply_lost"},
              {CrashPoint::BeforeCommit, "before_commit"}, {CrashPoint::AfterCommit, "after_commit"});

/// Counts the points that a controller passes and says at which one it dies.
class CrashPlan {
 public:
  /// Called at each point with its number from 0; `what` is under way there ("POST 127.0.0.1:443 /redfish/…"), empty at a
  /// commit. True: die here.
  using Decide = std::function<bool(std::uint64_t number, CrashPoint point, std::string_view what)>;

  CrashPlan() = default;
  explicit CrashPlan(Decide decide) : decide_(std::move(decide)) {}

  /// True: the controller is dead from here on.
  bool reached(CrashPoint point, std::string_view what = {}) {
    if (dead_) return true;
    const auto number = passed_++;
    dead_ = decide_ && decide_(number, point, what);
    return dead_;
  }
  bool decides() const { return decide_ != nullptr; }  ///< somebody wants to know what is under way
  bool dead() const { return dead_; }
  void kill() { dead_ = true; }
  void revive() { dead_ = false; }
  std::uint64_t passed() const { return passed_; }

 private:
  Decide decide_;
  std::uint64_t passed_ = 0;
  bool dead_ = false;
};

}  // namespace zellige
