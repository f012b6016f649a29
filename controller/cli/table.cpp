#include "controller/cli/table.hpp"

#include <algorithm>
#include <ostream>

namespace zellige::cli {

namespace {

constexpr bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Characters, not bytes.
std::size_t widthOf(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (widthOf(text) <= width) return text;
  std::string out;
  std::size_t seen = 0;
  for (const char c : text) {
    if (!continues(c) && ++seen >= width) break;
    out.push_back(c);
  }
  return out + "…";
}

}  // namespace

std::string printable(std::string text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

void Table::print(std::ostream& out, std::size_t width) const {
  constexpr std::size_t gap = 2;
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], widthOf(row[i]));
  const auto total = [&] {
    std::size_t sum = gap * (widths.size() - 1);
    for (const auto w : widths) sum += w;
    return sum;
  };
  constexpr std::size_t legible = 16;
  if (width == 0) width = total();
  while (total() > width && widths.back() > legible) --widths.back();
  while (total() > width) {
    auto& widest = *std::max_element(widths.begin(), widths.end());
    if (widest <= 4) break;
    --widest;
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto cell = cut(printable(row[i]), widths[i]);
      line += cell;
      if (i + 1 < row.size()) line += std::string(widths[i] - widthOf(cell) + gap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

void Sheet::print(std::ostream& out) const {
  std::size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, name.size());
  for (const auto& [name, value] : lines_)
    out << name << ':' << std::string(width - name.size() + 2, ' ') << printable(value) << '\n';
}

}  // namespace zellige::cli
