// Sessions, passwords, lockout, and how a BMC answers what it cannot do.
#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

const std::string kSessions = "/redfish/v1/SessionService/Sessions";

std::string messageId(const HttpReply& reply) {
  const auto json = parseJson(reply.body);
  return json ? readString(readArray(*json, "error/@Message.ExtendedInfo").at(0), "MessageId").value_or("")
              : "";
}

TEST(SimServer, ShowsOnlyTheAnonymousPartOfTheRootWithoutASession) {
  Hall hall;
  Bmc bmc(hall, 0);
  const auto root = bmc.json("/redfish/v1/");
  EXPECT_EQ(readString(root, "Vendor"), "NVIDIA");
  EXPECT_EQ(readString(root, "Product"), "GB200 NVL");
  EXPECT_EQ(readInt(root, "ProtocolFeaturesSupported/ExpandQuery/MaxLevels"), 6);
  EXPECT_FALSE(root.contains("Systems"));
  EXPECT_EQ(bmc.get("/redfish/v1/Systems").reply.status, 401);
  EXPECT_EQ(bmc.get("/redfish/v1/NoSuchThing").reply.status, 401);
  bmc.takeOver();
  EXPECT_TRUE(bmc.json("/redfish/v1").contains("Systems"));
}

TEST(SimServer, AnswersUnknownUrisWrongMethodsAndHugeBodies) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto unknown = bmc.get("/redfish/v1/Systems/System_9");
  EXPECT_EQ(unknown.reply.status, 404);
  EXPECT_TRUE(messageId(unknown.reply).ends_with("ResourceNotFound"));
  EXPECT_EQ(bmc.patch("/redfish/v1/Systems", "{}").reply.status, 405);
  EXPECT_EQ(bmc.post(kSystem).reply.status, 405);
  EXPECT_EQ(bmc.get(kSystem + "/Actions/ComputerSystem.Reset").reply.status, 405);
  EXPECT_EQ(bmc.send("DELETE", kSystem).reply.status, 405);
  EXPECT_EQ(bmc.post("/redfish/v1/Nowhere/Actions/X.Y").reply.status, 404);
  EXPECT_EQ(bmc.patch(kSystem + "/Settings", std::string(2u << 20, ' ')).reply.status, 413);
  EXPECT_EQ(bmc.patch(kSystem + "/Settings", "{").reply.status, 400);
  EXPECT_TRUE(hall.fleet.ledger().writesOtherThan({ActKind::Session, ActKind::PasswordSet}).empty());
}

TEST(SimServer, AsksForAPasswordChangeOnEverythingButTheOwnAccount) {
  Hall hall;
  Bmc bmc(hall, 0);
  ASSERT_EQ(bmc.login(Identity(1, 0).factoryPassword()), 201);
  const auto refused = bmc.get("/redfish/v1/Systems");
  EXPECT_EQ(refused.reply.status, 403);
  EXPECT_TRUE(messageId(refused.reply).ends_with("PasswordChangeRequired"));
  EXPECT_EQ(bmc.reset("On").reply.status, 403);
  const std::string own = "/redfish/v1/AccountService/Accounts/root";
  EXPECT_EQ(readBool(bmc.json(own), "PasswordChangeRequired"), true);
  EXPECT_EQ(bmc.setPassword("short"), 400);
  EXPECT_EQ(bmc.setPassword("twenty-one-characters"), 400);
  EXPECT_EQ(bmc.setPassword("Long-enough-1"), 200);
  EXPECT_EQ(bmc.get(own).reply.status, 401) << "a password change kills the sessions";
  EXPECT_EQ(bmc.login("Long-enough-1"), 201);
  EXPECT_EQ(bmc.get("/redfish/v1/Systems").reply.status, 200);
  EXPECT_FALSE(bmc.truth().hostOn);
}

// Nor does it matter whether whoever asked is still there for the reply.
TEST(SimServer, APasswordIsSetSomeSecondsAfterItArrived) {
  Hall hall;
  Bmc bmc(hall, 0);
  const auto factory = Identity(1, 0).factoryPassword();
  ASSERT_EQ(bmc.login(factory), 201);
  const auto reply = bmc.patch("/redfish/v1/AccountService/Accounts/root", R"({"Password":"Long-enough-1"})");
  EXPECT_EQ(reply.reply.status, 200);
  EXPECT_EQ(bmc.login(factory), 201);
  hall.pass(reply.latency);
  EXPECT_EQ(bmc.login(factory), 401);
  EXPECT_EQ(bmc.login("Long-enough-1"), 201);
}

TEST(SimServer, HoldsEightSessionsAndForgetsIdleOnes) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  for (int i = 1; i < 8; ++i) EXPECT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.json(kSessions)["Members"].size(), 8u);
  const auto keep = bmc.token();
  EXPECT_EQ(bmc.loginAgain(), 503);
  bmc.setToken(keep);
  const auto first = bmc.json(kSessions)["Members"][0]["@odata.id"].get<std::string>();
  EXPECT_EQ(bmc.send("DELETE", first).reply.status, 204);
  EXPECT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.loginAgain(), 503);
  hall.pass(1801s);
  EXPECT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.json(kSessions)["Members"].size(), 1u);
}

TEST(SimServer, LocksOutAfterTenWrongPasswordsForTenMinutes) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver("Right-passw0rd");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(bmc.login("Wrong-passw0rd"), 401);
  EXPECT_EQ(bmc.login("Right-passw0rd"), 201) << "nine are forgiven";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bmc.login("Wrong-passw0rd"), 401);
  EXPECT_EQ(bmc.login("Right-passw0rd"), 401);
  hall.pass(599s);
  EXPECT_EQ(bmc.login("Right-passw0rd"), 401);
  hall.pass(2s);
  EXPECT_EQ(bmc.login("Right-passw0rd"), 201);
}

