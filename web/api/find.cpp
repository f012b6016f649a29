#include "web/api/find.hpp"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"

namespace zellige::api {

std::optional<Node> nodeOf(Services& services, const std::string& serial) {
  const auto id = services.store.nodeBySerial(serial);
  return id ? services.store.node(*id) : std::nullopt;
}

HttpReply noSuchNode(const std::string& serial) {
  return problem(
      ProblemKind::NotFound,
      fmt::format("there is no node '{}'; look for it with GET /api/v1/nodes?q=…", serial.substr(0, 64)));
}

std::int64_t idOf(const std::string& text) {
  std::int64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size() && out > 0 ? out : 0;
}

std::string cursorAfter(std::string_view list, const std::string& text) {
  return text.empty() ? std::string{} : toHex(fmt::format("{}:{}", list, text));
}

std::string cursorOf(std::string_view list, std::int64_t id) {
  return id == 0 ? std::string{} : cursorAfter(list, std::to_string(id));
}

Result<std::string> cursorTextIn(const Call& call, std::string_view list) {
  const auto* text = call.filter("cursor");
  if (!text) return std::string{};
  std::string decoded;
  for (std::size_t i = 0; i + 1 < text->size(); i += 2) {
    unsigned value = 0;
    std::from_chars(text->data() + i, text->data() + i + 2, value, 16);
    decoded.push_back(static_cast<char>(value));
  }
  const auto prefix = fmt::format("{}:", list);
  auto after = decoded.starts_with(prefix) ? decoded.substr(prefix.size()) : std::string{};
  if (after.empty() || cursorAfter(list, after) != *text)
    return Error{Errc::Invalid, "the cursor is not one of this list's; begin again without it"};
  return after;
}

Result<std::int64_t> cursorIn(const Call& call, std::string_view list) {
  const auto text = cursorTextIn(call, list);
  if (!text) return text.error();
  if (text->empty()) return std::int64_t{0};
  if (const auto id = idOf(*text); id != 0 && std::to_string(id) == *text) return id;
  return Error{Errc::Invalid, "the cursor is not one of this list's; begin again without it"};
}

HttpReply badParameter(std::string detail) { return problem(ProblemKind::BadRequest, std::move(detail)); }

HttpReply page(std::string_view name, Json items, const std::string& next) {
  Json body = Json::object();
  body[std::string(name)] = std::move(items);
  body["next"] = next.empty() ? Json{} : Json(next);
  return jsonReply(200, body);
}

}  // namespace zellige::api
