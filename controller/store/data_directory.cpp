#include "controller/store/data_directory.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/file.h>
#include <unistd.h>

namespace zellige {

namespace {

Error unusable(const std::filesystem::path& path, std::string_view doing, int error) {
  return Error{Errc::Invalid,
               fmt::format("cannot {} the data directory {} ({}): make it writable for the user that runs "
                           "the controller, or name another",
                           doing, path.string(), strerror(error))};
}

std::string holder(int fd) {
  char text[32]{};
  const auto got = ::pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

/// A backup is a whole file without a WAL. The WAL of the database that lay here before would be taken for its own.
Result<void> withoutForeignWal(const std::filesystem::path& database) {
  std::ifstream in(database, std::ios::binary);
  char head[20]{};
  constexpr int kReadVersion = 19;  ///< 2: it has a WAL (SQLite's file format, 1.3.3)
  if (!in.read(head, sizeof head) || head[kReadVersion] != 1) return {};
  std::error_code error;
  const auto wal = database.string() + "-wal";
  if (const auto size = std::filesystem::file_size(wal, error); error || size == 0) return {};
  return Error{Errc::Invalid,
               fmt::format("{} belongs to another database than {}: move it and the -shm file away "
                           "(docs/operations.md, Backup and restore), then start again",
                           wal, database.string())};
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::claim(const std::filesystem::path& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (!error && made)
    std::filesystem::permissions(path, std::filesystem::perms::owner_all,
                                 std::filesystem::perm_options::replace, error);
  if (error) return unusable(path, "create", error.value());
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0)
    return unusable(path, "write to", errno);
  const auto file = path / "zellige.lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return unusable(path, "write to", errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto reason = errno;
    const auto pid = holder(fd);
    ::close(fd);
    if (reason != EWOULDBLOCK) return unusable(path, "lock", reason);
    return Error{Errc::Conflict,
                 fmt::format("another controller (pid {}) works with the data directory {}: stop it first, "
                             "or name another directory",
                             pid, path.string())};
  }
  const auto pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const auto reason = errno;
    ::close(fd);
    return unusable(path, "write to", reason);
  }
  std::filesystem::create_directories(path / "files", error);
  if (error) {
    ::close(fd);
    return unusable(path / "files", "create", error.value());
  }
  auto directory = std::unique_ptr<DataDirectory>(new DataDirectory(path, fd));
  if (auto alone = withoutForeignWal(directory->database()); !alone) return alone.error();
  return directory;
}

DataDirectory::~DataDirectory() { ::close(lock_); }

}  // namespace zellige
