#include "controller/site/fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/ranges.h>
#include <numeric>

namespace zellige {

namespace {

std::string_view kindName(Document::Kind kind) {
  switch (kind) {
    case Document::Kind::Null: return "nothing";
    case Document::Kind::Scalar: return "a single value";
    case Document::Kind::Sequence: return "a list";
    case Document::Kind::Map: return "a map";
  }
  return "?";
}

std::string_view withoutMark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

bool isScalar(Value value, Problems& problems, std::string_view wanted) {
  if (value.kind() == Document::Kind::Scalar) return true;
  problems.add(value.spot(), fmt::format("must be {}, not {}", wanted, kindName(value.kind())));
  return false;
}

bool isAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// What is wrong with `text`, or empty.
std::string_view complaint(std::string_view text, Letters letters) {
  if (text.empty()) return "must not be empty";
  if (std::any_of(text.begin(), text.end(), isControl)) return "has a control character";
  switch (letters) {
    case Letters::Any: return text.size() <= 512 ? "" : "is longer than 512 bytes";
    case Letters::Path: return text.size() <= 4096 ? "" : "is longer than 4096 bytes";
    case Letters::Name: {
      const auto fits = [](char c) { return isAlnum(c) || c == '.' || c == '_' || c == '-'; };
      if (text.size() <= 64 && isAlnum(text.front()) && std::all_of(text.begin(), text.end(), fits))
        return "";
      return "must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit";
    }
    case Letters::Id: {
      const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
      if (text.size() <= 32 && std::all_of(text.begin(), text.end(), fits)) return "";
      return "must be 1 to 32 of a-z 0-9 _";
    }
  }
  return "";
}

/// Edits (insert, delete, replace) that turn `a` into `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

Source::Source(std::string file, std::string_view text)
    : problems(std::move(file), withoutMark(text)), document(Document::parse(withoutMark(text), problems)) {}

std::string hint(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view nearest;
  std::size_t edits = 3;
  if (word.size() <= 64)
    for (const auto candidate : known)
      if (const auto d = distance(word, candidate); d < edits && d < candidate.size()) {
        edits = d;
        nearest = candidate;
      }
  return nearest.empty() ? std::string() : fmt::format(", did you mean '{}'?", nearest);
}

void refuseWord(Value value, Problems& problems, std::string_view what,
                const std::vector<std::string_view>& known) {
  if (!isScalar(value, problems, what)) return;
  auto help = hint(value.text(), known);
  if (help.empty()) help = fmt::format("; known: {}", fmt::join(known, ", "));
  problems.add(value.spot(), fmt::format("{} is not {}{}", quote(value.text()), what, help));
}

std::string readText(Value value, Problems& problems, Letters letters) {
  if (!isScalar(value, problems, "text")) return {};
  const auto wrong = complaint(value.text(), letters);
  if (!wrong.empty()) problems.add(value.spot(), fmt::format("{} {}", quote(value.text()), wrong));
  return std::string(value.text());
}

Secret readSecret(Value value, Problems& problems) {
  if (!isScalar(value, problems, "text")) return {};
  const auto wrong = complaint(value.text(), Letters::Any);
  if (!wrong.empty()) problems.add(value.spot(), fmt::format("the secret {}", wrong));
  return Secret(std::string(value.text()));
}

std::int64_t readWhole(Value value, Problems& problems, std::int64_t least, std::int64_t most) {
  if (!isScalar(value, problems, "a whole number")) return least;
  const auto text = value.text();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end == text.data() + text.size() && !text.empty() && error != std::errc::invalid_argument;
  if (!whole || value.quoted())
    problems.add(value.spot(), fmt::format("{} is not a whole number{}", quote(text),
                                           whole ? "; leave out the quotes" : ""));
  else if (error == std::errc::result_out_of_range || number < least || number > most)
    problems.add(value.spot(), fmt::format("{} is out of range: {} to {}", quote(text), least, most));
  else
    return number;
  return least;
}

double readReal(Value value, Problems& problems) {
  if (!isScalar(value, problems, "a number")) return 0;
  const auto text = value.text();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number) || value.quoted())
    problems.add(value.spot(), fmt::format("{} is not a number", quote(text)));
  return number;
}

bool readFlag(Value value, Problems& problems) {
  if (!isScalar(value, problems, "true or false")) return false;
  if (value.quoted() || (value.text() != "true" && value.text() != "false"))
    problems.add(value.spot(), fmt::format("{} is neither true nor false", quote(value.text())));
  return value.text() == "true";
}

