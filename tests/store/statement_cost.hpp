// What statements cost, in steps of SQLite's machine: a count that no load on the host changes.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace zellige::test {

/// The most that one run of a statement cost, of all on connections that are opened while this lives. One at a time.
class StatementCost {
 public:
  StatementCost() {
    current() = this;
    if (sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch)) != SQLITE_OK)
      throw std::runtime_error("SQLite does not let itself be watched");
  }
  ~StatementCost() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch));
    current() = nullptr;
  }
  StatementCost(const StatementCost&) = delete;

  struct Run {
    std::int64_t steps = 0;
    std::string text;
  };
  /// Of what ran since the last call.
  Run dearest() { return std::exchange(dearest_, {}); }

 private:
  // SQLite hands its hook no word of ours.
  static StatementCost*& current() {
    static StatementCost* one = nullptr;
    return one;
  }
  static int watch(sqlite3* db, char**, const void*) {
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, &note, nullptr);
  }
  static int note(unsigned, void*, void* statement, void*) {
    auto* ended = static_cast<sqlite3_stmt*>(statement);
    const std::int64_t steps = sqlite3_stmt_status(ended, SQLITE_STMTSTATUS_VM_STEP, 1);
    if (current() != nullptr && steps > current()->dearest_.steps)
      current()->dearest_ = {steps, sqlite3_sql(ended)};
    return 0;
  }

  Run dearest_;
};

}  // namespace zellige::test
