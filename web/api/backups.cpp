// Backups of the database: made on the files worker, step by step, so that uploads go on in between; then fetched in
// parts of one request each, so that nothing holds a whole database in memory.
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "controller/store/backup.hpp"
#include "web/api/find.hpp"

namespace zellige::api {

namespace {

namespace fs = std::filesystem;
using Made = Result<std::shared_ptr<Backup>>;

class Making {
 public:
  explicit Making(KeptBackup& backup) : backup_(backup) { backup_.making = true; }
  ~Making() { backup_.making = false; }
  Making(const Making&) = delete;

 private:
  KeptBackup& backup_;
};

Made beginAt(const fs::path& database, const fs::path& file, Time now) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  auto begun = Backup::begin(database, file, now);
  if (!begun) return begun.error();
  return std::shared_ptr<Backup>(std::move(*begun));
}

Task<Made> make(Services& services, fs::path file) {
  std::function<Made()> begin = [database = services.store.directory().database(), file = std::move(file),
                                 now = services.now()] { return beginAt(database, file, now); };
  auto begun = co_await services.files.run(std::move(begin));
  if (!begun) co_return begun;
  const auto backup = *begun;
  for (;;) {
    std::function<Result<bool>()> step = [backup] { return backup->step(); };
    const auto finished = co_await services.files.run(std::move(step));
    if (!finished) co_return finished.error();
    if (*finished) co_return begun;
  }
}

/// Empty: it cannot be read.
std::string partOf(const fs::path& file, std::uint64_t begin, std::size_t size) {
  std::string out(size, '\0');
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(fd, out.data() + done, size - done, static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  ::close(fd);
  return done == size ? out : std::string{};
}

Json backupShape(const KeptBackup::File& file, std::uint64_t partBytes) {
  return {{"id", file.id},           {"made", iso8601(file.made)},
          {"bytes", file.bytes},     {"sha256", file.sha256},
          {"part_bytes", partBytes}, {"parts", (file.bytes + partBytes - 1) / partBytes}};
}

HttpReply gone() {
  return problem(
      ProblemKind::NotFound,
      "this backup is not here, or not any more: only the last one is kept, until a quarter of an hour "
      "after it was read; make another");
}

}  // namespace

Task<HttpReply> createBackup(Services& services, Call call) {
  if (auto refused = refuseUnless(call, Level::Admin, Place{})) co_return std::move(*refused);
  Body body(call);
  By by{call.who.user, body.reason()};
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (services.backup.making)
    co_return problem(ProblemKind::Conflict, "a backup is being made already; wait until it is there");
  if (services.backup.isBeingFetched())
    co_return problem(ProblemKind::Conflict,
                      "the last backup is still being fetched; try again a minute after that has ended");
  const Making making(services.backup);
  services.backup.remove();
  KeptBackup::File file{randomHex(8), 0, {}, services.now()};
  auto path = services.backup.pathOf(file.id);
  const auto made = co_await make(services, std::move(path));
  if (!made) co_return problem(ProblemKind::Busy, made.error().what);
  file.bytes = (*made)->bytes();
  file.sha256 = (*made)->sha256();
  services.backup.keep(file);
  auto digest = file.sha256;
  const auto recorded = co_await services.store.recordBackup(std::move(digest), std::move(by));
  if (!recorded) co_return problem(recorded.error());
  co_return jsonReply(201, backupShape(file, services.options.backupPartBytes));
}

Task<HttpReply> getBackupPart(Services& services, Call call) {
  if (auto refused = refuseUnless(call, Level::Admin, Place{})) co_return std::move(*refused);
  const auto* file = services.backup.find(call.path[0]);
  if (!file) co_return gone();
  const auto size = services.options.backupPartBytes;
  const auto& number = call.path[1];
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), n);
  if (ec != std::errc{} || end != number.data() + number.size() || n >= (file->bytes + size - 1) / size)
    co_return problem(ProblemKind::NotFound, fmt::format("this backup has {} parts, numbered from 0",
                                                         (file->bytes + size - 1) / size));
  const auto begin = n * size;
  const auto length = static_cast<std::size_t>(std::min(size, file->bytes - begin));
  std::function<std::string()> read = [path = services.backup.pathOf(file->id), begin, length] {
    return partOf(path, begin, length);
  };
  HttpReply reply;
  reply.status = 200;
  reply.headers.set("Content-Type", "application/octet-stream");
  reply.body = co_await services.files.run(std::move(read));
  if (reply.body.empty()) co_return gone();
  co_return reply;
}

Task<HttpReply> deleteBackup(Services& services, Call call) {
  if (auto refused = refuseUnless(call, Level::Admin, Place{})) co_return std::move(*refused);
  if (!services.backup.find(call.path[0])) co_return gone();
  services.backup.remove();
  co_return emptyReply(204);
}

}  // namespace zellige::api
