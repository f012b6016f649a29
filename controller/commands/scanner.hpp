// Asks every address of some ranges who it is: one anonymous GET of its Redfish service root, and nothing else, ever. No
// login is tried and nothing is written; addresses that nodes have are left out.
#pragma once

#include <functional>
#include <memory>

#include "controller/store/sqlite_store.hpp"
#include "drivers/http/transport.hpp"
#include "web/api/scanning.hpp"

namespace zellige {

struct ScannerOptions {
  int atATime = 128;
  Duration pace{
      10};  ///< between two addresses: 100 a second, so that no switch or firewall takes it for an attack
  Duration connectTimeout{
      3'000};  ///< most addresses are dark; a BMC's TLS handshake takes 1 s (facts/stack.md), *est* 3
  Duration timeout{10'000};
  std::size_t maxReplyBytes = 64u << 10;
};

class Scanner final : public api::Scanning {
 public:
  /// Transport of its own, made for each scan, so that dark addresses take nobody's turn for a handshake.
  using MakeTransport = std::function<std::unique_ptr<http::Transport>()>;
  /// All outlive it.
  Scanner(SqliteStore& store, Executor& executor, MakeTransport makeTransport, ScannerOptions options = {});
  ~Scanner() override;
  Scanner(const Scanner&) = delete;

  Task<Result<void>> begin(api::ScanRequest request) override;
  bool stop() override;
  std::optional<api::ScanState> state() const override { return state_; }

 private:
  Task<void> walk(api::ScanRequest request);
  Task<void> ask(std::string address, int port);
  Task<void> keep();
  std::string summary() const;

  SqliteStore& store_;
  Executor& executor_;
  MakeTransport makeTransport_;
  ScannerOptions options_;
  std::unique_ptr<Queries> queries_;
  std::unique_ptr<http::Transport> transport_;
  std::optional<api::ScanState> state_;
  bool running_ = false, stopping_ = false;
  int inFlight_ = 0;
  By by_;
  std::vector<Answer> found_;
};

}  // namespace zellige
