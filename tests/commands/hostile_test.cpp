// A BMC that means harm, or is broken beyond any fault: through the real client, engine and store to a finding that says
// what a person can do.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"

namespace zellige {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

class HostileBmc : public testing::Test {
 protected:
  HostileBmc() {
    log::setLevel(log::Level::Off);
    options.fleet.trays = 2;
  }
  /// After signing in every good reading is spoilt; of the first machine only.
  void spoil(std::function<void(sim::Delivery&)> how) {
    options.spoil = [this, how = std::move(how)](sim::MachineId machine, const HttpRequest& request,
                                                 sim::Delivery& delivery) {
      if (machine.value != 0 || request.method != "GET" || delivery.reply.status != 200) return;
      if (!request.headers.has("X-Auth-Token")) return;
      ++spoilt;
      how(delivery);
    };
  }
  struct Found {
    std::string cause, detail;
  };
  static NodeId nodeOf(VirtualSite& site, int machine) {
    return *site.store().nodeBySerial(site.fleet().serial({machine}));
  }
  /// On the first machine; the other one must not have suffered.
  static std::vector<Found> foundOn(VirtualSite& site) {
    EXPECT_EQ(site.store().node(nodeOf(site, 1))->lifecycle, Lifecycle::Available);
    EXPECT_TRUE(site.store().verifyChain());
    FindingFilter filter;
    filter.node = nodeOf(site, 0);
    std::vector<Found> out;
    for (const auto& row : site.store().queries()->findings(filter, {}, 50).findings) {
      out.push_back({row.finding.cause, row.finding.detail});
      const auto* cause = findCause(row.finding.cause);
      EXPECT_TRUE(cause && cause->blocking && !cause->nextAction.empty()) << row.finding.cause;
      EXPECT_LT(row.finding.detail.size(), 2'000u) << "a hostile body must not fill our database";
    }
    return out;
  }
  std::vector<Found> run() {
    VirtualSite site(scratch.path(), options);
    EXPECT_TRUE(site.run(48h)) << "it does not hang";
    EXPECT_EQ(site.store().node(nodeOf(site, 0))->lifecycle, Lifecycle::Quarantined);
    EXPECT_GT(spoilt, 0);
    return foundOn(site);
  }
  void expectBadReply(std::string_view what) {
    const auto found = run();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].cause, "bmc.bad_reply");
    EXPECT_THAT(found[0].detail, HasSubstr(std::string(what)));
    EXPECT_THAT(std::string(findCause(found[0].cause)->nextAction), HasSubstr("retry the run"));
  }
  Scratch scratch;
  VirtualSiteOptions options;
  int spoilt = 0;
};

TEST_F(HostileBmc, AHundredMegabytes) {
  spoil([](sim::Delivery& delivery) { delivery.reply.body.assign(100u << 20, ' '); });
  expectBadReply("more than 8388608 bytes");
  EXPECT_LT(spoilt, 50) << "it is not asked for ever";
}

