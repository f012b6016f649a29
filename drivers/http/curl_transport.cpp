#include "drivers/http/curl_transport.hpp"

#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // TSan knows no fences (-Wtsan); the scheduler's mutex orders everything here
#endif

#include <curl/curl.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "drivers/http/curl_exchange.hpp"

namespace zellige::http {

namespace asio = boost::asio;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;
using Outcome = Result<Received>;

namespace {

struct CurlGlobal {
  CurlGlobal() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw std::runtime_error("curl_global_init failed");
  }
  ~CurlGlobal() { curl_global_cleanup(); }
};

struct Shard;

std::string keyOf(const Peer& peer) { return peer.address + ' ' + std::to_string(peer.port); }

/// A request between send() and its outcome.
struct Op final : CurlExchange {
  using CurlExchange::CurlExchange;
  void connected() override {
    if (onConnect) onConnect(*this);
  }
  std::uint64_t id = 0;
  std::optional<Completion<Outcome>> completion;
  void (*onConnect)(Op&) = nullptr;
  void* owner = nullptr;
  Shard* shard = nullptr;
  std::string key;       ///< of the peer, in the shard's `idle`
  CURL* easy = nullptr;  ///< none: waits for a handshake slot
  bool reuses = false;   ///< we believe that a kept connection serves it
  std::optional<std::list<Op*>::iterator> slot;
  Steady::time_point launched;
};

/// A descriptor of libcurl's, from its first use until libcurl closes it: it stays registered while the connection
/// idles, so that a request on a kept connection costs at most one epoll_ctl, and a descriptor number that is used
/// again never meets the waits of its predecessor.
struct Socket {
  Socket(asio::io_context& io, int fd, Shard& s) : descriptor(io, fd), shard(s) {}
  asio::posix::stream_descriptor descriptor;
  Shard& shard;
  int wanted = 0;
  bool reading = false, writing = false;
};

struct Shard {
  Shard(asio::io_context& io, void* o) : owner(o), timer(io) {}
  void* owner;
  CURLM* multi = nullptr;
  asio::steady_timer timer;
  Steady::time_point due = Steady::time_point::max(), armed = Steady::time_point::max();
  std::unordered_map<std::string, int> idle;  ///< peer → kept connections, as far as we know
};

/// What send() and the I/O thread share. Outlives both.
struct Inbox {
  std::mutex mutex;
  bool open = true;
  std::vector<std::unique_ptr<Op>> starts;
  std::vector<std::uint64_t> ends;
  std::uint64_t nextId = 1;
  std::function<void()> wake;

  template <class Change>
  bool put(Change change) {
    const std::lock_guard lock(mutex);
    if (!open) return false;
    const bool quiet = starts.empty() && ends.empty();
    change();
    if (quiet) wake();
    return true;
  }
};

/// In the frame of send(): a caller that goes away ends its exchange.
class Abandon {
 public:
  Abandon(std::shared_ptr<Inbox> inbox, std::uint64_t id) : inbox_(std::move(inbox)), id_(id) {}
  Abandon(const Abandon&) = delete;
  ~Abandon() {
    if (id_ != 0) inbox_->put([this] { inbox_->ends.push_back(id_); });
  }
  void disarm() { id_ = 0; }

 private:
  std::shared_ptr<Inbox> inbox_;
  std::uint64_t id_;
};

}  // namespace

std::size_t shardOf(const Peer& peer, std::size_t shards) {
  return std::hash<std::string>{}(keyOf(peer)) % shards;
}

class CurlTransport::Loop {
 public:
  Loop(Executor& executor, CurlOptions options);
  ~Loop();

  Executor& executor;
  const CurlOptions options;
  const std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();

 private:
  void run();
  void takeInbox();
  void start(std::unique_ptr<Op> op);
  void launch(Op& op);
  void end(std::uint64_t id);
  void finish(Op& op, Outcome outcome);
  void dropHandle(Op& op);
  void releaseSlot(Op& op);
  void admitWaiting();
  void admitLater();
  void giveAwaySlots();
  void report(const Completion<Outcome>& completion, Outcome outcome);
  void kick(Shard& shard, int fd, int events);
  void armTimer(Shard& shard);
  void arm(const std::shared_ptr<Socket>& socket);
  void ready(error_code ec, const std::shared_ptr<Socket>& socket, int events);
  void close();

