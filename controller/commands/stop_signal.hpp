// SIGTERM and SIGINT as a callback on a thread of their own. Make it before any other thread starts, so that every
// thread inherits the mask.
#pragma once

#include <csignal>
#include <functional>
#include <pthread.h>
#include <thread>

namespace zellige {

class StopSignal {
 public:
  explicit StopSignal(std::function<void()> stop) : stop_(std::move(stop)) {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGUSR1);  // our own: ends the thread
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
    thread_ = std::thread([this] {
      int which = 0;
      while (sigwait(&set_, &which) == 0 && which != SIGUSR1) stop_();
    });
  }
  ~StopSignal() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  StopSignal(const StopSignal&) = delete;

 private:
  std::function<void()> stop_;
  sigset_t set_{};
  std::thread thread_;
};

}  // namespace zellige
