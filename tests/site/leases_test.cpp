// Lease files as dnsmasq and Kea write them, and as somebody writes them who means harm.
#include "controller/site/leases.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>

#include "tests/folder.hpp"
#include "tests/site/kea.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'800'000'000;

Time now() { return fromMillis(kNow * 1000); }

LeaseReading read(LeaseFormat format, std::string_view text, const LeaseLimits& limits = {}) {
  const Folder folder;
  folder.write("leases", text);
  auto reading = readLeases({folder.path() / "leases", format}, now(), limits);
  EXPECT_TRUE(reading) << reading.error().what;
  return reading ? *reading : LeaseReading{};
}

std::vector<std::string> pairs(const LeaseReading& reading) {
  std::vector<std::string> out;
  for (const auto& [lease, expires] : reading.leases) out.push_back(lease.mac + " " + lease.address);
  return out;
}

TEST(Dnsmasq, ReadsIpv4AndIpv6) {
  const auto reading = read(LeaseFormat::Dnsmasq,
                            R"(1800003600 3C:6D:66:00:00:01 10.20.0.10 bmc-1 01:3c:6d:66:00:00:01
0 3c:6d:66:00:00:02 10.20.0.11 * *
1799999999 3c:6d:66:00:00:03 10.20.0.12 gone *
1800003600 06-aa:bb:cc:dd:ee:ff 10.20.0.13 token-ring *
duid 00:01:00:01:2d:8e:f2:9e:00:16:3e:dd:ee:ff
1800003600 5417 fd00::17 bmc-4 00:03:00:01:3c:6d:66:00:00:04
1800003600 T88 fd00::18 * 00:01:00:01:2d:8e:f2:9e:3c:6d:66:00:00:05
1800003600 5418 fd00::19 * 00:02:00:00:ab:11:00:00:00:00
)");
  EXPECT_THAT(pairs(reading), ElementsAre("3c:6d:66:00:00:01 10.20.0.10", "3c:6d:66:00:00:02 10.20.0.11",
                                          "3c:6d:66:00:00:04 fd00::17", "3c:6d:66:00:00:05 fd00::18"));
  EXPECT_EQ(reading.wrong, 0) << reading.firstWrong;
  EXPECT_EQ(reading.leases[0].lease.hostname, "bmc-1");
  EXPECT_EQ(reading.leases[1].lease.hostname, "");
}

TEST(Kea, TheLaterWordOnAnAddressHolds) {
  const auto reading = read(LeaseFormat::Kea,
                            std::string(kKeaHead) +
                                R"(10.20.0.10,3c:6d:66:00:00:01,,3600,1800003600,1,0,0,bmc-1,0,,0
10.20.0.11,3c:6d:66:00:00:02,,3600,1800003600,1,0,0,,0,,0
10.20.0.11,3c:6d:66:00:00:03,,3600,1800003700,1,0,0,,0,,0
10.20.0.12,3c:6d:66:00:00:04,,3600,1800003600,1,0,0,,0,,0
10.20.0.12,3c:6d:66:00:00:04,,0,1800003600,1,0,0,,0,,0
10.20.0.13,3c:6d:66:00:00:05,,3600,1800003600,1,0,0,,0,,0
10.20.0.13,3c:6d:66:00:00:05,,3600,1800003600,1,0,0,,2,,0
10.20.0.14,,,3600,1800003600,1,0,0,,1,,0
10.20.0.15,3c:6d:66:00:00:06,,3600,1799990000,1,0,0,,0,,0
)");
  EXPECT_THAT(pairs(reading), ElementsAre("3c:6d:66:00:00:01 10.20.0.10", "3c:6d:66:00:00:03 10.20.0.11"));
  EXPECT_EQ(reading.wrong, 0) << reading.firstWrong;
}

