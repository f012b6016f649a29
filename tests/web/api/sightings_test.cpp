// Unlisted devices and range scans through the API.
#include "tests/web/api/fixture.hpp"

namespace zellige::test {
namespace {

using testing::HasSubstr;

class SightingsApi : public ApiTest {
 protected:
  void take(std::vector<Lease> leases) { ASSERT_TRUE(wait(store_->takeLeases(std::move(leases), by_))); }
  static Lease lease(std::string mac, std::string address) {
    Lease out;
    out.mac = std::move(mac);
    out.address = std::move(address);
    return out;
  }
  static Json scanOf(std::vector<std::string> ranges) {
    return {{"ranges", std::move(ranges)}, {"reason", "look"}};
  }
};

TEST_F(SightingsApi, UnlistedDevicesAreShownWithWhatTheySay) {
  auto one = lease("02:00:00:00:00:98", "10.1.0.1");
  one.hostname = "bmc-x";
  one.vendorClass = "NVIDIA/BF/BMC";
  one.circuit = "eth0/1/7";
  one.place = "H1/R01/RK001";
  take({one, lease("02:00:00:00:00:99", "10.1.0.2")});
  const std::vector<Answer> answers{{"10.1.0.2", 443, {"u-1", "NVIDIA", "GB200 NVL", "1.17.0", "a key"}}};
  ASSERT_TRUE(wait(store_->takeAnswers(answers, by_)));
  be("viewer");
  const auto first = json(get("/api/v1/unlisted?limit=1"));
  EXPECT_EQ(first.at("total"), 2);
  ASSERT_EQ(first.at("devices").size(), 1u);
  EXPECT_EQ(first.at("devices")[0].at("product"), "GB200 NVL");
  EXPECT_TRUE(first.at("devices")[0].at("answered").is_string());
  const auto second = json(get("/api/v1/unlisted?cursor=" + first.at("next").get<std::string>()));
  ASSERT_EQ(second.at("devices").size(), 1u);
  EXPECT_TRUE(second.at("next").is_null());
  const auto& device = second.at("devices")[0];
  EXPECT_EQ(device.at("mac"), "02:00:00:00:00:98");
  EXPECT_EQ(device.at("vendor_class"), "NVIDIA/BF/BMC");
  EXPECT_EQ(device.at("place_hint"), "H1/R01/RK001");
  EXPECT_TRUE(device.at("answered").is_null());
  EXPECT_EQ(get("/api/v1/unlisted?limit=0").status, 400);
  EXPECT_EQ(get("/api/v1/unlisted?cursor=00").status, 400);
}

TEST_F(SightingsApi, ANodeWithoutAnAddressSaysSo) {
  auto wanted = site(3);
  wanted.manifests[0].nodes[0].bmc.address.clear();
  ASSERT_TRUE(wait(store_->importSite(wanted, by_)));
  be("viewer");
  auto bmc = json(get("/api/v1/nodes/" + serial(0))).at("bmc");
  EXPECT_TRUE(bmc.at("address").is_null());
  EXPECT_EQ(bmc.at("leased"), false);
  take({lease(bmc.at("mac"), "10.1.0.9")});
  bmc = json(get("/api/v1/nodes/" + serial(0))).at("bmc");
  EXPECT_EQ(bmc.at("address"), "10.1.0.9");
  EXPECT_EQ(bmc.at("leased"), true);
}

TEST_F(SightingsApi, AScanIsBegunSeenAndStopped) {
  be("viewer");
  EXPECT_EQ(get("/api/v1/scan").status, 404);
  EXPECT_EQ(post("/api/v1/scan", scanOf({"10.1.0.0/24"})).status, 403);
  EXPECT_EQ(send("DELETE", "/api/v1/scan").status, 403);
  be("operator", "H1");
  EXPECT_EQ(post("/api/v1/scan", scanOf({"10.1.0.0/24"})).status, 403) << "a network is no place";
  be("operator");
  EXPECT_EQ(send("DELETE", "/api/v1/scan").status, 404);
  const auto begun = post("/api/v1/scan", scanOf({"10.1.0.0/24", "10.2.0.7"}));
  ASSERT_EQ(begun.status, 202) << begun.body;
  EXPECT_EQ(json(begun).at("by"), "operator");
  EXPECT_EQ(json(begun).at("port"), 443);
  EXPECT_EQ(post("/api/v1/scan", scanOf({"10.1.0.0/24"})).status, 409);
  EXPECT_EQ(json(get("/api/v1/scan")).at("ranges"), (Json{"10.1.0.0/24", "10.2.0.7"}));
  EXPECT_EQ(send("DELETE", "/api/v1/scan").status, 204);
  EXPECT_EQ(json(get("/api/v1/scan")).at("stopped"), true);
}

class WithoutScans : public SightingsApi {
 protected:
  api::ApiOptions options() override {
    auto options = SightingsApi::options();
    options.scanning = nullptr;
    return options;
  }
};

TEST_F(WithoutScans, NoneIsBegun) {
  be("operator");
  const auto refused = post("/api/v1/scan", scanOf({"10.1.0.0/24"}));
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("scans nothing"));
  EXPECT_EQ(get("/api/v1/scan").status, 404);
  EXPECT_EQ(send("DELETE", "/api/v1/scan").status, 404);
}

TEST_F(SightingsApi, AScanOfTooMuchIsRefused) {
  be("operator");
  const auto wrong = [&](Json body) {
    const auto reply = post("/api/v1/scan", std::move(body));
    EXPECT_EQ(reply.status, 422) << reply.body;
    return json(reply).value("detail", "");
  };
  EXPECT_THAT(wrong(scanOf({"8.8.8.0/24"})), HasSubstr("/ranges/0 holds public addresses"));
  EXPECT_THAT(wrong(scanOf({"10.0.0.0/8"})), HasSubstr("at most a /16"));
  EXPECT_THAT(wrong(scanOf({"10.0.0.0/16", "10.1.0.0/16"})), HasSubstr("at most 65536"));
  EXPECT_THAT(wrong(scanOf({})), HasSubstr("at least one range"));
  EXPECT_THAT(wrong({{"ranges", {7}}, {"reason", "look"}}), HasSubstr("/ranges/0 must be text"));
  auto port = scanOf({"10.0.0.1"});
  port["port"] = 0;
  EXPECT_THAT(wrong(port), HasSubstr("/port must be a whole number from 1 to 65535"));
  EXPECT_THAT(wrong({{"ranges", {"10.0.0.1"}}}), HasSubstr("/reason is missing"));
  auto allowed = scanOf({"8.8.8.0/24"});
  allowed["public"] = true;
  EXPECT_EQ(post("/api/v1/scan", allowed).status, 202);
}

}  // namespace
}  // namespace zellige::test
