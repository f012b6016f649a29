// A site's bundle as one request: text files inside, packages and images by digest (they were sent before with PUT
// /files/{digest}). It is laid out in a directory of its own, read and checked as one, and taken whole or not at all.
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <unistd.h>
#include <variant>

#include "controller/site/bundle.hpp"
#include "controller/site/image.hpp"
#include "controller/site/package.hpp"
#include "controller/store/documents.hpp"
#include "web/api/find.hpp"
#include "web/api/handlers.hpp"
#include "web/api/keep.hpp"

namespace zellige::api {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 10'000;
constexpr std::string_view kLayouts = "zellige-import-";  // then the process that made it, then something random
constexpr std::string_view kMemory = "/dev/shm";

struct SentFile {
  std::string path;    ///< relative, in the bundle
  std::string text;    ///< of a text file…
  std::string digest;  ///< …or where its content is
};

/// A directory for one import, gone with this object. In memory where the system has such a place: manifests hold
/// factory passwords, which must not reach a disk unsealed.
class Layout {
 public:
  explicit Layout(const fs::path& otherwise) {
    std::error_code error;
    fs::create_directories(otherwise, error);
    for (const auto& base : {fs::path(kMemory), otherwise}) {
      auto name = (base / fmt::format("{}{}-XXXXXX", kLayouts, ::getpid())).string();
      if (::mkdtemp(name.data()) == nullptr) continue;  // mode 0700
      path_ = name;
      return;
    }
  }
  ~Layout() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  Layout(const Layout&) = delete;
  const fs::path& path() const { return path_; }

  bool put(const SentFile& file, const ContentStore& content) const {
    std::error_code error;
    const auto at = path_ / file.path;
    fs::create_directories(at.parent_path(), error);
    if (!file.digest.empty()) {
      fs::create_symlink(fs::absolute(content.pathOf(file.digest)), at, error);
      return !error;
    }
    std::ofstream out(at, std::ios::binary);
    out << file.text;
    return static_cast<bool>(out.flush());
  }

 private:
  fs::path path_;
};

bool isAlive(std::string_view name) {
  pid_t pid = 0;
  std::from_chars(name.data(), name.data() + name.size(), pid);
  return pid > 0 && pid != ::getpid() && (::kill(pid, 0) == 0 || errno != ESRCH);
}

/// "manifest.yaml", "packages/bmc.fwpkg"; nothing hidden, nothing outside.
bool isInnerPath(const std::string& path) {
  if (path.empty() || path.size() > 1024 || path.find('\\') != std::string::npos) return false;
  std::string_view rest = path;
  for (;;) {
    const auto cut = rest.find('/');
    const auto part = rest.substr(0, cut);
    if (part.empty() || part.starts_with('.') || part.size() > 200) return false;
    for (const char c : part)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    if (cut == std::string_view::npos) return true;
    rest = rest.substr(cut + 1);
  }
}

std::vector<SentFile> readFiles(Body& body, const ContentStore& content) {
  std::vector<SentFile> out;
  std::set<std::string> paths;
  const auto* list = body.array("files", kMostFiles);
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    const auto& item = (*list)[i];
    const auto pointer = fmt::format("/files/{}", i);
    const auto path = readString(item, "path"), text = readString(item, "text"),
               digest = readString(item, "sha256");
    if (!path || !isInnerPath(*path))
      body.wrong(pointer + "/path", "must be a relative path without hidden parts or '..'");
    else if (!paths.insert(*path).second)
      body.wrong(pointer + "/path", "is there twice");
    else if (text.has_value() == digest.has_value())
      body.wrong(pointer, "needs either text or sha256");
    else if (digest && !content.holds(*digest))
      body.wrong(pointer + "/sha256", "is not here; send the file with PUT /api/v1/files/{digest} first");
    else
      out.push_back({*path, text.value_or(""), digest.value_or("")});
    if (paths.size() > 100 && out.empty()) break;  // nothing but mistakes
  }
  return out;
}

/// What the store has already, as the reader of bundles wants it.
struct Stored {
  Known known;
  std::vector<std::string> packages;  ///< digests whose versions are still to be read from their files
};
Stored storedIn(Queries& queries) {
  Stored out;
  for (const auto& d : queries.documents("sku")) out.known.skus.emplace(d.name, readSku(d.json).kind);
  for (const auto& d : queries.documents("profile"))
    out.known.profiles.emplace(d.name, readProfile(d.json).sku);
  for (const auto& d : queries.documents("baseline")) out.known.baselines.insert(d.name);
  for (const auto& d : queries.documents("plan")) out.known.plans.insert(d.name);
  for (const auto& d : queries.documents("recipe")) out.known.recipes.insert(d.name);
  for (const auto& f : queries.files()) {
    if (f.kind == FileKind::Image)
      out.known.images.insert(f.file.digest);
    else
      out.packages.push_back(f.file.digest);
  }
  return out;
}

