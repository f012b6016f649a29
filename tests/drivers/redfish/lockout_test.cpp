// Fault 7: others have locked the account. Nobody can tell that it is not the password, and nothing is guessed meanwhile;
// also not by whoever never heard of the refusal.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "drivers/redfish/directory.hpp"
#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

class Lockout : public OverARecordedTray {
 protected:
  void SetUp() override {
    NEEDS_RECORDED_TREES();
    ASSERT_TRUE(bench.run(bench.bmc().signIn()));
    bench.machine.tokens.clear();
  }
  void pass(Duration d) {
    bench.executor.after(d, [] {});
    bench.drain();
  }
};

TEST_F(Lockout, APasswordThatWorkedBeforeIsTriedAgainOnlyAfterTheLongestLockout) {
  bench.machine.always("POST", kSessions, jsonReply(401, Json::object()));
  const auto begin = bench.executor.now();
  for (int i = 0; i < 5; ++i) {
    const auto refused = bench.run(bench.bmc().host());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Unreachable);
    EXPECT_NE(refused.error().what.find("locked"), std::string::npos);
  }
  EXPECT_EQ(logins(), 3u) << "the first, a refusal and its confirmation";
  pass(11min);
  EXPECT_GE(bench.executor.now() - begin, 11min);
  EXPECT_EQ(bench.run(bench.bmc().host()).error().code, Errc::Auth) << "no lockout lasts so long";
  EXPECT_EQ(logins(), 5u);
}

TEST_F(Lockout, ALockoutThatIsOverIsForgotten) {
  for (int i = 0; i < 2; ++i) {
    bench.machine.tokens.clear();
    bench.machine.once("POST", kSessions, jsonReply(401, Json::object()));
    bench.machine.once("POST", kSessions, jsonReply(401, Json::object()));
    EXPECT_EQ(bench.run(bench.bmc().host()).error().code, Errc::Unreachable);
    pass(11min);
    EXPECT_TRUE(bench.run(bench.bmc().host()));
  }
}

TEST_F(Lockout, ACorrectedPasswordIsTriedWithoutWaitingForALockoutToEnd) {
  bench.machine.password = "changed";
  EXPECT_EQ(bench.run(bench.bmc().host()).error().code, Errc::Unreachable);
  bench.import("changed");
  EXPECT_TRUE(bench.run(bench.bmc().host()));
}

TEST_F(Lockout, IsRememberedOfAMachineThatIsForgottenBetweenTwoLooks) {
  RedfishDirectory directory(bench.machine, bench.access, bench.executor, [](const Place&) { return true; });
  Node node;
  node.id = NodeId{7};
  node.bmc.address = "10.0.0.7";
  bench.machine.password = "changed by hand";
  std::vector<std::string_view> said;
  for (int i = 0; i < 4; ++i) {  // as a patrol looks, whose round is shorter than the lockout
    auto bmc = directory.of(node);
    said.push_back(name(bench.run(bmc->host()).error().code));
    bmc.reset();
    directory.rest(node.id);
    pass(545s);
  }
  const auto unreachable = name(Errc::Unreachable), auth = name(Errc::Auth);
  EXPECT_EQ(said, (std::vector{unreachable, unreachable, auth, auth})) << "no lockout lasts so long";
  EXPECT_EQ(logins(), 5u) << "the first, and two guesses each in twenty minutes";
}

TEST_F(Lockout, ARestartIsNoReasonToGuessAgain) {
  bench.machine.password = "changed by hand";
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(bench.run(bench.bmc().host()).error().code, Errc::Unreachable);
    bench.restart();
  }
  EXPECT_EQ(logins(), 3u);
}

TEST_F(Lockout, EveryGuessIsDurableBeforeItIsSent) {
  bench.machine.password = "changed by hand";
  std::vector<std::pair<int, std::size_t>> saved;
  bench.access.beforeSave = [&](const BmcAccess& row) { saved.emplace_back(row.guesses, logins()); };
  EXPECT_FALSE(bench.run(bench.bmc().host()));
  EXPECT_EQ(saved, (std::vector<std::pair<int, std::size_t>>{{1, 1}, {1, 2}, {2, 2}, {2, 3}}));
}

