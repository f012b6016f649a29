#include "drivers/redfish/uri.hpp"

#include <algorithm>

namespace zellige::redfish {

namespace {
constexpr std::size_t longestUri = 1024;

std::string_view withoutFinalSlash(std::string_view uri) {
  while (uri.size() > 1 && uri.back() == '/') uri.remove_suffix(1);
  return uri;
}
}  // namespace

std::string localPath(std::string_view link) {
  if (const auto scheme = link.find("://"); scheme != std::string_view::npos && scheme <= 5) {
    const auto path = link.find('/', scheme + 3);
    if (path == std::string_view::npos) return {};
    link.remove_prefix(path);
  }
  link = link.substr(0, link.find('#'));
  if (link.empty() || link.size() > longestUri || link[0] != '/' || link.starts_with("//")) return {};
  const bool clean = std::all_of(link.begin(), link.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return clean ? std::string(link) : std::string{};
}

std::string uriKey(std::string_view uri) {
  std::string key(withoutFinalSlash(uri));
  for (auto& c : key)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return key;
}

bool sameUri(std::string_view a, std::string_view b) { return uriKey(a) == uriKey(b); }

std::string_view lastSegment(std::string_view uri) {
  uri = withoutFinalSlash(uri);
  const auto cut = uri.rfind('/');
  return cut == std::string_view::npos ? uri : uri.substr(cut + 1);
}

}  // namespace zellige::redfish
