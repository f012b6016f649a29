// How commands reach the database: gathered into batches, each batch one transaction, in which a command that is refused
// is undone alone. Two writers share that: one with its own thread (serve), one at the end of a virtual instant (simulation).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/store/events.hpp"
#include "controller/store/options.hpp"

namespace zellige {

/// One thing to write. `apply` runs inside the transaction, perhaps again after the transaction was rolled back; `reply`
/// once, after the commit, on the executor.
class Command {
 public:
  virtual ~Command() = default;
  /// False: roll this command back; the others of the batch stay.
  virtual bool apply(Connection& db, EventChain& chain) = 0;
  /// It will be refused whatever it finds: a batch gives it a savepoint from the start.
  virtual bool isRehearsal() const { return false; }
  /// The schema refused it.
  virtual void refuse(const std::string& why) = 0;
  virtual void reply() = 0;
};

/// The transaction that a batch is. Not thread-safe. A SAVEPOINT for each command costs a third of the throughput (SQLite
/// copies every page that the command is the first to touch), and refusals are rare: so there are none until a command
/// that had changed something is refused. Then the transaction is rolled back, what had been accepted is applied again,
/// and the rest of the batch gets savepoints.
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
  void begin();
  bool accepts(Command& command);
  void addCarefully(Command& command);
  void applyAgain();

  Connection& db_;
  EventChain chain_;
  EventChain::Head start_;
  bool careful_ = false;  ///< one was refused: savepoints from here on
  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<Command*> accepted_;
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
