#include "controller/site/address_range.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zellige {
namespace {

using testing::HasSubstr;

TEST(AddressRange, LeavesOutTheNetworksOwnAndItsBroadcastAddress) {
  const auto range = readRange("10.20.0.0/22");
  ASSERT_TRUE(range) << range.error().what;
  EXPECT_EQ(range->count, 1022u);
  EXPECT_EQ(range->at(0), "10.20.0.1");
  EXPECT_EQ(range->at(1021), "10.20.3.254");
  EXPECT_TRUE(range->isPrivate);
  EXPECT_EQ(readRange("192.168.7.9")->at(0), "192.168.7.9");
  EXPECT_EQ(readRange("192.168.7.8/31")->count, 2u);
  EXPECT_EQ(readRange("10.0.0.0/16")->count, 65'534u);
}

TEST(AddressRange, KnowsWhatIsRoutedOnTheInternet) {
  for (const auto* text : {"10.255.255.0/24", "172.31.0.0/16", "192.168.0.0/16", "100.127.0.0/16",
                           "169.254.0.0/16", "127.1.0.0/24"})
    EXPECT_TRUE(readRange(text)->isPrivate) << text;
  for (const auto* text : {"11.0.0.0/24", "172.32.0.0/16", "192.169.0.0/16", "100.128.0.0/16", "8.8.8.8"})
    EXPECT_FALSE(readRange(text)->isPrivate) << text;
}

TEST(AddressRange, SaysWhatIsWrong) {
  const auto why = [](std::string_view text) {
    const auto range = readRange(text);
    return range ? std::string("nothing") : range.error().what;
  };
  for (const auto* text : {"", "/", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/2x",
                           "bmc-1/24", "fd00::/112", "10.0.0.0/24/24"})
    EXPECT_THAT(why(text), HasSubstr("is no range of IPv4 addresses")) << text;
  EXPECT_THAT(why("10.0.0.0/15"), HasSubstr("at most a /16"));
  EXPECT_THAT(why("10.20.1.0/22"), HasSubstr("write 10.20.0.0/22"));
  EXPECT_THAT(why("224.0.0.0/24"), HasSubstr("holds no machine's address"));
  EXPECT_THAT(why("0.0.0.0/24"), HasSubstr("holds no machine's address"));
}

}  // namespace
}  // namespace zellige
