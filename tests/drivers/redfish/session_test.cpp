// Sessions, pins and passwords: what must hold so that we neither lock ourselves out nor guess twice.
#include "controller/base/password.hpp"
#include "drivers/redfish/directory.hpp"
#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

constexpr const char* account = "/redfish/v1/AccountService/Accounts/root";

class Session : public ::testing::Test {
 protected:
  void SetUp() override { NEEDS_RECORDED_TREES(); }
  std::size_t logins() const { return bench.machine.count("POST", kSessions); }
  std::size_t passwordsSent() const { return bench.machine.count("PATCH", account); }
  Bench bench;
};

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
      used = used || s.request.headers.get("X-Auth-Token") == access.sessionToken.reveal();
  };
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_FALSE(used);
  EXPECT_EQ(bench.access.stored.sessionToken.reveal(), "token-1");
  EXPECT_EQ(bench.access.stored.sessionUri, std::string(kSessions) + "/1");
}

TEST_F(Session, ASessionThatCannotBeSavedIsGivenBack) {
  bench.access.failSaves = true;
  const auto result = bench.run(bench.bmc().signIn());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Busy);
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

TEST_F(Session, ForcedPasswordChangeIsToldAndThenDoneInTwoPhases) {
  bench.machine.passwordExpired = true;
  const auto refused = bench.run(bench.bmc().signIn());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::PasswordExpired);
  std::vector<std::pair<bool, std::size_t>> saves;  // next pending?, PATCHes sent by then
  bench.access.beforeSave = [&](const BmcAccess& a) {
    saves.emplace_back(a.nextPassword.has_value(), passwordsSent());
  };
  bench.access.stored.mustChange = true;
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_TRUE(changed) << changed.error().what;
  ASSERT_EQ(saves.size(), 2u);
  EXPECT_EQ(saves[0], std::make_pair(true, std::size_t{0}));   // durable before it is sent
  EXPECT_EQ(saves[1], std::make_pair(false, std::size_t{1}));  // promoted after
  EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
  EXPECT_FALSE(bench.access.stored.mustChange);
  EXPECT_NE(bench.machine.password, "correct");
  bench.access.beforeSave = {};
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
}

TEST_F(Session, APasswordChangeBeforeAnySessionGoesByBasicAuthentication) {
  bench.machine.passwordExpired = true;
  bench.machine.always("POST", kSessions,
                       jsonReply(403, extendedInfo("Base.1.8.PasswordChangeRequired", "change")));
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::PasswordExpired);
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_TRUE(changed) << changed.error().what;
  EXPECT_EQ(bench.machine.sent("PATCH").at(0).request.headers.get("Authorization"), "Basic cm9vdDpjb3JyZWN0");
  EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
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

TEST_F(Session, APasswordThatTheBmcTookIsKeptWhateverIsImportedMeanwhile) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  ASSERT_FALSE(bench.access.stored.pin.empty());
  bool imported = false;
  bench.access.beforeSave = [&](const BmcAccess&) {
    if (passwordsSent() == 0 || std::exchange(imported, true)) return;
    bench.access.stored.password = Secret("imported");
    bench.machine.pin = "pin-b";
    bench.access.stored.pin.clear();  // a certificate was accepted
    ++bench.access.stored.version;
  };
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_TRUE(imported);
  EXPECT_EQ(bench.access.stored.pin, "");
  EXPECT_NE(bench.machine.password, "correct");
  EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
  EXPECT_FALSE(bench.access.stored.nextPassword);
  bench.access.beforeSave = {};
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.pin, "pin-b");
}

TEST_F(Session, APasswordThatTheBmcRefusedIsDroppedWhateverIsImportedMeanwhile) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  bench.machine.once("PATCH", account,
                     jsonReply(400, extendedInfo("Base.1.8.PropertyValueFormatError", "too long")));
  bool imported = false;
  bench.access.beforeSave = [&](const BmcAccess&) {
    if (passwordsSent() == 0 || std::exchange(imported, true)) return;
    bench.access.stored.password = Secret("imported");
    ++bench.access.stored.version;
  };
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_FALSE(changed);
  EXPECT_TRUE(imported);
  EXPECT_EQ(changed.error().httpStatus, 400) << changed.error().what;
  EXPECT_FALSE(bench.access.stored.nextPassword) << "the next sign-in would guess it";
  EXPECT_EQ(bench.access.stored.password.reveal(), "imported");
}

