// This folder reads what a site owner wrote (manifest, SKU, baseline, profile, plan, the configuration of
// `serve`, PLDM packages, OS images) into model values, and says file, line, column and reason for everything
// wrong. It never knows the store, the network or a machine; nothing here keeps state.
//
// This header: YAML text → Document, with limits that hold *before and while* yaml-cpp parses. A Document is
// a flat array in document order (20 bytes a value), so a manifest of 112,000 nodes costs tens of megabytes,
// not gigabytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zellige {

/// One thing wrong in a file. `line` and `column` count from 1, columns in characters; 0, 0: the file as a
/// whole.
struct Problem {
  std::string file;
  int line = 0, column = 0;
  std::string reason;
  bool operator==(const Problem&) const = default;
};
/// "site/manifest.yaml:12:5: missing key 'serial'"
std::string describe(const Problem& problem);

/// What was read, or everything found wrong with it (never empty, at most `maxProblems`). Nothing half.
template <class T>
using Reading = std::variant<T, std::vector<Problem>>;

constexpr std::size_t maxProblems = 50;

/// Where in a text something stands; kept as a byte offset, told as line and column.
struct Spot {
  std::uint32_t offset = 0;
  auto operator<=>(const Spot&) const = default;
};

/// Collects what is wrong with one text. The text must outlive it.
class Problems {
 public:
  Problems(std::string file, std::string_view text);
  void add(Spot spot, std::string reason);
  void addWhole(std::string reason);  ///< about the file, no place in it
  bool none() const { return problems_.empty(); }
  std::vector<Problem> take();  ///< in order of place

  /// The problem that `add` would keep.
  Problem at(Spot spot, std::string reason) const;
  int lineOf(Spot spot) const;
  const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::string_view text_;
  std::vector<std::uint32_t> lineStarts_;
  std::vector<Problem> problems_;
};

struct DocumentLimits {
  std::size_t bytes = 64u << 20;
  std::size_t depth = 16;
  /// Marks that may begin or end a token: []{},:-?!&*|>'" . yaml-cpp queues every token of a flow collection,
  /// or of a line, before it delivers the first; this is what bounds its memory, to about 1.6 GB at worst. A
  /// manifest of 112,000 nodes has 4 million, with IPv6 addresses 5.
  std::size_t structure = 6'000'000;
};

class Value;

/// One YAML document as plain values: no anchors, aliases, tags or second document; keys are words and
/// unique.
class Document {
 public:
  enum class Kind : std::uint8_t { Null, Scalar, Sequence, Map };

  /// `text` without a byte order mark. Everything wrong goes to `problems`; what is returned is to be read
  /// only if there were none.
  static Document parse(std::string_view text, Problems& problems, const DocumentLimits& limits = {});
  Value root() const;

 private:
  friend class Value;
  friend class DocumentBuilder;
  struct Entry {
    std::uint32_t offset, textAt, textLength;
    std::uint32_t end;  ///< index after this value and all inside it
    Kind kind;
    bool quoted;
  };
  std::vector<Entry> entries_;  ///< a map holds key, value, key, value …
  std::string arena_;
};

/// A value in a Document, which must outlive it. Small: pass by value.
class Value {
 public:
  Document::Kind kind() const { return entry().kind; }
  Spot spot() const { return {entry().offset}; }
  /// The scalar's text, escapes resolved; empty for anything else.
  std::string_view text() const;
  bool quoted() const { return entry().quoted; }

  /// The values directly inside: items of a sequence; keys and values, alternating, of a map.
  class Iterator {
   public:
    Iterator(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
    Value operator*() const { return {document_, index_}; }
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    const Document* document_;
    std::uint32_t index_;
  };
  Iterator begin() const { return {document_, index_ + 1}; }
  Iterator end() const { return {document_, entry().end}; }
  bool empty() const { return begin() == end(); }

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document::Entry& entry() const { return document_->entries_[index_]; }
  const Document* document_;
  std::uint32_t index_;
};

/// `text` in single quotes for a message: cut at 40 characters, control characters shown as '?'.
std::string quote(std::string_view text);

/// Byte offset of the first byte that is not UTF-8 text (also NUL, controls but tab and line ends, a lone
/// CR); npos if all is well.
std::size_t firstNotText(std::string_view text);
/// The same with a '?' in place of each such byte.
std::string onlyText(std::string text);

}  // namespace zellige
