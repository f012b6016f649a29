// A site's files on their way to the controller: packages and images first, in parts and only what is not there yet;
// then all YAML files in one request, which is taken whole or not at all.
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/base/digest.hpp"
#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPartBytes = 4u << 20;
constexpr Duration kImportPatience{
    600'000};  // the server hashes and copies a whole image before it answers the last part

struct Bundle {
  struct Content {
    std::string path;
    fs::path file;
    std::string digest;
  };
  Json texts = Json::array();     ///< {path, text}
  std::vector<Content> contents;  ///< that a text names by digest
};

bool isText(const fs::path& file) { return file.extension() == ".yaml" || file.extension() == ".yml"; }

Result<std::string> readWhole(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) return Error{Errc::Invalid, fmt::format("cannot read {}", file.string())};
  return text;
}

/// Every file that is not hidden, by its path in the bundle.
Result<std::map<std::string, fs::path>> find(const std::vector<fs::path>& paths) {
  std::map<std::string, fs::path> out;
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) {
      out[path.filename().string()] = path;
      continue;
    }
    if (!fs::is_directory(path, error))
      return Error{Errc::Invalid, fmt::format("there is no file or directory {}", path.string())};
    const auto prefix = paths.size() > 1 ? fs::path(path).lexically_normal().filename() : fs::path{};
    for (auto it = fs::recursive_directory_iterator(path, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (it->path().filename().string().starts_with('.')) {
        it.disable_recursion_pending();
        continue;
      }
      if (it->is_regular_file()) out[(prefix / fs::relative(it->path(), path)).generic_string()] = it->path();
    }
    if (error) return Error{Errc::Invalid, fmt::format("cannot list {}: {}", path.string(), error.message())};
  }
  return out;
}

/// What is not YAML goes along only if a YAML file names its SHA-256.
Result<Bundle> collect(const std::vector<fs::path>& paths) {
  const auto files = find(paths);
  if (!files) return files.error();
  Bundle bundle;
  std::string mentioned;
  for (const auto& [path, file] : *files) {
    if (!isText(file)) continue;
    auto text = readWhole(file);
    if (!text) return text.error();
    mentioned += *text;
    bundle.texts.push_back({{"path", path}, {"text", std::move(*text)}});
  }
  if (bundle.texts.empty())
    return Error{Errc::Invalid, "there is no YAML file in what was given; name the site's directory"};
  std::transform(mentioned.begin(), mentioned.end(), mentioned.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const auto& [path, file] : *files) {
    if (isText(file)) continue;
    auto digest = sha256HexOfFile(file);
    if (!digest) return digest.error();
    if (mentioned.find(*digest) != std::string::npos)
      bundle.contents.push_back({path, file, std::move(*digest)});
  }
  return bundle;
}

Task<Result<void>> upload(World& world, Client& client, Bundle::Content content) {
  const auto path = "/api/v1/files/" + content.digest;
  std::error_code failed;
  const auto total = fs::file_size(content.file, failed);
  if (failed || total == 0)
    co_return Error{Errc::Invalid, fmt::format("{} is empty or cannot be read", content.file.string())};
  std::uint64_t at = 0;
  const auto there = co_await client.get(path);
  if (!there && there.error().httpStatus != 404) co_return there.error();
  if (there && textAt(*there, "state") == "stored") co_return Result<void>{};
  if (there) at = static_cast<std::uint64_t>(readInt(*there, "received").value_or(0));
  if (at >= total) at = 0;
  std::ifstream in(content.file, std::ios::binary);
  while (at < total) {
    const auto size = std::min(kPartBytes, total - at);
    HttpRequest request{"PUT", path, {}, std::string(size, '\0')};
    in.seekg(static_cast<std::streamoff>(at));
    if (!in.read(request.body.data(), static_cast<std::streamsize>(size)))
      co_return Error{Errc::Invalid, fmt::format("cannot read {}", content.file.string())};
    request.headers.set("Content-Type", "application/octet-stream");
    request.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", at, at + size - 1, total));
    const auto sent = co_await client.send(std::move(request), kImportPatience);
    if (!sent) co_return sent.error();
    at += size;
    if (world.terminal)
      world.err << fmt::format("\r\033[K{}: {} of {} MiB", printable(content.path), at >> 20, total >> 20)
                << std::flush;
  }
  if (world.terminal) world.err << "\r\033[K" << std::flush;
  co_return Result<void>{};
}

void printImported(World& world, const Options& options, const Json& result) {
  if (options.json()) return printJson(world, result);
  const bool dry = readBool(result, "dry_run").value_or(false);
  Sheet sheet;
  sheet.add(dry ? "Nodes to add" : "Nodes added", textAt(result, "nodes_added"));
  sheet.add(dry ? "Nodes to change" : "Nodes changed", textAt(result, "nodes_changed"));
  sheet.add("Nodes unchanged", textAt(result, "nodes_unchanged"));
  sheet.add(dry ? "Documents to change" : "Documents changed", textAt(result, "documents_changed"));
  sheet.add("Documents unchanged", textAt(result, "documents_unchanged"));
  sheet.add(dry ? "Files to add" : "Files added", textAt(result, "files_added"));
  sheet.add(dry ? "Racks to change" : "Racks changed", textAt(result, "racks_changed"));
  sheet.print(world.out);
}

}  // namespace

Task<int> importSite(World& world, Options options, std::vector<fs::path> paths, bool dryRun) {
  auto bundle = collect(paths);
  if (!bundle) co_return complain(world, bundle.error());
  auto server = chooseServer(world, options);
  if (!server) co_return complain(world, server.error());
  Client client(world, std::move(*server));
  for (const auto& content : bundle->contents) {
    const auto sent = co_await upload(world, client, content);
    if (!sent) co_return complain(world, sent.error());
    bundle->texts.push_back({{"path", content.path}, {"sha256", content.digest}});
  }
  Json body{{"files", std::move(bundle->texts)}, {"reason", options.reason}};
  std::string path = dryRun ? "/api/v1/import?dry_run=true" : "/api/v1/import";
  const auto result = co_await client.post(std::move(path), std::move(body), kImportPatience);
  if (!result) co_return complain(world, result.error());
  printImported(world, options, *result);
  co_return 0;
}

}  // namespace zellige::cli
