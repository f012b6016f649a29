// How a SqliteStore is made inside: its connections, its writer and its caches. Only sqlite_store*.cpp read it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "controller/store/apply.hpp"
#include "controller/store/connection.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/sqlite_store.hpp"
#include "controller/store/writer.hpp"

namespace zellige {

template <class T>
using Work = std::function<Result<T>(Writing&)>;

/// A command whose answer somebody waits for.
template <class T>
class Awaited final : public Command {
 public:
  Awaited(const SecretBox& box, Time at, std::string actor, Work<T> work, Completion<Result<T>> done,
          bool rehearsal = false)
      : box_(box), at_(at), actor_(std::move(actor)), work_(std::move(work)), done_(std::move(done)),
        rehearsal_(rehearsal) {}

  bool apply(Connection& db, EventChain& chain) override {
    Writing writing{db, chain, box_, at_, actor_};
    answer_.emplace(work_(writing));
    return bool(*answer_);
  }
  bool isRehearsal() const override { return rehearsal_; }
  void refuse(const std::string& why) override {
    answer_.emplace(Error{Errc::Conflict, "the database does not allow this change: " + why});
  }
  void reply() override { done_.set(std::move(*answer_)); }

 private:
  const SecretBox& box_;
  Time at_;
  std::string actor_;
  Work<T> work_;
  Completion<Result<T>> done_;
  std::optional<Result<T>> answer_;
  bool rehearsal_;
};
struct SqliteStore::Impl {
  Impl(std::unique_ptr<DataDirectory> d, Executor& e, SecretBox b, StoreOptions o,
       std::unique_ptr<Connection> w)
      : directory(std::move(d)), executor(e), box(std::move(b)), options(std::move(o)), writing(std::move(w)),
        reading(directory->database(), ConnectionOptions{}) {
    writer = options.writing == StoreOptions::Writing::Thread ? makeThreadWriter(*writing, executor, options)
                                                              : makeVirtualWriter(*writing, executor, options);
  }

  std::unique_ptr<DataDirectory> directory;  // released last
  Executor& executor;
  SecretBox box;
  StoreOptions options;
  std::unique_ptr<Connection> writing;                                        // the writer's
  Connection reading;                                                         // the executor's thread's
  std::map<std::string, std::shared_ptr<const Target>, std::less<>> targets;  // by digest
  /// By profile and given baseline, until the next import.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Target>> frozen;
  std::int64_t imports = 0;
  std::unique_ptr<Writer> writer;  // stopped first

  template <class T>
  Task<Result<T>> write(Time at, std::string actor, Work<T> work, bool rehearsal = false) {
    Completion<Result<T>> done(executor);
    writer->submit(std::make_unique<Awaited<T>>(box, at, std::move(actor), std::move(work), done, rehearsal));
    co_return co_await done;
  }
  template <class T>
  Task<Result<T>> write(const By& by, Work<T> work) {
    return write<T>(executor.now(), by.actor, std::move(work));
  }

  std::shared_ptr<const Target> findTarget(std::string_view digest) {
    if (const auto known = targets.find(digest); known != targets.end()) return known->second;
    auto q = reading.query("SELECT json FROM target WHERE digest = ?");
    q.bind(digest);
    if (!q.step()) return nullptr;
    auto target = std::make_shared<const Target>(readTarget(q.text(0)));
    targets.emplace(target->digest, target);
    return target;
  }
};

}  // namespace zellige
