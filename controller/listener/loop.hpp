// One thread that waits for descriptors and for time. The only file of the listener that knows Asio is loop.cpp.
// Callbacks run on the loop's thread, one after the other.
#pragma once

#include <chrono>
#include <memory>

#include "controller/base/executor.hpp"

namespace zellige::listener {

using Instant = std::chrono::steady_clock::time_point;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;

  /// From any thread. False: stopped, the work is dropped.
  bool post(Callback work);
  bool onOwnThread() const;
  /// Ends and joins the thread; not from the thread itself.
  void stop();

  struct State;

 private:
  friend class Watch;
  friend class Alarm;
  std::unique_ptr<State> state_;
};

/// Owns a non-blocking descriptor. At most one wait of each kind at a time; the others are ignored.
class Watch {
 public:
  Watch(Loop& loop, int descriptor);
  ~Watch();
  int descriptor() const;
  bool open() const;
  void whenReadable(Callback ready);
  void whenWritable(Callback ready);
  /// Drops the waits and closes the descriptor.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Calls back once, at `due` or soon after; setting it again replaces what was set, but a ring that is already on its
/// way still comes: who sets alarms checks the time.
class Alarm {
 public:
  explicit Alarm(Loop& loop);
  ~Alarm();
  void set(Instant due, Callback ring);
  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zellige::listener
