// A queue in front of one BMC: so many may be at it at a time, the others wait in the order they came.
#pragma once

#include <coroutine>
#include <memory>
#include <utility>
#include <vector>

#include "controller/base/executor.hpp"

namespace zellige::redfish {

class Turns {
  struct Waiter {
    std::coroutine_handle<> handle;  // empty: the coroutine is gone
    bool granted = false;
  };
  struct State {
    Executor* executor;
    int free;
    std::vector<std::shared_ptr<Waiter>> queue;  // short; an empty deque costs 600 bytes

    void release() {
      while (!queue.empty()) {
        auto next = std::move(queue.front());
        queue.erase(queue.begin());
        if (!next->handle) continue;
        next->granted = true;
        executor->post([next] {
          if (auto h = std::exchange(next->handle, {})) h.resume();
        });
        return;
      }
      ++free;
    }
  };

 public:
  Turns(Executor& executor, int atATime) : state_(std::make_shared<State>(State{&executor, atATime, {}})) {}

  /// Held while at the BMC; the next in the queue goes when it dies.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Turn(Turn&& other) noexcept : state_(std::move(other.state_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() { end(); }
    void end() {
      if (auto state = std::move(state_)) state->release();
    }

   private:
    std::shared_ptr<State> state_;
  };

  class Awaiter {
   public:
    explicit Awaiter(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Awaiter(const Awaiter&) = delete;
    ~Awaiter() {  // abandoned while waiting: the place in the queue, or the turn just granted, goes to the next
      if (!waiter_ || !waiter_->handle) return;
      waiter_->handle = {};
      if (waiter_->granted) state_->release();
    }
    bool await_ready() {
      if (state_->free == 0) return false;
      --state_->free;
      return true;
    }
    void await_suspend(std::coroutine_handle<> h) {
      waiter_ = std::make_shared<Waiter>(Waiter{h});
      state_->queue.push_back(waiter_);
    }
    Turn await_resume() { return Turn{state_}; }

   private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Waiter> waiter_;
  };
  Awaiter take() { return Awaiter{state_}; }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace zellige::redfish
