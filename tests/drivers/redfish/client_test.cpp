// The conversation itself: queue, repeats, ETags, hostile replies, what an error means.
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"
#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

constexpr const char* inventoryUri = "/redfish/v1/UpdateService/FirmwareInventory";

HttpReply raw(int status, std::string body) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

HttpReply busy(std::string retryAfter, std::string body = "") {
  auto reply = raw(503, std::move(body));
  if (!retryAfter.empty()) reply.headers.add("Retry-After", std::move(retryAfter));
  return reply;
}

class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_RECORDED_TREES();
    ASSERT_TRUE(bench.run(bench.bmc().signIn()));
    bench.machine.seen.clear();
  }
  Client& client() { return bench.bmc().client(); }
  Result<Document> get(const std::string& uri) { return bench.run(client().get(uri)); }
  Bench bench;
};

TEST_F(ClientTest, AtMostTwoRequestsAreAtOneBmc) {
  std::vector<std::optional<Result<Document>>> results(9);
  for (auto& result : results) bench.executor.spawn(into(client().get(kSystem0), result));
  bench.drain();
  for (const auto& result : results) EXPECT_TRUE(result && *result);
  EXPECT_EQ(bench.machine.mostInFlight, 2);
  EXPECT_EQ(bench.machine.seen.size(), 9u);
}

Task<void> waitThen(VirtualExecutor& executor, Task<Result<Document>> task) {
  (void)co_await task;
  co_await sleepFor(executor, 1s);
}

TEST_F(ClientTest, ARequestThatIsAbandonedGivesItsTurnToTheNext) {
  auto other = std::make_unique<VirtualExecutor>(bench.time);
  std::optional<Result<Document>> result;
  other->spawn(waitThen(*other, client().get(kSystem0)));
  other->spawn(waitThen(*other, client().get(kSystem0)));
  other->spawn(waitThen(*other, client().get(kSystem0)));  // waits its turn
  bench.executor.after(10ms, [&] { other.reset(); });
  bench.executor.after(20ms, [&] { bench.executor.spawn(into(client().get(kSystem0), result)); });
  bench.drain();
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
}

TEST_F(ClientTest, RetryAfterIsHonouredForReads) {
  bench.machine.once("GET", kSystem0, busy("7"));
  ASSERT_TRUE(get(kSystem0));
  ASSERT_EQ(bench.machine.seen.size(), 2u);
  EXPECT_EQ(bench.machine.seen[1].at - bench.machine.seen[0].at, 7s + bench.machine.latency);
}

TEST_F(ClientTest, RetryAfterAsADateCountsFromTheRepliesOwnClock) {
  auto reply = busy("Thu, 01 Jan 1970 00:10:09 GMT");
  reply.headers.add("Date", "Thu, 01 Jan 1970 00:10:00 GMT");
  EXPECT_EQ(retryAfter(reply, bench.time.now()), Seconds{9});
  EXPECT_EQ(retryAfter(busy("Thu, 01 Jan 2026 00:00:30 GMT"), fromMillis(1'767'225'600'000)), Seconds{30});
  EXPECT_EQ(retryAfter(busy("soon"), bench.time.now()), std::nullopt);
  EXPECT_EQ(retryAfter(busy("999999999999"), bench.time.now()), Seconds{3600});
}

TEST_F(ClientTest, ABmcThatStaysBusyIsGivenUpAfterThreeTries) {
  bench.machine.always("GET", kSystem0, busy("", "Service temporarily unavailable, try later"));
  const auto result = get(kSystem0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Busy);
  EXPECT_EQ(result.error().httpStatus, 503);
  EXPECT_FALSE(result.error().outcomeUnknown);
  EXPECT_EQ(bench.machine.seen.size(), 3u);
}

TEST_F(ClientTest, AWaitLongerThanOurPatienceIsHandedUp) {
  bench.machine.once("GET", kSystem0, busy("300"));
  const auto result = get(kSystem0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().retryAfter, Seconds{300});
  EXPECT_EQ(bench.machine.seen.size(), 1u);
}