TEST_F(Session, AnImportedPasswordIsTriedByALoginAfterABasicChangeWasRefused) {
  bench.machine.passwordExpired = true;
  bench.machine.once("POST", kSessions,
                     jsonReply(403, extendedInfo("Base.1.8.PasswordChangeRequired", "change")));
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::PasswordExpired);
  bench.machine.passwordExpired = false;
  bench.machine.always("PATCH", account,
                       jsonReply(400, extendedInfo("Base.1.8.PropertyValueFormatError", "a policy")));
  bench.access.beforeSave = [&, imported = false](const BmcAccess&) mutable {
    if (passwordsSent() == 0 || std::exchange(imported, true)) return;
    bench.access.stored.password = Secret("imported");
    ++bench.access.stored.version;
  };
  EXPECT_EQ(bench.run(bench.bmc().changePassword()).error().httpStatus, 400);
  ASSERT_EQ(bench.access.stored.password.reveal(), "imported");
  const auto before = logins();
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Auth)
      << "it is wrong, and nothing else says so";
  EXPECT_EQ(logins(), before + 2);
}

TEST_F(Session, APasswordIsNotSetForTheUserOfBeforeAnImport) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  bench.machine.once("PATCH", account, jsonReply(401, Json::object()));  // our session had ended
  bench.access.beforeSave = [&, imported = false](const BmcAccess&) mutable {
    if (passwordsSent() == 0 || std::exchange(imported, true)) return;
    bench.access.stored.user = bench.machine.user = "ops";
    bench.access.stored.password = Secret(bench.machine.password = "imported");
    bench.access.stored.sessionToken = {};
    bench.access.stored.sessionUri.clear();
    ++bench.access.stored.version;
  };
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::Conflict) << changed.error().what;
  EXPECT_EQ(passwordsSent(), 1u);
  EXPECT_EQ(bench.access.stored.user, "ops");
  EXPECT_EQ(bench.access.stored.password.reveal(), "imported");
  EXPECT_FALSE(bench.access.stored.nextPassword);
}

TEST_F(Session, ThePasswordThatTheBmcTookIsKeptWithItsUser) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  bench.access.beforeSave = [&, imported = false](const BmcAccess&) mutable {
    if (passwordsSent() == 0 || std::exchange(imported, true)) return;
    bench.access.stored.user = "ops";
    bench.access.stored.password = Secret("imported");
    ++bench.access.stored.version;
  };
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_EQ(bench.access.stored.user, "root");
  EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
}

TEST_F(Session, APasswordThatAPersonChangedMeanwhileIsTakenUpAndKept) {
  bench.machine.passwordExpired = true;
  bench.machine.once("POST", kSessions,
                     jsonReply(403, extendedInfo("Base.1.8.PasswordChangeRequired", "change")));
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::PasswordExpired);
  bench.machine.passwordExpired = false;
  bench.machine.password = "by hand";
  bench.access.stored.password = Secret("by hand");
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.password.reveal(), "by hand");
  EXPECT_EQ(bench.machine.sent("PATCH").size(), 0u);
}

TEST_F(Session, ARefusedPasswordIsNotGuessedAgainByTheChangeItself) {
  bench.machine.passwordExpired = true;
  bench.machine.always("POST", kSessions,
                       jsonReply(403, extendedInfo("Base.1.8.PasswordChangeRequired", "change")));
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::PasswordExpired);
  bench.machine.always("PATCH", account, jsonReply(401, Json::object()));  // changed by hand, and not imported
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().httpStatus, 401);
  EXPECT_EQ(bench.machine.sent("PATCH").size(), 1u);
  EXPECT_EQ(bench.access.stored.password.reveal(), "correct");
  EXPECT_FALSE(bench.access.stored.nextPassword);
}

