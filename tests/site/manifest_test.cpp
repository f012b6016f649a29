#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/site/site_file.hpp"
#include "tests/site/reading.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view oneNode = R"(# what should arrive
site: SIM1
nodes:
  - serial: "1333024020001  "
    kind: compute_tray
    place: H1/R01/RK001/U10
    sku: gb200-nvl-compute
    profile: gb200-sim
    bmc: { mac: "3C-6D-66-00-00-01", address: "127.1.0.1", port: 8443, user: root, factory_password: "0penBmc"}
)";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST(Manifest, ReadsANode) {
  const auto reading = readManifest("m.yaml", oneNode);
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& manifest = std::get<Manifest>(reading);
  EXPECT_EQ(manifest.site, "SIM1");
  ASSERT_EQ(manifest.nodes.size(), 1u);
  const auto& node = manifest.nodes[0];
  EXPECT_EQ(node.serial, "1333024020001");
  EXPECT_EQ(node.kind, NodeKind::ComputeTray);
  EXPECT_EQ(node.place.path, "H1/R01/RK001/U10");
  EXPECT_EQ(node.sku, "gb200-nvl-compute");
  EXPECT_EQ(node.profile, "gb200-sim");
  EXPECT_EQ(node.bmc, (BmcEndpoint{"3c:6d:66:00:00:01", "127.1.0.1", 8443, "root"}));
  EXPECT_EQ(node.password.reveal(), "0penBmc");
  EXPECT_TRUE(node.factoryPassword);
}

TEST(Manifest, ReadsWindowsLineEndsAndDefaults) {
  auto text = replaced(oneNode, "port: 8443, ", "");
  text = replaced(text, "factory_password", "password");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
  const auto reading = readManifest("m.yaml", text);
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& node = std::get<Manifest>(reading).nodes[0];
  EXPECT_EQ(node.bmc.port, 443);
  EXPECT_FALSE(node.factoryPassword);
}

TEST(Manifest, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string_view from, to, complaint;
  };
  const Case cases[] = {
      {"serial: \"1333024020001  \"", "serial: \"13 33\"",
       "m.yaml:4:13: '13 33' is no serial: 1 to 64 ASCII characters without blanks"},
      {"serial: \"1333024020001  \"", "serial: \"  \"",
       "m.yaml:4:13: '  ' is no serial: 1 to 64 ASCII characters without blanks"},
      {"serial: \"1333024020001  \"", "serial:", "m.yaml:4:5: must be text, not nothing"},
      {"compute_tray", "compute_try",
       "m.yaml:5:11: 'compute_try' is not a kind of node, did you mean 'compute_tray'?"},
      {"H1/R01/RK001/U10", "H1/R01/U10",
       "m.yaml:6:12: 'H1/R01/U10' is no place: hall/row/rack/slot, each 1 to 16 of A-Z a-z 0-9 _ -"},
      {"H1/R01/RK001/U10", "H1//RK001/U10",
       "m.yaml:6:12: 'H1//RK001/U10' is no place: hall/row/rack/slot, each 1 to 16 of A-Z a-z 0-9 _ -"},
      {"H1/R01/RK001/U10", "H1/R01/RK001/",
       "m.yaml:6:12: 'H1/R01/RK001/' is no place: hall/row/rack/slot, each 1 to 16 of A-Z a-z 0-9 _ -"},
      {"RK001", "RK001234567890123",
       "m.yaml:6:12: 'H1/R01/RK001234567890123/U10' is no place: hall/row/rack/slot, each 1 to 16 of A-Z a-z "
       "0-9 _ -"},
      {"sku: gb200-nvl-compute", "sku: \"gb200/x\"",
       "m.yaml:7:10: 'gb200/x' must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit"},
      {"    sku: gb200-nvl-compute\n", "", "m.yaml:4:5: missing key 'sku' in a node"},
      {"profile:", "profiel:", "m.yaml:4:5: missing key 'profile' in a node"},
      {"3C-6D-66-00-00-01", "3C-6D-66-00-00",
       "m.yaml:9:17: '3C-6D-66-00-00' is not the MAC of a machine; write it as 3c:6d:66:00:00:01"},
      {"\"127.1.0.1\"", "bmc-1.example",
       "m.yaml:9:47: 'bmc-1.example' is not the numeric IPv4 or IPv6 address of a machine"},
      {"8443", "84430", "m.yaml:9:66: '84430' is out of range: 1 to 65535"},
      {"factory_password: \"0penBmc\"", "password: a, factory_password: b",
       "m.yaml:9:115: password and factory_password are both given; one says which it is"},
      {", factory_password: \"0penBmc\"", "",
       "m.yaml:9:10: missing key 'password' or 'factory_password' in a BMC"},
      {"\"0penBmc\"", "\"\"", "m.yaml:9:102: the secret must not be empty"},
      {"nodes:", "nodes: []\nnodse:", "m.yaml:3:8: a manifest without nodes orders nothing"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.to);
    const auto told = complaints(readManifest("m.yaml", replaced(oneNode, c.from, c.to)));
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.front(), c.complaint);
  }
}