TEST_F(ClientTest, A500OnAReadIsTriedAgain) {
  bench.machine.once("GET", kSystem0, raw(500, "oops"));
  EXPECT_TRUE(get(kSystem0));
}

TEST_F(ClientTest, AWriteIsRepeatedAfter503AndNeverAfter500) {
  const auto* action = "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset";
  bench.machine.once("POST", action, busy("1"));
  EXPECT_TRUE(bench.run(client().post(action, "{}")));
  EXPECT_EQ(bench.writes().size(), 2u);
  bench.machine.once("POST", action, raw(500, "oops"));
  const auto result = bench.run(client().post(action, "{}"));
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().outcomeUnknown);
  EXPECT_EQ(bench.writes().size(), 3u);
}

TEST_F(ClientTest, WhatMayHaveBeenAppliedIsSaid) {
  const auto* action = "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset";
  const auto outcome = [&](Error error) {
    bench.machine.once("POST", action, std::move(error));
    return bench.run(client().post(action, "{}")).error();
  };
  EXPECT_TRUE(outcome(Error{Errc::Timeout, "no reply"}).outcomeUnknown);
  EXPECT_TRUE(outcome(Error{Errc::BadReply, "cut short"}).outcomeUnknown);
  EXPECT_TRUE(outcome(Error{Errc::Unreachable, "reset by peer", true}).outcomeUnknown);
  EXPECT_FALSE(outcome(Error{Errc::Unreachable, "no route"}).outcomeUnknown);
  EXPECT_EQ(bench.writes().size(), 4u);  // none was repeated
  bench.machine.once("GET", kSystem0, Error{Errc::Timeout, "no reply"});
  EXPECT_FALSE(get(kSystem0).error().outcomeUnknown);
}

TEST_F(ClientTest, DefiniteRefusalsHaveTheirCodesAndTheMachinesWords) {
  const auto refuse = [&](int status) {
    bench.machine.once("GET", kSystem0, jsonReply(status, extendedInfo("Base.1.8.X", "because\nof this")));
    return get(kSystem0).error();
  };
  EXPECT_EQ(refuse(400).code, Errc::Rejected);
  EXPECT_EQ(refuse(403).code, Errc::Rejected);
  EXPECT_EQ(refuse(404).code, Errc::NotFound);
  EXPECT_EQ(refuse(405).code, Errc::Unsupported);
  EXPECT_EQ(refuse(409).code, Errc::Conflict);
  EXPECT_EQ(refuse(412).code, Errc::Conflict);
  EXPECT_NE(refuse(400).what.find("because of this"), std::string::npos);
}

