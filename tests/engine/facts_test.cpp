#include "controller/engine/facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "controller/base/random.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Facts, AreReadInTheOrderOfTheirKeys) {
  Facts facts{{"task", "/tasks/7"}, {"a", ""}};
  facts.set("pushed_at", std::string_view("1\0\xff", 3));
  EXPECT_THAT(facts, ElementsAre(Pair("a", ""), Pair("pushed_at", std::string_view("1\0\xff", 3)),
                                 Pair("task", "/tasks/7")));
}

TEST(Facts, TellAnEmptyValueFromNone) {
  const Facts facts{{"a", ""}};
  EXPECT_EQ(facts.find("a"), "");
  EXPECT_EQ(facts.find("b"), std::nullopt);
  EXPECT_EQ(facts.get("b"), "");
}

TEST(Facts, MayBeSetFromThemselves) {
  Facts facts{{"long", std::string(200, 'x')}};
  facts.set("copy", facts.get("long"));
  facts.set("long", facts.get("copy").substr(100));
  EXPECT_EQ(facts.get("copy"), std::string(200, 'x'));
  EXPECT_EQ(facts.get("long"), std::string(100, 'x'));
}

TEST(Facts, AgreeWithAMap) {
  Random random(7, "facts");
  std::map<std::string, std::string> map;
  Facts facts;
  for (int i = 0; i < 5'000; ++i) {
    const auto key = std::string(random.next() % 3, 'k') + std::to_string(random.next() % 12);
    if (random.next() % 4 == 0) {
      map.erase(key);
      facts.erase(key);
    } else {
      const std::string value(random.next() % 40, static_cast<char>(random.next()));
      map[key] = value;
      facts.set(key, value);
    }
    ASSERT_EQ(facts.empty(), map.empty());
    ASSERT_TRUE(
        std::equal(facts.begin(), facts.end(), map.begin(), map.end(),
                   [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }))
        << "after " << i;
  }
}

}  // namespace
}  // namespace zellige
