// Strict reading of the keys of one map: an unknown key is a problem (with the nearest known one as a hint),
// as are a missing key, a wrong type and a number out of range. Readers go on after a problem, so that all
// are told at once; what they return then is a default nobody uses.
#pragma once

#include <fmt/format.h>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/secret.hpp"
#include "controller/base/time.hpp"
#include "controller/site/document.hpp"

namespace zellige {

/// One text on its way to a value: what was parsed and what is wrong with it.
struct Source {
  Source(std::string file, std::string_view text);
  Source(const Source&) = delete;
  Problems problems;
  Document document;

  /// `value` if nothing is wrong, else the problems.
  template <class T>
  Reading<T> give(T value) {
    if (problems.none()) return value;
    return problems.take();
  }
};

/// What letters a text may have.
enum class Letters {
  Any,   ///< printable, 1 to 512 characters
  Name,  ///< [A-Za-z0-9._-]{1,64}, begins with a letter or digit: names of the catalogue, safe in URLs
  Id,    ///< [a-z0-9_]{1,32}: ids that are stored in runs
  Path,  ///< printable, 1 to 4096 bytes
};

std::string readText(Value value, Problems& problems, Letters letters = Letters::Any);
/// As readText, but no message shows the value.
Secret readSecret(Value value, Problems& problems);
/// A plain (not quoted) whole number; `least` where it is none or out of range, so that one can reckon with it.
std::int64_t readWhole(Value value, Problems& problems, std::int64_t least, std::int64_t most);
double readReal(Value value, Problems& problems);
bool readFlag(Value value, Problems& problems);
/// "500ms", "30s", "10m", "2h", "7d".
Duration readDuration(Value value, Problems& problems, Duration least, Duration most);
/// 64 hex digits, given back in lower case.
std::string readSha256(Value value, Problems& problems);

/// ", did you mean 'x'?" for the nearest of `known` within two edits; empty if none is near.
std::string hint(std::string_view word, const std::vector<std::string_view>& known);
/// The problem of a word that is none of `known`.
void refuseWord(Value value, Problems& problems, std::string_view what,
                const std::vector<std::string_view>& known);

/// One of the names of an enum; `what` for the message: "an activation".
template <class E>
E readName(Value value, Problems& problems, std::string_view what) {
  if (value.kind() == Document::Kind::Scalar)
    if (const auto e = fromName<E>(value.text())) return *e;
  std::vector<std::string_view> known;
  known.reserve(EnumNames<E>::table.size());
  for (const auto& [e, name] : EnumNames<E>::table) known.push_back(name);
  refuseWord(value, problems, what, known);
  return E{};
}

/// The keys of a map. `what` for messages: "a node".
class Fields {
 public:
  Fields(Value map, Problems& problems, std::string_view what, std::initializer_list<std::string_view> known);

  /// The key's value; nullopt if it is not there, or the map is no map (that is told already).
  std::optional<Value> find(std::string_view key) const;
  /// As find; told as missing if not there.
  std::optional<Value> need(std::string_view key) const;
  Spot spot() const { return map_.spot(); }
  Problems& problems() const { return problems_; }

  std::string text(std::string_view key, Letters letters = Letters::Any) const;
  std::string textOr(std::string_view key, std::string absent, Letters letters = Letters::Any) const;
  std::int64_t whole(std::string_view key, std::int64_t least, std::int64_t most) const;
  std::int64_t wholeOr(std::string_view key, std::int64_t absent, std::int64_t least, std::int64_t most) const;
  bool flagOr(std::string_view key, bool absent) const;
  Duration durationOr(std::string_view key, Duration absent, Duration least, Duration most) const;
  std::string sha256(std::string_view key) const;

  /// The items of a sequence; empty if it is no sequence (told). `emptyReason`: told if it has none.
  std::vector<Value> items(std::string_view key, std::string_view emptyReason = {}) const;

  template <class E>
  E name(std::string_view key, std::string_view what) const {
    const auto value = need(key);
    return value ? readName<E>(*value, problems_, what) : E{};
  }

 private:
  struct Member {
    Value key, value;
  };
  Value map_;
  Problems& problems_;
  std::string_view what_;
  std::vector<Member> members_;
  bool isMap_ = false;
};

/// The items of `value`; told if it is not a sequence.
std::vector<Value> readItems(Value value, Problems& problems);

}  // namespace zellige
