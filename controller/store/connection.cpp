#include "controller/store/connection.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unordered_map>
#include <vector>

namespace zellige {

namespace {

[[noreturn]] void fail(const std::string& file, const SQLite::Exception& e) {
  const auto text = [&]() -> std::string {
    switch (e.getErrorCode()) {
      case SQLITE_FULL:
        return fmt::format(
            "no space for the database {}: free space on its disk, then start the controller again; "
            "nothing that was acknowledged is lost",
            file);
      case SQLITE_IOERR:
        return fmt::format(
            "the disk under the database {} fails ({}): look at the kernel log and the disk, then start "
            "the controller again",
            file, e.what());
      case SQLITE_READONLY:
        return fmt::format(
            "the database {} cannot be written: make it and its directory writable for the user that "
            "runs the controller",
            file);
      case SQLITE_CORRUPT:
        return fmt::format(
            "the database {} is damaged ({}): stop the controller, keep the file for analysis and restore "
            "the last backup",
            file, e.what());
      case SQLITE_NOTADB:
        return fmt::format(
            "{} is not a Zellige database, or its first page is damaged: restore the last backup, or "
            "name another data directory",
            file);
      case SQLITE_CANTOPEN:
        return fmt::format(
            "the database {} cannot be opened: check that its directory exists and is writable", file);
      case SQLITE_BUSY:
      case SQLITE_LOCKED: return fmt::format("another program holds the database {} locked: close it", file);
      default: return fmt::format("the database {} failed ({}): report this with the log", file, e.what());
    }
  }();
  throw StoreFailure(text);
}

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace

struct Connection::Impl {
  std::string file;
  std::optional<SQLite::Database> db;
  std::unordered_map<std::string, std::vector<std::unique_ptr<SQLite::Statement>>, TextHash, std::equal_to<>> idle;

  template <class F>
  auto guarded(F&& work) const {
    try {
      return work();
    } catch (const SQLite::Exception& e) {
      if (e.getErrorCode() == SQLITE_CONSTRAINT) throw ConstraintViolation(e.what());
      fail(file, e);
    }
  }
};

namespace {

/// SQLite counts its memory under one lock for all connections, at every allocation: nobody reads that count.
void countNoMemory() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)done;  // refused if SQLite is in use already: then it goes on counting
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, const ConnectionOptions& options)
    : impl_(std::make_unique<Impl>()) {
  countNoMemory();
  impl_->file = file.string();
  impl_->guarded([&] {
    const int flags = SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX |
                      (options.writes ? SQLite::OPEN_CREATE : 0);
    impl_->db.emplace(impl_->file, flags,
                      5'000 /* ms; only a reader that recovers the WAL ever makes us wait */);
    auto& db = *impl_->db;
    sqlite3_extended_result_codes(db.getHandle(), 0);
    db.exec("PRAGMA foreign_keys = ON");
    db.exec("PRAGMA temp_store = MEMORY");
    // A reader's cache lasts until the next commit and is then thrown away page by page: KiB.
    db.exec(options.writes ? kWriterCache : "PRAGMA cache_size = -1024");
    // A reader never folds the WAL into the database, also not when it happens to close last.
    if (!options.writes || !options.checkpointOnClose)
      sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (!options.writes) {
      db.exec("PRAGMA query_only = ON");
      return;
    }
    db.exec("PRAGMA journal_mode = WAL");
    db.exec(options.durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    sqlite3_wal_autocheckpoint(db.getHandle(), 0);
    if (options.maxPages > 0) db.exec(fmt::format("PRAGMA max_page_count = {}", options.maxPages));
  });
}

Connection::~Connection() = default;

Query Connection::query(std::string_view text) { return Query(*this, text); }

void Connection::script(const std::string& text) {
  impl_->guarded([&] { impl_->db->exec(text); });
}

std::int64_t Connection::number(std::string_view text) {
  auto q = query(text);
  return q.step() ? q.integer(0) : 0;
}

std::int64_t Connection::lastId() const { return impl_->db->getLastInsertRowid(); }
std::int64_t Connection::changes() const { return impl_->db->getTotalChanges(); }

void Connection::checkpointEvery(int pages) { sqlite3_wal_autocheckpoint(impl_->db->getHandle(), pages); }
void Connection::dropCache() { sqlite3_db_release_memory(impl_->db->getHandle()); }

Query::Query(Connection& owner, std::string_view text) : owner_(&owner) {
  auto& impl = *owner.impl_;
  auto it = impl.idle.find(text);
  if (it == impl.idle.end()) it = impl.idle.try_emplace(std::string(text)).first;
  home_ = &it->second;
  if (!it->second.empty()) {
    statement_ = std::move(it->second.back());
    it->second.pop_back();
  } else {
    statement_ = impl.guarded([&] { return std::make_unique<SQLite::Statement>(*impl.db, it->first); });
  }
}

Query::Query(Query&& other) noexcept
    : owner_(other.owner_), home_(other.home_), statement_(std::move(other.statement_)), next_(other.next_) {}

Query::~Query() {
  if (!statement_) return;
  statement_->tryReset();
  try {
    statement_->clearBindings();
    home_->push_back(std::move(statement_));
  } catch (const std::exception&) {
    // The statement is not given back; the next use prepares another.
  }
}

bool Query::step() {
  return owner_->impl_->guarded([&] { return statement_->executeStep(); });
}

int Query::run() {
  return owner_->impl_->guarded([&] { return statement_->exec(); });
}

bool Query::isNull(int column) const { return statement_->getColumn(column).isNull(); }
std::int64_t Query::integer(int column) const { return statement_->getColumn(column).getInt64(); }
std::string Query::text(int column) const { return statement_->getColumn(column).getString(); }

std::optional<Time> Query::maybeTime(int column) const {
  if (isNull(column)) return std::nullopt;
  return time(column);
}

void Query::put(std::int64_t value) {
  owner_->impl_->guarded([&] { statement_->bind(next_++, value); });
}
void Query::put(const std::string& value) {
  owner_->impl_->guarded([&] { statement_->bind(next_++, value); });
}
void Query::lend(const std::string& text) {
  owner_->impl_->guarded([&] { statement_->bindNoCopy(next_++, text); });
}
void Query::put(std::nullopt_t) {
  owner_->impl_->guarded([&] { statement_->bind(next_++); });
}

}  // namespace zellige
