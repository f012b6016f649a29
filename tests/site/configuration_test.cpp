#include "controller/site/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/site/reading.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

TEST(Configuration, IsWholeWithoutAnyKey) {
  for (const auto* text : {"{}", "", "\n", "# all as it is\n  # and: this\n"}) {
    const auto reading = readConfiguration("z.yaml", text);
    ASSERT_THAT(complaints(reading), ElementsAre()) << text;
    const auto& c = std::get<Configuration>(reading);
    EXPECT_EQ(c.dataDir, "data");
    EXPECT_EQ(c.api.listen, "127.0.0.1:8443");
    EXPECT_EQ(c.engine.patrol, Duration{600'000});
  }
  EXPECT_FALSE(complaints(readConfiguration("z.yaml", "# a list\n- x\n")).empty());
}

TEST(Configuration, ReadsEveryKey) {
  const auto reading = readConfiguration("z.yaml", R"(data_dir: /var/lib/zellige
api: { listen: "[::]:443", certificate: /etc/z/cert.pem, key: /etc/z/key.pem }
provisioning: { listen: "0.0.0.0:80", url: "http://10.0.0.2" }
log: { level: warn }
limits: { uploads: 1, flashes_per_rack: 2, site_flashes: 3, image_streams: 4, bmc_connections: 5, power: [
  { stress_watts: 24000000, watts_per_minute: 2000000 }, { place: H1, stress_watts: 1, watts_per_minute: 2 } ] }
engine: { patrol: 5m }
retention: { events: 90d, unlisted: 3d }
leases: [ { file: /var/lib/misc/dnsmasq.leases, format: dnsmasq }, { file: kea-leases4.csv, format: kea } ]
circuits: [ { circuit: "eth0/1/7", place: H1/R01/RK001/U10 } ]
)");
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& c = std::get<Configuration>(reading);
  EXPECT_EQ(c.dataDir, "/var/lib/zellige");
  EXPECT_EQ(c.api.listen, "[::]:443");
  EXPECT_EQ(c.api.certificate, "/etc/z/cert.pem");
  EXPECT_EQ(c.api.key, "/etc/z/key.pem");
  EXPECT_EQ(c.provisioning.listen, "0.0.0.0:80");
  EXPECT_EQ(c.provisioning.url, "http://10.0.0.2");
  EXPECT_EQ(c.logLevel, log::Level::Warn);
  EXPECT_EQ(c.limits.uploads, 1);
  EXPECT_EQ(c.limits.flashesPerRack, 2);
  EXPECT_EQ(c.limits.siteFlashes, 3);
  EXPECT_EQ(c.limits.imageStreams, 4);
  EXPECT_EQ(c.limits.bmcConnections, 5);
  ASSERT_EQ(c.limits.power.size(), 2u);
  EXPECT_EQ(c.limits.power[0].place, "") << "the whole site";
  EXPECT_EQ(c.limits.power[0].stressWatts, 24'000'000);
  EXPECT_EQ(c.limits.power[0].wattsPerMinute, 2'000'000);
  EXPECT_EQ(c.limits.power[1].place, "H1");
  EXPECT_EQ(c.engine.patrol, Duration{300'000});
  EXPECT_EQ(c.retention.events, 24h * 90);
  EXPECT_EQ(c.retention.unlisted, 24h * 3);
  EXPECT_THAT(c.leases, ElementsAre(LeaseFile{"/var/lib/misc/dnsmasq.leases", LeaseFormat::Dnsmasq},
                                    LeaseFile{"kea-leases4.csv", LeaseFormat::Kea}));
  EXPECT_THAT(c.circuits, ElementsAre(Circuit{"eth0/1/7", "H1/R01/RK001/U10"}));
}

TEST(Configuration, RefusesALimitOfPowerThatNobodyCouldKeep) {
  EXPECT_THAT(complaints(readConfiguration("z.yaml", R"(limits: { power: [
  { place: H1, stress_watts: 0, watts_per_minute: 5 },
  { place: H1, stress_watts: 5, watts_per_minute: 5 },
  { place: H1//R01, stress_watts: 5 } ] })")),
              ElementsAre("z.yaml:2:30: '0' is out of range: 1 to 10000000000",
                          "z.yaml:3:3: place 'H1' is given twice; first in line 2",
                          "z.yaml:4:3: missing key 'watts_per_minute' in a limit of power",
                          "z.yaml:4:12: 'H1//R01' is no place like H1/R01"));
}

TEST(Configuration, NamesAWrongKeyWithItsLine) {
  EXPECT_THAT(
      complaints(readConfiguration("z.yaml", R"(data_dri: x
api: { listen: "localhost:8443", key: k }
provisioning: { listen: "10.0.0.1", url: "ftp://x" }
log: { level: loud }
limits: { uploads: 0 }
engine: { patrol: 30m }
leases: [ { file: a, format: isc, when: 5s }, { format: kea } ]
circuits: [ { circuit: a, place: H1//U }, { circuit: a, place: H1 } ]
retention: { unlisted: 1h }
)")),
      ElementsAre(
          "z.yaml:1:1: unknown key 'data_dri' in the configuration, did you mean 'data_dir'?",
          "z.yaml:2:6: certificate and key go together: both or none",
          "z.yaml:2:16: 'localhost:8443' is no numeric address with a port, like 0.0.0.0:8443 or [::]:8443",
          "z.yaml:3:25: '10.0.0.1' is no numeric address with a port, like 0.0.0.0:8443 or [::]:8443",
          "z.yaml:3:42: 'ftp://x' is no address like http://10.0.0.2:8480, without a path",
          "z.yaml:4:15: 'loud' is not a log level; known: info, warn, error, off",
          "z.yaml:5:20: '0' is out of range: 1 to 1000000",
          "z.yaml:6:19: '30m' is out of range: 10 s to 600 s",
          "z.yaml:7:30: 'isc' is not a format of lease files; known: dnsmasq, kea",
          "z.yaml:7:35: unknown key 'when' in a lease file", "z.yaml:7:47: missing key 'file' in a lease file",
          "z.yaml:8:34: 'H1//U' is no place like H1/R01/RK001/U10",
          "z.yaml:8:43: circuit 'a' is given twice; first in line 8",
          "z.yaml:9:24: '1h' is out of range: 7200 s to 3153600000 s"));
  EXPECT_THAT(
      complaints(readConfiguration("z.yaml", "provisioning: { listen: \"0.0.0.0:8480\" }\n")),
      ElementsAre(
          "z.yaml:1:25: who listens on every address must also say at which one machines reach it: url"));
  EXPECT_THAT(complaints(readConfiguration("z.yaml", "- a\n")),
              ElementsAre("z.yaml:1:1: the configuration must be a map, not a list"));
}

}  // namespace
}  // namespace zellige
