// Addresses that come from leases, and devices that no manifest names.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "controller/store/apply_sighting.hpp"
#include "controller/store/schema.hpp"
#include "tests/store/fixture.hpp"
#include "tests/store/statement_cost.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string macOf(int n) { return test::manifestNode(n).bmc.mac; }
Lease lease(const std::string& mac, const std::string& address) {
  Lease out;
  out.mac = mac;
  out.address = address;
  return out;
}

class Sightings : public test::StoreTest {
 protected:
  /// Three trays, of which the manifest gives only MACs.
  SiteImport byMac() {
    auto wanted = site(3);
    for (auto& node : wanted.manifests[0].nodes) node.bmc.address.clear();
    return wanted;
  }
  void openByMac() {
    openStore();
    import(byMac());
  }
  void import(SiteImport wanted) {
    const auto done = wait(store_->importSite(std::move(wanted), by_));
    ASSERT_TRUE(done) << done.error().what;
  }
  SightingsTaken take(std::vector<Lease> leases) {
    const auto taken = wait(store_->takeLeases(std::move(leases), by_));
    EXPECT_TRUE(taken) << taken.error().what;
    return taken ? *taken : SightingsTaken{};
  }
  std::string addressOf(int n) { return store_->node(nodeId(n))->bmc.address; }
  std::vector<std::string> unlisted() {
    std::vector<std::string> out;
    for (const auto& device : queries_->unlisted(0, 100).devices)
      out.push_back(device.lease.mac + " " + device.lease.address + " " + device.root.product);
    return out;
  }
  std::vector<std::string> openFindings(int n) {
    FindingFilter filter;
    filter.node = nodeId(n);
    std::vector<std::string> out;
    for (const auto& row : queries_->findings(filter, {}, 10).findings) out.push_back(row.finding.detail);
    return out;
  }
};

TEST_F(Sightings, ALeaseGivesANodeItsAddressAndAnImportLeavesIt) {
  openByMac();
  EXPECT_EQ(addressOf(0), "");
  const auto before = store_->lastEvent();
  EXPECT_THAT(take({lease(macOf(0), "10.0.0.77")}).moved, ElementsAre(nodeId(0)));
  EXPECT_EQ(addressOf(0), "10.0.0.77");
  EXPECT_TRUE(store_->node(nodeId(0))->bmcLeased);
  EXPECT_THAT(kindsSince(before), ElementsAre("node.address"));
  EXPECT_EQ(queries_->nodes({.text = "10.0.0.77"}, NodeSort::Place, false, "", 10)->total, 1);
  const auto hash = store_->eventHash();
  EXPECT_THAT(take({lease(macOf(0), "10.0.0.77")}).moved, IsEmpty()) << "the same again is no news";
  import(byMac());
  EXPECT_EQ(addressOf(0), "10.0.0.77");
  EXPECT_EQ(store_->eventHash(), hash);
  auto moved = byMac();
  moved.manifests[0].nodes[0].place.path = "H2/R01/RK001/U10";
  import(moved);
  EXPECT_EQ(addressOf(0), "10.0.0.77") << "in another place it is the same machine";
  openStore();
  EXPECT_EQ(addressOf(0), "10.0.0.77") << "durable";
}

TEST_F(Sightings, AnotherMacAtAnImportHasNoAddressYet) {
  openByMac();
  take({lease(macOf(0), "10.0.0.77")});
  auto swapped = byMac();
  swapped.manifests[0].nodes[0].bmc.mac = "02:00:00:00:00:99";
  import(swapped);
  EXPECT_EQ(addressOf(0), "");
  EXPECT_FALSE(store_->node(nodeId(0))->bmcLeased);
}

TEST_F(Sightings, AddressesMayBeSwapped) {
  openByMac();
  take({lease(macOf(0), "10.0.0.1"), lease(macOf(1), "10.0.0.2")});
  const auto taken = take({lease(macOf(0), "10.0.0.2"), lease(macOf(1), "10.0.0.1")});
  EXPECT_EQ(addressOf(0), "10.0.0.2");
  EXPECT_EQ(addressOf(1), "10.0.0.1");
  EXPECT_EQ(taken.moved.size(), 3u) << "one of them lost its address first";
}

