// Who waits for the next event. While anybody does, the head of the trail is looked at every 100 ms (DESIGN 5: live
// views are coalesced so), which costs one indexed read whoever committed; with nobody waiting, nothing runs.
#pragma once

#include <functional>
#include <list>

#include "controller/base/executor.hpp"

namespace zellige::api {

class EventWatch {
 public:
  /// `head` reads the highest committed sequence. `speed`: of the executor's clock; waiting is meant in wall time.
  EventWatch(Executor& executor, std::function<std::int64_t()> head, double speed);
  EventWatch(const EventWatch&) = delete;

  /// True: something after `sequence` is committed. False: nothing came within `atMost` of wall time.
  Task<bool> after(std::int64_t sequence, Duration atMost);
  /// Whoever waits gets false, at once, and so does everybody from now on.
  void close();
  std::size_t waiting() const { return waiters_.size(); }
  Duration engineTime(Duration wall) const;
  Duration wallTime(Duration engine) const;

 private:
  struct Waiter {
    std::int64_t sequence;
    Time until;
    Completion<bool> done;
  };
  class Place;
  void arm();
  void tick();

  Executor& executor_;
  std::function<std::int64_t()> head_;
  double speed_;
  std::list<Waiter> waiters_;
  bool armed_ = false, closed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a tick that comes too late finds it gone
};

}  // namespace zellige::api