  static int onSocket(CURL*, curl_socket_t fd, int what, void* shard, void*);
  static int onTimer(CURLM*, long ms, void* shard);
  static int onClose(void* loop, curl_socket_t fd);
  static void onConnect(Op& op);

  CurlGlobal curl_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy_{io_.get_executor()};
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<CURL*> pool_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Op>> ops_;
  std::unordered_map<int, std::shared_ptr<Socket>> sockets_;
  std::list<Op*> slots_;     ///< handshaking, oldest first
  std::deque<Op*> waiting_;  ///< for a slot
  asio::steady_timer slotTimer_{io_};
  bool slotTimerSet_ = false, admitting_ = false, closing_ = false;
  std::vector<std::pair<Completion<Outcome>, Outcome>> outbox_;
  std::thread thread_;
};

CurlTransport::Loop::Loop(Executor& e, CurlOptions o) : executor(e), options(o) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.shards); ++i) {
    auto shard = std::make_unique<Shard>(io_, this);
    shard->multi = curl_multi_init();
    if (!shard->multi) throw std::runtime_error("curl_multi_init failed");
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, &Loop::onSocket);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard.get());
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, &Loop::onTimer);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard.get());
    curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.maxConnectionsPerShard));
    curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    shards_.push_back(std::move(shard));
  }
  inbox->wake = [this] { asio::post(io_, [this] { takeInbox(); }); };
  thread_ = std::thread([this] { run(); });
}

CurlTransport::Loop::~Loop() {
  {
    const std::lock_guard lock(inbox->mutex);
    inbox->open = false;
  }
  asio::post(io_, [this] { close(); });
  thread_.join();
}

void CurlTransport::Loop::run() {
  // With NOSIGNAL libcurl leaves SIGPIPE to us: a peer that left must be an error code, not the end of the process.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  io_.run();
}

// On the I/O thread, as the last thing it does.
void CurlTransport::Loop::close() {
  closing_ = true;
  takeInbox();
  waiting_.clear();
  while (!ops_.empty()) {
    auto& op = *ops_.begin()->second;
    finish(op, op.broken(Errc::Unreachable, "the transport was closed"));
  }
  for (auto* easy : pool_) curl_easy_cleanup(easy);
  for (auto& shard : shards_) {
    curl_multi_cleanup(shard->multi);  // closes the kept connections, through onClose
    shard->timer.cancel();
  }
  for (auto& [fd, socket] : sockets_) socket->descriptor.release();
  sockets_.clear();
  slotTimer_.cancel();
  busy_.reset();
}

void CurlTransport::Loop::takeInbox() {
  std::vector<std::unique_ptr<Op>> starts;
  std::vector<std::uint64_t> ends;
  {
    const std::lock_guard lock(inbox->mutex);
    starts.swap(inbox->starts);
    ends.swap(inbox->ends);
  }
  for (auto& op : starts) start(std::move(op));
  for (const auto id : ends) end(id);
}

void CurlTransport::Loop::start(std::unique_ptr<Op> owned) {
  auto& op = *owned;
  op.key = keyOf(op.peer());
  op.shard = shards_[std::hash<std::string>{}(op.key) % shards_.size()].get();
  op.owner = this;
  op.onConnect = &Loop::onConnect;
  ops_.emplace(op.id, std::move(owned));
  if (closing_) return;
  if (const auto kept = op.shard->idle.find(op.key); op.isRead() && kept != op.shard->idle.end()) {
    op.reuses = true;
    if (--kept->second == 0) op.shard->idle.erase(kept);
  }
  if (op.reuses || (waiting_.empty() && slots_.size() < options.maxHandshakes)) return launch(op);
  waiting_.push_back(&op);
  giveAwaySlots();
}

void CurlTransport::Loop::launch(Op& op) {
  op.launched = Steady::now();
  // Also when we believe that it reuses: libcurl may know better. It frees the slot at once when it does reuse.
  op.slot = slots_.insert(slots_.end(), &op);
  if (pool_.empty()) {
    op.easy = curl_easy_init();
    if (!op.easy) throw std::bad_alloc();
    CurlExchange::prepareHandle(op.easy);
    curl_easy_setopt(op.easy, CURLOPT_CLOSESOCKETFUNCTION, &Loop::onClose);
    curl_easy_setopt(op.easy, CURLOPT_CLOSESOCKETDATA, this);
  } else {
    op.easy = pool_.back();
    pool_.pop_back();
  }
  curl_easy_setopt(op.easy, CURLOPT_PRIVATE, &op);
  if (auto applied = op.applyTo(op.easy); !applied) return finish(op, applied.error());
  auto& shard = *op.shard;
  curl_multi_add_handle(shard.multi, op.easy);
  kick(shard, CURL_SOCKET_TIMEOUT, 0);
}

