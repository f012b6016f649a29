// What holds for a whole fleet: it repeats itself exactly, a machine is small, step times spread as asked.
#include <cstdlib>
#include <malloc.h>
#include <new>

#include "drivers/simulator/world.hpp"
#include "tests/drivers/simulator/client.hpp"

namespace {
std::size_t liveBytes = 0;  // of this test program: every allocation goes through here
}

void* operator new(std::size_t size) {
  void* p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  liveBytes += malloc_usable_size(p);
  return p;
}
void operator delete(void* p) noexcept {
  if (p != nullptr) liveBytes -= malloc_usable_size(p);
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

namespace zellige::sim {
namespace {

/// Takes machine `i` through everything that it can do; returns every reply and the time it came at.
std::string script(Hall& hall, Listener& listener, int machine) {
  std::string out;
  Bmc bmc(hall, machine);
  const auto note = [&](const Delivery& d) {
    out += fmt::format("{} {} {} {} {}\n", toMillis(hall.time.now()), static_cast<int>(d.ending),
                       d.latency.count(), d.reply.status, d.reply.body);
  };
  const auto retry = [&](auto act) {
    for (int i = 0; i < 20; ++i) {
      const auto d = act();
      note(d);
      if (d.ending == Ending::Complete && d.reply.status < 300) return;
      hall.pass(1min);
      bmc.loginAgain();
    }
  };
  bmc.login(Identity(hall.fleet.size() > 0 ? 1 : 0, machine).factoryPassword());
  const auto set = bmc.patch("/redfish/v1/AccountService/Accounts/root", R"({"Password":"Site-Passw0rd"})");
  note(set);
  hall.pass(set.latency);
  bmc.login("Site-Passw0rd");
  retry([&] { return bmc.get("/redfish/v1/Chassis?$expand=.($levels=2)"); });
  retry([&] { return bmc.pushBmcTray(); });
  hall.pass(15min);
  bmc.login("Site-Passw0rd");
  retry([&] { return bmc.resetBmc(); });
  hall.pass(15min);
  bmc.login("Site-Passw0rd");
  retry([&] { return bmc.pushCompute(); });
  hall.pass(15min);
  bmc.login("Site-Passw0rd");
  retry([&] { return bmc.auxCycle(); });
  hall.pass(20min);
  bmc.login("Site-Passw0rd");
  listener.order = listener.writeOrder();
  listener.order.reportEvery = 2min;
  retry([&] { return bmc.insert(kMediaUrl); });
  retry([&] { return bmc.bootFrom("Cd"); });
  retry([&] { return bmc.reset("On"); });
  hall.pass(20min);
  bmc.login("Site-Passw0rd");
  note(bmc.get("/redfish/v1/UpdateService/FirmwareInventory?$expand=.($levels=1)"));
  for (const auto& report : listener.reports) out += toJson(report) + "\n";
  listener.reports.clear();
  return out;
}

std::string run(std::uint64_t seed, FaultLevel faults) {
  FleetOptions options;
  options.trays = 4;
  options.seed = seed;
  options.faults = faults;
  options.timeSigma = 0.25;
  Hall hall(options);
  Listener listener(hall);
  std::string out;
  for (int i = 0; i < options.trays; ++i) out += script(hall, listener, i);
  for (const auto& entry : hall.fleet.ledger().entries())
    out += fmt::format("{} {} {} {} {}\n", toMillis(entry.at), entry.machine, nameOf(entry.kind),
                       entry.component, entry.digest);
  return out;
}

TEST(Fleet, RepeatsItselfExactlyForTheSameSeed) {
  const auto first = run(1, FaultLevel::Heavy);
  EXPECT_GT(first.size(), 100'000u);
  EXPECT_EQ(sha256Hex(first), sha256Hex(run(1, FaultLevel::Heavy)));
  EXPECT_NE(sha256Hex(first), sha256Hex(run(2, FaultLevel::Heavy)));
}

/// Live bytes of a fleet of `trays`, right after its making and at its busiest: settings and sessions there,
/// media in, BMC firmware being written, image written, burn-in running. Everything that the test itself
/// holds is gone by then.
std::pair<std::size_t, std::size_t> liveBytesOf(int trays) {
  FleetOptions options;
  options.trays = trays;
  const auto before = liveBytes;
  Hall hall(options);
  const auto idle = liveBytes - before;
  auto listener = std::make_unique<Listener>(hall);
  listener->order = listener->writeOrder();
  listener->order.reportEvery = 60s;
  for (int i = 0; i < trays; ++i) {
    Bmc bmc(hall, i);
    bmc.takeOver();
    for (int n = 0; n < 3; ++n) bmc.loginAgain();
    bmc.patch(kManager + "/NetworkProtocol",
              R"({"NTP":{"NTPServers":["10.0.0.1","10.0.0.2"]},"Oem":{"Nvidia":{"Rsyslog":
        {"Address":"10.0.0.5","Port":514}}}})");
    bmc.insert(kMediaUrl);
    bmc.bootFrom("Cd");
    bmc.reset("On");
  }
  hall.pass(10min);
  listener->order = {
      "burn", OrderKind::BurnIn, {}, {}, {}, {{"cpu", 1min}, {"gpu_gemm", 1min}, {"nvlink", 1h}}, {}, {},
      60s};
  for (int i = 0; i < trays; ++i) {
    Bmc bmc(hall, i);
    bmc.login("Site-Passw0rd");
    bmc.pushBmcTray();
  }
  hall.pass(4min);
  EXPECT_EQ(listener->last().burnIn.results.size(), 2u);
  EXPECT_TRUE(hall.fleet.groundTruth({trays - 1}).flashing);
  hall.fleet.setUplink(nullptr);
  listener.reset();
  return {idle, liveBytes - before};
}

TEST(Fleet, AMachineTakesAtMost4KilobytesAtItsBusiest) {
  constexpr int kFew = 20, kMany = 100;
  liveBytesOf(1);  // what is allocated once for all
  const auto few = liveBytesOf(kFew), many = liveBytesOf(kMany);
  const auto idle = (many.first - few.first) / (kMany - kFew);
  const auto busy = (many.second - few.second) / (kMany - kFew);
  std::cout << "[ MEASURED ] sizeof(Machine) " << sizeof(Machine) << ", idle " << idle << ", busy " << busy
            << " bytes a machine, with its timers and its share of the ledger\n";
  RecordProperty("bytes_idle", static_cast<int>(idle));
  RecordProperty("bytes_busy", static_cast<int>(busy));
  EXPECT_GE(idle, sizeof(Machine));
  EXPECT_GT(busy, idle);
  EXPECT_LE(busy, 4'096u);
}

TEST(Fleet, SpreadsStepTimesByLognormal) {
  FleetOptions options;
  options.trays = 60;
  options.timeSigma = 0.25;
  Hall hall(options);
  double sum = 0, squares = 0;
  for (int i = 0; i < options.trays; ++i) {
    Bmc bmc(hall, i);
    bmc.takeOver();
    bmc.reset("On");
  }
  hall.pass(30min);
  for (const auto id : hall.fleet.machines()) {
    const auto x = std::log(static_cast<double>(hall.fleet.busyUnion(id).total.count()) / 300'000.0);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / options.trays;
  EXPECT_NEAR(mean, 0.0, 0.12);
  EXPECT_NEAR(std::sqrt(squares / options.trays - mean * mean), 0.25, 0.08);
}

TEST(Fleet, ReplyLatencyIsThatOfAHealthyBmc) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  Duration low{1'000'000}, high{0};
  for (int i = 0; i < 200; ++i) {
    const auto latency = bmc.get(kSystem).latency;
    low = std::min(low, latency);
    high = std::max(high, latency);
  }
  EXPECT_GE(low, 50ms);
  EXPECT_LE(high, 500ms);
  EXPECT_GT(high - low, 200ms);
}

TEST(Fleet, MayBeDestroyedWithTimersAndAnswersUnderWay) {
  VirtualTime time;
  VirtualExecutor executor(time);
  std::vector<std::function<void(Result<HttpReply>)>> late;
  struct Holder final : Uplink {
    explicit Holder(std::vector<std::function<void(Result<HttpReply>)>>& l) : late(l) {}
    void send(std::string, HttpRequest, std::function<void(Result<HttpReply>)> done) override {
      late.push_back(std::move(done));
    }
    std::vector<std::function<void(Result<HttpReply>)>>& late;
  } holder(late);
  {
    FleetOptions options;
    options.asWanted = true;
    Fleet fleet(executor, options);
    fleet.setUplink(&holder);
    fleet.setAgentSeed({0}, Listener::media("t"));
  }
  ASSERT_EQ(late.size(), 1u);
  late[0](HttpReply{200, {}, "{}"});
  int ran = 0;
  while (time.runOne()) ++ran;
  EXPECT_GT(ran, 0);
}

}  // namespace
}  // namespace zellige::sim
