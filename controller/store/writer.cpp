#include "controller/store/writer.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "controller/store/failure.hpp"

namespace zellige {

void Batch::begin() {
  start_ = chain_.head();
  careful_ = false;
  accepted_.clear();
  db_.query("BEGIN IMMEDIATE").run();
}

bool Batch::accepts(Command& command) {
  try {
    return command.apply(db_, chain_);
  } catch (const ConstraintViolation& e) {
    command.refuse(e.what());
    return false;
  }
}

void Batch::add(std::unique_ptr<Command> command) {
  if (commands_.empty()) begin();
  commands_.push_back(std::move(command));
  auto& added = *commands_.back();
  if (careful_ || added.isRehearsal()) return addCarefully(added);
  const auto changes = db_.changes();
  if (accepts(added)) {
    accepted_.push_back(&added);
  } else if (db_.changes() != changes) {
    careful_ = true;
    applyAgain();
  }
}

void Batch::addCarefully(Command& command) {
  const auto before = chain_.head();
  db_.query("SAVEPOINT command").run();
  if (!accepts(command)) {
    db_.query("ROLLBACK TO command").run();
    chain_.returnTo(before);
  }
  db_.query("RELEASE command").run();
}

void Batch::applyAgain() {
  db_.query("ROLLBACK").run();
  chain_.returnTo(start_);
  db_.query("BEGIN IMMEDIATE").run();
  // What is applied again stands in the same order before the same rows, so it ends as it did.
  for (auto* command : accepted_)
    if (!accepts(*command))
      throw StoreFailure("a command that was accepted is refused when applied again: report this");
}

std::vector<std::unique_ptr<Command>> Batch::commit() {
  if (!commands_.empty()) db_.query("COMMIT").run();
  return std::exchange(commands_, {});
}

void Batch::drop() {
  if (commands_.empty()) return;
  commands_.clear();
  chain_.returnTo(start_);
  try {
    db_.query("ROLLBACK").run();
  } catch (const std::exception&) {
    // SQLite has rolled back by itself (disk full, I/O error).
  }
}

namespace {

class ThreadWriter final : public Writer {
 public:
  ThreadWriter(Connection& db, Executor& executor, const StoreOptions& options)
      : executor_(executor), options_(options), batch_(db), thread_([this] { run(); }) {}
  ~ThreadWriter() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void submit(std::unique_ptr<Command> command) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(command));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    try {
      while (gather()) {
        if (options_.hook) options_.hook(CommitPoint::Before);
        auto commands = std::make_shared<std::vector<std::unique_ptr<Command>>>(batch_.commit());
        if (options_.hook) options_.hook(CommitPoint::After);
        // All in one: waking the executor for each would cost more than applying them.
        executor_.post([commands] {
          for (auto& command : *commands) command->reply();
        });
      }
    } catch (const std::exception& failure) {
      batch_.drop();
      // Nobody hears of this batch or a later one: the failure ends the process from the executor's run loop.
      executor_.post([what = std::string(failure.what())] { throw StoreFailure(what); });
    }
  }

  /// Applies what has queued, and what queues meanwhile, within the limits. False: the store is being destroyed.
  bool gather() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    const auto start = std::chrono::steady_clock::now();
    std::deque<std::unique_ptr<Command>> taken;
    while (!stopping_ && !queue_.empty() && batch_.size() < options_.batch &&
           std::chrono::steady_clock::now() - start < options_.gather) {
      while (!queue_.empty() && batch_.size() + taken.size() < options_.batch) {
        taken.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      lock.unlock();
      for (auto& command : taken) batch_.add(std::move(command));
      taken.clear();
      lock.lock();
    }
    if (!stopping_) return true;
    lock.unlock();
    batch_.drop();
    return false;
  }

  Executor& executor_;
  const StoreOptions& options_;
  Batch batch_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Command>> queue_;  // guarded by mutex_
  bool stopping_ = false;                       // guarded by mutex_
  std::thread thread_;
};

class VirtualWriter final : public Writer {
 public:
  VirtualWriter(Connection& db, Executor& executor, const StoreOptions& options)
      : executor_(executor), options_(options), batch_(db), alive_(std::make_shared<bool>(true)) {}
  ~VirtualWriter() override {
    *alive_ = false;
    batch_.drop();
  }

  void submit(std::unique_ptr<Command> command) override {
    queue_.push_back(std::move(command));
    if (queue_.size() == 1) postSettle(0);
  }

 private:
  void postSettle(std::size_t seen) {
    executor_.post([this, seen, alive = alive_] {
      if (*alive) settle(seen);
    });
  }

  /// The instant is over for us when nothing more has come since we last looked.
  void settle(std::size_t seen) {
    if (queue_.size() > seen && queue_.size() < options_.batch) return postSettle(queue_.size());
    auto commands = std::exchange(queue_, {});
    try {
      for (auto& command : commands) batch_.add(std::move(command));
      if (options_.hook) options_.hook(CommitPoint::Before);
      commands = batch_.commit();
    } catch (...) {
      batch_.drop();
      throw;
    }
    if (options_.hook) options_.hook(CommitPoint::After);
    auto replies = std::make_shared<std::vector<std::unique_ptr<Command>>>(std::move(commands));
    executor_.after(options_.virtualLatency, [replies] {
      for (auto& command : *replies) command->reply();
    });
  }

  Executor& executor_;
  const StoreOptions& options_;
  Batch batch_;
  std::vector<std::unique_ptr<Command>> queue_;
  std::shared_ptr<bool> alive_;
};

}  // namespace

std::unique_ptr<Writer> makeThreadWriter(Connection& db, Executor& executor, const StoreOptions& options) {
  return std::make_unique<ThreadWriter>(db, executor, options);
}

std::unique_ptr<Writer> makeVirtualWriter(Connection& db, Executor& executor, const StoreOptions& options) {
  return std::make_unique<VirtualWriter>(db, executor, options);
}

}  // namespace zellige