TEST_F(ClientTest, ExtendedInfoMayBeAnObjectAndTextsAreShortened) {
  Json body;
  body["error"]["@Message.ExtendedInfo"] = {{"MessageId", "A.1.PasswordChangeRequired"}, {"Message", "now"}};
  EXPECT_TRUE(wantsPasswordChange(jsonReply(403, body)));
  const auto error = refusal("GET", "/x", jsonReply(400, extendedInfo("I", std::string(5'000, 'x'))), Time{});
  EXPECT_LT(error.what.size(), 400u);
}

TEST_F(ClientTest, PasswordChangeIsSeenInJsonAndInPages) {
  const auto sample = [](const char* resource) {
    const auto json = readFile(mockups / "error-403-samples/redfish/v1" / resource / "custom.json");
    return raw(json.at("status").get<int>(), json.at("body").get<std::string>());
  };
  EXPECT_TRUE(wantsPasswordChange(sample("Chassis")));
  EXPECT_FALSE(wantsPasswordChange(sample("Systems")));  // a page that does not say why
  EXPECT_TRUE(wantsPasswordChange(raw(403, "<html><p>Base.1.0.PasswordChangeRequired</p></html>")));
  bench.machine.once("GET", kSystem0, sample("Systems"));
  EXPECT_EQ(get(kSystem0).error().code, Errc::Rejected);
  bench.access.stored.mustChange = true;  // with the factory's password that page is the forced change
  bench.restart();
  bench.machine.once("GET", kSystem0, sample("Systems"));
  EXPECT_EQ(get(kSystem0).error().code, Errc::PasswordExpired);
}

TEST_F(ClientTest, RedirectsAreNotFollowed) {
  auto reply = raw(302, "");
  reply.headers.add("Location", "https://198.51.100.7/redfish/v1/Systems/System_0");
  bench.machine.once("GET", kSystem0, reply);
  const auto result = get(kSystem0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::BadReply);
  EXPECT_NE(result.error().what.find("198.51.100.7"), std::string::npos);
  EXPECT_EQ(bench.machine.seen.size(), 1u);
}

TEST_F(ClientTest, HostileBodiesAreBadRepliesAndNothingWorse) {
  const std::string brackets(100'000, '[');
  for (const auto& body :
       {brackets, std::string("{\"a\":"), std::string(), std::string("[1,2]"), std::string("null"),
        std::string("\xff\xfe"), std::string("{\"Members\":{\"@odata.id\":[]}") + brackets}) {
    bench.machine.once("GET", kSystem0, raw(200, body));
    const auto result = get(kSystem0);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::BadReply);
    EXPECT_LT(result.error().what.size(), 400u);
  }
  bench.machine.once("GET", kSystem0, raw(400, brackets));  // error bodies too
  EXPECT_EQ(get(kSystem0).error().code, Errc::Rejected);
}

TEST_F(ClientTest, ACollectionWhoseMembersAreNoListSaysNothingAboutThem) {
  const std::string uri = "/redfish/v1/Chassis";
  for (const auto& members : {Json("list"), Json(7), Json::object()}) {
    bench.machine.always("GET", uri, jsonReply(200, {{"@odata.id", uri}, {"Members", members}}));
    for (const bool expands : {true, false}) {
      client().useExpand(expands ? "." : "");
      const auto read = bench.run(client().members(uri));
      ASSERT_FALSE(read);
      EXPECT_EQ(read.error().code, Errc::BadReply);
    }
  }
  bench.machine.always("GET", uri, jsonReply(200, {{"@odata.id", uri}, {"Members", nullptr}}));
  EXPECT_TRUE(bench.run(client().members(uri))) << "null is empty";
}

TEST_F(ClientTest, WrongTypesAreReadAsNotTold) {
  bench.machine.always(
      "GET", kSystem0,
      jsonReply(200, {{"PowerState", true}, {"BootProgress", "x"}, {"LastResetTime", {1, 2}}}));
  const auto host = bench.run(bench.bmc().host());
  ASSERT_TRUE(host) << host.error().what;
  EXPECT_EQ(host->power, HostPower::Unknown);
  EXPECT_EQ(host->lastReset, "");
  bench.machine.always("GET", inventoryUri,
                       jsonReply(200, {{"Members", {1, nullptr, {{"@odata.id", 5}}, "x"}}}));
  const auto firmware = bench.run(bench.bmc().firmware());
  ASSERT_TRUE(firmware) << firmware.error().what;
  EXPECT_TRUE(firmware->empty());
}

TEST_F(ClientTest, NullAndMissingPropertiesEverywhereDoNotBreakAnInventory) {
  const auto chassis = bench.run(client().links("/redfish/v1/Chassis"));
  ASSERT_TRUE(chassis);
  for (const auto& uri : *chassis)
    bench.machine.overlay(
        uri, {{"Id", nullptr}, {"SerialNumber", 12}, {"Status", "fine"}, {"Model", Json::array()}});
  bench.machine.overlay("/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_0",
                        {{"Ports", 5}, {"Status", nullptr}});
  const auto inventory = bench.run(bench.bmc().inventory());
  EXPECT_TRUE(inventory) << inventory.error().what;
}

TEST_F(ClientTest, LinksThatCannotBeSentAreNoLinks) {
  EXPECT_EQ(localPath("/redfish/v1/x#/a"), "/redfish/v1/x");
  EXPECT_EQ(localPath("https://10.0.0.1:443/redfish/v1/T/1"), "/redfish/v1/T/1");
  EXPECT_EQ(localPath("/x\r\nHost: evil"), "");
  EXPECT_EQ(localPath("//evil/x"), "");
  EXPECT_EQ(localPath("x"), "");
  EXPECT_EQ(localPath("/" + std::string(2'000, 'a')), "");
  EXPECT_TRUE(sameUri("/redfish/v1/Systems/1/", "/redfish/v1/systems/1"));
  EXPECT_EQ(lastSegment("/redfish/v1/Systems/System_0/"), "System_0");
}

TEST_F(ClientTest, AnEndlessCollectionEnds) {
  const std::string uri = "/redfish/v1/Loop";
  bench.machine.overlay(uri, {{"Members", Json::array()}, {"Members@odata.nextLink", uri + "/"}});
  EXPECT_TRUE(bench.run(client().links(uri)));
  EXPECT_EQ(bench.machine.seen.size(), 1u);
}

TEST_F(ClientTest, PagesAreFollowed) {
  const auto member = [](const char* uri) { return Json{{"@odata.id", uri}}; };
  bench.machine.overlay("/redfish/v1/P", {{"Members", Json::array({member("/redfish/v1/P/1")})},
                                          {"Members@odata.nextLink", "/redfish/v1/P2?$skip=1"}});
  bench.machine.overlay("/redfish/v1/P2", {{"Members", Json::array({member("/redfish/v1/P/2")})}});
  EXPECT_EQ(*bench.run(client().links("/redfish/v1/P")),
            (std::vector<std::string>{"/redfish/v1/P/1", "/redfish/v1/P/2"}));
}

TEST_F(ClientTest, TheEtagLadderGoesFromExactToStrongToNone) {
  const auto patch = [&] { return bench.run(client().patch(kSettings0, "{}")); };
  bench.machine.overlay(kSettings0, {{"@test.etag", "W/\"abc\""}});
  bench.machine.once("PATCH", kSettings0, raw(412, ""));
  bench.machine.once("PATCH", kSettings0, raw(412, ""));
  EXPECT_TRUE(patch());
  auto sent = bench.machine.sent("PATCH");
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].request.headers.get("If-Match"), "W/\"abc\"");
  EXPECT_EQ(sent[1].request.headers.get("If-Match"), "\"abc\"");
  EXPECT_FALSE(sent[2].request.headers.has("If-Match"));

  for (int i = 0; i < 3; ++i) bench.machine.once("PATCH", kSettings0, raw(412, ""));
  const auto refused = patch();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Conflict);
  EXPECT_FALSE(refused.error().outcomeUnknown);
}

TEST_F(ClientTest, AnEtagComesFromTheBodyTooAndIsNeverInvented) {
  ASSERT_TRUE(bench.run(client().patch(kSettings0, "{}")));
  EXPECT_FALSE(bench.machine.sent("PATCH").back().request.headers.has("If-Match"));
  bench.machine.overlay(kSettings0, {{"@odata.etag", "\"one\""}});
  ASSERT_TRUE(bench.run(client().patch(kSettings0, "{}")));
  EXPECT_EQ(bench.machine.sent("PATCH").back().request.headers.get("If-Match"), "\"one\"");
  bench.machine.overlay(kSettings0, {{"@odata.etag", "\"\""}});
  ASSERT_TRUE(bench.run(client().patch(kSettings0, "{}")));
  EXPECT_FALSE(bench.machine.sent("PATCH").back().request.headers.has("If-Match"));
  ASSERT_TRUE(bench.run(client().patch(kSettings0, "{}", true)));
  EXPECT_EQ(bench.machine.sent("PATCH").back().request.headers.get("If-Match"), "*");
}

TEST_F(ClientTest, ExpandReadsACollectionInOneExchange) {
  const auto members = bench.run(client().members(inventoryUri));
  ASSERT_TRUE(members);
  EXPECT_EQ(members->found.size(), 30u);
  ASSERT_EQ(bench.machine.seen.size(), 1u);
  EXPECT_EQ(bench.machine.seen[0].request.query(), "$expand=.($levels=1)");
}

TEST_F(ClientTest, WhereExpandDoesNothingMembersAreReadOneByOneAndItIsRemembered) {
  bench.machine.expands = false;
  EXPECT_EQ(bench.run(client().members(inventoryUri))->found.size(), 30u);
  EXPECT_EQ(bench.machine.seen.size(), 1u + 1u + 30u);  // tried, the collection, its members
  bench.machine.seen.clear();
  EXPECT_EQ(bench.run(client().members(inventoryUri))->found.size(), 30u);
  EXPECT_EQ(bench.machine.seen.size(), 1u + 30u);
}

TEST_F(ClientTest, WhereExpandIsRefusedMembersAreReadOneByOne) {
  bench.machine.once("GET", inventoryUri, jsonReply(501, extendedInfo("Base.1.8.QueryNotSupported", "no")));
  EXPECT_EQ(bench.run(client().members(inventoryUri))->found.size(), 30u);
}

TEST_F(ClientTest, OneBareMemberAmongExpandedOnesIsReadByItself) {
  auto collection = readFile(mockups / gb200Tree / "redfish/v1/UpdateService/FirmwareInventory/index.json");
  for (auto& member : collection["Members"])
    if (member.at("@odata.id") != std::string(inventoryUri) + "/UEFI")
      member = readFile(mockups / gb200Tree /
                        (member.at("@odata.id").get<std::string>().substr(1) + "/index.json"));
  bench.machine.once("GET", inventoryUri, jsonReply(200, collection));
  EXPECT_EQ(bench.run(client().members(inventoryUri))->found.size(), 30u);
  EXPECT_EQ(bench.machine.seen.size(), 2u);
}

TEST_F(ClientTest, LosingContactInACollectionIsAnErrorNotAMissingMember) {
  bench.machine.expands = false;
  bench.machine.once("GET", std::string(inventoryUri) + "/UEFI", Error{Errc::Unreachable, "gone"});
  const auto members = bench.run(client().members(inventoryUri));
  ASSERT_FALSE(members);
  EXPECT_EQ(members.error().code, Errc::Unreachable);
}

TEST_F(ClientTest, ExchangesAreKeptWithoutSecrets) {
  ASSERT_TRUE(get(kSystem0));
  bench.machine.once("GET", kSystem0, Error{Errc::Timeout, "no reply"});
  ASSERT_FALSE(get(kSystem0));
  const auto kept = client().exchanges();
  ASSERT_GE(kept.size(), 2u);
  const auto& answered = kept[kept.size() - 2];
  EXPECT_EQ(answered.path, kSystem0);
  EXPECT_EQ(answered.status, 200);
  EXPECT_EQ(answered.took, bench.machine.latency);
  EXPECT_GT(answered.bytes, 1'000);
  EXPECT_EQ(kept.back().status, 0);
  EXPECT_EQ(kept.back().problem, name(Errc::Timeout));
  const std::vector<std::string> secrets{"correct", bench.access.stored.sessionToken.reveal()};
  ASSERT_FALSE(secrets[1].empty());
  for (const auto& exchange : kept)
    for (const auto& secret : secrets)
      EXPECT_EQ((exchange.method + exchange.path + exchange.problem).find(secret), std::string::npos);
}

}  // namespace
}  // namespace zellige::redfish
