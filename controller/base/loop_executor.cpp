#include "controller/base/loop_executor.hpp"

#include <cmath>

namespace zellige {

namespace {
std::chrono::system_clock::time_point utcNow() { return std::chrono::system_clock::now(); }
}  // namespace

Time ScaledClock::now() const {
  const auto utc = utcNow();
  if (speed_ == 1.0) return std::chrono::time_point_cast<Duration>(utc);
  const auto elapsed = std::chrono::duration<double, std::milli>(utc - origin_).count();
  return origin_ + Duration{std::llround(elapsed * speed_)};
}

std::chrono::nanoseconds ScaledClock::wallUntil(Time t) const {
  const auto left = std::chrono::duration<double, std::nano>(t - now()).count() / speed_;
  return std::chrono::nanoseconds{left > 0 ? static_cast<std::int64_t>(std::ceil(left)) : 0};
}

LoopExecutor::~LoopExecutor() { abandonTasks(); }

void LoopExecutor::post(Callback work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  wake_.notify_one();
}

TimerId LoopExecutor::at(Time due, Callback work) {
  const auto id = nextTimer_++;
  timers_.emplace(std::pair{due, id}, std::move(work));
  timerDue_.emplace(id, due);
  return TimerId{id};
}

void LoopExecutor::cancel(TimerId id) {
  const auto key = static_cast<std::uint64_t>(id);
  if (const auto it = timerDue_.find(key); it != timerDue_.end()) {
    timers_.erase({it->second, key});
    timerDue_.erase(it);
  }
}

void LoopExecutor::run() {
  for (;;) {
    std::deque<Callback> batch;
    {
      std::unique_lock lock(mutex_);
      if (stopping_) return;
      if (posted_.empty()) {
        if (timers_.empty()) {
          wake_.wait(lock, [&] { return stopping_ || !posted_.empty(); });
        } else {
          const auto wall = clock_.wallUntil(timers_.begin()->first.first);
          wake_.wait_for(lock, wall, [&] { return stopping_ || !posted_.empty(); });
        }
      }
      if (stopping_) return;
      batch.swap(posted_);
    }
    for (auto& work : batch) work();
    const auto now = clock_.now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
      auto node = timers_.extract(timers_.begin());
      timerDue_.erase(node.key().second);
      node.mapped()();
    }
    rethrowIfBroken();
  }
}

void LoopExecutor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

}  // namespace zellige
