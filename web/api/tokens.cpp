#include "web/api/tokens.hpp"

#include <charconv>
#include <fmt/format.h>

namespace zellige::api {

namespace {

constexpr bool isPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/// Anything but letters, digits, '-' and '.' as '_' and two hex digits.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (isPlain(c))
      out.push_back(c);
    else
      out += fmt::format("_{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, ec] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (ec != std::errc{} || end != text.data() + i + 3) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

std::string macOf(const SecretBox& box, std::string_view signedPart) {
  return box.sign(fmt::format("provisioning token\n{}", signedPart));
}

}  // namespace

RunId Bearer::bootRun() const {
  constexpr std::string_view prefix = "boot-";
  std::int64_t id = 0;
  if (!purpose.starts_with(prefix)) return {};
  const auto* begin = purpose.data() + prefix.size();
  const auto* end = purpose.data() + purpose.size();
  const auto [stop, ec] = std::from_chars(begin, end, id);
  return ec == std::errc{} && stop == end && id > 0 ? RunId{id} : RunId{};
}

std::string issueToken(const SecretBox& box, std::string_view serial, std::string_view purpose) {
  const auto head = fmt::format("{}~{}", escape(serial), escape(purpose));
  return fmt::format("{}~{}", head, macOf(box, head));
}

std::optional<Bearer> readToken(const SecretBox& box, std::string_view token) {
  if (token.size() > 1000) return std::nullopt;
  const auto second = token.rfind('~');
  const auto first = token.find('~');
  if (first == std::string_view::npos || first == second) return std::nullopt;
  const auto head = token.substr(0, second);
  if (!sameSecret(macOf(box, head), token.substr(second + 1))) return std::nullopt;
  auto serial = unescape(head.substr(0, first)), purpose = unescape(head.substr(first + 1));
  if (!serial || !purpose) return std::nullopt;
  return Bearer{std::move(*serial), std::move(*purpose)};
}

}  // namespace zellige::api
