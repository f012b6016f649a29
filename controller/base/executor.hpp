// Where coroutines run and how they wait. Two kinds: LoopExecutor (one real thread, a clock that may run faster than
// the wall) and VirtualExecutor (no thread: VirtualTime jumps from one due callback to the next).
// Everything posted to one executor runs one after the other, so what lives on it needs no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "controller/base/task.hpp"
#include "controller/base/time.hpp"

namespace zellige {

using Callback = std::function<void()>;
enum class TimerId : std::uint64_t { None = 0 };

class Executor : public Clock {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  ~Executor() override;

  /// Runs `work` soon, after what was posted before it. May be called from any thread on a LoopExecutor.
  virtual void post(Callback work) = 0;
  /// Runs `work` at `due` or soon after; in order of `due`, then of the call. Only from the executor's own thread.
  virtual TimerId at(Time due, Callback work) = 0;
  virtual void cancel(TimerId id) = 0;

  TimerId after(Duration d, Callback work) { return at(now() + d, std::move(work)); }

  /// Starts `task` on this executor, which owns it until it ends. An exception that leaves it is rethrown from the
  /// executor's run loop: a broken program, not a failure of a device.
  void spawn(Task<void> task);
  std::size_t spawnedCount() const { return spawned_.size(); }
  /// Expires when this executor dies. Threads that post must be joined before a LoopExecutor dies.
  std::weak_ptr<const void> life() const { return life_; }

 protected:
  /// Destroys every spawned coroutine that has not ended. Implementations call it before their own members die.
  void abandonTasks();
  void rethrowIfBroken();

 private:
  struct Root;
  Root drive(std::uint64_t id, Task<void> task);
  std::map<std::uint64_t, std::coroutine_handle<>> spawned_;
  std::uint64_t nextTask_ = 1;
  std::exception_ptr broken_;
  std::shared_ptr<const void> life_ = std::make_shared<char>();
};

/// co_await sleepUntil(executor, t): resumes on `executor` at `t`. Abandoning the coroutine cancels the timer.
class SleepAwaiter {
 public:
  SleepAwaiter(Executor& executor, Time due) : executor_(executor), due_(due) {}
  SleepAwaiter(const SleepAwaiter&) = delete;
  ~SleepAwaiter() { executor_.cancel(timer_); }
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    timer_ = executor_.at(due_, [this, h] {
      timer_ = TimerId::None;
      h.resume();
    });
  }
  void await_resume() const {}

 private:
  Executor& executor_;
  Time due_;
  TimerId timer_ = TimerId::None;
};
inline SleepAwaiter sleepUntil(Executor& executor, Time due) { return {executor, due}; }
inline SleepAwaiter sleepFor(Executor& executor, Duration d) { return {executor, executor.now() + d}; }

/// A value that arrives once, from a callback. `set` may be called from any thread if the executor's `post` may;
/// the waiter resumes on its executor. Nobody waiting any more: the value is dropped. One waiter, awaited once.
template <class T>
class Completion {
  struct State;

 public:
  explicit Completion(Executor& executor) : state_(std::make_shared<State>(&executor)) {}

  void set(T value) const {
    auto state = state_;
    if (state->life.expired()) return;  // the executor died, and the waiter with it
    state->executor->post([state, v = std::make_shared<T>(std::move(value))] {
      state->value.emplace(std::move(*v));
      if (auto waiter = std::exchange(state->waiter, {})) waiter.resume();
    });
  }

  class Awaiter {
   public:
    explicit Awaiter(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Awaiter(const Awaiter&) = delete;
    ~Awaiter() { state_->waiter = {}; }
    bool await_ready() const { return state_->value.has_value(); }
    void await_suspend(std::coroutine_handle<> h) { state_->waiter = h; }
    T await_resume() { return std::move(*state_->value); }

   private:
    std::shared_ptr<State> state_;
  };
  Awaiter operator co_await() const { return Awaiter{state_}; }

 private:
  friend class Awaiter;
  struct State {
    explicit State(Executor* e) : executor(e), life(e->life()) {}
    Executor* executor;
    std::weak_ptr<const void> life;
    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };
  std::shared_ptr<State> state_;
};

}  // namespace zellige
