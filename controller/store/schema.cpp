#include "controller/store/schema.hpp"

#include <fmt/format.h>

#include "controller/base/digest.hpp"

namespace zellige {

namespace {

constexpr std::string_view k0001 =
#include "controller/store/migrations/0001.sql"
    ;
constexpr std::string_view k0002 =
#include "controller/store/migrations/0002.sql"
    ;
constexpr std::string_view k0003 =
#include "controller/store/migrations/0003.sql"
    ;
constexpr std::string_view k0004 =
#include "controller/store/migrations/0004.sql"
    ;
constexpr std::string_view k0005 =
#include "controller/store/migrations/0005.sql"
    ;
constexpr std::string_view k0006 =
#include "controller/store/migrations/0006.sql"
    ;
constexpr std::string_view k0007 =
#include "controller/store/migrations/0007.sql"
    ;
constexpr std::string_view k0008 =
#include "controller/store/migrations/0008.sql"
    ;
constexpr std::string_view k0009 =
#include "controller/store/migrations/0009.sql"
    ;
constexpr std::string_view k0010 =
#include "controller/store/migrations/0010.sql"
    ;
constexpr std::string_view k0011 =
#include "controller/store/migrations/0011.sql"
    ;
constexpr std::string_view k0012 =
#include "controller/store/migrations/0012.sql"
    ;

constexpr Migration kMigrations[] = {{1, k0001}, {2, k0002},  {3, k0003},  {4, k0004},
                                     {5, k0005}, {6, k0006},  {7, k0007},  {8, k0008},
                                     {9, k0009}, {10, k0010}, {11, k0011}, {12, k0012}};

/// "Zelg": what `file` shows, and how we know that a database is ours.
constexpr std::int64_t kApplicationId = 0x5a656c67;

Result<void> claim(Connection& db) {
  const auto id = db.number("PRAGMA application_id");
  if (id == kApplicationId) return {};
  if (id != 0 || db.number("SELECT count(*) FROM sqlite_schema") != 0)
    return Error{Errc::Invalid,
                 "the file zellige.db in the data directory is not a Zellige database: name another data "
                 "directory, or move the file away"};
  db.script(
      fmt::format("BEGIN IMMEDIATE; PRAGMA application_id = {};"
                  "CREATE TABLE migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL, "
                  "applied INTEGER NOT NULL) STRICT; COMMIT",
                  kApplicationId));
  return {};
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

Result<void> migrate(Connection& db, std::span<const Migration> wanted, Time now) {
  if (auto ours = claim(db); !ours) return ours;
  const auto newest = wanted.empty() ? 0 : wanted.back().number;
  if (const auto stored = db.number("SELECT max(number) FROM migration"); stored > newest)
    return Error{Errc::Invalid,
                 fmt::format("the database was written by a newer version of this program (schema {}, this "
                             "one knows {}): start that version, or restore the backup from before the "
                             "upgrade",
                             stored, newest)};
  for (const auto& m : wanted) {
    const auto checksum = sha256Hex(m.sql);
    auto known = db.query("SELECT checksum FROM migration WHERE number = ?");
    known.bind(m.number);
    if (known.step()) {
      if (known.text(0) == checksum) continue;
      return Error{Errc::Invalid,
                   fmt::format("schema {} of the database is not the one that this program has (checksum "
                               "differs): start the version that made the database, or restore a backup",
                               m.number)};
    }
    db.script("BEGIN IMMEDIATE");
    try {
      db.script(std::string(m.sql));
      db.query("INSERT INTO migration (number, checksum, applied) VALUES (?, ?, ?)")
          .bind(m.number, checksum, now)
          .run();
      db.script("COMMIT");
    } catch (...) {
      try {
        db.script("ROLLBACK");
      } catch (const StoreFailure&) {
        // SQLite has rolled back by itself.
      }
      throw;
    }
  }
  return {};
}

}  // namespace zellige
