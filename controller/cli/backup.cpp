// A backup on its way from the controller into a file: made there, fetched part by part, checked against its digest, and
// only then given its name.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unistd.h>

#include "controller/base/digest.hpp"
#include "controller/base/durable_file.hpp"
#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

namespace fs = std::filesystem;

constexpr Duration kBackupPatience{
    1'800'000};  // the controller copies its database and reads it over before it answers
constexpr std::int64_t kMostParts = 1'000'000;

Error cannotWrite(const fs::path& file) {
  return {Errc::Invalid, fmt::format("cannot write {}: {}", file.string(), strerror(errno))};
}

/// A file that has its name only when it is whole; let go before that, nothing of it stays.
class NewFile {
 public:
  /// Errc::Invalid: there is such a file, or none can be made there.
  static Result<std::unique_ptr<NewFile>> make(const fs::path& file) {
    std::error_code error;
    if (fs::exists(fs::symlink_status(file, error)))
      return Error{Errc::Invalid, fmt::format("{} is there already: name a new file", file.string())};
    const auto part = file.string() + ".new";
    ::unlink(part.c_str());  // left by a backup that broke off
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return cannotWrite(file);
    return std::unique_ptr<NewFile>(new NewFile(file, part, fd));
  }
  ~NewFile() {
    ::close(fd_);
    if (!named_) ::unlink(part_.c_str());
  }
  NewFile(const NewFile&) = delete;

  Result<void> add(std::string_view bytes) {
    hash_.add(bytes);
    bytes_ += static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
      const auto put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return cannotWrite(file_);
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }
  /// Errc::BadReply: what came is not what was meant.
  Result<void> finish(const std::string& sha256) {
    if (hash_.hex() != sha256)
      return Error{Errc::BadReply,
                   "what arrived is not what the controller made (its SHA-256 differs); nothing "
                   "was kept, try again"};
    std::error_code error;
    if (fs::exists(fs::symlink_status(file_, error)))
      return Error{Errc::Invalid, fmt::format("{} was made by somebody else meanwhile", file_.string())};
    if (::fsync(fd_) != 0 || ::rename(part_.c_str(), file_.c_str()) != 0) return cannotWrite(file_);
    named_ = true;
    if (!syncDirectory(file_.parent_path())) return cannotWrite(file_);
    return {};
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  NewFile(fs::path file, std::string part, int fd)
      : file_(std::move(file)), part_(std::move(part)), fd_(fd) {}
  fs::path file_;
  std::string part_;
  int fd_;
  Sha256 hash_;
  std::int64_t bytes_ = 0;
  bool named_ = false;
};

Task<Result<void>> fetch(World& world, Client& client, Json backup, NewFile& file) {
  const auto id = encodePercent(textAt(backup, "id"));
  const auto parts = readInt(backup, "parts").value_or(0), bytes = readInt(backup, "bytes").value_or(0);
  if (parts < 1 || parts > kMostParts) co_return Error{Errc::BadReply, "the controller tells no size"};
  for (std::int64_t n = 0; n < parts; ++n) {
    auto path = fmt::format("/api/v1/backups/{}/parts/{}", id, n);
    const auto part = co_await client.download(std::move(path));
    if (!part) co_return part.error();
    if (auto added = file.add(*part); !added) co_return added.error();
    if (file.bytes() > bytes) co_return Error{Errc::BadReply, "the controller sends more than it told"};
    if (world.terminal)
      world.err << fmt::format("\r\033[K{} of {} MiB", file.bytes() >> 20, bytes >> 20) << std::flush;
  }
  co_return file.finish(textAt(backup, "sha256"));
}

void printBackup(World& world, const Options& options, const fs::path& file, Json backup) {
  backup["file"] = file.string();
  if (options.json()) return printJson(world, backup);
  Sheet sheet;
  sheet.add("Backup", file.string());
  sheet.add("Made", textAt(backup, "made"));
  sheet.add("Bytes", textAt(backup, "bytes"));
  sheet.add("SHA-256", textAt(backup, "sha256"));
  sheet.print(world.out);
  world.out << "Not in it: site.key, which opens the BMC passwords (keep a copy of it elsewhere),\n"
               "tls.crt and tls.key, and files/ (packages and images).\n";
}

}  // namespace

Task<int> backUp(World& world, Options options, fs::path path) {
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  const auto file = NewFile::make(path);
  if (!file) co_return complain(world, file.error());
  Client client(world, std::move(*server));
  if (world.terminal) world.err << "\r\033[KThe controller copies its database…" << std::flush;
  Json body{{"reason", options.reason}};
  const auto backup = co_await client.post("/api/v1/backups", std::move(body), kBackupPatience);
  if (world.terminal) world.err << "\r\033[K" << std::flush;
  if (!backup) co_return complain(world, backup.error());
  const auto fetched = co_await fetch(world, client, *backup, **file);
  if (world.terminal) world.err << "\r\033[K" << std::flush;
  // The copy is as secret as the database. If this fails, the controller removes it by itself a little later.
  auto there = "/api/v1/backups/" + encodePercent(textAt(*backup, "id"));
  static_cast<void>(co_await client.remove(std::move(there)));
  if (!fetched) co_return complain(world, fetched.error());
  printBackup(world, options, path, *backup);
  co_return 0;
}

}  // namespace zellige::cli
