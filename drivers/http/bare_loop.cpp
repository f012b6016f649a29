#include "drivers/http/bare_loop.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace zellige::http {

using Steady = std::chrono::steady_clock;

namespace {

struct BareShard;

/// One epoll set over all shards, and which shard a descriptor belongs to.
struct Sockets {
  int epoll = -1;
  std::vector<BareShard*> shardOf;
};

struct BareShard {
  CURLM* multi = nullptr;
  Sockets* sockets = nullptr;
  Steady::time_point due = Steady::time_point::max();
};

/// An easy handle; as many as GETs are in flight.
struct Lane {
  CURL* easy = nullptr;
  std::string body;
};

std::size_t onBody(char* data, std::size_t size, std::size_t count, void* to) {
  static_cast<Lane*>(to)->body.append(data, size * count);
  return size * count;
}

int onSocket(CURL*, curl_socket_t fd, int what, void* to, void* known) {
  auto& shard = *static_cast<BareShard*>(to);
  auto& sockets = *shard.sockets;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(sockets.epoll, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  event.data.fd = fd;
  if (sockets.shardOf.size() <= static_cast<std::size_t>(fd))
    sockets.shardOf.resize(static_cast<std::size_t>(fd) + 1);
  sockets.shardOf[static_cast<std::size_t>(fd)] = &shard;
  epoll_ctl(sockets.epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (!known) curl_multi_assign(shard.multi, fd, &shard);
  return 0;
}

int onTimer(CURLM*, long ms, void* to) {
  static_cast<BareShard*>(to)->due = ms < 0 ? Steady::time_point::max()
                                            : Steady::now() + std::chrono::milliseconds(ms);
  return 0;
}

}  // namespace

struct BareLoop::State {
  Sockets sockets;
  std::vector<std::string> urls;    ///< by peer
  std::vector<BareShard*> shardOf;  ///< by peer
  std::vector<std::unique_ptr<BareShard>> shards;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<Lane*> idle;  ///< have ended and may take the next GET
  curl_slist* headers = nullptr;

  std::uint64_t next = 0, total = 0, ended = 0;
  BareCount count;
  const std::function<void(const std::string&)>* onReply = nullptr;

  void addLane();
  void start(Lane& lane);
  void startIdle();
  void kick(BareShard& shard, int fd, int events);
  void end(BareShard& shard, CURL* easy, CURLcode code);
  void serveTimers();
};

BareLoop::BareLoop(const std::vector<Peer>& peers, std::string_view target,
                   const std::vector<std::string>& headers, const CurlOptions& options)
    : state_(std::make_unique<State>()) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("curl_global_init failed");
  state_->sockets.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (state_->sockets.epoll < 0) throw std::runtime_error("epoll_create1 failed");
  for (std::size_t i = 0; i < options.shards; ++i) {
    auto shard = std::make_unique<BareShard>();
    shard->sockets = &state_->sockets;
    shard->multi = curl_multi_init();
    if (!shard->multi) throw std::runtime_error("curl_multi_init failed");
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, onSocket);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard.get());
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, onTimer);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard.get());
    curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.maxConnectionsPerShard));
    state_->shards.push_back(std::move(shard));
  }
  for (const auto& peer : peers) {
    state_->urls.push_back(fmt::format("https://{}:{}{}", peer.address, peer.port, target));
    state_->shardOf.push_back(state_->shards[shardOf(peer, options.shards)].get());
  }
  for (const auto& header : headers) state_->headers = curl_slist_append(state_->headers, header.c_str());
}

BareLoop::~BareLoop() {
  for (const auto& lane : state_->lanes) curl_easy_cleanup(lane->easy);
  for (const auto& shard : state_->shards) curl_multi_cleanup(shard->multi);
  curl_slist_free_all(state_->headers);
  ::close(state_->sockets.epoll);
  curl_global_cleanup();
}

void BareLoop::State::addLane() {
  auto lane = std::make_unique<Lane>();
  auto* easy = lane->easy = curl_easy_init();
  if (!easy) throw std::bad_alloc();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, lane.get());
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, lane.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, onBody);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  const SendOptions usual;
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(usual.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(usual.connectTimeout.count()));
  lanes.push_back(std::move(lane));
}

void BareLoop::State::start(Lane& lane) {
  const auto peer = next++ % urls.size();
  lane.body.clear();
  curl_easy_setopt(lane.easy, CURLOPT_URL, urls[peer].c_str());
  auto& shard = *shardOf[peer];
  curl_multi_add_handle(shard.multi, lane.easy);
  kick(shard, CURL_SOCKET_TIMEOUT, 0);
}

void BareLoop::State::startIdle() {
  while (next < total && !idle.empty()) {
    auto& lane = *idle.back();
    idle.pop_back();
    start(lane);
  }
}

void BareLoop::State::kick(BareShard& shard, int fd, int events) {
  int running = 0, left = 0;
  curl_multi_socket_action(shard.multi, fd, events, &running);
  while (const auto* message = curl_multi_info_read(shard.multi, &left))
    if (message->msg == CURLMSG_DONE) end(shard, message->easy_handle, message->data.result);
}

void BareLoop::State::end(BareShard& shard, CURL* easy, CURLcode code) {
  Lane* lane = nullptr;
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(shard.multi, easy);
  const bool good = code == CURLE_OK && status == 200;
  ++(good ? count.replies : count.failures);
  if (good) (*onReply)(lane->body);
  ++ended;
  idle.push_back(lane);
}

void BareLoop::State::serveTimers() {
  const auto now = Steady::now();
  for (const auto& shard : shards)
    if (shard->due <= now) {
      shard->due = Steady::time_point::max();
      kick(*shard, CURL_SOCKET_TIMEOUT, 0);
    }
}

BareCount BareLoop::run(std::uint64_t total, std::size_t inFlight,
                        const std::function<void(const std::string&)>& onReply) {
  constexpr int kTimerPeriodMs = 100;  // deadlines are seconds away; nothing but them needs the timers
  auto& s = *state_;
  s.next = s.ended = 0;
  s.total = total;
  s.count = {};
  s.onReply = &onReply;
  while (s.lanes.size() < inFlight) s.addLane();
  s.idle.clear();
  for (std::size_t i = 0; i < inFlight; ++i) s.idle.push_back(s.lanes[i].get());
  s.startIdle();
  auto timersDue = Steady::now();
  std::array<epoll_event, 256> ready;
  while (s.ended < total) {
    const int n = epoll_wait(s.sockets.epoll, ready.data(), static_cast<int>(ready.size()), kTimerPeriodMs);
    for (int i = 0; i < n; ++i) {
      const auto& event = ready[static_cast<std::size_t>(i)];
      const int events = (event.events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                         (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                         (event.events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
      s.kick(*s.sockets.shardOf[static_cast<std::size_t>(event.data.fd)], event.data.fd, events);
      s.startIdle();
    }
    if (Steady::now() < timersDue) continue;
    s.serveTimers();
    s.startIdle();
    timersDue = Steady::now() + std::chrono::milliseconds(kTimerPeriodMs);
  }
  return s.count;
}

}  // namespace zellige::http
