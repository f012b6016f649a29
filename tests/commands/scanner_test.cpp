// A range scan over simulated BMCs: what it asks, of whom, and what becomes of the answers.
#include "controller/commands/scanner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "controller/base/log.hpp"
#include "controller/commands/in_process.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/store/sqlite_store.hpp"
#include "tests/drivers/simulator/client.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What was asked, on its way to the machines.
struct Asked {
  std::set<std::string> requests, peers;
  std::map<std::string, std::vector<Time>> at;
  int inFlight = 0, mostInFlight = 0;
};

class Watched final : public http::Transport {
 public:
  Watched(sim::Fleet& fleet, Executor& world, Executor& controller, CrashPlan& crash, ExchangeCount& count,
          InProcessTransport::Spoil spoil, Asked& asked)
      : wire_(fleet, world, controller, crash, count, std::move(spoil)), controller_(controller),
        asked_(asked) {}
  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions options) override {
    asked_.requests.insert(
        request.method + " " + request.target +
        (request.headers.has("Authorization") || request.headers.has("X-Auth-Token") ? " signed in" : ""));
    asked_.peers.insert(peer.address);
    asked_.at[peer.address].push_back(controller_.now());
    asked_.mostInFlight = std::max(asked_.mostInFlight, ++asked_.inFlight);
    auto received = co_await wire_.send(std::move(peer), std::move(request), std::move(options));
    --asked_.inFlight;
    co_return received;
  }

 private:
  InProcessTransport wire_;
  Executor& controller_;
  Asked& asked_;
};

template <class T>
Task<void> keep(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await task);
}

class Scan : public testing::Test {
 protected:
  Scan() {
    log::setLevel(log::Level::Off);
    StoreOptions storeOptions;
    storeOptions.writing = StoreOptions::Writing::Virtual;
    storeOptions.durable = false;
    store = std::move(
        *SqliteStore::open(scratch.path(), controller, SecretBox::fromSeed("test"), storeOptions));
  }
  void TearDown() override { controller.shutDown(); }
  void make(ScannerOptions options = {}) {
    scanner = std::make_unique<Scanner>(
        *store, controller,
        [this] {
          return std::make_unique<Watched>(hall.fleet, hall.executor, controller, crash, count, spoil, asked);
        },
        options);
  }
  Result<void> begin(std::vector<std::string> ranges) {
    api::ScanRequest request;
    for (const auto& range : ranges) request.ranges.push_back(*readRange(range));
    request.port = 8443;
    request.by = {"ada", "a new rack"};
    std::optional<Result<void>> out;
    controller.spawn(keep(scanner->begin(std::move(request)), out));
    while (!out && hall.time.runOne()) {
    }
    return *out;
  }
  void end() {
    while (!scanner->state()->ended && hall.time.runOne()) {
    }
  }
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& e : store->queries()->events(0, {}, 100).events)
      if (e.kind.starts_with("scan.")) out.push_back(e.actor + " " + e.kind + " " + e.data);
    return out;
  }

  static sim::FleetOptions eightTrays() {
    sim::FleetOptions options;
    options.trays = 8;
    return options;
  }
  sim::Hall hall{eightTrays()};
  VirtualExecutor controller{hall.time};
  Scratch scratch;
  CrashPlan crash;
  ExchangeCount count;
  InProcessTransport::Spoil spoil;
  Asked asked;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<Scanner> scanner;
};