void CurlTransport::Loop::end(std::uint64_t id) {
  const auto it = ops_.find(id);
  if (it == ops_.end()) return;
  auto& op = *it->second;
  std::erase(waiting_, &op);
  op.completion.reset();  // nobody waits
  finish(op, op.broken(Errc::Unreachable, "abandoned"));
}

void CurlTransport::Loop::finish(Op& op, Outcome outcome) {
  releaseSlot(op);
  dropHandle(op);
  if (op.completion) report(*op.completion, std::move(outcome));
  ops_.erase(op.id);
}

void CurlTransport::Loop::dropHandle(Op& op) {
  if (!op.easy) return;
  auto* easy = std::exchange(op.easy, nullptr);
  curl_multi_remove_handle(op.shard->multi, easy);
  armTimer(*op.shard);
  op.detach(easy);
  if (pool_.size() < options.pooledHandles)
    pool_.push_back(easy);
  else
    curl_easy_cleanup(easy);
}

void CurlTransport::Loop::releaseSlot(Op& op) {
  if (!op.slot) return;
  slots_.erase(*op.slot);
  op.slot.reset();
  if (!waiting_.empty() && !admitting_) admitLater();
}

// Not at once: we may be inside libcurl here.
void CurlTransport::Loop::admitLater() {
  admitting_ = true;
  asio::post(io_, [this] {
    admitting_ = false;
    admitWaiting();
  });
}

void CurlTransport::Loop::admitWaiting() {
  while (!waiting_.empty() && slots_.size() < options.maxHandshakes) {
    auto& op = *waiting_.front();
    waiting_.pop_front();
    launch(op);
  }
}

// Peers that do not answer cost nothing while they are silent; they must not make the others wait for their timeouts.
void CurlTransport::Loop::giveAwaySlots() {
  if (slotTimerSet_ || waiting_.empty() || slots_.empty()) return;
  slotTimerSet_ = true;
  slotTimer_.expires_at(slots_.front()->launched + options.handshakeHold);
  slotTimer_.async_wait([this](error_code ec) {
    slotTimerSet_ = false;
    if (ec || closing_) return;
    const auto old = Steady::now() - options.handshakeHold;
    while (!slots_.empty() && slots_.front()->launched <= old) releaseSlot(*slots_.front());
    admitWaiting();
    giveAwaySlots();
  });
}

void CurlTransport::Loop::report(const Completion<Outcome>& completion, Outcome outcome) {
  outbox_.emplace_back(completion, std::move(outcome));
  if (outbox_.size() > 1) return;
  // One post, and one wake-up of the other thread, for all that end in this turn of the loop.
  asio::post(io_, [this] {
    auto batch = std::make_shared<decltype(outbox_)>(std::move(outbox_));
    outbox_.clear();
    executor.post([batch] {
      for (auto& [to, outcome] : *batch) to.set(std::move(outcome));
    });
  });
}

void CurlTransport::Loop::kick(Shard& shard, int fd, int events) {
  int running = 0;
  curl_multi_socket_action(shard.multi, fd, events, &running);
  int left = 0;
  while (const auto* message = curl_multi_info_read(shard.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto code = message->data.result;
    Op* op = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &op);
    long newConnections = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_NUM_CONNECTS, &newConnections);
    // A belief that was wrong earns no new one: a BMC that drops its kept connections must queue for its handshakes.
    const bool believe = code == CURLE_OK && !op->closesConnection() && !(op->reuses && newConnections > 0);
    if (believe) {
      if (shard.idle.size() > 4 * options.maxConnectionsPerShard) shard.idle.clear();
      ++shard.idle[op->key];
    }
    finish(*op, op->conclude(code));
  }
  armTimer(shard);
}

// Only notes it: the timer itself is set when libcurl has returned, by armTimer.
int CurlTransport::Loop::onTimer(CURLM*, long ms, void* to) {
  static_cast<Shard*>(to)->due = ms < 0 ? Steady::time_point::max()
                                        : Steady::now() + std::chrono::milliseconds(ms);
  return 0;
}

