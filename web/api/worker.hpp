// A thread for what must not hold up the engine's: password hashes (0.1 s each), files. One job after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "controller/base/executor.hpp"

namespace zellige::api {

enum class Working { Thread, Inline };  ///< Inline: at once, on the caller's thread; for virtual time

class Worker {
 public:
  /// Destroy it before the executor, after the tasks that wait for it.
  Worker(Executor& executor, Working how);
  ~Worker();  ///< waits for the job in hand; the others are dropped
  Worker(const Worker&) = delete;

  /// Resumes on the executor when `work` has run.
  template <class R>
  Task<R> run(std::function<R()> work) {
    Completion<R> done(executor_);
    submit([done, work = std::move(work)] { done.set(work()); });
    co_return co_await done;
  }
  std::size_t waiting() const;

 private:
  void submit(std::function<void()> job);
  void loop();

  Executor& executor_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::thread thread_;                      // not started when inline
};

}  // namespace zellige::api
