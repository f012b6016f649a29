#include "controller/model/catalog.hpp"

#include "controller/base/http_message.hpp"

namespace zellige {

bool matches(std::string_view match, std::string_view item) {
  if (match.ends_with('*')) return item.starts_with(match.substr(0, match.size() - 1));
  return match == item;
}

bool sameVersion(std::string_view a, std::string_view b) {
  const auto trimmed = [](std::string_view s) {
    while (!s.empty() && s.front() <= ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() <= ' ') s.remove_suffix(1);
    return s;
  };
  return sameIgnoringCase(trimmed(a), trimmed(b));
}

}  // namespace zellige
