// How commands reach the database: gathered into batches, each batch one transaction, each command in its own
// SAVEPOINT. Two writers share that: one with its own thread (serve), one at the end of a virtual instant (simulation).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/store/events.hpp"
#include "controller/store/options.hpp"

namespace zellige {

/// One thing to write. `apply` runs inside the transaction, `reply` after the commit, on the writer's thread.
class Command {
 public:
  virtual ~Command() = default;
  /// False: roll this command back; the others of the batch stay.
  virtual bool apply(Connection& db, EventChain& chain) = 0;
  /// The schema refused it.
  virtual void refuse(const std::string& why) = 0;
  virtual void reply() = 0;
};

/// The transaction that a batch is. Not thread-safe.
class Batch {
 public:
  explicit Batch(Connection& db) : db_(db), chain_(db) {}
  /// Begins the transaction if none is open, applies the command, rolls it back alone if it says so.
  void add(std::unique_ptr<Command> command);
  std::size_t size() const { return commands_.size(); }
  /// Durable afterwards; the commands wait for their replies.
  std::vector<std::unique_ptr<Command>> commit();
  /// Nothing of the batch remains.
  void drop();
  const EventChain& chain() const { return chain_; }

 private:
  Connection& db_;
  EventChain chain_;
  EventChain::Head start_;
  std::vector<std::unique_ptr<Command>> commands_;
};

class Writer {
 public:
  virtual ~Writer() = default;
  virtual void submit(std::unique_ptr<Command> command) = 0;
};

/// `db` is used by the writer's thread alone from here on. A failure is thrown from the executor's run loop.
std::unique_ptr<Writer> makeThreadWriter(Connection& db, Executor& executor, const StoreOptions& options);
std::unique_ptr<Writer> makeVirtualWriter(Connection& db, Executor& executor, const StoreOptions& options);

}  // namespace zellige