TEST(Kea, ReadsOption82AsOldAndNewVersionsStoreIt) {
  const auto reading = read(
      LeaseFormat::Kea,
      std::string(kKeaHead) +
          R"(10.0.0.1,3c:6d:66:00:00:01,,9,1800003600,1,0,0,a&#x2cb,0,{ "ISC": { "relay-agent-info": { "remote-id": "0A0B0C0D0E0F"&#x2c "sub-options": "0x0108657468302F312F3702060A0B0C0D0E0F" } } },0
10.0.0.2,3c:6d:66:00:00:02,,9,1800003600,1,0,0,,0,{ "ISC": { "relay-agent-info": "0x0106060106020603" } },0
10.0.0.3,3c:6d:66:00:00:03,,9,1800003600,1,0,0,,0,{ "ISC": { "client-classes": [ "ALL"&#x2c "VENDOR_CLASS_NVIDIA/BF/BMC" ] } },0
10.0.0.4,3c:6d:66:00:00:04,,9,1800003600,1,0,0,,0,{ "ISC": { "relay-agent-info": { "sub-options": "0x01FF65" } } },0
10.0.0.5,3c:6d:66:00:00:05,,9,1800003600,1,0,0,,0,[[[[[[[[[[[[,0
)");
  ASSERT_EQ(reading.leases.size(), 5u);
  EXPECT_EQ(reading.leases[0].lease.circuit, "eth0/1/7");
  EXPECT_EQ(reading.leases[0].lease.remote, "0x0a0b0c0d0e0f");
  EXPECT_EQ(reading.leases[0].lease.hostname, "a,b");
  EXPECT_EQ(reading.leases[1].lease.circuit, "0x060106020603");
  EXPECT_EQ(reading.leases[2].lease.vendorClass, "NVIDIA/BF/BMC");
  EXPECT_EQ(reading.leases[3].lease.circuit, "") << "longer than what there is";
  EXPECT_EQ(reading.leases[4].lease.circuit, "") << "no JSON";
}

TEST(Kea, ReadsItsIpv6File) {
  const auto reading = read(
      LeaseFormat::Kea,
      R"(address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
fd00::1,00:03:00:01:3c:6d:66:00:00:01,3600,1800003600,1,1800,0,7,128,0,0,,3c:6d:66:00:00:01,0,,1,2,0
fd00::2,00:03:00:01:3c:6d:66:00:00:02,3600,1800003600,1,1800,0,7,128,0,0,,,0,,,,0
fd00:1::,00:03:00:01:3c:6d:66:00:00:03,3600,1800003600,1,1800,2,7,64,0,0,,,0,,,,0
)");
  EXPECT_THAT(pairs(reading), ElementsAre("3c:6d:66:00:00:01 fd00::1", "3c:6d:66:00:00:02 fd00::2"));
}

TEST(Kea, ReadsWhatItsCleanupLeftBesideTheFile) {
  const Folder folder;
  const auto file = (folder.path() / "kea-leases4.csv").string();
  const auto write = [&](const std::string& end, std::string_view rows) {
    folder.write("kea-leases4.csv" + end, std::string(kKeaHead) + std::string(rows));
  };
  write(".2",
        "10.0.0.1,3c:6d:66:00:00:01,,9,1800003600,1,0,0,,0,,0\n"
        "10.0.0.2,3c:6d:66:00:00:02,,9,1800003600,1,0,0,,0,,0\n");
  write(".1", "10.0.0.2,3c:6d:66:00:00:09,,9,1800003600,1,0,0,,0,,0\n");
  write("", "10.0.0.3,3c:6d:66:00:00:03,,9,1800003600,1,0,0,,0,,0\n");
  const auto all = [&] { return pairs(*readLeases({file, LeaseFormat::Kea}, now())); };
  EXPECT_THAT(all(), ElementsAre("3c:6d:66:00:00:01 10.0.0.1", "3c:6d:66:00:00:09 10.0.0.2",
                                 "3c:6d:66:00:00:03 10.0.0.3"));
  write(".completed", "10.0.0.4,3c:6d:66:00:00:04,,9,1800003600,1,0,0,,0,,0\n");
  EXPECT_THAT(all(), ElementsAre("3c:6d:66:00:00:03 10.0.0.3", "3c:6d:66:00:00:04 10.0.0.4"));
}

TEST(Leases, AHalfWrittenLastLineIsNotThereYet) {
  EXPECT_THAT(pairs(read(LeaseFormat::Dnsmasq,
                         "1800003600 3c:6d:66:00:00:01 10.20.0.10 a *\n"
                         "1800003600 3c:6d:66:00:00:02 10.20.0.1")),
              ElementsAre("3c:6d:66:00:00:01 10.20.0.10"));
  EXPECT_THAT(pairs(read(LeaseFormat::Kea, std::string(kKeaHead) +
                                               "10.0.0.1,3c:6d:66:00:00:01,,9,1800003600,1,0,0,,0,,0\n"
                                               "10.0.0.1,3c:6d:66:00:00:02,,9,1800003600,1,0,0,,0,,0")),
              ElementsAre("3c:6d:66:00:00:01 10.0.0.1"));
}

TEST(Leases, LeavesOutWhatMakesNoSenseAndCountsIt) {
  using namespace std::string_literals;
  const std::string good = "1800003600 3c:6d:66:00:00:01 10.20.0.10 a *\n";
  const std::string wrong[] = {
      "1800003600 3c:6d:66:00:00:01\n",
      "1800003600 3c:6d:66:00:00:01 10.20.0.10 a * more\n",
      "-1 3c:6d:66:00:00:01 10.20.0.10 a *\n",
      "99999999999999999999 3c:6d:66:00:00:01 10.20.0.10 a *\n",
      "soon 3c:6d:66:00:00:01 10.20.0.10 a *\n",
      "1800003600 3c:6d:66:00:00:01 10.20.0.300 a *\n",
      "1800003600 3c:6d:66:00:00:01 localhost a *\n",
      "1800003600 3c:6d:66:00:00:01 0.0.0.0 a *\n",
      "1800003600 3c:6d:66:00:00:01 10.20.0.10 a\0b *\n"s,
      "1800003600 3c:6d:66:00:00:01 10.20.0.10 " + std::string(10'000, 'a') + " *\n",
      std::string(100'000, ' ') + "\n",
  };
  for (const auto& line : wrong) {
    SCOPED_TRACE(line.substr(0, 60));
    const auto reading = read(LeaseFormat::Dnsmasq, line + good);
    EXPECT_EQ(reading.wrong, 1);
    EXPECT_THAT(reading.firstWrong, HasSubstr("line 1: "));
    EXPECT_EQ(reading.leases.size(), 1u) << "the good line after it counts";
  }
  for (const std::string_view line : {"10.0.0.1,3c:6d:66:00:00:01,,9,1800003600\n", ",,,,,,,,,,,\n",
                                      "10.0.0.1,3c:6d:66:00:00:01,,x,1800003600,1,0,0,,0,,0\n",
                                      "10.0.0.1,3c:6d:66:00:00:01,,9,1800003600,1,0,0,,-1,,0\n"}) {
    const auto reading = read(LeaseFormat::Kea, std::string(kKeaHead) + std::string(line));
    EXPECT_EQ(reading.wrong, 1) << line;
    EXPECT_THAT(reading.leases, IsEmpty());
  }
  EXPECT_EQ(read(LeaseFormat::Kea, good).wrong, 1) << "the other server's file";
  EXPECT_EQ(read(LeaseFormat::Dnsmasq, kKeaHead).wrong, 1);
}

TEST(Leases, ShowsDevicesWordsAsPlainText) {
  const auto reading = read(LeaseFormat::Dnsmasq,
                            "0 3c:6d:66:00:00:01 10.0.0.1 \x1b[31m\xff" + std::string(300, 'h') + " *\n");
  ASSERT_EQ(reading.leases.size(), 1u);
  const auto& hostname = reading.leases[0].lease.hostname;
  EXPECT_TRUE(hostname.starts_with("?[31m?h")) << hostname;
  EXPECT_LE(hostname.size(), 128u);
}

TEST(Leases, RefusesWhatIsBeyondTheLimits) {
  const Folder folder;
  std::string text;
  for (int i = 1; i < 200; ++i) text += fmt::format("0 3c:6d:66:00:00:{:02x} 10.0.0.{} a *\n", i, i);
  folder.write("leases", text);
  const LeaseFile file{folder.path() / "leases", LeaseFormat::Dnsmasq};
  const auto large = readLeases(file, now(), {.bytes = 1000});
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().what, HasSubstr("more than 1000 bytes"));
  const auto many = readLeases(file, now(), {.leases = 50});
  ASSERT_TRUE(many);
  EXPECT_EQ(many->leases.size(), 50u);
  EXPECT_EQ(many->wrong, 1);
  EXPECT_THAT(many->firstWrong, HasSubstr("more than 50 leases"));
}

TEST(Leases, RefusesWhatIsNoPlainFile) {
  const Folder folder;
  const auto refused = [&](const std::filesystem::path& path) {
    const auto reading = readLeases({path, LeaseFormat::Dnsmasq}, now());
    return reading ? std::string{} : reading.error().what;
  };
  EXPECT_THAT(refused(folder.path() / "none"), HasSubstr("No such file"));
  EXPECT_THAT(refused(folder.path()), HasSubstr("no plain file"));
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refused(pipe), HasSubstr("no plain file")) << "and nobody waits for a writer";
}

}  // namespace
}  // namespace zellige
