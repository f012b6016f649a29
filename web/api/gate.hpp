// How large a body is taken from whom, judged from a request's head before any of the body is kept: without it, anybody
// who reaches the listener could make it hold an import's 80 MiB. What an operation takes beyond the size of a form
// needs a token that may do it.
#pragma once

#include <memory>
#include <mutex>

#include "controller/base/http_message.hpp"
#include "controller/base/time.hpp"
#include "controller/store/sqlite_store.hpp"

namespace zellige::api {

class Gate {
 public:
  /// Reads through a connection of its own. Both must outlive it.
  Gate(const SqliteStore& store, const Clock& clock);

  struct Verdict {
    std::size_t bytes = 0;
    int otherwise = 413;  ///< the status for more: 401 and 403 where a token would help
  };
  /// From any thread.
  Verdict judge(const HttpRequest& head);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::unique_ptr<Queries> queries_;  // guarded by mutex_
};

}  // namespace zellige::api
