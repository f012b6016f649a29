// A site whose manifest gives MACs alone, and a lease file: from the file to what the machines were really sent.
#include "controller/commands/lease_watch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"
#include "controller/site/bundle.hpp"
#include "tests/folder.hpp"
#include "web/api/keep.hpp"

namespace zellige {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class Leased : public testing::Test {
 protected:
  explicit Leased(int trays = 2) {
    log::setLevel(log::Level::Off);
    options.fleet.trays = trays;
    options.leases.files = {{folder.path() / "leases", LeaseFormat::Dnsmasq}};
    options.editSite = [](const std::filesystem::path& files) { takeOutAddresses(files / "manifest.yaml"); };
  }
  static void takeOutAddresses(const std::filesystem::path& manifest) {
    std::ifstream in(manifest);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    text = std::regex_replace(text, std::regex("(bmc: \\{ mac: [^,]*, )address: [^,]*, "), "$1");
    std::ofstream(manifest, std::ios::trunc) << text;
  }
  void boot() {
    site.reset();
    scratch = std::make_unique<Scratch>();
    site = std::make_unique<VirtualSite>(scratch->path(), options);
  }
  NodeId node(int machine) { return *site->store().nodeBySerial(site->fleet().serial({machine})); }
  std::string macOf(int machine) { return site->store().node(node(machine))->bmc.mac; }
  /// The machines in this order have the addresses of machines 0, 1, …
  void lease(std::vector<int> machines) {
    std::string text;
    for (std::size_t i = 0; i < machines.size(); ++i)
      text += fmt::format("0 {} {} * *\n", macOf(machines[i]),
                          site->fleet().address({static_cast<int>(i)}).host);
    folder.write("new", text);
    std::filesystem::rename(folder.path() / "new", folder.path() / "leases");
  }
  zellige::Run runOf(int machine) { return *site->store().lastRunOf(node(machine), {}); }
  std::vector<std::string> causes(int machine) {
    FindingFilter filter;
    filter.node = node(machine);
    std::vector<std::string> out;
    for (const auto& row : site->store().queries()->findings(filter, {}, 10).findings)
      out.push_back(row.finding.cause);
    return out;
  }
  /// By way of its BMC: what its host does by itself, as it was told before, has nothing to do with addresses.
  std::size_t sentTo(int machine) {
    const auto entries = site->fleet().ledger().entriesOf(machine);
    return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.kind != sim::ActKind::ImageWrite && entry.kind != sim::ActKind::BurnIn;
    }));
  }

  Folder folder;
  std::unique_ptr<Scratch> scratch;
  VirtualSiteOptions options;
  std::unique_ptr<VirtualSite> site;
};

TEST_F(Leased, TraysComeUpByTheirLeases) {
  boot();
  site->runFor(30h);
  for (const int machine : {0, 1}) {
    EXPECT_EQ(site->store().node(node(machine))->lifecycle, Lifecycle::Planned);
    EXPECT_THAT(runOf(machine).waitsFor, HasSubstr(macOf(machine)));
    EXPECT_EQ(sentTo(machine), 0u);
  }
  EXPECT_EQ(site->exchanges().sent, 0u);
  lease({0});
  site->runFor(10s);
  EXPECT_EQ(site->store().node(node(0))->lifecycle, Lifecycle::Discovered) << runOf(0).waitsFor;
  EXPECT_EQ(site->store().node(node(1))->lifecycle, Lifecycle::Planned);
  lease({0, 1});
  ASSERT_TRUE(site->run(72h));
  const auto end = endOf(*site);
  EXPECT_EQ(end.available, 2);
  EXPECT_TRUE(end.good());
}

TEST_F(Leased, AControllerThatDiesGoesOnFromWhatItKnew) {
  boot();
  lease({0, 1});
  site->runFor(10min);
  site->stopController();
  std::filesystem::remove(folder.path() / "leases");
  ASSERT_TRUE(site->run(48h)) << "the address is the node's, with or without the file";
  EXPECT_TRUE(endOf(*site).good());
}

// Whoever has got a tray's address must not be sent what is meant for the tray.
TEST_F(Leased, ASwapOfTwoAddressesWritesToNobody) {
  for (auto at = 5min; at <= 50min; at += 9min) {
    SCOPED_TRACE(testing::Message() << "swapped after " << at.count() << " min");
    boot();
    lease({0, 1});
    site->runFor(at);
    ASSERT_TRUE(runOf(0).unfinished() && runOf(1).unfinished());
    lease({1, 0});
    site->runFor(6s);  // what was on its way has arrived
    ASSERT_EQ(site->store().node(node(0))->bmc.address, site->fleet().address({1}).host);
    const auto sent = std::pair(sentTo(0), sentTo(1));
    site->runFor(3h);
    EXPECT_THAT(causes(0), Contains("bmc.certificate_changed"));
    EXPECT_THAT(causes(1), Contains("bmc.certificate_changed"));
    EXPECT_EQ(std::pair(sentTo(0), sentTo(1)), sent);
    for (const int machine : {0, 1})
      EXPECT_EQ(site->fleet().ledger().refusedPasswords(machine), 0)
          << "no password went to the wrong machine";
  }
}

// The network, where a BMC may move to another address.
class Renumbered final : public http::Transport {
 public:
  Renumbered(http::Transport& wire, const std::map<std::string, std::string>& moved)
      : wire_(wire), moved_(moved) {}
  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions options) override {
    const auto to = moved_.find(peer.address);
    peer.address = to == moved_.end() ? "192.0.2.1" : to->second;
    return wire_.send(std::move(peer), std::move(request), std::move(options));
  }

 private:
  http::Transport& wire_;
  const std::map<std::string, std::string>& moved_;
};

