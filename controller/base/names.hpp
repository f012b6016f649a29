// Enums are persisted and shown by name. One constexpr table per enum serves both directions:
//   ZELLIGE_NAMES(Power, {Power::Off, "off"}, {Power::On, "on"});
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace zellige {

template <class E>
struct EnumNames;  // specialise: static constexpr std::array<std::pair<E, std::string_view>, N> table

template <class E>
constexpr std::string_view nameOf(E value) {
  for (const auto& [e, text] : EnumNames<E>::table)
    if (e == value) return text;
  return "?";
}

template <class E>
constexpr std::optional<E> fromName(std::string_view text) {
  for (const auto& [e, name] : EnumNames<E>::table)
    if (name == text) return e;
  return std::nullopt;
}

}  // namespace zellige

/// ZELLIGE_NAMES(Power, {Power::Off, "off"}, {Power::On, "on"}) at namespace zellige scope.
#define ZELLIGE_NAMES(Enum, ...)                                                                   \
  template <>                                                                                      \
  struct EnumNames<Enum> {                                                                         \
    static constexpr auto table = std::to_array<std::pair<Enum, std::string_view>>({__VA_ARGS__}); \
  }
