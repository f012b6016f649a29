#include "controller/site/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/site/fields.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> parse(std::string_view text, const DocumentLimits& limits = {}) {
  Problems problems("f.yaml", text);
  Document::parse(text, problems, limits);
  std::vector<std::string> lines;
  for (const auto& problem : problems.take()) lines.push_back(describe(problem));
  return lines;
}

TEST(Document, KeepsOrderKindsAndPlaces) {
  Source source("f.yaml", "a: [1, 'two']\nb:\n  c: ~\n");
  ASSERT_TRUE(source.problems.none());
  const auto root = source.document.root();
  std::vector<Value> inside;
  for (const auto value : root) inside.push_back(value);
  ASSERT_EQ(inside.size(), 4u);
  EXPECT_EQ(inside[0].text(), "a");
  EXPECT_EQ(inside[1].kind(), Document::Kind::Sequence);
  const auto items = readItems(inside[1], source.problems);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_FALSE(items[0].quoted());
  EXPECT_TRUE(items[1].quoted());
  EXPECT_EQ(items[1].text(), "two");
  EXPECT_EQ(source.problems.at(items[1].spot(), "x"), (Problem{"f.yaml", 1, 8, "x"}));
  ASSERT_EQ(inside[3].kind(), Document::Kind::Map);
  EXPECT_EQ((*++inside[3].begin()).kind(), Document::Kind::Null);
}

TEST(Document, SaysWhereAndWhyAFileIsRefused) {
  struct Case {
    std::string_view text, complaint;
  };
  const Case cases[] = {
      {"", "f.yaml: the file is empty"},
      {"# only a comment\n", "f.yaml: the file is empty"},
      {"a: 1\nb: &x 2\n", "f.yaml:2:4: anchors and aliases are not read; write the value out"},
      {"a: &x [1]\nb: *x\n", "f.yaml:1:4: anchors and aliases are not read; write the value out"},
      {"a: *nowhere\n", "f.yaml:1:4: not YAML: the referenced anchor is not defined"},
      {"a: !!binary aGk=\n", "f.yaml:1:4: tag 'tag:yaml.org,2002:binary' is not read; write the plain value"},
      {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here; one file holds one"},
      {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' is given twice; first in line 1"},
      {"a:\n  - {x: 1, y: 2, x: 3}\n", "f.yaml:2:18: key 'x' is given twice; first in line 2"},
      {"? [1]\n: 2\n", "f.yaml:1:3: a key must be a plain word"},
      {"a: [1, 2\n", "f.yaml:2:1: not YAML: end of sequence flow not found"},
      {"a: b: c\n", "f.yaml:1:5: not YAML: illegal map value"},
      {"a: \"\\", "f.yaml:1:6: not YAML: unknown escape character: ?"},
      {"a: \"x\\_\"", "f.yaml:1:4: an escape in this value stands for something that is not text"},
      {"a: \"x\\0\"", "f.yaml:1:4: an escape in this value stands for something that is not text"},
      {"a: 1\nb: \xC3\x28\n", "f.yaml:2:4: byte 0xC3 is not UTF-8 text"},
      {"a: caf\xC3\xA9 \xFF\n", "f.yaml:1:9: byte 0xFF is not UTF-8 text"},
      {std::string_view("a: \0b\n", 6), "f.yaml:1:4: byte 0x00 is not UTF-8 text"},
      {"\xFF\xFE"
       "a\x01",
       "f.yaml:1:1: byte 0xFF is not UTF-8 text"},
      {"a: \xED\xA0\x80\n", "f.yaml:1:4: byte 0xED is not UTF-8 text"},
      {"a: \xC0\xAF\n", "f.yaml:1:4: byte 0xC0 is not UTF-8 text"},
      {"a: 1\rb: 2\r", "f.yaml:1:5: byte 0x0D is not UTF-8 text"},
      {"\xC3\xA9t\xC3\xA9: [\xC3\xA9, *x]\n", "f.yaml:1:10: not YAML: the referenced anchor is not defined"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(parse(c.text), ElementsAre(std::string(c.complaint)));
  }
}

TEST(Document, TellsEveryRepeatOfAKeyInOrder) {
  EXPECT_THAT(parse("b: 1\na: 1\nb: 2\na: 2\nb: 3\n"),
              ElementsAre("f.yaml:3:1: key 'b' is given twice; first in line 1",
                          "f.yaml:4:1: key 'a' is given twice; first in line 2",
                          "f.yaml:5:1: key 'b' is given twice; first in line 1"));
}

TEST(Document, ReadsWindowsLineEndsAndAByteOrderMark) {
  Source source("f.yaml",
                "\xEF\xBB\xBF"
                "a: 1\r\nb:\r\n  - x\r\n  - *y\r\n");
  EXPECT_EQ(describe(source.problems.take().at(0)),
            "f.yaml:4:5: not YAML: the referenced anchor is not defined");
  Source good("f.yaml",
              "\xEF\xBB\xBF"
              "a: one\r\n");
  ASSERT_TRUE(good.problems.none());
  EXPECT_EQ((*++good.document.root().begin()).text(), "one");
}

TEST(Document, StopsAtSixteenLevels) {
  EXPECT_THAT(parse(std::string(16, '[') + "a" + std::string(16, ']')), ElementsAre());
  EXPECT_THAT(parse(std::string(17, '[') + "a" + std::string(17, ']')),
              ElementsAre("f.yaml:1:17: nested deeper than 16"));
  // Never closed, yaml-cpp takes each for a list and a key at once.
  EXPECT_THAT(parse(std::string(100'000, '[')), ElementsAre(HasSubstr("nested deeper than 16")));
  EXPECT_THAT(parse(std::string(100'000, '{')), ElementsAre(HasSubstr("nested deeper than 16")));
  std::string dashes;
  for (int i = 0; i < 100'000; ++i) dashes += "- ";
  EXPECT_THAT(parse(dashes), ElementsAre("f.yaml:1:33: nested deeper than 16"));
}

TEST(Document, LimitsBytesAndStructureBeforeParsing) {
  EXPECT_THAT(parse("a: 12345\n", {.bytes = 8}), ElementsAre("f.yaml: 9 bytes; at most 8 are read"));
  EXPECT_THAT(parse("[a, b, c]", {.structure = 3}),
              ElementsAre("f.yaml: too many values: more than 3 marks of structure"));
  EXPECT_THAT(parse("[a, b, c]", {.structure = 4}), ElementsAre());
}

TEST(Document, TellsAtMostFiftyProblems) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a: 1\n";
  EXPECT_EQ(parse(text).size(), maxProblems);
}

TEST(Document, QuotesValuesShortAndWithoutControls) {
  EXPECT_EQ(quote("a\nb\x7F"), "'a?b?'");
  EXPECT_EQ(quote(std::string(50, 'x')), "'" + std::string(40, 'x') + "…'");
  EXPECT_EQ(quote("caf\xC3\xA9"), "'caf\xC3\xA9'");
}

}  // namespace
}  // namespace zellige
