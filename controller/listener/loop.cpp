#include "controller/listener/loop.hpp"

#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // TSan knows no fences (-Wtsan); the scheduler's mutex orders everything here
#endif

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <thread>

namespace zellige::listener {

namespace asio = boost::asio;
using boost::system::error_code;

struct Loop::State {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
  std::mutex mutex;
  bool stopped = false;  // guarded by mutex
  std::thread thread;
};

Loop::Loop() : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get()] {
    // OpenSSL writes with write(2): a peer that left must be an error code here, not a signal.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    state->io.run();
  });
}

Loop::~Loop() { stop(); }

bool Loop::post(Callback work) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->stopped) asio::post(state_->io, std::move(work));
  return !state_->stopped;
}

bool Loop::onOwnThread() const { return state_->thread.get_id() == std::this_thread::get_id(); }

void Loop::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->io.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

struct Watch::State {
  State(asio::io_context& io, int fd) : descriptor(io, fd) {}
  asio::posix::stream_descriptor descriptor;
  bool reading = false, writing = false;
};

Watch::Watch(Loop& loop, int descriptor) : state_(std::make_shared<State>(loop.state_->io, descriptor)) {}
Watch::~Watch() { close(); }
int Watch::descriptor() const { return state_->descriptor.native_handle(); }
bool Watch::open() const { return state_->descriptor.is_open(); }

void Watch::close() {
  error_code ignored;
  state_->descriptor.close(ignored);
}

void Watch::whenReadable(Callback ready) {
  if (state_->reading || !open()) return;
  state_->reading = true;
  state_->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                [state = state_, ready = std::move(ready)](error_code ec) {
                                  state->reading = false;
                                  if (!ec) ready();
                                });
}

void Watch::whenWritable(Callback ready) {
  if (state_->writing || !open()) return;
  state_->writing = true;
  state_->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                [state = state_, ready = std::move(ready)](error_code ec) {
                                  state->writing = false;
                                  if (!ec) ready();
                                });
}

struct Alarm::State {
  explicit State(asio::io_context& io) : timer(io) {}
  asio::steady_timer timer;
};

Alarm::Alarm(Loop& loop) : state_(std::make_unique<State>(loop.state_->io)) {}
Alarm::~Alarm() = default;

void Alarm::set(Instant due, Callback ring) {
  state_->timer.expires_at(due);
  state_->timer.async_wait([ring = std::move(ring)](error_code ec) {
    if (!ec) ring();
  });
}

void Alarm::cancel() { state_->timer.cancel(); }

}  // namespace zellige::listener