TEST_F(Session, ACrashAfterThePasswordWasAppliedIsSettledByTheNextSignIn) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.mustChange = true;
  bench.machine.password = "new-one";
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
  EXPECT_FALSE(bench.access.stored.nextPassword);
  EXPECT_FALSE(bench.access.stored.mustChange);
  EXPECT_EQ(logins(), 1u);
}

TEST_F(Session, ACrashBeforeThePasswordWasSentCostsOneWrongGuess) {
  bench.access.stored.nextPassword = Secret("new-one");
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.password.reveal(), "correct");
  EXPECT_EQ(logins(), 2u);
  bench.restart();
  bench.machine.tokens.clear();
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(logins(), 3u) << "it is not guessed again";
}

// The request left, the controller died, and the next one signed in before the BMC had got round to it.
TEST_F(Session, APasswordThatTheBmcSetsAfterTheNextSignInIsNotLost) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.mustChange = true;
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  ASSERT_EQ(bench.access.stored.password.reveal(), "correct");
  bench.machine.password = "new-one";
  bench.machine.tokens.clear();
  const auto before = logins();
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
  EXPECT_FALSE(bench.access.stored.nextPassword);
  EXPECT_FALSE(bench.access.stored.mustChange);
  EXPECT_EQ(logins(), before + 2) << "one wrong guess";
}

TEST_F(Session, WhatMayBeOnItsWayIsSentAgainAndNothingElse) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.mustChange = true;
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_EQ(bench.machine.password, "new-one");
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
  EXPECT_FALSE(bench.access.stored.nextPassword);
}

// A BMC may refuse to set what it has set already.
TEST_F(Session, WhatIsRefusedWhenItIsSentAgainIsDroppedOnceItIsNotTheOne) {
  for (const bool applied : {true, false}) {
    SCOPED_TRACE(applied ? "applied" : "unfit");
    bench.restart();
    bench.machine.password = "correct";
    bench.access.stored.password = Secret("correct");
    bench.access.stored.nextPassword = Secret("new-one");
    bench.access.stored.guessCurrent = true;
    bench.access.stored.mustChange = true;
    bench.access.stored.sessionToken = {};
    bench.machine.once("PATCH", account, FakeBmc::Answer([&](const HttpRequest&) -> Result<http::Received> {
                         if (applied) bench.machine.password = "new-one";
                         return http::Received{
                             jsonReply(400, extendedInfo("Base.1.8.PropertyValueError", "used before")), {}};
                       }));
    EXPECT_EQ(bool(bench.run(bench.bmc().changePassword())), applied);
    EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
    EXPECT_FALSE(bench.access.stored.nextPassword);
  }
}

// The late change ends the session under which it would be sent again.
TEST_F(Session, AChangeThatShowsWhileItIsSentAgainIsTakenUp) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.mustChange = true;
  bench.machine.once("PATCH", account, FakeBmc::Answer([&](const HttpRequest&) -> Result<http::Received> {
                       bench.machine.password = "new-one";
                       bench.machine.tokens.clear();
                       return http::Received{jsonReply(401, Json::object()), {}};
                     }));
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_TRUE(changed) << changed.error().what;
  EXPECT_EQ(passwordsSent(), 1u);
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
}

TEST_F(Session, WithTwoCandidatesNoneIsGuessedTwice) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.machine.password = "somebody else changed it";
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Auth);
  EXPECT_EQ(logins(), 2u);
}