TEST(Manifest, CollectsEverythingWrongInOneReading) {
  auto text = replaced(oneNode, "compute_tray", "toaster");
  text = replaced(text, "127.1.0.1", "127.1.0");
  text = replaced(text, "port: 8443", "prot: 8443");
  EXPECT_THAT(
      complaints(readManifest("m.yaml", text)),
      ElementsAre(
          "m.yaml:5:11: 'toaster' is not a kind of node; known: compute_tray, switch_tray, power_shelf",
          "m.yaml:9:47: '127.1.0' is not the numeric IPv4 or IPv6 address of a machine",
          "m.yaml:9:58: unknown key 'prot' in a BMC, did you mean 'port'?"));
}

TEST(Manifest, NeverShowsAPasswordInAComplaint) {
  auto text = replaced(oneNode, "\"0penBmc\"", "\"canary-8812\\x01\"");
  for (const auto& line : complaints(readManifest("m.yaml", text)))
    EXPECT_THAT(line, Not(HasSubstr("canary")));
  text = replaced(oneNode, "\"0penBmc\"", "[canary-8812]");
  const auto told = complaints(readManifest("m.yaml", text));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0], "m.yaml:9:102: must be text, not a list");
}

TEST(Manifest, MayKnowABmcByItsMacAlone) {
  const auto reading = readManifest("m.yaml", replaced(oneNode, "address: \"127.1.0.1\", ", ""));
  ASSERT_THAT(complaints(reading), ElementsAre());
  EXPECT_EQ(std::get<Manifest>(reading).nodes[0].bmc, (BmcEndpoint{"3c:6d:66:00:00:01", "", 8443, "root"}));
  auto tray = replaced(oneNode, "compute_tray", "switch_tray");
  tray += "    nvos: { user: admin, password: x }\n";
  EXPECT_THAT(complaints(readManifest("m.yaml", tray)),
              ElementsAre("m.yaml:10:11: missing key 'address' in nvos"))
      << "the system of a switch tray has no MAC here";
}

TEST(Manifest, ASwitchTraysTwoAddressesAreNobodyElses) {
  auto text = replaced(oneNode, "compute_tray", "switch_tray");
  text += "    nvos: { address: \"127.1.0.1\", port: 8443, user: admin, password: x }\n";
  EXPECT_THAT(complaints(readManifest("m.yaml", text)),
              ElementsAre("m.yaml:10:22: address '127.1.0.1 port 8443' is given twice; first in line 9"));
}

