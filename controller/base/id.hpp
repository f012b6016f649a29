// Ids are types: a RunId cannot be passed for a NodeId. The number is the database's row id; 0 is "none".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace zellige {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  auto operator<=>(const Id&) const = default;
  explicit operator bool() const { return value != 0; }
};

}  // namespace zellige

template <class Tag>
struct std::hash<zellige::Id<Tag>> {
  std::size_t operator()(zellige::Id<Tag> id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
