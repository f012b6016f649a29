#include "controller/base/text.hpp"

#include <gtest/gtest.h>

namespace zellige {
namespace {

TEST(Shortened, CutsBetweenCharacters) {
  EXPECT_EQ(shortened("GPU_0", 8), "GPU_0");
  EXPECT_EQ(shortened("GPU_0", 3), "GPU");
  EXPECT_EQ(shortened("a\xC3\xA9z", 2), "a");
  EXPECT_EQ(shortened("a\xC3\xA9z", 3), "a\xC3\xA9");
  EXPECT_EQ(shortened("\xF0\x9F\x98\x80", 3), "");
}

}  // namespace
}  // namespace zellige
