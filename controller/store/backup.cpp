#include "controller/store/backup.hpp"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sqlite3.h>
#include <unistd.h>
#include <vector>

#include "controller/base/digest.hpp"
#include "controller/base/durable_file.hpp"
#include "controller/store/incarnation.hpp"

namespace zellige {

namespace {

namespace fs = std::filesystem;

constexpr int kPatience = 5'000;  ///< ms; only a reader that recovers the WAL ever makes us wait

/// A disk that the copy filled would stop the controller at its next commit: as much again stays free.
Result<void> enoughRoom(const fs::path& database, const fs::path& file) {
  const auto sizeOf = [](const fs::path& of) {
    std::error_code missing;
    const auto size = fs::file_size(of, missing);
    return missing ? 0 : size;
  };
  const auto needed = 2 * (sizeOf(database) + sizeOf(database.string() + "-wal")) + (64u << 20);
  std::error_code error;
  const auto space = fs::space(file.parent_path(), error);
  if (error || space.available >= needed) return {};
  return Error{Errc::Busy,
               fmt::format("a backup needs {} MiB free beside the database and there are {}: make room",
                           needed >> 20, space.available >> 20)};
}

Error broken(const fs::path& file, std::string_view why) {
  return {Errc::Busy, fmt::format("the backup {} cannot be made: {}", file.string(), why)};
}

bool synced(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::fsync(fd) == 0;
  ::close(fd);
  return done && syncDirectory(file.parent_path());
}

}  // namespace

struct Backup::Impl {
  Impl(const fs::path& database, fs::path f, Time now, BackupSteps s)
      : file(std::move(f)), made(now), steps(s),
        source(std::in_place, database.string(), SQLite::OPEN_READWRITE, kPatience),
        target(std::in_place, file.string(), SQLite::OPEN_READWRITE, kPatience) {
    sqlite3_db_config(source->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    source->exec("PRAGMA query_only = ON; PRAGMA cache_size = -1024");
    // A copy from another connection begins anew after each commit, unless its reader stays where it is.
    source->exec("BEGIN");
    source->execAndGet("SELECT count(*) FROM meta");
    target->exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192");
    copy.emplace(*target, *source);
  }

  void copySome() {
    if (copy->executeStep(steps.pages) != SQLITE_DONE) return;
    copy.reset();
    target.reset();
    source.reset();
    phase = Phase::Mark;
  }

  void mark() {
    SQLite::Database db(file.string(), SQLite::OPEN_READWRITE, kPatience);
    db.exec("PRAGMA journal_mode = DELETE");  // the copied header says WAL
    SQLite::Statement statement(
        db,
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    statement.bind(1, std::string(kBackupMade));
    statement.bind(2, iso8601(made));
    statement.exec();
    phase = Phase::Check;
  }

  Result<void> check() {
    SQLite::Database db(file.string(), SQLite::OPEN_READONLY, kPatience);
    const auto verdict = db.execAndGet("PRAGMA quick_check(1)").getString();
    if (verdict != "ok")
      return Error{
          Errc::Invalid,
          fmt::format("the database is damaged ({}), so no backup was made: stop the controller, keep "
                      "the file for analysis and restore the last backup",
                      verdict)};
    if (!synced(file)) return broken(file, strerror(errno));
    in.open(file, std::ios::binary);
    block.resize(steps.digested);
    phase = Phase::Digest;
    return {};
  }

  Result<bool> digestSome() {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    hash.add({block.data(), got});
    bytes += got;
    if (in.bad()) return broken(file, "it cannot be read back");
    if (!in.eof()) return false;
    in.close();
    block = {};
    sha256 = hash.hex();
    finished = true;
    return true;
  }

  enum class Phase { Copy, Mark, Check, Digest };
  fs::path file;
  Time made;
  BackupSteps steps;
  Phase phase = Phase::Copy;
  std::optional<SQLite::Database> source, target;
  std::optional<SQLite::Backup> copy;  // ends before both
  std::ifstream in;
  std::vector<char> block;
  Sha256 hash;
  std::uint64_t bytes = 0;
  std::string sha256;
  bool finished = false;
};

Backup::Backup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Backup::~Backup() {
  if (impl_->finished) return;
  impl_->copy.reset();
  impl_->target.reset();
  std::error_code error;
  fs::remove(impl_->file, error);
  fs::remove(impl_->file.string() + "-journal", error);
}

Result<std::unique_ptr<Backup>> Backup::begin(const fs::path& database, fs::path file, Time now,
                                              BackupSteps steps) {
  if (auto room = enoughRoom(database, file); !room) return room.error();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Error{Errc::Invalid, broken(file, strerror(errno)).what};
  ::close(fd);
  try {
    return std::unique_ptr<Backup>(new Backup(std::make_unique<Impl>(database, file, now, steps)));
  } catch (const SQLite::Exception& e) {
    std::error_code error;
    fs::remove(file, error);
    return broken(file, e.what());
  }
}

Result<bool> Backup::step() {
  try {
    switch (impl_->phase) {
      case Impl::Phase::Copy: impl_->copySome(); return false;
      case Impl::Phase::Mark: impl_->mark(); return false;
      case Impl::Phase::Check:
        if (auto sound = impl_->check(); !sound) return sound.error();
        return false;
      case Impl::Phase::Digest: return impl_->digestSome();
    }
  } catch (const SQLite::Exception& e) {
    return broken(impl_->file, e.what());
  }
  return false;
}

std::uint64_t Backup::bytes() const { return impl_->bytes; }
const std::string& Backup::sha256() const { return impl_->sha256; }

}  // namespace zellige
