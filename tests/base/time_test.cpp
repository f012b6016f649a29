#include "controller/base/time.hpp"

#include <gtest/gtest.h>

namespace zellige {
namespace {

TEST(Iso8601, IsReadAsItIsWritten) {
  for (const auto t : {Time{0ms}, Time{1'795'736'340'000ms}, Time{1'795'736'340'007ms}})
    EXPECT_EQ(readIso8601(iso8601(t)), t) << iso8601(t);
}

TEST(Iso8601, IsReadAsBmcsWriteIt) {
  const auto t = readIso8601("2026-11-23T01:39:00Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(readIso8601("2026-11-23T01:39:00+00:00"), t);
  EXPECT_EQ(readIso8601("2026-11-23T03:09:00+01:30"), t);
  EXPECT_EQ(readIso8601("2026-11-22T21:39:00-04:00"), t);
  EXPECT_EQ(readIso8601("2026-11-23T01:39:00"), t);
  EXPECT_EQ(readIso8601("2026-11-23T01:39:00.250000+00:00"), *t + 250ms);
}

TEST(Iso8601, AnythingElseIsRefused) {
  for (const auto* text :
       {"", "now", "2026-11-23", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+05:00",
        "2026-11-23T24:00:00Z", "2026-11-23T01:39:00Zebra", "2026-11-23T01:39:00+1", "2026-11-23T-1:39:00Z",
        "2026-11-23 01:39:00Z", "20261123T013900Z"})
    EXPECT_FALSE(readIso8601(text)) << text;
}

}  // namespace
}  // namespace zellige