TEST_F(Sightings, WhoseAddressAnotherHasNowHasNone) {
  openByMac();
  take({lease(macOf(0), "10.0.0.1")});
  take({lease("02:00:00:00:00:99", "10.0.0.1")});
  EXPECT_EQ(addressOf(0), "") << "a stranger answers there now";
  EXPECT_THAT(unlisted(), ElementsAre("02:00:00:00:00:99 10.0.0.1 "));
}

TEST_F(Sightings, TheManifestsAddressWinsAndTheDifferenceIsTold) {
  openWithSite();
  take({lease(macOf(0), "10.0.0.77")});
  EXPECT_EQ(addressOf(0), "10.0.0.1");
  EXPECT_FALSE(store_->node(nodeId(0))->bmcLeased);
  EXPECT_THAT(openFindings(0), ElementsAre(HasSubstr("10.0.0.77")));
  EXPECT_FALSE(store_->hasBlockingFinding(nodeId(0)));
  take({lease(macOf(0), "fd00::1")});
  EXPECT_EQ(openFindings(0).size(), 1u) << "it may have both kinds";
  take({lease(macOf(0), "10.0.0.1")});
  EXPECT_THAT(openFindings(0), IsEmpty()) << "they agree";
}

TEST_F(Sightings, AConflictThatNoLeaseSpeaksOfAnyMoreIsOver) {
  openWithSite();
  const auto taken = take({lease("02:00:00:00:00:99", "10.0.0.1"), lease(macOf(1), "10.0.0.77")});
  EXPECT_THAT(taken.conflicts, ElementsAre(nodeId(0), nodeId(1)));
  ASSERT_TRUE(wait(store_->settleLeaseConflicts({nodeId(0), nodeId(1)}, by_)));
  EXPECT_EQ(openFindings(0).size() + openFindings(1).size(), 2u);
  raise(nodeId(0), "node.host_off");
  ASSERT_TRUE(wait(store_->settleLeaseConflicts({nodeId(1)}, by_)));
  EXPECT_THAT(openFindings(0), ElementsAre("seen")) << "only what leases said";
  EXPECT_EQ(openFindings(1).size(), 1u);
}

TEST_F(Sightings, AManifestThatMovesTheBmcEndsItsConflict) {
  openWithSite();
  take({lease("02:00:00:00:00:99", "10.0.0.1"), lease("02:00:00:00:00:98", "10.0.0.2")});
  auto wanted = site(3);
  wanted.manifests[0].nodes[0].bmc.address = "10.0.0.50";
  wanted.manifests[0].nodes[1].place.path = "H1/R01/RK001/U30";
  import(wanted);
  EXPECT_THAT(openFindings(0), IsEmpty());
  EXPECT_EQ(openFindings(1).size(), 1u) << "its place has nothing to do with it";
}

TEST_F(Sightings, ALeaseNeverTakesWhatTheManifestGivesToAnother) {
  openStore();
  auto wanted = site(3);
  wanted.manifests[0].nodes[0].bmc.address.clear();
  wanted.manifests[0].nodes[2].os = {"", "10.0.0.200", 443, "admin"};
  wanted.manifests[0].nodes[2].osPassword = Secret{"os"};
  import(wanted);
  take({lease(macOf(0), "10.0.0.2")});
  EXPECT_EQ(addressOf(0), "");
  EXPECT_THAT(openFindings(0), ElementsAre(HasSubstr("SN1001")));
  take({lease(macOf(0), "10.0.0.200")});
  EXPECT_EQ(addressOf(0), "");
  EXPECT_THAT(openFindings(0), ElementsAre(HasSubstr("SN1002")));
  take({lease("02:00:00:00:00:99", "10.0.0.2")});
  EXPECT_EQ(addressOf(1), "10.0.0.2");
  EXPECT_THAT(openFindings(1), ElementsAre(HasSubstr("02:00:00:00:00:99")));
  take({lease(macOf(0), "10.0.0.78")});
  EXPECT_EQ(addressOf(0), "10.0.0.78");
  EXPECT_THAT(openFindings(0), IsEmpty());
}

TEST_F(Sightings, TheManifestTakesAnAddressBackFromALease) {
  openByMac();
  take({lease(macOf(0), "10.0.0.9")});
  auto wanted = byMac();
  wanted.manifests[0].nodes[1].bmc.address = "10.0.0.9";
  import(wanted);
  EXPECT_EQ(addressOf(0), "");
  EXPECT_EQ(addressOf(1), "10.0.0.9");
  take({lease(macOf(2), "10.0.0.3")});
  wanted.manifests[0].nodes[2].bmc.address = "10.0.0.3";
  import(wanted);
  EXPECT_FALSE(store_->node(nodeId(2))->bmcLeased) << "the same address, but a person's word now";
  take({lease("02:00:00:00:00:99", "10.0.0.3")});
  EXPECT_EQ(addressOf(2), "10.0.0.3");
  import(byMac());
  EXPECT_EQ(addressOf(1), "") << "what the manifest does not give any more is not known any more";
}

