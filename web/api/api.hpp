// The REST API as one function from request to reply, on the engine's executor. The listener's owner calls it.
#pragma once

#include <functional>
#include <memory>

#include "controller/base/secret.hpp"
#include "controller/base/task.hpp"
#include "web/api/call.hpp"
#include "web/api/services.hpp"

namespace zellige::api {

class Api {
 public:
  /// The listener under it must take bodies of this size: an import of 112,000 nodes is one request.
  static constexpr std::size_t kMaxBodyBytes = 80u << 20;

  /// Reads through a connection of its own. Everything given must outlive it; tasks in flight must end (or be
  /// abandoned) before it dies.
  Api(SqliteStore& store, Engine& engine, BringUp& bringUp, Campaigns& campaigns, Executor& executor,
      ApiOptions options);
  ~Api();
  Api(const Api&) = delete;

  /// The reply to a HEAD request has the body that GET would have: the listener sends its length and not its bytes.
  Task<HttpReply> handle(HttpRequest request, Caller caller);
  /// The controller is about to stop: who waits for events is answered at once, and from now on nobody waits.
  void endWaits();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The operationId that a request belongs to; empty: none.
std::string_view operationOf(const HttpRequest& request);

/// Prints a one-time password; the store keeps its argon2id hash alone.
using TellPassword = std::function<void(const Secret&)>;

/// Makes the user "admin" if there is no user at all. The password is told before the user is committed, so that a kill
/// in between locks nobody out: the next start tells another. False: there are users, nothing was told.
Task<bool> ensureAdmin(SqliteStore& store, TellPassword tell);

/// For who has lost the way in and owns the machine: "admin" gets a new one-time password and the role admin, is not
/// disabled any more, and its tokens and sessions end.
Task<Result<void>> resetAdmin(SqliteStore& store, TellPassword tell);

}  // namespace zellige::api
