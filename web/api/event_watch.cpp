#include "web/api/event_watch.hpp"

namespace zellige::api {

namespace {
constexpr Duration kEvery = 100ms;
}

/// A waiter's place in the list; given up when the coroutine ends or is abandoned.
class EventWatch::Place {
 public:
  Place(std::list<Waiter>& list, Waiter waiter)
      : list_(list), here_(list.insert(list.end(), std::move(waiter))) {}
  ~Place() { list_.erase(here_); }
  Place(const Place&) = delete;

 private:
  std::list<Waiter>& list_;
  std::list<Waiter>::iterator here_;
};

EventWatch::EventWatch(Executor& executor, std::function<std::int64_t()> head, double speed)
    : executor_(executor), head_(std::move(head)), speed_(speed) {}

Duration EventWatch::engineTime(Duration wall) const {
  return Duration{static_cast<std::int64_t>(static_cast<double>(wall.count()) * speed_)};
}

Duration EventWatch::wallTime(Duration engine) const {
  return Duration{static_cast<std::int64_t>(static_cast<double>(engine.count()) / speed_)};
}

Task<bool> EventWatch::after(std::int64_t sequence, Duration atMost) {
  if (head_() > sequence) co_return true;
  if (closed_ || atMost <= Duration{0}) co_return false;
  Completion<bool> done(executor_);
  const Place place(waiters_, Waiter{sequence, executor_.now() + engineTime(atMost), done});
  arm();
  co_return co_await done;
}

void EventWatch::close() {
  closed_ = true;
  for (const auto& waiter : waiters_) waiter.done.set(false);
}

void EventWatch::arm() {
  if (armed_ || closed_ || waiters_.empty()) return;
  armed_ = true;
  executor_.after(engineTime(kEvery), [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    armed_ = false;
    tick();
  });
}

void EventWatch::tick() {
  if (closed_ || waiters_.empty()) return;
  const auto head = head_();
  for (const auto& waiter : waiters_) {
    if (head > waiter.sequence)
      waiter.done.set(true);
    else if (executor_.now() >= waiter.until)
      waiter.done.set(false);
  }
  arm();
}

}  // namespace zellige::api