TEST_F(Sightings, AMacIsOneNodesOnly) {
  openWithSite();
  auto wanted = site(0);
  auto node = test::manifestNode(9);
  node.bmc.mac = macOf(0);
  wanted.manifests[0].nodes.push_back(node);
  const auto refused = wait(store_->importSite(wanted, by_));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("SN1000 has it"));
}

TEST_F(Sightings, UnlistedDevicesAreKeptUntilAnImportListsThem) {
  openStore();
  auto one = lease(macOf(0), "10.0.0.50");
  one.hostname = "bmc-x";
  one.circuit = "eth0/1/7";
  one.place = "H1/R01/RK001";
  EXPECT_EQ(take({one, lease("02:00:00:00:00:99", "10.0.0.51")}).unlisted, 2);
  const auto seen = time_.now();
  const auto page = queries_->unlisted(0, 1);
  EXPECT_EQ(page.total, 2);
  ASSERT_EQ(page.devices.size(), 1u);
  const auto rest = queries_->unlisted(page.next, 10);
  ASSERT_EQ(rest.devices.size(), 1u);
  EXPECT_EQ(rest.next, 0);
  EXPECT_EQ(rest.devices[0].lease, one);
  EXPECT_LT(seen - rest.devices[0].firstSeen, 1s);
  EXPECT_FALSE(rest.devices[0].answered);
  import(byMac());
  EXPECT_THAT(unlisted(), ElementsAre("02:00:00:00:00:99 10.0.0.51 "));
  EXPECT_EQ(addressOf(0), "") << "the next look at the lease file brings it";
}

TEST_F(Sightings, AScanAddsWhatADeviceSaysItIs) {
  openWithSite();
  take({lease("02:00:00:00:00:99", "10.0.1.1")});
  const std::vector<Answer> answers{{"10.0.1.1", 443, {"u-1", "NVIDIA", "GB200", "1.17.0", "key-1"}},
                                    {"10.0.1.2", 443, {"u-2", "Dell", "iDRAC", "1.11.0", "key-2"}},
                                    {"10.0.0.1", 443, {"u-3", "ours", "ours", "1.0.0", "key-3"}}};
  const auto taken = wait(store_->takeAnswers(answers, by_));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->unlisted, 2) << "a node has the third address";
  EXPECT_THAT(unlisted(), ElementsAre(" 10.0.1.2 iDRAC", "02:00:00:00:00:99 10.0.1.1 GB200"));
  EXPECT_TRUE(queries_->unlisted(0, 1).devices[0].answered);
  take({lease("02:00:00:00:00:98", "10.0.1.2")});
  EXPECT_THAT(unlisted(), ElementsAre("02:00:00:00:00:98 10.0.1.2 iDRAC", "02:00:00:00:00:99 10.0.1.1 GB200"))
      << "who answered there has a MAC now";
  take({lease("02:00:00:00:00:98", "10.0.1.1")});
  EXPECT_THAT(unlisted(), ElementsAre("02:00:00:00:00:98 10.0.1.1 iDRAC", "02:00:00:00:00:99  GB200"));
}

TEST_F(Sightings, WhoWasNotSeenForLongIsForgotten) {
  openStore();
  take({lease("02:00:00:00:00:98", "10.0.1.1"), lease("02:00:00:00:00:99", "10.0.1.2")});
  KeptSince since;
  since.unlisted = time_.now() + 1h;
  EXPECT_EQ(wait(store_->removeOld({}, 100, by_))->unlisted, 0);
  const auto removed = wait(store_->removeOld(since, 100, by_));
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->unlisted, 2);
  EXPECT_THAT(unlisted(), IsEmpty());
}

/// So many more than there is room for.
std::vector<Lease> flood(int more) {
  std::vector<Lease> out;
  out.reserve(static_cast<std::size_t>(kMostUnlisted + more));
  for (int i = 0; i < kMostUnlisted + more; ++i)
    out.push_back(lease(fmt::format("06:00:00:{:02x}:{:02x}:{:02x}", i >> 16, i >> 8 & 255, i & 255),
                        fmt::format("10.1.{}.{}", i >> 8, i & 255)));
  return out;
}