struct Read {
  SiteImport site;
  std::vector<Problem> problems;
  std::string broken;  ///< our own disk's fault
};

std::map<std::string, std::string> heldIn(Queries& queries) {
  std::map<std::string, std::string> held;
  for (const auto& node : queries.nodeClaims()) {
    if (!node.mac.empty()) held.emplace(claimOfMac(node.mac), node.serial);
    if (!node.address.empty() && !node.leased)  // a leased one gives way
      held.emplace(claimOfAddress(node.address, node.port), node.serial);
    if (!node.osAddress.empty()) held.emplace(claimOfAddress(node.osAddress, node.osPort), node.serial);
  }
  return held;
}

/// On the files worker, with a connection of its own.
Read readSite(const std::vector<SentFile>& files, Stored stored, Queries& queries,
              const ContentStore& content, const fs::path& scratch) {
  Read out;
  stored.known.held = heldIn(queries);
  for (const auto& digest : stored.packages) {
    auto& versions = stored.known.packages[digest];
    if (auto held = versionsOfPackage(content.pathOf(digest))) versions = std::move(*held);
  }
  const Layout layout(scratch);
  if (layout.path().empty()) return out.broken = "no room to lay the bundle out", out;
  for (const auto& file : files)
    if (!layout.put(file, content)) return out.broken = "cannot lay out " + file.path, out;
  auto reading = readBundle({layout.path()}, stored.known);
  const auto prefix = layout.path().string();
  if (auto* problems = std::get_if<std::vector<Problem>>(&reading)) {
    out.problems = std::move(*problems);
    for (auto& p : out.problems)
      for (auto* text : {&p.file, &p.reason})
        for (std::size_t at; (at = text->find(prefix)) != std::string::npos;)
          text->erase(at, prefix.size() + (text->substr(at + prefix.size()).starts_with('/') ? 1 : 0));
    return out;
  }
  auto kept = keepBundle(std::get<SiteBundle>(std::move(reading)), content);
  if (!kept) return out.broken = kept.error().what, out;
  out.site = std::move(*kept);
  return out;
}

HttpReply wrongBundle(const std::vector<Problem>& problems) {
  Json list = Json::array();
  for (const auto& p : problems)
    list.push_back({{"file", p.file}, {"line", p.line}, {"column", p.column}, {"reason", p.reason}});
  return problem(
      ProblemKind::Invalid,
      fmt::format("{}; correct the bundle and import it again: nothing was taken", describe(problems.front())),
      {{"problems", std::move(list)}});
}

class Importing {
 public:
  explicit Importing(bool& flag) : flag_(flag) { flag_ = true; }
  ~Importing() { flag_ = false; }
  Importing(const Importing&) = delete;

 private:
  bool& flag_;
};

}  // namespace

void removeUnfinishedImports(const fs::path& otherwise) {
  std::error_code error;
  for (const auto& base : {fs::path(kMemory), otherwise})
    for (fs::directory_iterator entry(base, error), end; !error && entry != end; entry.increment(error)) {
      const auto name = entry->path().filename().string();
      std::error_code ignored;
      if (name.starts_with(kLayouts) && !isAlive(std::string_view(name).substr(kLayouts.size())))
        fs::remove_all(entry->path(), ignored);
    }
}

Task<HttpReply> importBundle(Services& services, Call call) {
  if (auto refused = refuseUnless(call, Level::Operator, Place{})) co_return std::move(*refused);
  const auto* dry = call.filter("dry_run");
  if (dry && *dry != "true" && *dry != "false") co_return badParameter("dry_run must be true or false");
  const bool rehearse = dry && *dry == "true";
  const auto content = services.store.content();
  Body body(call);
  auto files = readFiles(body, content);
  const auto why = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (services.importing)
    co_return problem(ProblemKind::Conflict, "another import is running; wait until it is done");
  const Importing guard(services.importing);

  std::function<Read()> work = [files = std::move(files), stored = storedIn(services.queries),
                                queries = std::shared_ptr(services.store.queries()), content,
                                scratch = services.options.incoming] {
    return readSite(files, stored, *queries, content, scratch);
  };
  auto read = co_await services.files.run(std::move(work));
  if (!read.broken.empty())
    co_return problem(ProblemKind::Busy, fmt::format("{}; make room and import it again", read.broken));
  if (!read.problems.empty()) co_return wrongBundle(read.problems);

  By by{call.who.user, why};
  Result<ImportSummary> summary = ImportSummary{};
  if (rehearse)
    summary = co_await services.store.rehearseImport(std::move(read.site), std::move(by));
  else
    summary = co_await services.store.importSite(std::move(read.site), std::move(by));
  if (!summary) co_return problem(summary.error());
  if (!rehearse) services.engine.nudgeAll();
  auto out = shape(*summary);
  out["dry_run"] = rehearse;
  co_return jsonReply(200, out);
}

}  // namespace zellige::api
