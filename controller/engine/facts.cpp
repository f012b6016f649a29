#include "controller/engine/facts.hpp"

#include <cstdint>
#include <cstring>

namespace zellige {

namespace {

struct Lengths {
  std::uint32_t key = 0, value = 0;
  std::size_t whole() const { return sizeof(Lengths) + key + value; }
};

Lengths lengthsAt(std::string_view packed) {
  Lengths out;
  std::memcpy(&out, packed.data(), sizeof out);
  return out;
}

Facts::Entry entryAt(std::string_view packed) {
  const auto lengths = lengthsAt(packed);
  return {packed.substr(sizeof lengths, lengths.key),
          packed.substr(sizeof lengths + lengths.key, lengths.value)};
}

struct Position {
  std::size_t at = 0;
  std::size_t length = 0;  // of the entry with the key; 0: there is none, and here it would be
};

Position positionOf(std::string_view packed, std::string_view key) {
  std::size_t at = 0;
  while (at < packed.size()) {
    const auto rest = packed.substr(at);
    const auto order = entryAt(rest).first.compare(key);
    const auto length = lengthsAt(rest).whole();
    if (order == 0) return {at, length};
    if (order > 0) break;
    at += length;
  }
  return {at, 0};
}

}  // namespace

Facts::Facts(std::initializer_list<Entry> entries) {
  for (const auto& [key, value] : entries) set(key, value);
}

std::optional<std::string_view> Facts::find(std::string_view key) const {
  const auto position = positionOf(packed_, key);
  if (position.length == 0) return std::nullopt;
  return entryAt(std::string_view(packed_).substr(position.at)).second;
}

void Facts::set(std::string_view key, std::string_view value) {
  const Lengths lengths{static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size())};
  std::string entry;
  entry.reserve(lengths.whole());
  entry.append(reinterpret_cast<const char*>(&lengths), sizeof lengths).append(key).append(value);
  const auto position = positionOf(packed_, key);
  packed_.replace(position.at, position.length, entry);
}

void Facts::erase(std::string_view key) {
  const auto position = positionOf(packed_, key);
  packed_.erase(position.at, position.length);
}

Facts::Entry Facts::Iterator::operator*() const { return entryAt(rest_); }

Facts::Iterator& Facts::Iterator::operator++() {
  rest_.remove_prefix(lengthsAt(rest_).whole());
  return *this;
}

}  // namespace zellige
