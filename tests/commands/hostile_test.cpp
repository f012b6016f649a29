// A BMC that means harm, or is broken beyond any fault: through the real client, engine and store to a finding that says
// what a person can do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "tests/commands/undone.hpp"

namespace zellige {
namespace {

using testing::HasSubstr;

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
  /// What was found on the first machine; the other one must not have suffered.
  std::vector<Found> run() {
    VirtualSite site(scratch.path(), options);
    EXPECT_TRUE(site.run(48h)) << "it does not hang";
    const auto nodeOf = [&](int i) { return *site.store().nodeBySerial(site.fleet().serial({i})); };
    EXPECT_EQ(site.store().node(nodeOf(1))->lifecycle, Lifecycle::Available);
    EXPECT_EQ(site.store().node(nodeOf(0))->lifecycle, Lifecycle::Quarantined);
    EXPECT_GT(spoilt, 0);
    EXPECT_TRUE(site.store().verifyChain());
    FindingFilter filter;
    filter.node = nodeOf(0);
    std::vector<Found> out;
    for (const auto& row : site.store().queries()->findings(filter, {}, 50).findings) {
      out.push_back({row.finding.cause, row.finding.detail});
      const auto* cause = findCause(row.finding.cause);
      EXPECT_TRUE(cause && cause->blocking && !cause->nextAction.empty()) << row.finding.cause;
      EXPECT_LT(row.finding.detail.size(), 2'000u) << "a hostile body must not fill our database";
    }
    return out;
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
  expectBadReply("the service root names neither Systems nor Chassis");
}

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