TEST(Manifest, TellsWhatIsOrderedTwiceAndWhereFirst) {
  std::string text = "site: S\nnodes:\n";
  const auto add = [&](std::string_view serial, std::string_view slot, std::string_view mac,
                       std::string_view address, int port) {
    text += fmt::format("  - {{serial: {}, kind: power_shelf, place: H/R/K/{}, sku: s, profile: p,\n", serial,
                        slot);
    text += fmt::format("     bmc: {{mac: \"{}\", address: \"{}\", port: {}, user: u, password: p}}}}\n", mac,
                        address, port);
  };
  add("A1", "U1", "02:00:00:00:00:01", "fe80::1", 443);
  add("A2", "U2", "02:00:00:00:00:02", "fe80::1", 444);             // another port is another BMC
  add("\"A1 \"", "U3", "02:00:00:00:00:03", "fe80::3", 443);        // serial, padded
  add("A4", "U2", "02:00:00:00:00:04", "fe80::4", 443);             // place
  add("A5", "U5", "02-00-00-00-00-02", "fe80::5", 443);             // MAC, spelled otherwise
  add("A6", "U6", "02:00:00:00:00:06", "FE80:0:0:0:0:0:0:1", 443);  // address, spelled otherwise
  EXPECT_THAT(complaints(readManifest("m.yaml", text)),
              ElementsAre("m.yaml:7:14: serial 'A1' is given twice; first in line 3",
                          "m.yaml:9:44: place 'H/R/K/U2' is given twice; first in line 5",
                          "m.yaml:12:17: MAC '02:00:00:00:00:02' is given twice; first in line 6",
                          "m.yaml:14:47: address 'fe80::1 port 443' is given twice; first in line 4"));
}

TEST(Manifest, IsToldByItsFirstKey) {
  EXPECT_THAT(
      complaints(readManifest("s.yaml", "sku: x\nkind: power_shelf\ncomponents: []\n")),
      ElementsAre("s.yaml:1:1: this is no manifest; the first key tells what a file is: site, sku, baseline, "
                  "plan, profile or recipe"));
  EXPECT_THAT(
      complaints(readSiteFile("s.yaml", "# x\nnodes: []\nsite: S\n")),
      ElementsAre(
          "s.yaml:2:1: 'nodes' begins no file of a site; the first key tells what a file is: site, sku, "
          "baseline, plan, profile or recipe"));
  EXPECT_THAT(
      complaints(readSiteFile("s.yaml", "- a\n")),
      ElementsAre(
          "s.yaml:1:1: the first key tells what a file is: site, sku, baseline, plan, profile or recipe"));
}

TEST(Manifest, KeepsEachReferenceOnce) {
  auto text = std::string(oneNode);
  text += R"(  - serial: "1333024020002"
    kind: compute_tray
    place: H1/R01/RK001/U11
    sku: gb200-nvl-compute
    profile: other
    bmc: { mac: "3c:6d:66:00:00:02", address: "127.1.0.2", user: root, password: x }
)";
  const auto reading = readSiteFile("m.yaml", text);
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& file = std::get<SiteFile>(reading);
  EXPECT_THAT(file.lines, ElementsAre(4, 10));
  ASSERT_EQ(file.mentions.size(), 3u);
  EXPECT_EQ(file.mentions[0].name, "gb200-nvl-compute");
  EXPECT_EQ(file.mentions[0].line, 7);
  EXPECT_EQ(file.mentions[2].name, "other");
  EXPECT_EQ(file.mentions[2].line, 14);
}

// The whole site of DESIGN has 112,000; a tenth of it here, so that every build type reads it in seconds.
TEST(Manifest, ReadsElevenThousandNodes) {
  std::string text = "site: BIG\nnodes:\n";
  constexpr int count = 11'200;
  for (int i = 0; i < count; ++i)
    text += fmt::format(
        "  - serial: \"13330{:08}\"\n    kind: compute_tray\n    place: H1/R{}/RK{}/U{}\n    sku: s\n    "
        "profile: p\n"
        "    bmc: {{ mac: \"3c:6d:66:00:{:02x}:{:02x}\", address: \"10.1.{}.{}\", user: root, password: x "
        "}}\n",
        i, i / 700, i / 35, i % 35, i / 256, i % 256, i / 256, i % 256);
  const auto reading = readManifest("big.yaml", text);
  ASSERT_THAT(complaints(reading), ElementsAre());
  EXPECT_EQ(std::get<Manifest>(reading).nodes.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(std::get<Manifest>(reading).nodes.back().bmc.address, "10.1.43.191");
}

}  // namespace
}  // namespace zellige
