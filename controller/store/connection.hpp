// One connection to the database and the statements prepared on it. Not thread-safe: a connection belongs to one
// thread at a time. Everything that SQLite reports as broken leaves as StoreFailure, whose text says what to do; a
// violated constraint leaves as ConstraintViolation, which the batch turns into Errc::Conflict.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/id.hpp"
#include "controller/base/time.hpp"
#include "controller/store/failure.hpp"

namespace SQLite {
class Statement;
}

namespace zellige {

/// KiB. A larger one is walked from end to end by every commit that balanced a B-tree (SQLite renames pages by way of one
/// behind the file's end).
inline constexpr const char* kWriterCache = "PRAGMA cache_size = -16384";

struct ConnectionOptions {
  bool writes = false;
  bool durable = true;  ///< synchronous=FULL; false: OFF, for simulations that lose nothing by a power cut
  std::int64_t maxPages = 0;  ///< the database may not grow beyond; 0: no limit of our own
  bool checkpointOnClose = true;
};

/// A prepared statement on loan from its connection: parameters are bound in order, columns are read by number.
class Query {
 public:
  Query(Query&&) noexcept;
  ~Query();

  template <class... Values>
  Query& bind(const Values&... values) {
    (put(values), ...);
    return *this;
  }
  /// The next row, if there is one.
  bool step();
  /// Runs a statement that returns no rows; the number of rows it changed.
  int run();
  /// The same with these parameters, whose texts are not copied.
  template <class... Values>
  int runWith(const Values&... values) && {
    (lend(values), ...);
    return run();
  }

  bool isNull(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool flag(int column) const { return integer(column) != 0; }
  Time time(int column) const { return fromMillis(integer(column)); }
  std::optional<Time> maybeTime(int column) const;

  void put(std::int64_t value);
  void put(int value) { put(std::int64_t{value}); }
  void put(bool value) { put(std::int64_t{value ? 1 : 0}); }
  void put(const std::string& value);
  void put(std::string_view value) { put(std::string(value)); }
  void put(const char* value) { put(std::string(value)); }
  void put(std::nullopt_t);
  void put(Time value) { put(toMillis(value)); }
  template <class T>
  void put(const std::optional<T>& value) {
    value ? put(*value) : put(std::nullopt);
  }
  template <class Tag>
  void put(Id<Tag> id) {  // 0 is "none", which is NULL
    id ? put(id.value) : put(std::nullopt);
  }

 private:
  template <class T>
  void lend(const T& value) {
    put(value);
  }
  void lend(const std::string& text);
  friend class Connection;
  Query(class Connection& owner, std::string_view text);
  Connection* owner_;
  std::vector<std::unique_ptr<SQLite::Statement>>* home_ = nullptr;  ///< where it goes when it is done
  std::unique_ptr<SQLite::Statement> statement_;
  int next_ = 1;
};

class Connection {
 public:
  Connection(const std::filesystem::path& file, const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Prepared once per text; the same text may be in use several times at once.
  Query query(std::string_view text);
  /// Several statements, no parameters.
  void script(const std::string& text);
  /// The first column of the first row; 0 if there is none.
  std::int64_t number(std::string_view text);
  std::int64_t lastId() const;
  /// Rows changed on this connection so far, those of a transaction that was rolled back included.
  std::int64_t changes() const;
  /// From now on a commit that leaves so many frames in the WAL folds them into the database. Before, none does.
  void checkpointEvery(int pages);
  /// Frees its page cache, which is bounded by cache_size whatever the site's size.
  void dropCache();

 private:
  friend class Query;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zellige
