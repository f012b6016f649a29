#include "drivers/simulator/mockup.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "drivers/simulator/reply.hpp"

namespace zellige::sim {

namespace fs = std::filesystem;

namespace {

constexpr Duration kLatency{20};  // est: a file

std::optional<std::string> contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// %41 → A. nullopt for what is no encoding.
std::optional<std::string> decode(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
    out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return out;
}

/// A name inside one folder, and nothing else.
bool harmless(std::string_view segment) {
  return segment != "." && segment != ".." &&
         segment.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

std::optional<fs::path> child(const fs::path& folder, const std::string& name) {
  std::error_code failed;
  if (fs::is_directory(folder / name, failed)) return folder / name;
  std::vector<fs::path> same;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    if (sameIgnoringCase(it->path().filename().string(), name) && it->is_directory())
      same.push_back(it->path());
  if (same.empty()) return std::nullopt;
  return *std::min_element(same.begin(), same.end());
}

bool isSessions(std::string_view path) {
  return path.ends_with("/Sessions") || path.ends_with("/Sessions/Members");
}

}  // namespace

Result<Mockup> Mockup::open(const fs::path& directory) {
  if (!fs::is_regular_file(directory / "redfish" / "v1" / "index.json"))
    return Error{Errc::NotFound, fmt::format("{} holds no redfish/v1/index.json", directory.string())};
  return Mockup(fs::canonical(directory));
}

std::optional<fs::path> Mockup::folderOf(std::string_view path) const {
  auto folder = root_;
  while (!path.empty()) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    const auto cut = path.find('/');
    const auto segment = decode(path.substr(0, cut));
    path = cut == std::string_view::npos ? std::string_view{} : path.substr(cut);
    if (!segment || !harmless(*segment)) return std::nullopt;
    if (segment->empty()) continue;
    auto next = child(folder, *segment);
    if (!next) return std::nullopt;
    folder = std::move(*next);
  }
  std::error_code failed;
  const auto real = fs::canonical(folder, failed).string();  // a link inside the tree must not lead out of it
  if (failed || !(real + "/").starts_with(root_.string() + "/")) return std::nullopt;
  return folder;
}

HttpReply Mockup::get(std::string_view path) const {
  const auto folder = folderOf(path);
  if (folder) {
    if (const auto custom = contents(*folder / "custom.json")) {
      const auto json = parseJson(*custom);
      if (json)
        return HttpReply{static_cast<int>(readInt(*json, "status").value_or(200)),
                         {},
                         readString(*json, "body").value_or("")};
    }
    if (auto body = contents(*folder / "index.json")) {
      HttpReply reply{200, {}, std::move(*body)};
      reply.headers.add("Content-Type", "application/json");
      reply.headers.add("OData-Version", "4.0");
      return reply;
    }
  }
  return errorReply(404, "ResourceNotFound", "The recorded tree has no such resource.");
}

Delivery Mockup::exchange(const Arrival& arrival) {
  const auto& request = arrival.request;
  auto path = request.path();
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  Delivery out;
  out.latency = kLatency;
  if (request.method == "GET" || request.method == "HEAD") {
    out.reply = get(path);
    if (request.method == "HEAD") out.reply.body.clear();
  } else if (request.method == "POST" && isSessions(path)) {
    const auto id = fmt::format("mockup{}", ++opened_);
    const auto location = fmt::format("{}/{}", path, id);
    out.reply = jsonReply(201, {{"@odata.id", location},
                                {"@odata.type", "#Session.v1_7_0.Session"},
                                {"Id", id},
                                {"Name", "User Session"}});
    out.reply.headers.add("X-Auth-Token", id);
    out.reply.headers.add("Location", location);
  } else if (request.method == "DELETE" && isSessions(path.substr(0, path.rfind('/')))) {
    ++closed_;
    out.reply = noContent();
  } else {
    out.reply = errorReply(405, "OperationNotAllowed", "A recorded tree is read-only.");
  }
  return out;
}

}  // namespace zellige::sim
