#include "controller/commands/scanner.hpp"

#include <nlohmann/json.hpp>

#include "controller/base/log.hpp"
#include "drivers/redfish/service_root.hpp"

namespace zellige {

namespace {
constexpr std::size_t kKeptTogether = 20;   // answers in one transaction
constexpr Duration kPause = 100ms;          // while all turns are taken
constexpr std::uint32_t kPassedOver = 100;  // addresses of nodes in one turn of the loop: some ms
}  // namespace

Scanner::Scanner(SqliteStore& store, Executor& executor, MakeTransport makeTransport, ScannerOptions options)
    : store_(store), executor_(executor), makeTransport_(std::move(makeTransport)), options_(options) {}

Scanner::~Scanner() = default;

Task<Result<void>> Scanner::begin(api::ScanRequest request) {
  if (std::exchange(running_, true))
    co_return Error{Errc::Conflict, "another scan is running; wait until it has ended, or stop it"};
  api::ScanState state;
  for (const auto& range : request.ranges) {
    state.ranges.push_back(range.text);
    state.addresses += range.count;
  }
  state.port = request.port;
  state.by = request.by.actor;
  state.begun = executor_.now();
  by_ = request.by;
  auto data = Json{{"ranges", state.ranges}, {"port", state.port}, {"addresses", state.addresses}}.dump();
  std::string event = "scan.started";
  auto by = by_;
  const auto noted = co_await store_.noteScan(std::move(event), std::move(data), std::move(by));
  if (!noted) {
    running_ = false;
    co_return noted.error();
  }
  state_ = std::move(state);
  stopping_ = false;
  queries_ = store_.queries();
  transport_ = makeTransport_();
  executor_.spawn(walk(std::move(request)));
  co_return Result<void>{};
}

bool Scanner::stop() {
  stopping_ = running_;
  return running_;
}

Task<void> Scanner::walk(api::ScanRequest request) {
  for (const auto& range : request.ranges)
    for (std::uint32_t i = 0; i < range.count && !stopping_; ++i) {
      auto address = range.at(i);
      if (queries_->isNodeAddress(address)) {
        if (++state_->nodes % kPassedOver == 0) co_await sleepFor(executor_, 0ms);
        continue;
      }
      while (inFlight_ >= options_.atATime) co_await sleepFor(executor_, kPause);
      ++inFlight_;
      ++state_->asked;
      executor_.spawn(ask(std::move(address), request.port));
      if (found_.size() >= kKeptTogether) co_await keep();
      co_await sleepFor(executor_, options_.pace);
    }
  while (inFlight_ > 0) co_await sleepFor(executor_, kPause);
  co_await keep();
  state_->stopped = stopping_;
  std::string event = "scan.ended";
  auto data = summary();
  auto by = by_;
  static_cast<void>(co_await store_.noteScan(std::move(event), std::move(data), std::move(by)));
  transport_.reset();
  queries_.reset();
  running_ = false;
  state_->ended = executor_.now();
}

Task<void> Scanner::ask(std::string address, int port) {
  http::Peer peer;
  peer.address = address;
  peer.port = static_cast<std::uint16_t>(port);
  http::SendOptions options;
  options.connectTimeout = options_.connectTimeout;
  options.timeout = options_.timeout;
  options.maxReplyBytes = options_.maxReplyBytes;
  auto root = co_await redfish::readServiceRoot(*transport_, std::move(peer), std::move(options));
  --inFlight_;
  if (!root) co_return;
  ++state_->answered;
  found_.push_back({std::move(address), port, std::move(*root)});
}

Task<void> Scanner::keep() {
  if (found_.empty()) co_return;
  auto found = std::exchange(found_, {});
  auto by = by_;
  const auto taken = co_await store_.takeAnswers(std::move(found), std::move(by));
  if (taken && taken->turnedAway > 0)
    log::warn("UNLISTED_TOO_MANY", {{"turned_away", std::to_string(taken->turnedAway)}});
}

std::string Scanner::summary() const {
  return Json{{"ranges", state_->ranges},
              {"asked", state_->asked},
              {"answered", state_->answered},
              {"nodes", state_->nodes},
              {"stopped", state_->stopped}}
      .dump();
}

}  // namespace zellige