TEST(SimServer, TakesTheExactEtagOnly) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto settings = kSystem + "/Settings";
  const std::string body = R"({"Boot":{"BootSourceOverrideTarget":"Cd","BootSourceOverrideEnabled":"Once"}})";
  const auto patchWith = [&](std::string etag) {
    Headers headers;
    headers.add("If-Match", std::move(etag));
    return bmc.send("PATCH", settings, body, headers).reply.status;
  };
  const std::string etag(bmc.get(settings).reply.headers.get("ETag"));
  EXPECT_EQ(patchWith("W/" + etag), 412);
  EXPECT_EQ(patchWith("*"), 412);
  EXPECT_EQ(patchWith("\"00000000\""), 412);
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::BootOverride), 0u);
  EXPECT_EQ(patchWith(etag), 204);
  EXPECT_EQ(patchWith(etag), 412) << "the resource has changed since";
  EXPECT_NE(std::string(bmc.get(settings).reply.headers.get("ETag")), etag);
}

TEST(SimServer, ExpandsAsItsProtocolFeaturesSay) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto one = bmc.json("/redfish/v1/Systems?$expand=.($levels=1)");
  EXPECT_EQ(readString(one["Members"][0], "PowerState"), "Off");
  EXPECT_EQ(one["Members"][0]["Processors"].size(), 1u) << "one level only";
  const auto two = bmc.json("/redfish/v1/Systems?$expand=.($levels=2)");
  EXPECT_EQ(two["Members"][1]["Processors"]["Members"].size(), 6u);
  EXPECT_FALSE(two["Members"][0]["Links"]["Chassis"][0].contains("Id"));
  const auto all = bmc.json("/redfish/v1/Systems/System_0?%24expand=*(%24levels=1)");
  EXPECT_EQ(readString(all["Links"]["Chassis"][0], "Id"), "BMC_0");
  EXPECT_TRUE(all["Processors"].contains("Members"));
  const auto linked = bmc.json("/redfish/v1/Systems/System_0?$expand=~");
  EXPECT_EQ(readString(linked["Links"]["Chassis"][0], "Id"), "BMC_0");
  EXPECT_FALSE(linked["Processors"].contains("Members"));
  EXPECT_EQ(bmc.get("/redfish/v1/Systems?$expand=everything").reply.status, 400);
  EXPECT_EQ(bmc.get("/redfish/v1/Systems?$expand=.($levels=7)").reply.status, 400);
  const auto inventory = bmc.json("/redfish/v1/UpdateService/FirmwareInventory?$expand=.($levels=1)");
  EXPECT_EQ(inventory["Members"].size(), 30u);
  EXPECT_EQ(readString(inventory["Members"][1], "Version"), "GB200Nvl-24.12-8");
  EXPECT_GE(bmc.get("/redfish/v1/UpdateService/FirmwareInventory?$expand=.($levels=1)").latency, 2s);
  EXPECT_LE(bmc.get("/redfish/v1/UpdateService/FirmwareInventory").latency, 500ms);
}

TEST(SimServer, SetsAndShowsSettings) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto network = kManager + "/NetworkProtocol";
  EXPECT_EQ(bmc.patch(network, R"({"NTP":{"NTPServers":["10.0.0.1","10.0.0.2"]},"Oem":{"Nvidia":{"Rsyslog":
      {"Address":"10.0.0.5","Port":514,"State":"Enabled"}}}})")
                .reply.status,
            204);
  EXPECT_EQ(bmc.patch(kSystem, R"({"PowerRestorePolicy":"AlwaysOff"})").reply.status, 204);
  EXPECT_EQ(bmc.patch(kSystem, R"({"PowerRestorePolicy":"Sometimes"})").reply.status, 400);
  EXPECT_EQ(bmc.patch(kSystem, R"({"Boot":{"BootSourceOverrideTarget":"Cd"}})").reply.status, 400)
      << "boot belongs to the SettingsObject";
  EXPECT_EQ(bmc.bootFrom("UefiHttp").reply.status, 400);
  const auto json = bmc.json(network);
  EXPECT_EQ(json["NTP"]["NTPServers"].size(), 2u);
  EXPECT_EQ(readString(json, "Oem/Nvidia/Rsyslog/State"), "Enabled");
  EXPECT_EQ(readString(bmc.json(kSystem), "PowerRestorePolicy"), "AlwaysOff");
  const auto truth = bmc.truth();
  EXPECT_EQ(truth.syslogAddress, "10.0.0.5");
  EXPECT_EQ(truth.syslogPort, 514);
  EXPECT_EQ(truth.ntp.size(), 2u);
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::Settings), 2u);
}

TEST(SimServer, CountsReadsAndWritesApart) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto reads = hall.fleet.ledger().reads();
  bmc.get(kSystem);
  bmc.get(kSystem + "/Settings");
  EXPECT_EQ(hall.fleet.ledger().reads(), reads + 2);
  EXPECT_TRUE(hall.fleet.ledger().writesOtherThan({ActKind::Session, ActKind::PasswordSet}).empty());
  bmc.patch("/redfish/v1/Chassis/Chassis_0", R"({"LocationIndicatorActive":true})");
  const auto writes = hall.fleet.ledger().writesOtherThan({ActKind::Session, ActKind::PasswordSet});
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0].kind, ActKind::OtherWrite);
  EXPECT_TRUE(hall.fleet.ledger().writesOtherThan({}, hall.time.now()).empty());
}

}  // namespace
}  // namespace zellige::sim