Duration readDuration(Value value, Problems& problems, Duration least, Duration most) {
  if (!isScalar(value, problems, "a duration")) return least;
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  static constexpr Unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto text = value.text();
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& u : units) {
    if (unit != u.name || error == std::errc::invalid_argument) continue;
    if (error == std::errc{} && count >= 0 && count <= most.count() / u.ms && Duration(count * u.ms) >= least)
      return Duration(count * u.ms);
    problems.add(value.spot(), fmt::format("{} is out of range: {} s to {} s", quote(text),
                                           least.count() / 1000.0, most.count() / 1000.0));
    return least;
  }
  problems.add(value.spot(),
               fmt::format("{} is not a duration; write 500ms, 30s, 10m, 2h or 7d", quote(text)));
  return least;
}

std::string readSha256(Value value, Problems& problems) {
  if (!isScalar(value, problems, "a SHA-256 digest")) return {};
  std::string digest(value.text());
  bool hex = digest.size() == 64;
  for (char& c : digest) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    hex = hex && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }
  if (!hex)
    problems.add(value.spot(),
                 fmt::format("{} is not a SHA-256 digest of 64 hex digits", quote(value.text())));
  return digest;
}

std::vector<Value> readItems(Value value, Problems& problems) {
  if (value.kind() != Document::Kind::Sequence) {
    problems.add(value.spot(), fmt::format("must be a list, not {}", kindName(value.kind())));
    return {};
  }
  std::vector<Value> items;
  for (const auto item : value) items.push_back(item);
  return items;
}

Fields::Fields(Value map, Problems& problems, std::string_view what,
               std::initializer_list<std::string_view> known)
    : map_(map), problems_(problems), what_(what), isMap_(map.kind() == Document::Kind::Map) {
  if (!isMap_) {
    problems.add(map.spot(), fmt::format("{} must be a map, not {}", what, kindName(map.kind())));
    return;
  }
  for (auto it = map.begin(); it != map.end(); ++it) {
    const auto key = *it;
    const auto value = *++it;
    if (std::find(known.begin(), known.end(), key.text()) == known.end())
      problems.add(key.spot(),
                   fmt::format("unknown key {} in {}{}", quote(key.text()), what, hint(key.text(), known)));
    members_.push_back({key, value});
  }
}

std::optional<Value> Fields::find(std::string_view key) const {
  for (const auto& member : members_)
    if (member.key.text() == key) return member.value;
  return std::nullopt;
}

std::optional<Value> Fields::need(std::string_view key) const {
  auto value = find(key);
  if (!value && isMap_) problems_.add(map_.spot(), fmt::format("missing key '{}' in {}", key, what_));
  return value;
}

std::string Fields::text(std::string_view key, Letters letters) const {
  const auto value = need(key);
  return value ? readText(*value, problems_, letters) : std::string();
}

std::string Fields::textOr(std::string_view key, std::string absent, Letters letters) const {
  const auto value = find(key);
  return value ? readText(*value, problems_, letters) : absent;
}

std::int64_t Fields::whole(std::string_view key, std::int64_t least, std::int64_t most) const {
  const auto value = need(key);
  return value ? readWhole(*value, problems_, least, most) : least;
}

std::int64_t Fields::wholeOr(std::string_view key, std::int64_t absent, std::int64_t least,
                             std::int64_t most) const {
  const auto value = find(key);
  return value ? readWhole(*value, problems_, least, most) : absent;
}

bool Fields::flagOr(std::string_view key, bool absent) const {
  const auto value = find(key);
  return value ? readFlag(*value, problems_) : absent;
}

Duration Fields::durationOr(std::string_view key, Duration absent, Duration least, Duration most) const {
  const auto value = find(key);
  return value ? readDuration(*value, problems_, least, most) : absent;
}

std::string Fields::sha256(std::string_view key) const {
  const auto value = need(key);
  return value ? readSha256(*value, problems_) : std::string();
}

std::vector<Value> Fields::items(std::string_view key, std::string_view emptyReason) const {
  const auto value = need(key);
  if (!value) return {};
  auto items = readItems(*value, problems_);
  if (items.empty() && value->kind() == Document::Kind::Sequence && !emptyReason.empty())
    problems_.add(value->spot(), std::string(emptyReason));
  return items;
}

}  // namespace zellige
