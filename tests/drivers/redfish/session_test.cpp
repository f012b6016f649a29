// Sessions and pins: one for all requests, durable before its first use, and whose they are when somebody forgets them.
#include <algorithm>

#include "drivers/redfish/directory.hpp"
#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

class Session : public OverARecordedTray {};

TEST_F(Session, OneSessionServesEveryRequestAndASecondLifeOfTheController) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  ASSERT_TRUE(bench.run(bench.bmc().inventory()));
  bench.restart();
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  EXPECT_EQ(logins(), 1u);
}

TEST_F(Session, TheTokenIsDurableBeforeItsFirstUse) {
  bool used = false;
  bench.access.beforeSave = [&](const BmcAccess& access) {
    for (const auto& s : bench.machine.seen)
      used = used || (!access.sessionToken.empty() &&
                      s.request.headers.get("X-Auth-Token") == access.sessionToken.reveal());
  };
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_FALSE(used);
  EXPECT_EQ(bench.access.stored.sessionToken.reveal(), "token-1");
  EXPECT_EQ(bench.access.stored.sessionUri, std::string(kSessions) + "/1");
}

TEST_F(Session, ASessionThatCannotBeSavedIsGivenBack) {
  bench.access.beforeSave = [&](const BmcAccess&) {
    bench.access.failSaves = true;
  };  // after the guess is counted
  const auto result = bench.run(bench.bmc().signIn());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Busy);
  EXPECT_EQ(logins(), 1u);
  EXPECT_TRUE(bench.machine.tokens.empty());
}

TEST_F(Session, ADroppedSessionIsReplacedOnceAndTheRequestRepeated) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  bench.machine.tokens.clear();  // the BMC's web server restarted
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  EXPECT_EQ(logins(), 2u);
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  EXPECT_EQ(logins(), 2u);
}

TEST_F(Session, AStray401OnTheNewSessionIsNotTakenForARefusedPassword) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  bench.machine.tokens.clear();
  const std::string system = "/redfish/v1/Systems/System_0";
  bench.machine.once("GET", system, jsonReply(401, Json::object()));  // the session had ended
  bench.machine.once("GET", system, jsonReply(401, Json::object()));  // stray
  const auto read = bench.run(bench.bmc().client().get(system));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(logins(), 3u);
}

TEST_F(Session, ASessionThatEndsAgainWhileTheBmcIsBusyIsRenewedAgain) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  const std::string system = "/redfish/v1/Systems/System_0";
  bench.machine.once("GET", system, jsonReply(401, Json::object()));  // the session had ended
  bench.machine.once("GET", system, jsonReply(503, Json::object()));
  bench.executor.after(2s, [&] { bench.machine.tokens.clear(); });  // and once more, before it comes again
  const auto read = bench.run(bench.bmc().client().get(system));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(logins(), 3u);
}

TEST_F(Session, WhatIsRefusedToEverySessionIsNotAskedForEver) {
  const std::string system = "/redfish/v1/Systems/System_0";
  bench.machine.always("GET", system, jsonReply(401, Json::object()));
  const auto read = bench.run(bench.bmc().client().get(system));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::Rejected) << "the password is good";
  EXPECT_EQ(logins(), 3u);
  const auto& seen = bench.machine.seen;
  EXPECT_EQ(
      std::count_if(seen.begin(), seen.end(), [&](const auto& s) { return s.request.path() == system; }), 3);
}

TEST_F(Session, AWriteThatWasRefusedWith401IsRepeatedAfterSigningIn) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  bench.machine.tokens.clear();
  const auto reset = bench.run(bench.bmc().client().post(
      "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset", R"({"ResetType":"On"})"));
  ASSERT_TRUE(reset) << reset.error().what;
  EXPECT_EQ(bench.writes().size(), 2u);  // one refused, one applied
}

TEST_F(Session, TwoRequestsThatLoseTheirSessionTogetherSignInOnce) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  bench.machine.tokens.clear();
  std::optional<Result<HostState>> a, b;
  bench.executor.spawn(into(bench.bmc().host(), a));
  bench.executor.spawn(into(bench.bmc().host(), b));
  bench.drain();
  ASSERT_TRUE(a && *a && b && *b);
  EXPECT_EQ(logins(), 2u);
}

TEST_F(Session, ASingleStray401OnLoginIsConfirmedAndForgiven) {
  bench.machine.once("POST", kSessions, jsonReply(401, Json::object()));
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(logins(), 2u);
}

TEST_F(Session, AWrongPasswordIsTriedExactlyTwice) {
  bench.access.stored.password = Secret("wrong");
  const auto result = bench.run(bench.bmc().signIn());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Auth);
  EXPECT_EQ(logins(), 2u);
  EXPECT_EQ(result.error().what.find("wrong"), std::string::npos);  // no secret in texts
}

TEST_F(Session, APersonsCorrectionOfThePasswordIsPickedUp) {
  bench.access.stored.password = Secret("wrong");
  ASSERT_FALSE(bench.run(bench.bmc().signIn()));
  bench.import("correct");
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
}

TEST_F(Session, AFullSessionTableIsOutOfReachAndSaysSo) {
  bench.machine.always("POST", kSessions,
                       jsonReply(503, extendedInfo("IDRAC.2.7.RAC0218", "maximum sessions")));
  const auto result = bench.run(bench.bmc().signIn());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Unreachable);
  EXPECT_NE(result.error().what.find("session table is full"), std::string::npos);
  EXPECT_EQ(logins(), 1u);
}

