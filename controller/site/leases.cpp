#include "controller/site/leases.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "controller/site/lease_reader.hpp"

namespace zellige {

namespace {

class File {
 public:
  // Not held up by a pipe that nobody writes to.
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

Error unreadable(const std::string& why) { return {Errc::Invalid, why}; }

/// Cuts what is read into lines. A line that is too long is told as one that is wrong.
class LineCutter {
 public:
  LineCutter(LeaseReader& reader, std::size_t most) : reader_(reader), most_(most) {}
  void take(std::string_view bytes) {
    for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
      keep(bytes.substr(0, end));
      reader_.line(line_);
      line_.clear();
    }
    keep(bytes);
  }

 private:
  // One byte more than a line may have says that it is too long.
  void keep(std::string_view part) {
    line_.append(part.substr(0, most_ + 1 - std::min(most_ + 1, line_.size())));
  }
  LeaseReader& reader_;
  std::size_t most_;
  std::string line_;
};

Result<void> readPart(const std::string& path, LeaseReader& reader, const LeaseLimits& limits) {
  const File open(path);
  struct stat status {};
  if (open.descriptor() < 0 || ::fstat(open.descriptor(), &status) != 0)
    return unreadable(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) return unreadable(fmt::format("{} is no plain file", path));
  LineCutter lines(reader, limits.line);
  std::array<char, 1u << 16> buffer{};
  std::size_t total = 0;
  for (;;) {
    const auto got = ::read(open.descriptor(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
    if (got == 0) return {};
    total += static_cast<std::size_t>(got);
    if (total > limits.bytes)
      return unreadable(fmt::format("{} has more than {} bytes; nothing of it was taken", path, limits.bytes));
    lines.take({buffer.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace

std::unique_ptr<LeaseReader> makeLeaseReader(LeaseFormat format, const LeaseLimits& limits) {
  switch (format) {
    case LeaseFormat::Dnsmasq: return makeDnsmasqReader(limits);
    case LeaseFormat::Kea: return makeKeaReader(limits);
  }
  return nullptr;
}

// Kea's cleanup begins a new file every hour; what was in force before stands in the ones beside it, in this order.
std::vector<std::string> partsOf(const LeaseFile& file) {
  if (file.format != LeaseFormat::Kea) return {file.file};
  std::vector<std::string> parts;
  const auto isThere = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  if (isThere(file.file + ".completed"))
    parts.push_back(file.file + ".completed");
  else
    for (const auto* end : {".2", ".1"})
      if (isThere(file.file + end)) parts.push_back(file.file + end);
  parts.push_back(file.file);
  return parts;
}

Result<LeaseReading> readLeases(const LeaseFile& file, Time now, const LeaseLimits& limits) {
  const auto reader = makeLeaseReader(file.format, limits);
  for (const auto& part : partsOf(file))
    if (auto read = readPart(part, *reader, limits); !read) return read.error();
  return reader->finish(now);
}

}  // namespace zellige
