// Where a controller can die. Code under test passes points; at the chosen one it stops for good, `dead()` turns true,
// and the test destroys the controller as a kill would: nothing after the point has happened.
#pragma once

#include <coroutine>
#include <string>
#include <vector>

namespace zellige::test {

class CrashPoints {
 public:
  /// Die at the n-th point from now (0 is the next one); negative: never.
  void arm(int n) { left_ = n; }
  bool dead() const { return dead_; }
  void revive() {
    dead_ = false;
    left_ = -1;
  }
  const std::vector<std::string>& passed() const { return passed_; }

  /// co_await points.pass("act.before"): suspends for ever at the chosen point.
  struct Pass {
    bool dies;
    bool await_ready() const { return !dies; }
    void await_suspend(std::coroutine_handle<>) const {}
    void await_resume() const {}
  };
  Pass pass(std::string name) {
    passed_.push_back(std::move(name));
    if (!dead_ && left_ >= 0 && left_-- == 0) dead_ = true;
    return Pass{dead_};
  }

 private:
  int left_ = -1;
  bool dead_ = false;
  std::vector<std::string> passed_;
};

}  // namespace zellige::test