TEST_F(Scan, AsksForNothingButServiceRoots) {
  make();
  ASSERT_TRUE(begin({"127.1.0.0/28"}));
  end();
  EXPECT_THAT(asked.requests, ElementsAre("GET /redfish/v1/"));
  EXPECT_EQ(asked.peers.size(), 14u);
  for (const auto& [peer, times] : asked.at) EXPECT_EQ(times.size(), 1u) << peer;
  for (const auto machine : hall.fleet.machines())
    EXPECT_TRUE(hall.fleet.ledger().entriesOf(machine.value).empty());
  const auto state = *scanner->state();
  EXPECT_EQ(state.asked, 14u);
  const auto machines = hall.fleet.machines().size();
  EXPECT_EQ(state.answered, machines);
  const auto found = store->queries()->unlisted(0, 100);
  ASSERT_EQ(found.devices.size(), machines);
  std::set<std::string> addresses;
  for (const auto& one : found.devices) addresses.insert(one.lease.address);
  EXPECT_EQ(addresses.size(), machines);
  EXPECT_TRUE(addresses.contains("127.1.0.1"));
  const auto& device = found.devices.back();
  EXPECT_EQ(device.port, 8443);
  EXPECT_THAT(device.root.uuid, testing::Not(testing::IsEmpty()));
  EXPECT_THAT(device.root.redfishVersion, testing::StartsWith("1."));
  EXPECT_THAT(device.root.pin, testing::Not(testing::IsEmpty()));
  const auto trail = events();
  ASSERT_EQ(trail.size(), 2u);
  EXPECT_THAT(trail[0], HasSubstr("ada scan.started"));
  EXPECT_THAT(trail[0], HasSubstr("a new rack"));
  EXPECT_THAT(trail[1], HasSubstr("scan.ended"));
}

TEST_F(Scan, KeepsItsPaceAndItsLimit) {
  ScannerOptions options;
  options.atATime = 4;
  make(options);
  ASSERT_TRUE(begin({"127.9.0.0/27"}));  // dark
  end();
  EXPECT_EQ(asked.mostInFlight, 4);
  std::vector<Time> times;
  for (const auto& [peer, at] : asked.at) times.push_back(at.front());
  std::sort(times.begin(), times.end());
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], options.pace);
  EXPECT_EQ(scanner->state()->answered, 0u);
}

TEST_F(Scan, OneAtATimeAndItMayBeStopped) {
  make();
  ASSERT_TRUE(begin({"127.9.0.0/24"}));
  const auto second = begin({"127.9.0.0/24"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::Conflict);
  EXPECT_TRUE(scanner->stop());
  end();
  EXPECT_TRUE(scanner->state()->stopped);
  EXPECT_LT(scanner->state()->asked, 254u);
  EXPECT_FALSE(scanner->stop()) << "none is running";
  EXPECT_TRUE(begin({"127.9.0.0/30"}));
  end();
}

TEST_F(Scan, OfARangeFullOfNodesLeavesTheLoopToOthers) {
  constexpr int kNodes = 240;
  auto site = test::smallSite(store->content(), scratch.path(), kNodes);  // 10.0.0.1 and on
  std::optional<Result<ImportSummary>> imported;
  controller.spawn(keep(store->importSite(std::move(site), By{"ada", "a test"}), imported));
  while (!imported && hall.time.runOne()) {
  }
  ASSERT_TRUE(*imported) << imported->error().what;
  make();
  ASSERT_TRUE(begin({"10.0.0.0/24"}));
  std::uint64_t before = 0, most = 0;
  do {
    const auto nodes = static_cast<std::uint64_t>(scanner->state()->nodes);
    most = std::max(most, nodes - std::exchange(before, nodes));
  } while (!scanner->state()->ended && hall.time.runOne());
  EXPECT_EQ(scanner->state()->nodes, std::uint64_t{kNodes});
  EXPECT_EQ(scanner->state()->asked, 254u - kNodes);
  EXPECT_LE(most, 100u) << "addresses in one turn";
}

TEST_F(Scan, BelievesNoHostileAnswer) {
  const std::string bodies[] = {"",
                                "[]",
                                "{}",
                                "null",
                                std::string(100'000, '['),
                                std::string(1u << 20, ' '),
                                R"({"RedfishVersion": {"a": 1}, "Product": "\u001b[31m)" +
                                    std::string(5'000, 'x') + R"(", "UUID": 7})"};
  std::size_t next = 0;
  spoil = [&](sim::MachineId, const HttpRequest&, sim::Delivery& delivery) {
    delivery.reply.body = bodies[next++ % std::size(bodies)];
  };
  make();
  ASSERT_TRUE(begin({"127.1.0.0/28"}));
  end();
  ASSERT_GT(next, std::size(bodies) - 1);
  for (const auto& device : store->queries()->unlisted(0, 100).devices) {
    EXPECT_EQ(device.root.uuid, "");
    EXPECT_EQ(device.root.redfishVersion, "");
    EXPECT_TRUE(device.root.product.starts_with("?[31m")) << device.root.product;
    EXPECT_LE(device.root.product.size(), 128u);
  }
}

}  // namespace
}  // namespace zellige
