// A table for people: columns as wide as they need, if there is room. The last one, where sentences stand, gives way
// first, then the widest; what was cut ends in "…".
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace zellige::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> heads) : rows_{std::move(heads)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// `width` in characters; 0: as wide as it needs.
  void print(std::ostream& out, std::size_t width) const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the first has the heads
};

/// "name:  value" lines, values aligned.
class Sheet {
 public:
  void add(std::string name, std::string value) { lines_.emplace_back(std::move(name), std::move(value)); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

/// Control characters as '?': what a machine says must not move a terminal's cursor.
std::string printable(std::string text);

}  // namespace zellige::cli
