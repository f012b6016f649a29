// The real thing: one thread runs everything posted to it. Its clock is UTC, or UTC sped up from an origin that
// several processes can share (a demo at speed 60: an hour of machine physics passes in a minute).
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "controller/base/executor.hpp"

namespace zellige {

/// now = origin + (UTC − origin) × speed. Speed 1 is plain UTC.
class ScaledClock final : public Clock {
 public:
  ScaledClock() = default;
  ScaledClock(Time origin, double speed) : origin_(origin), speed_(speed) {}
  Time now() const override;
  double speed() const { return speed_; }
  /// How long the wall clock takes until this clock shows `t`; never negative.
  std::chrono::nanoseconds wallUntil(Time t) const;

 private:
  Time origin_{};
  double speed_ = 1.0;
};

class LoopExecutor final : public Executor {
 public:
  explicit LoopExecutor(ScaledClock clock = {}) : clock_(clock) {}
  ~LoopExecutor() override;

  Time now() const override { return clock_.now(); }
  void post(Callback work) override;  // any thread
  TimerId at(Time due, Callback work) override;
  void cancel(TimerId id) override;

  /// Runs until stop(). Exceptions of spawned tasks leave through here.
  void run();
  void stop();  // any thread, also a signal-handling one
  /// Abandons every task; call when run() has returned and before what the tasks use is destroyed.
  void shutDown() { abandonTasks(); }

 private:
  ScaledClock clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Callback> posted_;                                // guarded by mutex_
  bool stopping_ = false;                                      // guarded by mutex_
  std::map<std::pair<Time, std::uint64_t>, Callback> timers_;  // loop thread only
  std::map<std::uint64_t, Time> timerDue_;
  std::uint64_t nextTimer_ = 1;
};

}  // namespace zellige
