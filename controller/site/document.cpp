#include "controller/site/document.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <istream>
#include <streambuf>
#include <unordered_set>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace zellige {

namespace {

struct Stop {};  // ends a parse whose problem is already told

class TextStream : public std::streambuf {
 public:
  explicit TextStream(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf reads only
    setg(begin, begin, begin + text.size());
  }
};

Spot spotOf(const YAML::Mark& mark) { return {mark.pos > 0 ? static_cast<std::uint32_t>(mark.pos) : 0u}; }

bool isStructure(char c) { return std::string_view("[]{},:-?!&*|>'\"").find(c) != std::string_view::npos; }

}  // namespace

class DocumentBuilder final : public YAML::EventHandler {
 public:
  DocumentBuilder(Document& document, Problems& problems, const DocumentLimits& limits)
      : document_(document), problems_(problems), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(spotOf(mark), "a second document begins here; one file holds one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse(mark, anchor, {});
    put(Document::Kind::Null, mark, {}, false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(spotOf(mark), "anchors and aliases are not read; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse(mark, anchor, tag);
    // yaml-cpp makes single bytes of "\_" and "\N", which are not UTF-8.
    if (firstNotText(value) != std::string_view::npos)
      stop(spotOf(mark), "an escape in this value stands for something that is not text");
    put(Document::Kind::Scalar, mark, value, tag == "!");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse(mark, anchor, tag);
    open(Document::Kind::Sequence, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse(mark, anchor, tag);
    open(Document::Kind::Map, mark);
  }
  void OnMapEnd() override {
    checkKeys(open_.back());
    close();
  }

 private:
  using Entry = Document::Entry;

  [[noreturn]] void stop(Spot spot, std::string reason) {
    problems_.add(spot, std::move(reason));
    throw Stop{};
  }
  void refuse(const YAML::Mark& mark, YAML::anchor_t anchor, std::string_view tag) {
    if (anchor != YAML::NullAnchor) OnAlias(mark, anchor);
    if (tag.size() > 1)
      stop(spotOf(mark), fmt::format("tag {} is not read; write the plain value", quote(tag)));
  }
  void put(Document::Kind kind, const YAML::Mark& mark, std::string_view text, bool quoted) {
    const auto index = static_cast<std::uint32_t>(document_.entries_.size());
    document_.entries_.push_back({spotOf(mark).offset, static_cast<std::uint32_t>(document_.arena_.size()),
                                  static_cast<std::uint32_t>(text.size()), index + 1, kind, quoted});
    document_.arena_ += text;
  }
  void open(Document::Kind kind, const YAML::Mark& mark) {
    if (open_.size() >= limits_.depth)
      stop(spotOf(mark), fmt::format("nested deeper than {}", limits_.depth));
    open_.push_back(static_cast<std::uint32_t>(document_.entries_.size()));
    put(kind, mark, {}, false);
  }
  void close() {
    document_.entries_[open_.back()].end = static_cast<std::uint32_t>(document_.entries_.size());
    open_.pop_back();
  }
  std::string_view textOf(const Entry& entry) const {
    return std::string_view(document_.arena_).substr(entry.textAt, entry.textLength);
  }

  // yaml-cpp delivers a repeated key as if it were another one.
  void checkKeys(std::uint32_t map) {
    auto& entries = document_.entries_;
    keys_.clear();
    for (auto i = map + 1; i < entries.size(); i = entries[entries[i].end].end) {
      if (entries[i].kind != Document::Kind::Scalar)
        problems_.add({entries[i].offset}, "a key must be a plain word");
      else
        keys_.push_back(i);
      auto& value = entries[entries[i].end];
      if (value.kind == Document::Kind::Null)
        value.offset = entries[i].offset;  // nothing stands nowhere else
    }
    const auto duplicate = [&](std::uint32_t second, std::uint32_t first) {
      problems_.add({entries[second].offset},
                    fmt::format("key {} is given twice; first in line {}", quote(textOf(entries[second])),
                                problems_.lineOf({entries[first].offset})));
    };
    std::stable_sort(keys_.begin(), keys_.end(),
                     [&](auto a, auto b) { return textOf(entries[a]) < textOf(entries[b]); });
    for (std::size_t i = 1, first = 0; i < keys_.size(); ++i) {
      if (textOf(entries[keys_[i]]) == textOf(entries[keys_[first]]))
        duplicate(keys_[i], keys_[first]);
      else
        first = i;
    }
  }

  Document& document_;
  Problems& problems_;
  const DocumentLimits& limits_;
  std::vector<std::uint32_t> open_;
  std::vector<std::uint32_t> keys_;
  int documents_ = 0;
};

namespace {

bool withinLimits(std::string_view text, Problems& problems, const DocumentLimits& limits) {
  if (text.size() > limits.bytes) {
    problems.addWhole(fmt::format("{} bytes; at most {} are read", text.size(), limits.bytes));
    return false;
  }
  if (const auto bad = firstNotText(text); bad != std::string_view::npos) {
    problems.add({static_cast<std::uint32_t>(bad)},
                 fmt::format("byte 0x{:02X} is not UTF-8 text", static_cast<unsigned char>(text[bad])));
    return false;
  }
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), isStructure)) > limits.structure) {
    problems.addWhole(fmt::format("too many values: more than {} marks of structure", limits.structure));
    return false;
  }
  return true;
}

}  // namespace

Document Document::parse(std::string_view text, Problems& problems, const DocumentLimits& limits) {
  Document document;
  if (!withinLimits(text, problems, limits)) return document;
  if (text.starts_with("\xEF\xBB\xBF")) {
    problems.addWhole("begins with a byte order mark");  // yaml-cpp would skip it without counting it
    return document;
  }
  TextStream buffer(text);
  std::istream stream(&buffer);
  DocumentBuilder builder(document, problems, limits);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return document;
  } catch (const YAML::Exception& e) {
    problems.add(spotOf(e.mark), onlyText(fmt::format("not YAML: {}", e.msg)));
    return document;
  }
  if (document.entries_.empty()) problems.addWhole("the file is empty");
  return document;
}

Value Document::root() const { return {this, 0}; }

std::string_view Value::text() const {
  const auto& e = entry();
  return std::string_view(document_->arena_).substr(e.textAt, e.textLength);
}

Value::Iterator& Value::Iterator::operator++() {
  index_ = document_->entries_[index_].end;
  return *this;
}

}  // namespace zellige
