#include "controller/site/address.hpp"

#include <gtest/gtest.h>

namespace zellige {
namespace {

TEST(Address, SpellsAMacOneWay) {
  for (const auto* text :
       {"3c:6d:66:00:00:01", "3C:6D:66:00:00:01", "3C-6D-66-00-00-01", "3c6d.6600.0001", "3c6d66000001"})
    EXPECT_EQ(canonicalMac(text), "3c:6d:66:00:00:01") << text;
  for (const auto* text : {"", "3c:6d:66:00:00", "3c:6d:66:00:00:0g", "3c:6d-66:00:00:01", "00:00:00:00:00:00",
                           "3d:6d:66:00:00:01", "3c.6d.66.00.00.01", "3c6d:6600:0001", "3c:6d:66:00:00:012"})
    EXPECT_EQ(canonicalMac(text), std::nullopt) << text;
}

TEST(Address, SpellsAnIpAddressOneWay) {
  EXPECT_EQ(canonicalAddress("127.1.0.1"), "127.1.0.1");
  EXPECT_EQ(canonicalAddress("FE80:0:0:0:0:0:0:1"), "fe80::1");
  for (const auto* text : {"", "10.0.0", "10.0.0.256", "010.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
                           "::", "ff02::1", "fe80::1%eth0", "bmc-1.example", "10.0.0.1 "})
    EXPECT_EQ(canonicalAddress(text), std::nullopt) << text;
}

TEST(Address, ReadsWhereSomebodyListens) {
  const auto four = readEndpoint("10.0.0.2:8443"), six = readEndpoint("[::1]:0"),
             all = readEndpoint("[::]:443");
  ASSERT_TRUE(four && six && all);
  EXPECT_EQ(four->ip, "10.0.0.2");
  EXPECT_EQ(four->port, 8443);
  EXPECT_FALSE(four->isEveryAddress());
  EXPECT_EQ(six->ip, "::1");
  EXPECT_EQ(six->port, 0);
  EXPECT_TRUE(all->isEveryAddress());
  EXPECT_TRUE(readEndpoint("0.0.0.0:1")->isEveryAddress());
  for (const auto* text : {"", "10.0.0.2", "10.0.0.2:", "10.0.0.2:65536", "10.0.0.2:-1", "10.0.0.2:1x",
                           "::1:80", "[10.0.0.2]:80", "[]:80", "controller:80", ":80"})
    EXPECT_FALSE(readEndpoint(text)) << text;
}

TEST(Address, TellsHostNamesFromWrongAddresses) {
  EXPECT_EQ(canonicalHost("ntp.site.example"), "ntp.site.example");
  EXPECT_EQ(canonicalHost("10.0.0.1"), "10.0.0.1");
  for (const auto* text : {"", "10.0.0.256", "-x", ".x", "a b", "a_b", "a/b"})
    EXPECT_EQ(canonicalHost(text), std::nullopt) << text;
}

}  // namespace
}  // namespace zellige
