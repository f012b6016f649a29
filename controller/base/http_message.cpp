#include "controller/base/http_message.hpp"

#include <algorithm>

namespace zellige {

namespace {
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
}  // namespace

bool sameIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const auto& f) { return sameIgnoringCase(f.first, name); });
  fields_.emplace_back(name, std::move(value));
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (sameIgnoringCase(key, name)) return value;
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const auto& f) { return sameIgnoringCase(f.first, name); });
}

std::string_view HttpRequest::query() const {
  const auto cut = target.find('?');
  return cut == std::string::npos ? std::string_view{} : std::string_view(target).substr(cut + 1);
}

}  // namespace zellige
