#include "web/api/call.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace zellige::api {

namespace {

struct Role {
  std::string_view name;
  Level level;
};
constexpr Role kRoles[] = {
    {"viewer", Level::Viewer},         {"technician", Level::Technician}, {"shift_lead", Level::Technician},
    {"firmware_owner", Level::Viewer}, {"auditor", Level::Viewer},        {"operator", Level::Operator},
    {"admin", Level::Admin},
};

constexpr bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

const Json& objectOf(const Call& call) {
  static const Json none = Json::object();
  return call.body ? *call.body : none;
}

}  // namespace

Level levelOf(std::string_view role) {
  for (const auto& r : kRoles)
    if (r.name == role) return r.level;
  return Level::Anyone;
}

bool isRole(std::string_view role) { return levelOf(role) != Level::Anyone; }

bool Identity::may(Level level) const {
  if (level == Level::Anyone) return true;
  return std::any_of(grants.begin(), grants.end(), [&](const auto& g) { return levelOf(g.role) >= level; });
}

bool Identity::may(Level level, const Place& place) const {
  if (level == Level::Anyone) return true;
  return std::any_of(grants.begin(), grants.end(),
                     [&](const auto& g) { return levelOf(g.role) >= level && place.isInside(g.place); });
}

bool Identity::has(std::string_view role, const Place& place) const {
  return std::any_of(grants.begin(), grants.end(),
                     [&](const auto& g) { return g.role == role && place.isInside(g.place); });
}

std::optional<HttpReply> refuseUnless(const Call& call, Level level, const Place& place) {
  if (call.who.may(level, place)) return std::nullopt;
  return problem(ProblemKind::Forbidden,
                 fmt::format("{} may not do this in {}; ask an administrator for a role there", call.who.user,
                             place.path.empty() ? "the whole site" : place.path));
}

Body::Body(const Call& call) : object_(objectOf(call)) {}

const Json* Body::member(const std::string& name) {
  known_.push_back(name);
  const auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void Body::wrong(const std::string& pointer, std::string reason) {
  wrong_.push_back({pointer, std::move(reason)});
}

std::string Body::text(const std::string& name, std::size_t most, std::size_t least) {
  const auto* value = member(name);
  if (!value) {
    if (least > 0) wrong("/" + name, "is missing");
    return {};
  }
  if (!value->is_string()) {
    wrong("/" + name, "must be a string");
    return {};
  }
  auto out = value->get<std::string>();
  if (out.size() < least || out.size() > most)
    wrong("/" + name, fmt::format("must have {} to {} bytes", least, most));
  if (std::any_of(out.begin(), out.end(), isControl)) wrong("/" + name, "has a control character");
  return out;
}

bool Body::flag(const std::string& name, bool otherwise) {
  const auto* value = member(name);
  if (!value) return otherwise;
  if (!value->is_boolean()) {
    wrong("/" + name, "must be true or false");
    return otherwise;
  }
  return value->get<bool>();
}

std::int64_t Body::whole(const std::string& name, std::int64_t otherwise, std::int64_t least,
                         std::int64_t most) {
  const auto* value = member(name);
  if (!value) return otherwise;
  const bool fits = value->is_number_integer() && *value >= least && *value <= most;
  if (!fits) wrong("/" + name, fmt::format("must be a whole number from {} to {}", least, most));
  return fits ? value->get<std::int64_t>() : otherwise;
}

std::optional<Time> Body::time(const std::string& name) {
  const auto* value = member(name);
  if (!value) return std::nullopt;
  const auto parsed = value->is_string() ? parseTime(value->get_ref<const std::string&>()) : std::nullopt;
  if (!parsed) wrong("/" + name, "must be an instant in UTC, as 2026-11-23T01:39:00Z");
  return parsed;
}

const Json* Body::array(const std::string& name, std::size_t most) {
  const auto* value = member(name);
  if (!value || !value->is_array()) {
    wrong("/" + name, "must be an array");
    return nullptr;
  }
  if (value->size() > most) {
    wrong("/" + name, fmt::format("has {} elements; at most {} are taken", value->size(), most));
    return nullptr;
  }
  return value;
}

std::optional<HttpReply> Body::refused() {
  for (const auto& [name, value] : object_.items())
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      wrong("/" + name.substr(0, 64), "is not known here");
  if (wrong_.empty()) return std::nullopt;
  return invalid(
      fmt::format("{} {}; correct the body and send it again", wrong_.front().pointer, wrong_.front().reason),
      wrong_);
}

std::optional<Time> parseTime(std::string_view text) {
  const bool shape = text.size() == 20 || (text.size() == 24 && text[19] == '.');
  if (!shape || text.back() != 'Z') return std::nullopt;
  return readIso8601(text);
}

Result<std::size_t> limitOf(const Call& call) {
  const auto* text = call.filter("limit");
  if (!text) return std::size_t{100};
  std::size_t out = 0;
  const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (ec != std::errc{} || end != text->data() + text->size() || out < 1 || out > 500)
    return Error{Errc::Invalid, "limit must be a number from 1 to 500"};
  return out;
}

std::optional<std::string> decodePercent(std::string_view text, bool plusIsSpace) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
      c = static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else if (c == '+' && plusIsSpace) {
      c = ' ';
    }
    if (isControl(c)) return std::nullopt;
    out.push_back(c);
  }
  return out;
}

}  // namespace zellige::api