TEST_F(HostileBmc, AHundredThousandNestedBrackets) {
  spoil([](sim::Delivery& delivery) { delivery.reply.body.assign(100'000, '['); });
  expectBadReply("deep");
}

TEST_F(HostileBmc, BodiesCutShort) {
  spoil([](sim::Delivery& delivery) { delivery.ending = sim::Ending::CutShort; });
  expectBadReply("cut short");
}

void drip(sim::Delivery& delivery) { delivery.latency += Seconds(delivery.reply.body.size()); }

TEST_F(HostileBmc, OneByteASecond) {
  spoil(drip);
  expectBadReply("no reply in 60 s");
  EXPECT_LT(spoilt, 50) << "it is not asked for ever";
}

// Whoever answers nothing in time cannot be told from a bad line: nobody is sent to the tray, and the run waits.
TEST_F(HostileBmc, OneByteASecondOfEverythingIsNoContact) {
  bool drips = false;
  options.spoil = [&](sim::MachineId machine, const HttpRequest&, sim::Delivery& delivery) {
    if (drips && machine.value == 0) drip(delivery);
  };
  VirtualSite site(scratch.path(), options);
  site.runFor(20min);
  drips = true;
  site.runFor(24h);
  const auto node = nodeOf(site, 0);
  const auto run = site.store().unfinishedRunOf(node);
  ASSERT_TRUE(run);
  EXPECT_EQ(site.store().run(*run)->state, RunState::Blocked);
  EXPECT_THAT(site.store().run(*run)->waitsFor, MatchesRegex("contact with the BMC: .*no reply in .* s"));
  EXPECT_TRUE(site.store().node(node)->unreachableSince);
  EXPECT_THAT(foundOn(site), IsEmpty());
  drips = false;
  EXPECT_TRUE(site.run(48h));
  EXPECT_TRUE(endOf(site).good()) << "it goes on where it stood, and nothing is done twice";
}

TEST_F(HostileBmc, ARedirectToAnotherHost) {
  spoil([](sim::Delivery& delivery) {
    delivery.reply = {307, {}, ""};
    delivery.reply.headers.add("Location", "https://192.0.2.66/redfish/v1/");
  });
  expectBadReply("redirects are not followed");
}

TEST_F(HostileBmc, CollectionsWhoseMembersAreNoLists) {
  spoil([](sim::Delivery& delivery) {
    auto json = Json::parse(delivery.reply.body);
    if (json.contains("Members")) json["Members"] = "list";
    delivery.reply.body = json.dump();
  });
  expectBadReply("Members is no list");
}

// Every property has a type that it should not have.
TEST_F(HostileBmc, WrongTypes) {
  spoil([](sim::Delivery& delivery) {
    auto json = Json::parse(delivery.reply.body);
    for (auto& [key, value] : json.items())
      value = value.is_string()   ? Json(42)
              : value.is_array()  ? Json("list")
              : value.is_object() ? Json::array()
                                  : Json("x");
    delivery.reply.body = json.dump();
  });
  expectBadReply("SessionService/Sessions: Members is no list");
}

/// A wire at whose other end, once `swapped`, the first machine has another key: Transport::send says what comes of it.
class OtherKey final : public http::Transport {
 public:
  OtherKey(http::Transport& wire, const bool& swapped) : wire_(wire), swapped_(swapped) {}

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions options) override {
    const bool other = swapped_ && peer.address == sim::bmcAddress(0).host;
    if (other && !peer.pin.empty() && peer.pin != "other")
      co_return failure("bmc.certificate_changed",
                        fmt::format("{} {}: the server's key is not the one that was pinned", request.method,
                                    request.target));
    if (other) peer.pin.clear();  // the wire knows its old key alone
    auto received = co_await wire_.send(std::move(peer), std::move(request), std::move(options));
    if (other && received) received->pin = "other";
    co_return received;
  }

 private:
  http::Transport& wire_;
  const bool& swapped_;
};

/// What the finding tells a person to do.
Task<void> acceptCertificateAndRetry(VirtualSite& site, NodeId node) {
  By by{"ada", "the board was replaced"};
  (void)co_await site.store().acceptCertificate(node, std::move(by));
  site.plane().machines().forget(node);  // as serve does: it knows the old key
  StartRun again;
  again.workflow = "qualify";
  again.subject = {node};
  again.profile = site.store().node(node)->profile;
  again.alongside.emplace_back(MoveLifecycle{
      node, Lifecycle::Quarantined, Lifecycle::Qualifying, Actor::Operator, "the board was replaced", {}});
  (void)co_await site.plane().engine().start(std::move(again));
}

struct Swap {
  std::string name, step;
  Duration at;
};
void PrintTo(const Swap& swap, std::ostream* out) { *out << swap.name; }

class OtherCertificate : public HostileBmc, public testing::WithParamInterface<Swap> {};

TEST_P(OtherCertificate, GetsNothingUntilAPersonAcceptsIt) {
  bool swapped = false;
  int told = 0;
  options.between = [&](http::Transport& wire) { return std::make_unique<OtherKey>(wire, swapped); };
  options.spoil = [&](sim::MachineId machine, const HttpRequest&, sim::Delivery&) {
    told += swapped && machine.value == 0;
  };
  VirtualSite site(scratch.path(), options);
  site.runFor(GetParam().at);
  const auto node = nodeOf(site, 0);
  ASSERT_EQ(site.store().lastRunOf(node, {})->step, GetParam().step);
  swapped = true;
  site.runFor(48h);
  EXPECT_FALSE(site.store().unfinishedRunOf(node)) << "it does not hang";
  site.stopController();
  site.runFor(24h);  // the next life has not forgotten the key, and patrols
  const auto found = foundOn(site);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].cause, "bmc.certificate_changed");
  EXPECT_THAT(found[0].detail, HasSubstr("not the one that was pinned"));
  EXPECT_THAT(std::string(findCause(found[0].cause)->nextAction), HasSubstr("accept-certificate SERIAL"));
  EXPECT_EQ(site.store().node(node)->lifecycle, Lifecycle::Quarantined);
  EXPECT_EQ(told, 0) << "not a request, let alone a password";

  site.spawn(acceptCertificateAndRetry(site, node));
  site.runFor(24h);
  EXPECT_GT(told, 0);
  EXPECT_THAT(foundOn(site), IsEmpty());
  EXPECT_TRUE(endOf(site).good()) << "a run begun anew does nothing twice";
}

INSTANTIATE_TEST_SUITE_P(Swaps, OtherCertificate,
                         testing::Values(Swap{"DuringTheFirstWrite", "firmware.write", 3min},
                                         Swap{"DuringTheRestart", "firmware.write", 10min},
                                         Swap{"DuringTheSecondWrite", "firmware.write", 20min},
                                         Swap{"DuringThePowerCycle", "firmware.aux_cycle", 29min}),
                         [](const auto& info) { return info.param.name; });

// The URL of the boot media holds the node's token; here the machine quotes it in a refusal.
TEST_F(HostileBmc, QuotingTheMediaUrlBringsItsTokenNowhere) {
  std::string url;
  options.spoil = [&](sim::MachineId, const HttpRequest& request, sim::Delivery& delivery) {
    if (!request.path().ends_with("VirtualMedia.InsertMedia")) return;
    url = Json::parse(request.body).value("Image", "");
    delivery.reply.status = 400;
    delivery.reply.body = Json{{"error", {{"message", "the value " + url + " is not accepted"}}}}.dump();
  };
  VirtualSite site(scratch.path(), options);
  site.run(48h);
  ASSERT_FALSE(url.empty());
  const auto token = url.substr(url.find("/boot/") + 6, 20);
  ASSERT_GE(token.size(), 20u) << url;
  std::string told;
  for (const auto& event : site.store().queries()->events(0, {}, 5'000).events) told += event.data + "\n";
  for (const auto& row : site.store().queries()->findings({}, {}, 100).findings)
    told += row.finding.detail + "\n";
  for (const auto& run : site.store().unfinishedRuns()) told += run.waitsFor + "\n";
  EXPECT_THAT(told, HasSubstr("InsertMedia")) << "the refusal itself is told";
  EXPECT_THAT(told, testing::Not(HasSubstr(token)));
}

}  // namespace
}  // namespace zellige
