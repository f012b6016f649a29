#include "controller/store/content.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <vector>

#include "controller/base/digest.hpp"
#include "controller/base/durable_file.hpp"
#include "controller/base/secret.hpp"

namespace zellige {

namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

Error broken(std::string_view doing, const std::filesystem::path& path) {
  return Error{errno == ENOENT ? Errc::NotFound : Errc::Invalid,
               fmt::format("cannot {} {}: {}", doing, path.string(), strerror(errno))};
}

struct Copied {
  std::string digest;
  std::uint64_t size = 0;
};

Result<Copied> copyDigesting(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (in < 0) return broken("read", from);
  const Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (out < 0) return broken("write", to);
  Sha256 hash;
  Copied copied;
  std::vector<char> block(1u << 20);
  for (;;) {
    const auto got = ::read(in, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return broken("read", from);
    if (got == 0) break;
    hash.add({block.data(), static_cast<std::size_t>(got)});
    copied.size += static_cast<std::uint64_t>(got);
    for (ssize_t done = 0; done < got;) {
      const auto put = ::write(out, block.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return broken("write", to);
      done += put;
    }
  }
  if (::fsync(out) != 0) return broken("write", to);
  copied.digest = hash.hex();
  return copied;
}

}  // namespace

std::filesystem::path ContentStore::pathOf(std::string_view digest) const {
  const bool hex = digest.size() == 64 && std::all_of(digest.begin(), digest.end(), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
  if (!hex) return {};
  return root_ / digest.substr(0, 2) / digest;
}

bool ContentStore::holds(std::string_view digest) const {
  const auto path = pathOf(digest);
  std::error_code error;
  return !path.empty() && std::filesystem::is_regular_file(path, error);
}

Result<StoredFile> ContentStore::importFile(const std::filesystem::path& source,
                                            std::string_view digest) const {
  const auto name = source.filename().string();
  std::error_code error;
  if (!digest.empty() && pathOf(digest).empty())
    return Error{Errc::Invalid,
                 fmt::format("{}: '{}' is not a SHA-256 digest in lower-case hex", name, digest)};
  if (!digest.empty() && holds(digest))
    return StoredFile{std::string(digest), name, std::filesystem::file_size(pathOf(digest))};
  std::filesystem::create_directories(root_, error);
  const auto fresh = root_ / ("incoming." + randomHex(8));
  const auto copied = copyDigesting(source, fresh);
  if (!copied || (!digest.empty() && copied->digest != digest)) {
    std::filesystem::remove(fresh, error);
    if (!copied) return copied.error();
    return Error{Errc::Invalid, fmt::format("{} is not the file that was meant: its SHA-256 is {}, not {}",
                                            source.string(), copied->digest, digest)};
  }
  const auto target = pathOf(copied->digest);
  std::filesystem::create_directories(target.parent_path(), error);
  if (::rename(fresh.c_str(), target.c_str()) != 0 || !syncDirectory(target.parent_path()) ||
      !syncDirectory(root_)) {
    const auto failed = broken("write", target);
    std::filesystem::remove(fresh, error);
    return failed;
  }
  return StoredFile{copied->digest, name, copied->size};
}

}  // namespace zellige