TEST_F(Sightings, AFloodOfMacsDoesNotFillTheDatabase) {
  openStore();
  const auto taken = take(flood(5));
  EXPECT_EQ(taken.unlisted, kMostUnlisted);
  EXPECT_EQ(taken.turnedAway, 5);
  EXPECT_EQ(queries_->unlisted(0, 1).total, kMostUnlisted);
}

TEST_F(Sightings, AFloodOfMacsMakesNothingSlow) {
  test::StatementCost cost;
  openByMac();
  cost.dearest();
  take(flood(1'000));
  constexpr std::int64_t kOfOneRow = 500;  // steps; ten thousand rows are tens of thousands
  const auto cheap = [&](const char* what) {
    const auto dearest = cost.dearest();
    EXPECT_GT(dearest.steps, 0);
    EXPECT_LT(dearest.steps, kOfOneRow) << what << ": " << dearest.text;
  };
  cheap("the flood itself");
  take(flood(1'000));
  cheap("the same again");
  take({lease(macOf(0), "10.0.0.77"), lease(macOf(1), "10.1.0.7")});
  cheap("nodes behind it");
  const std::vector<Answer> answers{{"10.1.0.8", 443, {}}, {"10.9.0.1", 443, {}}};
  ASSERT_TRUE(wait(store_->takeAnswers(answers, by_)));
  cheap("a scan");
}

TEST_F(Sightings, WhoIsTurnedAwayStillTakesItsAddressFromWhoHadIt) {
  openStore();
  auto many = flood(1);
  many.back().address = many.front().address;
  EXPECT_EQ(take(many).turnedAway, 1);
  EXPECT_EQ(queries_->unlisted(2, 1).devices.at(0).lease.mac, many.front().mac);
  EXPECT_EQ(queries_->unlisted(2, 1).devices.at(0).lease.address, "");
}

TEST_F(Sightings, AnOlderDatabasesAddressesAreTheManifests) {
  for (std::size_t version = 1; version < migrations().size(); ++version) {
    SCOPED_TRACE(version);
    close();
    std::filesystem::remove_all(directory_.path() / "data");
    ASSERT_TRUE(DataDirectory::claim(directory_.path() / "data"));
    {
      Connection db(directory_.path() / "data" / "zellige.db", {.writes = true});
      ASSERT_TRUE(migrate(db, migrations().first(version), time_.now()));
      db.script(
          "INSERT INTO node (serial, kind, place, rack, sku, profile, bmc_mac, bmc_address, bmc_port, "
          "bmc_user, "
          "lifecycle, allocation, scheduling, health, lifecycle_since, version) VALUES ('SN1000', "
          "'compute_tray', "
          "'H1/R01/RK001/U10', 'H1/R01/RK001', 'gb200', 'gb200-sim', '02:00:00:00:00:10', '10.0.0.1', 443, "
          "'root', "
          "'planned', 'free', 'open', 'ok', 0, 1)");
    }
    openStore();
    const auto node = store_->node(nodeId(0));
    ASSERT_TRUE(node);
    EXPECT_EQ(node->bmc.address, "10.0.0.1");
    EXPECT_FALSE(node->bmcLeased);
    EXPECT_EQ(queries_->unlisted(0, 1).total, 0);
    take({lease(macOf(0), "10.0.0.77")});
    EXPECT_EQ(addressOf(0), "10.0.0.1");
  }
}

TEST_F(Sightings, AnAddressThatARetiredNodesMacGetsIsNotTheOlderHoldersAnyMore) {
  openByMac();
  EXPECT_THAT(take({lease(macOf(1), "10.0.0.77")}).moved, ElementsAre(nodeId(1)));
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  EXPECT_THAT(take({lease(macOf(0), "10.0.0.77")}).moved, ElementsAre(nodeId(1)));
  EXPECT_EQ(addressOf(1), "") << "else it would be asked at another machine's";
}

TEST_F(Sightings, ARetiredNodesMacIsNobodys) {
  openByMac();
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  EXPECT_THAT(take({lease(macOf(0), "10.0.0.77")}).moved, IsEmpty());
  EXPECT_EQ(addressOf(0), "");
  EXPECT_THAT(unlisted(), IsEmpty());
}

}  // namespace
}  // namespace zellige
