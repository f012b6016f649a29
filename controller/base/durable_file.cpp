#include "controller/base/durable_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zellige {

namespace {

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

bool syncDirectory(const std::filesystem::path& path) {
  const int fd = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

Result<void> writeDurably(const std::filesystem::path& file, std::string_view bytes, unsigned mode) {
  const auto fresh = file.string() + ".new";
  const auto failed = [&] {
    Error error{Errc::Invalid, fmt::format("cannot write {}: {}", file.string(), strerror(errno))};
    ::unlink(fresh.c_str());
    return error;
  };
  ::unlink(fresh.c_str());  // left by a crash, perhaps with another mode
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failed();
  const bool written = ::fchmod(fd, mode) == 0 && writeAll(fd, bytes) && ::fsync(fd) == 0;
  if (const int why = errno; ::close(fd) != 0 || !written) {
    if (!written) errno = why;
    return failed();
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0 || !syncDirectory(file.parent_path())) return failed();
  return {};
}

}  // namespace zellige
