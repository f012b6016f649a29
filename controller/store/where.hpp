// A WHERE clause that grows by conditions, its values always bound.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controller/store/connection.hpp"

namespace zellige {

class Where {
 public:
  template <class... Values>
  void add(std::string_view condition, Values... values) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
    (values_.emplace_back(std::move(values)), ...);
  }
  /// For a condition that was added without its values.
  void value(std::variant<std::int64_t, std::string> value) { values_.push_back(std::move(value)); }
  /// Is one of these names.
  void anyOf(std::string_view column, std::vector<std::string> names);
  /// The place itself and everything inside it; nothing is added for "".
  void inside(std::string_view column, const std::string& place);

  const std::string& text() const { return text_; }
  void bind(Query& query) const;

 private:
  std::string text_;
  std::vector<std::variant<std::int64_t, std::string>> values_;
};

}  // namespace zellige
