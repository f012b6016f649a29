#include <algorithm>
#include <fmt/format.h>
#include <tuple>

#include "controller/site/document.hpp"

namespace zellige {

std::string describe(const Problem& problem) {
  if (problem.line == 0) return fmt::format("{}: {}", problem.file, problem.reason);
  return fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.reason);
}

Problems::Problems(std::string file, std::string_view text)
    : file_(std::move(file)), text_(text), lineStarts_{0} {
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
    lineStarts_.push_back(static_cast<std::uint32_t>(at + 1));
}

int Problems::lineOf(Spot spot) const {
  return static_cast<int>(std::upper_bound(lineStarts_.begin(), lineStarts_.end(), spot.offset) -
                          lineStarts_.begin());
}

Problem Problems::at(Spot spot, std::string reason) const {
  const int line = lineOf(spot);
  const auto start = lineStarts_[static_cast<std::size_t>(line - 1)];
  const auto before = text_.substr(start, spot.offset - start);
  const auto continuations = std::count_if(
      before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; });
  const int column = static_cast<int>(static_cast<std::ptrdiff_t>(before.size()) - continuations) + 1;
  return {file_, line, column, std::move(reason)};
}

void Problems::add(Spot spot, std::string reason) {
  if (problems_.size() < maxProblems) problems_.push_back(at(spot, std::move(reason)));
}

void Problems::addWhole(std::string reason) {
  if (problems_.size() < maxProblems) problems_.push_back({file_, 0, 0, std::move(reason)});
}

std::vector<Problem> Problems::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::move(problems_);
}

std::string quote(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string out = "'";
  std::size_t shown = 0;
  for (const char c : text) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continuation && ++shown > longest) {
      out += "…";
      break;
    }
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out + "'";
}

namespace {

// Bytes of the well-formed UTF-8 sequence at the front (Unicode 15, table 3-7); 0 if there is none.
std::size_t sequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::size_t firstNotText(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      const bool lineEnd = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
      if ((c < 0x20 && c != '\t' && !lineEnd) || c == 0x7F) return i;
      ++i;
      continue;
    }
    const auto length = sequenceLength(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

std::string onlyText(std::string text) {
  for (auto bad = firstNotText(text); bad != std::string::npos; bad = firstNotText(text)) text[bad] = '?';
  return text;
}

}  // namespace zellige
