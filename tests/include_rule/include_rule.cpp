#include "tests/include_rule/include_rule.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige::include_rule {

namespace {

using Names = std::vector<std::string_view>;

constexpr std::string_view kBase = "controller/base", kModel = "controller/model",
                           kProtocol = "controller/protocol", kBmc = "controller/bmc.hpp",
                           kSwitchOs = "controller/switch_os.hpp", kSite = "controller/site",
                           kEngine = "controller/engine", kStore = "controller/store",
                           kListener = "controller/listener", kCli = "controller/cli",
                           kCommands = "controller/commands", kMain = "controller/main.cpp",
                           kHttp = "drivers/http", kRedfish = "drivers/redfish", kNvos = "drivers/nvos",
                           kSimulator = "drivers/simulator", kWorkflows = "workflows", kApi = "web/api",
                           kAgent = "images/agent";

// From the bottom up. drivers, workflows and web/api are siblings and never include each other; the simulator shares
// nothing with what talks to it, so that it cannot be shaped to its client.
const Folder kFolders[] = {
    {kBase, {}},
    {kModel, {kBase}},
    {kProtocol, {kBase}},
    {kBmc, {kBase, kModel}},
    {kSwitchOs, {kBase, kModel, kBmc}},
    {kSite, {kBase, kModel, kProtocol}},
    {kEngine, {kBase, kModel, kProtocol, kBmc, kSwitchOs}},
    {kStore, {kBase, kModel, kProtocol, kBmc, kSwitchOs, kEngine}},
    {kListener, {kBase}},
    {kHttp, {kBase}},
    {kRedfish, {kBase, kModel, kProtocol, kBmc, kEngine, kHttp}},
    {kNvos, {kBase, kModel, kProtocol, kBmc, kSwitchOs, kEngine, kHttp}},
    {kSimulator, {kBase, kProtocol}},
    {kWorkflows, {kBase, kModel, kProtocol, kBmc, kSwitchOs, kEngine}},
    {kApi, {kBase, kModel, kProtocol, kBmc, kSwitchOs, kEngine, kStore, kSite}},
    {kCli, {kBase, kProtocol, kHttp}},
    {kAgent, {kBase, kProtocol}},
    {kCommands,
     {kBase, kModel, kProtocol, kBmc, kSwitchOs, kSite, kEngine, kStore, kListener, kHttp, kRedfish, kNvos,
      kSimulator, kWorkflows, kApi, kCli}},
    {kMain, {kBase, kCommands, kCli}},
};

/// A library whose headers only these folders may include.
struct Library {
  std::string_view prefix;
  Names folders;
};
const Library kLibraries[] = {
    {"boost/asio", {kListener, kHttp}},
    {"boost/beast", {kListener, kHttp}},
    {"curl/", {kHttp}},
    {"SQLiteCpp/", {kStore}},
    {"sqlite3", {kStore}},
    {"yaml-cpp/", {kSite}},
    {"CLI/", {kCli, kCommands, kMain}},
};

/// Headers that cost seconds to compile: never in a header of ours.
constexpr std::string_view kHeavy[] = {"nlohmann/json.hpp", "boost/", "curl/", "yaml-cpp/", "SQLiteCpp/"};

const Folder* folderOf(std::string_view path) {
  for (const auto& folder : kFolders)
    if (path == folder.name || (path.starts_with(folder.name) && path[folder.name.size()] == '/'))
      return &folder;
  return nullptr;
}

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == text.npos ? std::string_view{} : text.substr(first);
}

/// What is wrong with one include; empty: nothing.
std::string wrongWith(const Include& include, const Folder& from, bool inHeader) {
  if (include.quoted) {
    const auto* to = folderOf(include.path);
    if (!to)
      return fmt::format("\"{}\" is not a path from the repository root into a folder of the table",
                         include.path);
    if (to->name != from.name && !contains(from.mayInclude, to->name))
      return fmt::format("{} may not include {} (\"{}\")", from.name, to->name, include.path);
    return {};
  }
  for (const auto& library : kLibraries)
    if (include.path.starts_with(library.prefix) && !contains(library.folders, from.name))
      return fmt::format("<{}> belongs to {} alone", include.path, fmt::join(library.folders, ", "));
  for (const auto heavy : kHeavy)
    if (inHeader && include.path.starts_with(heavy))
      return fmt::format("<{}> is too heavy for a header", include.path);
  return {};
}

}  // namespace

std::span<const Folder> folders() { return kFolders; }

std::vector<Include> includesOf(std::string_view source) {
  std::vector<Include> out;
  bool inComment = false;  // of the kind /* … */
  for (int line = 1; !source.empty(); ++line) {
    const auto end = source.find('\n');
    auto text = trimmed(source.substr(0, end));
    source = end == source.npos ? std::string_view{} : source.substr(end + 1);
    if (inComment) {
      const auto close = text.find("*/");
      if (close == text.npos) continue;
      inComment = false;
      text = trimmed(text.substr(close + 2));
    }
    if (text.starts_with('#')) {
      auto rest = trimmed(text.substr(1));
      if (rest.starts_with("include")) {
        rest = trimmed(rest.substr(std::string_view("include").size()));
        const auto close = rest.empty() ? rest.npos : rest.find(rest.front() == '<' ? '>' : '"', 1);
        if (close != rest.npos)
          out.push_back({line, std::string(rest.substr(1, close - 1)), rest.front() == '"'});
      }
    }
    const auto open = text.rfind("/*");
    inComment = open != text.npos && text.find("*/", open + 2) == text.npos &&
                text.substr(0, open).find("//") == text.npos;
  }
  return out;
}

std::vector<std::string> violations(std::string_view file, std::string_view source) {
  const auto* from = folderOf(file);
  if (!from)
    return {fmt::format("{}: its folder is not in the table of tests/include_rule/include_rule.cpp", file)};
  std::vector<std::string> out;
  for (const auto& include : includesOf(source))
    if (const auto wrong = wrongWith(include, *from, file.ends_with(".hpp")); !wrong.empty())
      out.push_back(fmt::format("{}:{}: {}", file, include.line, wrong));
  return out;
}

}  // namespace zellige::include_rule
