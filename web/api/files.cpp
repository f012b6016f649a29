// Packages and images on their way into the content store: in parts of one request each, so that nothing holds a whole
// file in memory and a broken upload goes on where it stopped. A file counts only when its SHA-256 is the one asked for.
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

struct Part {
  std::uint64_t begin = 0, end = 0, total = 0;  ///< [begin, end) of total
};

bool takeNumber(std::string_view& text, char until, std::uint64_t& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (until == '\0') return text.empty();
  if (!text.starts_with(until)) return false;
  text.remove_prefix(1);
  return true;
}

/// "bytes 0-1023/4096"; without the header the body is the whole file.
Result<Part> partOf(const Call& call) {
  const auto size = call.request.body.size();
  auto text = call.request.headers.get("Content-Range");
  Part part{0, size, size};
  if (text.empty() && size > 0) return part;
  std::uint64_t last = 0;
  constexpr std::string_view unit = "bytes ";
  if (text.starts_with(unit)) text.remove_prefix(unit.size());
  if (!takeNumber(text, '-', part.begin) || !takeNumber(text, '/', last) ||
      !takeNumber(text, '\0', part.total) || last < part.begin || last >= part.total ||
      last - part.begin + 1 != size)
    return Error{Errc::Invalid,
                 "say which part this is: Content-Range: bytes FIRST-LAST/TOTAL, as long as the body"};
  part.end = last + 1;
  return part;
}

struct Appended {
  std::uint64_t received = 0;  ///< bytes that lie there now
  bool mismatch = false;       ///< the part does not begin there; nothing was written
  bool stored = false;
  std::string broken;  ///< the disk said no
  std::string wrong;   ///< complete, and not what the digest says; it was thrown away
};

/// On the files worker.
Appended append(const ContentStore& content, const std::filesystem::path& incoming, const std::string& digest,
                const Part& part, const std::string& bytes) {
  Appended out;
  std::error_code error;
  std::filesystem::create_directories(incoming, error);
  const auto file = incoming / (digest + ".part");
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return out.broken = strerror(errno), out;
  const auto there = static_cast<std::uint64_t>(std::max<off_t>(0, ::lseek(fd, 0, SEEK_END)));
  bool ok = true;
  if (part.begin == 0 && there > 0) ok = ::ftruncate(fd, 0) == 0;  // the sender begins again
  if (part.begin != 0 && part.begin != there) {
    ::close(fd);
    out.mismatch = true;
    out.received = there;
    return out;
  }
  for (std::size_t done = 0; ok && done < bytes.size();) {
    const auto put = ::pwrite(fd, bytes.data() + done, bytes.size() - done,
                              static_cast<off_t>(part.begin + done));
    if (put < 0 && errno == EINTR) continue;
    ok = put > 0;
    if (ok) done += static_cast<std::size_t>(put);
  }
  if (!ok) {
    out.broken = strerror(errno);
    // A full disk would stop the whole controller at its next commit: what lies here makes room.
    (void)::ftruncate(fd, 0);
  }
  ::close(fd);
  out.received = part.end;
  if (!ok || part.end != part.total) return out;
  const auto stored = content.importFile(file, digest);
  out.stored = static_cast<bool>(stored);
  if (!stored) (stored.error().code == Errc::Invalid ? out.wrong : out.broken) = stored.error().what;
  std::filesystem::remove(file, error);
  return out;
}

Json fileShape(const std::string& digest, std::string_view state, std::uint64_t received) {
  return {{"digest", digest}, {"state", state}, {"received", received}};
}

HttpReply badDigest() {
  return problem(ProblemKind::NotFound, "files are named by their SHA-256: 64 lower-case hex digits");
}

class Uploading {
 public:
  Uploading(std::set<std::string>& all, const std::string& digest) : all_(all), digest_(digest) {
    all_.insert(digest_);
  }
  ~Uploading() { all_.erase(digest_); }
  Uploading(const Uploading&) = delete;

 private:
  std::set<std::string>& all_;
  std::string digest_;
};

}  // namespace

Task<HttpReply> getFile(Services& services, Call call) {
  const auto& digest = call.path[0];
  const auto stored = services.store.content().pathOf(digest);
  if (stored.empty()) co_return badDigest();
  std::error_code error;
  if (const auto size = std::filesystem::file_size(stored, error); !error)
    co_return jsonReply(200, fileShape(digest, "stored", size));
  const auto part = std::filesystem::file_size(services.options.incoming / (digest + ".part"), error);
  if (error) co_return problem(ProblemKind::NotFound, "this file is not here; send it with PUT");
  co_return jsonReply(200, fileShape(digest, "partial", part));
}

Task<HttpReply> putFile(Services& services, Call call) {
  const auto digest = call.path[0];
  if (auto refused = refuseUnless(call, Level::Operator, Place{})) co_return std::move(*refused);
  const auto content = services.store.content();
  const auto path = content.pathOf(digest);
  if (path.empty()) co_return badDigest();
  const auto part = partOf(call);
  if (!part) co_return badParameter(part.error().what);
  if (part->total > services.options.maxFileBytes)
    co_return problem(ProblemKind::TooLarge,
                      fmt::format("a file may have {} bytes", services.options.maxFileBytes));
  std::error_code error;
  if (const auto size = std::filesystem::file_size(path, error); !error)
    co_return jsonReply(200, fileShape(digest, "stored", size));
  if (services.uploading.contains(digest))
    co_return problem(ProblemKind::Conflict,
                      "somebody else is sending this file; wait, then ask how far it is with GET");
  const Uploading guard(services.uploading, digest);
  std::function<Appended()> work = [content, incoming = services.options.incoming, digest, part = *part,
                                    bytes = std::move(call.request.body)] {
    return append(content, incoming, digest, part, bytes);
  };
  const auto done = co_await services.files.run(std::move(work));
  if (done.mismatch)
    co_return problem(ProblemKind::OffsetMismatch,
                      fmt::format("the next part begins at byte {}", done.received),
                      {{"received", done.received}});
  if (!done.broken.empty())
    co_return problem(
        ProblemKind::Busy,
        fmt::format("the file cannot be kept: {}; make room and send it again from the start", done.broken));
  if (!done.wrong.empty())
    co_return problem(ProblemKind::Invalid,
                      fmt::format("{}; it was thrown away, send it again from the start", done.wrong));
  co_return jsonReply(done.stored ? 201 : 202,
                      fileShape(digest, done.stored ? "stored" : "partial", done.received));
}

}  // namespace zellige::api
