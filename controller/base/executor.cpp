#include "controller/base/executor.hpp"

namespace zellige {

// The outermost frame of a spawned task: it removes itself from the executor when it ends.
struct Executor::Root {
  struct promise_type {
    Root get_return_object() { return Root{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

Executor::~Executor() = default;

Executor::Root Executor::drive(std::uint64_t id, Task<void> task) {
  try {
    co_await task;
  } catch (...) {
    broken_ = std::current_exception();
  }
  spawned_.erase(id);
}

void Executor::spawn(Task<void> task) {
  const auto id = nextTask_++;
  const auto root = drive(id, std::move(task));
  spawned_.emplace(id, root.handle);
  post([this, id] {
    if (const auto it = spawned_.find(id); it != spawned_.end()) it->second.resume();
  });
}

void Executor::abandonTasks() {
  // Destructors of abandoned frames may run arbitrary code, but must not spawn.
  auto abandoned = std::move(spawned_);
  spawned_.clear();
  for (auto& [id, handle] : abandoned) handle.destroy();
}

void Executor::rethrowIfBroken() {
  if (broken_) std::rethrow_exception(std::exchange(broken_, nullptr));
}

}  // namespace zellige
