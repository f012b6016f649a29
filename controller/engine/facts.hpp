// Short texts by key: what a run remembers. A site has a hundred thousand runs in memory and copies a run's facts at every
// turn, so they are packed into one string, in the order of their keys.
#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace zellige {

class Facts {
 public:
  using Entry = std::pair<std::string_view, std::string_view>;  ///< key and value; good until the next change

  using value_type = Entry;  // the library's algorithms and matchers ask for it

  Facts() = default;
  Facts(std::initializer_list<Entry> entries);

  std::optional<std::string_view> find(std::string_view key) const;
  /// Empty where there is none.
  std::string_view get(std::string_view key) const { return find(key).value_or(std::string_view{}); }
  void set(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  void clear() { packed_.clear(); }
  bool empty() const { return packed_.empty(); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using reference = Entry;
    using pointer = void;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(std::string_view rest) : rest_(rest) {}
    Entry operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    std::string_view rest_;
  };
  using const_iterator = Iterator;
  Iterator begin() const { return Iterator(packed_); }
  Iterator end() const { return Iterator({}); }

  auto operator<=>(const Facts&) const = default;

 private:
  std::string packed_;  // entries: length of the key, length of the value, key, value
};

}  // namespace zellige
