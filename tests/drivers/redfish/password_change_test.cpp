// The change of our own password: a crash anywhere leaves one that we know, and none is guessed wrong twice.
#include "controller/base/password.hpp"
#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

constexpr const char* account = "/redfish/v1/AccountService/Accounts/root";

class PasswordChange : public OverARecordedTray {
 protected:
  std::size_t passwordsSent() const { return bench.machine.count("PATCH", account); }
};

TEST_F(PasswordChange, ForcedPasswordChangeIsToldAndThenDoneInTwoPhases) {
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

TEST_F(PasswordChange, APasswordChangeBeforeAnySessionGoesByBasicAuthentication) {
  bench.machine.passwordExpired = true;
  bench.machine.always("POST", kSessions,
                       jsonReply(403, extendedInfo("Base.1.8.PasswordChangeRequired", "change")));
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::PasswordExpired);
  const auto changed = bench.run(bench.bmc().changePassword());
  ASSERT_TRUE(changed) << changed.error().what;
  EXPECT_EQ(bench.machine.sent("PATCH").at(0).request.headers.get("Authorization"), "Basic cm9vdDpjb3JyZWN0");
  EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
}

TEST_F(PasswordChange, APasswordThatTheBmcTookIsKeptWhateverIsImportedMeanwhile) {
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

TEST_F(PasswordChange, APasswordThatTheBmcRefusedIsDroppedWhateverIsImportedMeanwhile) {
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

TEST_F(PasswordChange, AnImportedPasswordIsTriedByALoginAfterABasicChangeWasRefused) {
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

TEST_F(PasswordChange, APasswordIsNotSetForTheUserOfBeforeAnImport) {
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

TEST_F(PasswordChange, ThePasswordThatTheBmcTookIsKeptWithItsUser) {
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

TEST_F(PasswordChange, APasswordThatAPersonChangedMeanwhileIsTakenUpAndKept) {
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

TEST_F(PasswordChange, ARefusedPasswordIsNotGuessedAgainByTheChangeItself) {
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

TEST_F(PasswordChange, ACrashAfterThePasswordWasAppliedIsSettledByTheNextSignIn) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.mustChange = true;
  bench.machine.password = "new-one";
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
  EXPECT_FALSE(bench.access.stored.nextPassword);
  EXPECT_FALSE(bench.access.stored.mustChange);
  EXPECT_EQ(logins(), 1u);
}

TEST_F(PasswordChange, ACrashBeforeThePasswordWasSentCostsOneWrongGuess) {
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
TEST_F(PasswordChange, APasswordThatTheBmcSetsAfterTheNextSignInIsNotLost) {
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

TEST_F(PasswordChange, WhatMayBeOnItsWayIsSentAgainAndNothingElse) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.mustChange = true;
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_EQ(bench.machine.password, "new-one");
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
  EXPECT_FALSE(bench.access.stored.nextPassword);
}

// A BMC may refuse to set what it has set already.
TEST_F(PasswordChange, WhatIsRefusedWhenItIsSentAgainIsDroppedOnceItIsNotTheOne) {
  for (const bool applied : {true, false}) {
    SCOPED_TRACE(applied ? "applied" : "unfit");
    bench.restart();
    bench.machine.tokens.clear();
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
    EXPECT_LE(bench.machine.tokens.size(), 1u) << "a session is left open";
    EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
    EXPECT_FALSE(bench.access.stored.nextPassword);
  }
}

// The late change ends the session under which it would be sent again.
TEST_F(PasswordChange, AChangeThatShowsWhileItIsSentAgainIsTakenUp) {
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

TEST_F(PasswordChange, WithTwoCandidatesNoneIsGuessedTwice) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.machine.password = "somebody else changed it";
  EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Auth);
  EXPECT_EQ(logins(), 2u);
}

// A restart that finds the row as each crash left it, and what the machine was told before.
TEST_F(PasswordChange, TwoCrashesInAPasswordChangeCostOneWrongGuess) {
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
    if (applied) {  // both were guessed in one lockout, and it is not known what became of the first
      EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Unreachable);
      bench.executor.after(11min, [] {});
      bench.drain();
    }
    ASSERT_TRUE(bench.run(bench.bmc().signIn()));
    const auto wrong = logins() - before - 2;  // beside the one that died and the one that was let in
    EXPECT_EQ(wrong, applied ? 1u : 0u) << "the one that died was " << (applied ? "right" : "wrong");
    EXPECT_EQ(bench.access.stored.password.reveal(), bench.machine.password);
  }
}

TEST_F(PasswordChange, AGuessThatTheMachineNeverJudgedComesFirstAgain) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.access.stored.sessionToken = {};
  bench.machine.password = "new-one";
  bench.machine.once("POST", kSessions, Error{Errc::Unreachable, "no route"});
  EXPECT_FALSE(bench.run(bench.bmc().signIn()));
  const auto before = logins();
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(logins(), before + 1);
}

TEST_F(PasswordChange, AnEarlierChangeThatHadBeenAppliedIsNotSentAgain) {
  bench.access.stored.nextPassword = Secret("new-one");
  bench.machine.password = "new-one";
  ASSERT_TRUE(bench.run(bench.bmc().changePassword()));
  EXPECT_EQ(passwordsSent(), 0u);
  EXPECT_EQ(bench.access.stored.password.reveal(), "new-one");
}

TEST_F(PasswordChange, APasswordChangeOfUnknownOutcomeStaysPendingAndIsSettledLater) {
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

TEST_F(PasswordChange, ARefusedPasswordIsForgottenAndItsTextNotQuoted) {
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

TEST_F(PasswordChange, APasswordLengthWithinWhatTheAccountServiceTells) {
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

}  // namespace
}  // namespace zellige::redfish