TEST_F(Session, ThePinOfTheFirstSignInIsKeptAndAnotherCertificateStopsEverything) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.pin, "pin-a");
  bench.machine.pin = "pin-b";
  bench.restart();
  const auto result = bench.run(bench.bmc().host());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().cause, "bmc.certificate_changed");
  EXPECT_EQ(bench.machine.seen.back().peer.pin, "pin-a");
}

TEST_F(Session, APasswordThatIsImportedDuringASignInIsKept) {
  bench.access.beforeSave = [&](const BmcAccess&) {  // the import is committed first
    bench.access.stored.password = Secret("corrected");
    ++bench.access.stored.version;
  };
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Conflict);
  EXPECT_EQ(bench.access.stored.password.reveal(), "corrected");
  EXPECT_TRUE(bench.machine.tokens.empty()) << "the session that nobody will remember is given back";
  bench.access.beforeSave = {};
  bench.machine.password = "corrected";
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
}

TEST_F(Session, InObserveModeOnlyReadsAndOurOwnSessionLeave) {
  bench.armed = false;
  EXPECT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_TRUE(bench.run(bench.bmc().inventory()));
  EXPECT_EQ(bench.run(bench.bmc().changePassword()).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().reset(HostReset::ForceOff)).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().auxPowerCycle()).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().resetBmc()).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().insertMedia("http://x/y.iso")).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().ejectMedia()).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().setLocateLed(true)).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().setBootOverride({"Cd", true})).error().code, Errc::NotArmed);
  BmcSettings settings;
  settings.ntp = {"10.0.0.9"};
  EXPECT_EQ(bench.run(bench.bmc().setSettings(settings)).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.run(bench.bmc().pushFirmware({"/none", "x", {}}, {}, false)).error().code, Errc::NotArmed);
  EXPECT_TRUE(bench.writes().empty());
  EXPECT_FALSE(bench.access.stored.nextPassword);
}

TEST_F(Session, DisarmingWhileAWriteWaitsItsTurnStopsIt) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  auto& client = bench.bmc().client();
  std::optional<Result<Document>> a, b, write;
  bench.executor.spawn(into(client.get(kSystem0), a));
  bench.executor.spawn(into(client.get(kSystem0), b));
  bench.executor.spawn(into(client.post("/redfish/v1/x", "{}"), write));
  bench.executor.after(10ms, [&] { bench.armed = false; });
  bench.drain();
  ASSERT_TRUE(write);
  EXPECT_EQ(write->error().code, Errc::NotArmed);
  EXPECT_TRUE(bench.writes().empty());
}

TEST_F(Session, TheDirectoryAsksForThePlaceANodeIsInNow) {
  bool hallArmed = false;
  RedfishDirectory directory(bench.machine, bench.access, bench.executor,
                             [&](const Place& place) { return place.isInside("H2") && hallArmed; });
  Node node;
  node.id = NodeId{7};
  node.place = {"H1/R01/RK001/U10"};
  node.bmc.address = "10.0.0.7";
  auto bmc = directory.of(node);
  hallArmed = true;
  EXPECT_EQ(bench.run(bmc->setLocateLed(true)).error().code, Errc::NotArmed);
  node.place = {"H2/R01/RK001/U10"};
  node.bmc.address = "10.0.0.8";
  EXPECT_EQ(directory.of(node), bmc);
  EXPECT_TRUE(bench.run(bmc->setLocateLed(true)));
  EXPECT_EQ(bench.machine.seen.back().peer.address, "10.0.0.8");
}

TEST_F(Session, TheDirectoryForgetsAMachineThatNobodyHolds) {
  RedfishDirectory directory(bench.machine, bench.access, bench.executor, [](const Place&) { return true; });
  Node node;
  node.id = NodeId{7};
  node.bmc.address = "10.0.0.7";
  auto bmc = directory.of(node);
  ASSERT_TRUE(bench.run(bmc->host()));
  directory.rest(node.id);
  EXPECT_FALSE(directory.exchanges(node.id).empty()) << "somebody works on it";
  bmc.reset();
  directory.rest(node.id);
  EXPECT_TRUE(directory.exchanges(node.id).empty());
  ASSERT_TRUE(bench.run(directory.of(node)->host()));
  EXPECT_EQ(logins(), 1u) << "the session is in the store";
}

TEST_F(Session, TheDirectoryMeetsAMachineAnewThoughSomebodyStillHoldsIt) {
  RedfishDirectory directory(bench.machine, bench.access, bench.executor, [](const Place&) { return true; });
  Node node;
  node.id = NodeId{7};
  node.bmc.address = "10.0.0.7";
  const auto held = directory.of(node);
  ASSERT_TRUE(bench.run(held->host()));
  bench.access.stored.pin = bench.machine.pin = "pin-b";  // replaced, and a person accepted it
  bench.access.stored.sessionToken = {};
  ++bench.access.stored.version;
  EXPECT_FALSE(bench.run(held->host()));
  directory.forget(node.id);
  EXPECT_TRUE(bench.run(directory.of(node)->host()));
}

}  // namespace
}  // namespace zellige::redfish
