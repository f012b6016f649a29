#include "controller/base/json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zellige {
namespace {

TEST(ParseJson, ReadsWhatRedfishSends) {
  const auto json = parseJson(
      R"({"Status": {"State": "Enabled"}, "N": "42", "Flag": "true", "Members": [1, 2]})");
  ASSERT_TRUE(json);
  EXPECT_EQ(readString(*json, "Status/State"), "Enabled");
  EXPECT_EQ(readInt(*json, "N"), 42);
  EXPECT_EQ(readBool(*json, "Flag"), true);
  EXPECT_EQ(readArray(*json, "Members").size(), 2u);
  EXPECT_EQ(readString(*json, "Status"), std::nullopt);
  EXPECT_TRUE(readArray(*json, "Missing/Deeper").empty());
}

TEST(ParseJson, RefusesAHundredThousandNestedBrackets) {
  const auto json = parseJson(std::string(100'000, '['));
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().code, Errc::BadReply);
  EXPECT_NE(json.error().what.find("deeper than 32"), std::string::npos) << json.error().what;
}

TEST(ParseJson, RefusesTooManyValuesAndTooManyBytes) {
  std::string wide = "[0";
  for (int i = 0; i < 300; ++i) wide += ",0";
  wide += "]";
  EXPECT_FALSE(parseJson(wide, {.bytes = 1u << 20, .depth = 8, .values = 100}));
  EXPECT_FALSE(parseJson(wide, {.bytes = 100, .depth = 8, .values = 1000}));
  EXPECT_TRUE(parseJson(wide, {.bytes = 1u << 20, .depth = 8, .values = 1000}));
}

TEST(ParseJson, SaysWhereABodyWasCutShort) {
  const auto json = parseJson(R"({"Id": "Sys)");
  ASSERT_FALSE(json);
  EXPECT_NE(json.error().what.find("byte"), std::string::npos);
}

TEST(ParseJson, ReadsNumbersOnlyWhenTheyFit) {
  const auto json = parseJson(R"({"huge": 1e300, "big": 18446744073709551615, "text": "12x", "ok": 7.0})");
  ASSERT_TRUE(json);
  EXPECT_EQ(readInt(*json, "huge"), std::nullopt);
  EXPECT_EQ(readInt(*json, "big"), std::nullopt);
  EXPECT_EQ(readInt(*json, "text"), std::nullopt);
  EXPECT_EQ(readInt(*json, "ok"), 7);
}

}  // namespace
}  // namespace zellige