TEST_F(Lockout, ACrashInAGuessHasSpentIt) {
  for (const bool worked : {true, false}) {
    bench.machine.password = "correct";
    if (!worked) bench.access.stored.sessionUri.clear();
    bench.access.stored.sessionToken = {};
    std::optional<BmcAccess> atTheGuess;
    bench.machine.once("POST", kSessions, FakeBmc::Answer([&](const HttpRequest&) -> Result<http::Received> {
                         atTheGuess = bench.access.stored;
                         return Error{Errc::Timeout, "no reply", true};
                       }));
    bench.restart();
    EXPECT_FALSE(bench.run(bench.bmc().signIn()));
    ASSERT_TRUE(atTheGuess);
    bench.machine.password = "changed by hand";
    bench.access.stored = *atTheGuess;
    bench.restart();
    const auto before = logins();
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Unreachable)
          << "one refusal proves nothing";
    EXPECT_EQ(logins(), before + 1);
    pass(11min);
    EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, worked ? Errc::Unreachable : Errc::Auth);
    EXPECT_EQ(logins(), before + 3);
    pass(11min);
    bench.machine.password = "correct";
    EXPECT_TRUE(bench.run(bench.bmc().signIn()));
  }
}

TEST_F(Lockout, WhatNobodyJudgedBeginsNoLockout) {
  bench.access.stored.sessionToken = {};
  bench.access.stored.guesses = bench.access.stored.refusals = 2;
  bench.access.stored.guessedAt = bench.executor.now();
  bench.restart();
  pass(11min);
  bench.machine.once("POST", kSessions, Error{Errc::Unreachable, "no route"});
  EXPECT_FALSE(bench.run(bench.bmc().signIn()));
  EXPECT_TRUE(bench.run(bench.bmc().signIn())) << "the two before were waited out";
}

// FACTS knows 401; others are known to say it so.
TEST_F(Lockout, APasswordIsRefusedInOtherWordsToo) {
  for (const int status : {400, 403}) {
    bench.access.stored.sessionToken = {};
    bench.access.stored.guesses = bench.access.stored.refusals = 0;
    bench.restart();
    const auto before = logins();
    for (int i = 0; i < 4; ++i)
      bench.machine.once("POST", kSessions,
                         jsonReply(status, extendedInfo("iLO.2.8.UnauthorizedLoginAttempt", "no")));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Unreachable);
    EXPECT_EQ(logins(), before + 2);
    pass(11min);
    const auto said = bench.run(bench.bmc().signIn());
    EXPECT_EQ(said.error().code, Errc::Auth);
    EXPECT_THAT(said.error().what,
                testing::HasSubstr(fmt::format("{}: iLO.2.8.UnauthorizedLoginAttempt", status)));
  }
}

TEST_F(Lockout, WhatNobodyJudgedIsNoGuess) {
  bench.access.stored.sessionToken = {};
  bench.restart();
  for (int i = 0; i < 4; ++i) {
    bench.machine.once("POST", kSessions, Error{Errc::Unreachable, "no route"});
    EXPECT_FALSE(bench.run(bench.bmc().signIn()));
  }
  EXPECT_EQ(bench.access.stored.guesses, 0);
  EXPECT_TRUE(bench.run(bench.bmc().signIn()));
}

TEST_F(Lockout, AfterACrashBetweenTwoGuessesOnlyTheSecondIsMade) {
  for (const bool stray : {false, true}) {
    const auto before = logins();
    bench.machine.password = stray ? "correct" : "changed by hand";
    bench.access.stored.guesses = bench.access.stored.refusals = 1;
    bench.access.stored.guessedAt = bench.executor.now();
    bench.restart();
    EXPECT_EQ(bool(bench.run(bench.bmc().host())), stray);
    EXPECT_EQ(bench.access.stored.refusals, stray ? 0 : 2);
    EXPECT_EQ(logins(), before + 1);
  }
}

TEST_F(Lockout, OfTwoPasswordsTheOneThatWasRefusedIsNotGuessedAgainAfterACrash) {
  bench.access.stored.nextPassword = Secret("was never sent");
  bench.access.stored.guessCurrent = true;
  bench.access.stored.guesses = bench.access.stored.refusals = 1;
  bench.access.stored.guessedAt = bench.executor.now();
  bench.access.stored.sessionToken = {};
  bench.restart();
  EXPECT_TRUE(bench.run(bench.bmc().host()));
  EXPECT_EQ(logins(), 2u);
  EXPECT_EQ(bench.access.stored.refusals, 0);
}

TEST_F(Lockout, APasswordThatNeverWorkedIsNotGuessedAgainAfterARestartEither) {
  bench.access.stored.sessionUri.clear();
  bench.access.stored.sessionToken = {};
  bench.machine.password = "another pull tag's";
  for (int i = 0; i < 3; ++i) {
    bench.restart();
    EXPECT_EQ(bench.run(bench.bmc().signIn()).error().code, Errc::Auth);
  }
  EXPECT_EQ(logins(), 3u);
  bench.import("another pull tag's");
  EXPECT_TRUE(bench.run(bench.bmc().signIn()));
}

}  // namespace
}  // namespace zellige::redfish