// A restart that finds the row as each crash left it, and what the machine was told before.
TEST_F(Session, TwoCrashesInAPasswordChangeCostOneWrongGuess) {
  for (const bool applied : {false, true}) {
    SCOPED_TRACE(applied ? "applied" : "never sent");
    bench.restart();
    bench.access.stored.password = Secret("old-one");
    bench.access.stored.nextPassword = Secret("new-one");
    bench.access.stored.guessCurrent = false;
    bench.access.stored.sessionToken = {};
    bench.machine.password = applied ? "new-one" : "old-one";
    const auto before = logins();
    std::optional<BmcAccess> atTheGuess;
    bench.machine.once("POST", kSessions, FakeBmc::Answer([&](const HttpRequest&) -> Result<http::Received> {
                         atTheGuess = bench.access.stored;  // and here it died, whatever the machine replied
                         return Error{Errc::Timeout, "no reply", true};
                       }));
    EXPECT_FALSE(bench.run(bench.bmc().signIn()));
    ASSERT_TRUE(atTheGuess);
    bench.restart();
    bench.access.stored = *atTheGuess;
    ASSERT_TRUE(bench.run(bench.bmc().signIn()));
    const auto wrong = logins() - before - 2;  // beside the one that died and the one that was let in
    EXPECT_EQ(wrong, applied ? 1u : 0u) << "the one that died was " << (applied ? "right" : "wrong");
    EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
  }
}

TEST_F(Session, AGuessThatTheMachineNeverJudgedComesFirstAgain) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.sessionToken = {};
  bench.machine.password = "new-one";
  bench.machine.once("POST", kSessions, Error{Errc::Unreachable, "no route"});
  EXPECT_FALSE(bench.run(bench.bmc().signIn()));
  const auto before = logins();
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(logins(), before + 1);
}

TEST_F(Session, AnEarlierChangeThatHadBeenAppliedIsNotSentAgain) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.machine.password = "new-one";
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_EQ(passwordsSent(), 0u);
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
}

TEST_F(Session, APasswordChangeOfUnknownOutcomeStaysPendingAndIsSettledLater) {
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  bench.machine.once(
      "PATCH", account, FakeBmc::Answer([&](const HttpRequest& request) -> Result<http::Received> {
        bench.machine.password = Json::parse(request.body).at("Password");  // applied, the reply lost
        bench.machine.tokens.clear();
        return Error{Errc::Timeout, "no reply", true};
      }));
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_FALSE(changed);
  EXPECT_TRUE(changed.error().outcomeUnknown);
  EXPECT_TRUE(bench.access.stored.nextPassword);
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
  EXPECT_EQ(passwordsSent(), 1u);
}

TEST_F(Session, ARefusedPasswordIsForgottenAndItsTextNotQuoted) {
  bench.machine.once(
      "PATCH", account, FakeBmc::Answer([](const HttpRequest& request) {
        const auto password = Json::parse(request.body).at("Password").get<std::string>();
        return Result<http::Received>(http::Received{
            jsonReply(400, extendedInfo("Base.1.8.PropertyValueFormatError", "bad value " + password)), {}});
      }));
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::Rejected);
  EXPECT_EQ(changed.error().what.find("bad value"), std::string::npos);
  EXPECT_NE(changed.error().what.find("PropertyValueFormatError"), std::string::npos);
  EXPECT_FALSE(bench.access.stored.nextPassword);
  EXPECT_EQ(bench.access.stored.password.reveal(), "correct");
}

TEST_F(Session, APasswordLengthWithinWhatTheAccountServiceTells) {
  bench.machine.overlay("/redfish/v1/AccountService", {{"MinPasswordLength", 18}, {"MaxPasswordLength", 18}});
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_EQ(bench.machine.password.size(), 18u);
}

TEST(Password, HasEveryClassAndRepeatsOnlyWithItsRandomness) {
  int calls = 0;
  const auto counting = [&](std::size_t bytes) {
    ++calls;
    std::string hex;
    for (std::size_t i = 0; i < 2 * bytes; ++i) hex += "0123456789abcdef"[(7 * i + i / 3) % 16];
    return hex;
  };
  const auto one = makePassword(16, counting);
  EXPECT_EQ(one, makePassword(16, counting));
  EXPECT_EQ(one.size(), 16u);
  EXPECT_NE(one.find_first_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  EXPECT_NE(one.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
  EXPECT_NE(one.find_first_of("0123456789"), std::string::npos);
  EXPECT_NE(one.find_first_of("-_.+"), std::string::npos);
  EXPECT_NE(makePassword(16, randomHex), makePassword(16, randomHex));
  EXPECT_EQ(calls, 2);
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