// Most deadlines move away and never come: the timer is set again only when one comes nearer, and one that fires too
// early sets itself to the deadline of then.
void CurlTransport::Loop::armTimer(Shard& shard) {
  if (shard.due >= shard.armed || closing_) return;
  shard.armed = shard.due;
  shard.timer.expires_at(shard.due);
  shard.timer.async_wait([this, &shard](error_code ec) {
    if (ec || closing_ || Steady::now() < shard.armed) return;
    shard.armed = Steady::time_point::max();
    if (shard.due > Steady::now()) return armTimer(shard);
    kick(shard, CURL_SOCKET_TIMEOUT, 0);
    // libcurl does not report a deadline twice, so ask.
    long ms = -1;
    curl_multi_timeout(shard.multi, &ms);
    onTimer(shard.multi, ms, &shard);
    armTimer(shard);
  });
}

int CurlTransport::Loop::onSocket(CURL*, curl_socket_t fd, int what, void* to, void*) {
  auto& shard = *static_cast<Shard*>(to);
  auto& loop = *static_cast<Loop*>(shard.owner);
  auto& socket = loop.sockets_[fd];
  if (what == CURL_POLL_REMOVE) {
    if (socket)
      socket->wanted = 0;
    else
      loop.sockets_.erase(fd);
    return 0;
  }
  if (!socket) socket = std::make_shared<Socket>(loop.io_, fd, shard);
  socket->wanted = what;
  loop.arm(socket);
  return 0;
}

int CurlTransport::Loop::onClose(void* to, curl_socket_t fd) {
  auto& sockets = static_cast<Loop*>(to)->sockets_;
  if (const auto it = sockets.find(fd); it != sockets.end()) {
    it->second->wanted = 0;
    it->second->descriptor.release();
    sockets.erase(it);
  }
  return ::close(fd);
}

void CurlTransport::Loop::arm(const std::shared_ptr<Socket>& socket) {
  using Wait = asio::posix::descriptor_base;
  if ((socket->wanted & CURL_POLL_IN) && !socket->reading) {
    socket->reading = true;
    socket->descriptor.async_wait(Wait::wait_read, [this, socket](error_code ec) {
      socket->reading = false;
      if (socket->wanted & CURL_POLL_IN) ready(ec, socket, CURL_CSELECT_IN);
    });
  }
  if ((socket->wanted & CURL_POLL_OUT) && !socket->writing) {
    socket->writing = true;
    socket->descriptor.async_wait(Wait::wait_write, [this, socket](error_code ec) {
      socket->writing = false;
      if (socket->wanted & CURL_POLL_OUT) ready(ec, socket, CURL_CSELECT_OUT);
    });
  }
}

void CurlTransport::Loop::ready(error_code ec, const std::shared_ptr<Socket>& socket, int events) {
  if (closing_) return;
  kick(socket->shard, socket->descriptor.native_handle(), ec ? CURL_CSELECT_ERR : events);
  if (socket->descriptor.is_open()) arm(socket);
}

void CurlTransport::Loop::onConnect(Op& op) { static_cast<Loop*>(op.owner)->releaseSlot(op); }

CurlTransport::CurlTransport(Executor& executor, CurlOptions options)
    : loop_(std::make_unique<Loop>(executor, options)) {}
CurlTransport::~CurlTransport() = default;

Task<Result<Received>> CurlTransport::send(Peer peer, HttpRequest request, SendOptions options) {
  if (auto checked = checkRequest(peer, request, options, loop_->options.allowPlainHttp); !checked)
    co_return checked.error();
  // Nothing below touches *this: the transport may be gone when the answer comes.
  const auto inbox = loop_->inbox;
  const Completion<Outcome> completion(loop_->executor);
  auto op = std::make_unique<Op>(std::move(peer), std::move(request), std::move(options));
  op->completion.emplace(completion);
  std::uint64_t id = 0;
  const bool accepted = inbox->put([&] {
    id = op->id = inbox->nextId++;
    inbox->starts.push_back(std::move(op));
  });
  if (!accepted) co_return Error{Errc::Unreachable, "the transport was closed"};
  Abandon guard(inbox, id);
  auto outcome = co_await completion;
  guard.disarm();
  co_return outcome;
}

}  // namespace zellige::http
