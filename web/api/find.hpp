// What several handlers look up first.
#pragma once

#include "web/api/handlers.hpp"
#include "web/api/shapes.hpp"

namespace zellige::api {

std::optional<Node> nodeOf(Services& services, const std::string& serial);
HttpReply noSuchNode(const std::string& serial);

/// A positive whole number; 0: something else.
std::int64_t idOf(const std::string& text);

/// Cursors of lists that go by id: opaque, and of no use to another list.
std::string cursorOf(std::string_view list, std::int64_t id);
/// 0 without a cursor. Invalid: not one of this list's.
Result<std::int64_t> cursorIn(const Call& call, std::string_view list);

/// The same for lists that go by a text.
std::string cursorAfter(std::string_view list, const std::string& text);
Result<std::string> cursorTextIn(const Call& call, std::string_view list);

HttpReply badParameter(std::string detail);

/// Comma-separated names of an enum.
template <class E>
Result<std::vector<E>> namesIn(const Call& call, const std::string& parameter) {
  std::vector<E> out;
  const auto* text = call.filter(parameter);
  if (!text) return out;
  std::string_view rest = *text;
  do {
    const auto cut = rest.find(',');
    const auto value = fromName<E>(rest.substr(0, cut));
    if (!value) {
      std::string known;
      for (const auto& [e, name] : EnumNames<E>::table)
        known += (known.empty() ? "" : ", ") + std::string(name);
      return Error{Errc::Invalid, parameter + " must be one or several of: " + known};
    }
    out.push_back(*value);
    rest = cut == std::string_view::npos ? std::string_view{} : rest.substr(cut + 1);
  } while (!rest.empty());
  return out;
}

/// A page of `items`, and where the next one begins.
HttpReply page(std::string_view name, Json items, const std::string& next);

}  // namespace zellige::api