TEST_F(Leased, ARunFollowsItsBmcToAnotherAddress) {
  std::map<std::string, std::string> moved;
  options.between = [&](http::Transport& wire) { return std::make_unique<Renumbered>(wire, moved); };
  boot();
  const std::string there[] = {site->fleet().address({0}).host, site->fleet().address({1}).host};
  moved = {{"10.9.0.1", there[0]}, {"10.9.0.2", there[1]}};
  const auto write = [&](const std::string& first, const std::string& second) {
    folder.write("leases", fmt::format("0 {} {} * *\n0 {} {} * *\n", macOf(0), first, macOf(1), second));
  };
  write("10.9.0.1", "10.9.0.2");
  site->runFor(25min);
  ASSERT_TRUE(runOf(0).unfinished());
  moved = {{"10.9.0.2", there[0]}, {"10.9.0.1", there[1]}};  // they really change places
  write("10.9.0.2", "10.9.0.1");
  ASSERT_TRUE(site->run(48h));
  EXPECT_TRUE(endOf(*site).good());
}

TEST_F(Leased, WhoIsOnNoManifestIsListedAndNeverAsked) {
  boot();
  lease({0});
  std::ofstream(folder.path() / "leases", std::ios::app) << "0 3c:6d:66:ff:00:01 127.1.0.2 stranger *\n";
  site->runFor(3h);
  EXPECT_EQ(sentTo(1), 0u);
  EXPECT_EQ(site->store().node(node(1))->lifecycle, Lifecycle::Planned);
  const auto unlisted = site->store().queries()->unlisted(0, 10).devices;
  ASSERT_EQ(unlisted.size(), 1u);
  EXPECT_EQ(unlisted[0].lease.hostname, "stranger");
  EXPECT_GE(unlisted[0].lastSeen - unlisted[0].firstSeen, 2h) << "it is still there";
}

class Conflicts : public Leased {
 protected:
  /// The manifest gives two trays their addresses, and a stranger has a lease of the first one's.
  void SetUp() override {
    options.editSite = nullptr;
    boot();
    folder.write("leases", stranger(site->fleet().address({0}).host));
    site->runFor(10s);
    ASSERT_THAT(causes(0), ElementsAre("bmc.lease_conflict"));
  }
  static std::string stranger(const std::string& address) {
    return fmt::format("0 3c:6d:66:ff:00:01 {} * *\n", address);
  }
  static Task<void> importAgain(VirtualSite& site, std::filesystem::path files) {
    auto bundle = std::get<SiteBundle>(readBundle({std::move(files)}));
    auto kept = api::keepBundle(std::move(bundle), site.store().content());
    By by{"ada", "corrected"};
    const auto imported = co_await site.store().importSite(std::move(*kept), std::move(by));
    EXPECT_TRUE(imported);
    site.plane().sweep();
  }
};

TEST_F(Conflicts, EndWhenDhcpIsCorrected) {
  folder.write("leases", stranger("127.1.9.9"));
  site->runFor(30min);
  EXPECT_THAT(causes(0), ElementsAre("bmc.lease_conflict")) << "only a whole look can tell";
  site->runFor(31min);
  EXPECT_THAT(causes(0), testing::IsEmpty());
}

TEST_F(Conflicts, OutlastAFileThatCannotBeRead) {
  std::filesystem::remove(folder.path() / "leases");
  site->runFor(3h);
  EXPECT_THAT(causes(0), ElementsAre("bmc.lease_conflict"));
  site->stopController();
  site->runFor(3h);
  EXPECT_THAT(causes(0), ElementsAre("bmc.lease_conflict"))
      << "also over a restart, which knows nothing of it";
  folder.write("leases", "");
  site->runFor(61min);
  EXPECT_THAT(causes(0), testing::IsEmpty()) << "an empty file says something";
}

TEST_F(Conflicts, EndWhenTheManifestIsCorrected) {
  const auto files = scratch->path() / "site";
  std::ifstream in(files / "manifest.yaml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto was = fmt::format("address: \"{}\",", site->fleet().address({0}).host);
  ASSERT_NE(text.find(was), std::string::npos);
  std::ofstream(files / "manifest.yaml") << text.replace(text.find(was), was.size(), "address: 127.1.9.7,");
  site->spawn(importAgain(*site, files));
  site->runFor(10s);
  EXPECT_THAT(causes(0), testing::Not(Contains("bmc.lease_conflict")));
}

TEST(LeaseWatch, LooksLessOftenWhereReadingTakesLong) {
  EXPECT_EQ(pauseAfter(0ms, 5s), 5s);
  EXPECT_EQ(pauseAfter(250ms, 5s), 5s);
  EXPECT_EQ(pauseAfter(770ms, 5s), 15'400ms);
  EXPECT_EQ(pauseAfter(1min, 5s), 2min);
  EXPECT_EQ(pauseAfter(1min, 5min), 5min);
}

TEST_F(Leased, StrangersKeepNoNodeWaiting) {
  options.leases.atATime = 1;
  boot();
  folder.write("leases", fmt::format("0 00:00:5e:00:00:01 127.1.9.1 * *\n0 {} {} * *\n", macOf(0),
                                     site->fleet().address({0}).host));
  site->runFor(10s);
  std::vector<std::string> kinds;
  for (const auto& event : site->store().queries()->events(0, {}, 1'000).events)
    if (event.kind == "node.address" || event.kind == "unlisted.seen") kinds.push_back(event.kind);
  EXPECT_THAT(kinds, ElementsAre("node.address", "unlisted.seen"));
}

}  // namespace
}  // namespace zellige
