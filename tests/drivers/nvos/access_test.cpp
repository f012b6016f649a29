// The way in: no password is guessed wrong twice in a row, and none is lost in its change.
#include <gmock/gmock.h>

#include "tests/drivers/nvos/bench.hpp"

namespace zellige::nvos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Nvos, SignsInPinsAndConfirmsARefusalOnce) {
  device.once["GET /nvue_v1/platform"].push_back(HttpReply{401, {}, "{}"});
  const auto identity = run(os->signIn());
  ASSERT_TRUE(identity) << identity.error().what;
  EXPECT_EQ(identity->serial, "MT1");
  EXPECT_EQ(access.stored.pin, "pin-a");
  device.password = "somebody changed it";
  device.seen.clear();
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Unreachable) << "others may have locked the account";
  EXPECT_EQ(device.seen.size(), 2u);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth) << "no lockout lasts so long";
  EXPECT_EQ(device.seen.size(), 4u);
}

TEST_F(Nvos, APasswordThatNeverWorkedIsCountedBeforeItIsSent) {
  for (int i = 0; i < 6; ++i) {
    device.once["GET /nvue_v1/platform"].push_back(lostReply());
    EXPECT_FALSE(run(os->signIn()));
  }
  EXPECT_EQ(device.seen.size(), 2u) << "it may have been refused each time";
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Unreachable);
  device.once.clear();
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.guesses, 0);
  const auto version = access.stored.version;
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.version, version) << "it has worked: each exchange is not a row";
}

// A person offers the manifest's password again beside the one that we had set (controller/store/site_import.cpp).
TEST_F(Nvos, OfTwoPasswordsOneThatNeverWorkedIsCountedBeforeItIsSent) {
  access.stored.nextPassword = Secret("rotated");
  access.stored.guessCurrent = true;
  for (int i = 0; i < 6; ++i) {
    device.once["GET /nvue_v1/platform"].push_back(lostReply());
    EXPECT_FALSE(run(os->signIn()));
  }
  EXPECT_EQ(device.seen.size(), 2u);
}

TEST_F(Nvos, WhatNeverLeftIsNoGuessWhateverKeptIt) {
  for (const auto& kept : {failure("bmc.certificate_changed", "another key"),
                           failure("bmc.certificate_untrusted", "self-signed"),
                           Error{Errc::Invalid, "the CA file cannot be read"}}) {
    for (const bool oneOfTwo : {false, true}) {
      access.stored.nextPassword = oneOfTwo ? std::optional(Secret("next")) : std::nullopt;
      access.stored.guessCurrent = true;
      for (int i = 0; i < 4; ++i) {
        device.once["GET /nvue_v1/platform"].push_back(kept);
        EXPECT_EQ(run(os->signIn()).error().what, kept.what);
      }
      EXPECT_EQ(access.stored.guesses, 0);
    }
  }
}

// FACTS knows 401; others are known to say it so.
TEST_F(Nvos, APasswordThatNeverWorkedIsRefusedWith403Too) {
  for (const bool oneOfTwo : {false, true}) {
    access.stored.nextPassword = oneOfTwo ? std::optional(Secret("next")) : std::nullopt;
    access.stored.guesses = access.stored.refusals = 0;
    device.seen.clear();
    for (int i = 0; i < 4; ++i) device.once["GET /nvue_v1/platform"].push_back(HttpReply{403, {}, "{}"});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
    EXPECT_EQ(device.seen.size(), 2u);
    device.once.clear();
  }
}

TEST_F(Nvos, WhatAProvenUserMayNotDoIsNoRefusedPassword) {
  ASSERT_TRUE(run(os->signIn()));
  device.once["GET /nvue_v1/platform"].push_back(HttpReply{403, {}, "{}"});
  EXPECT_FALSE(run(os->signIn()));
  EXPECT_EQ(access.stored.guesses, 0);
  EXPECT_TRUE(run(os->signIn()));
}

TEST_F(Nvos, WhatNobodyJudgedBeginsNoLockout) {
  device.password = "somebody changed it";
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  device.password = "factory-secret";
  device.once["GET /nvue_v1/platform"].push_back(Error{Errc::Unreachable, "no route"});
  EXPECT_FALSE(run(os->signIn()));
  EXPECT_TRUE(run(os->signIn()));
}

TEST_F(Nvos, WhatItRefusedIsNotGuessedAgainBeforeTheLongestLockoutIsOver) {
  device.password = "somebody changed it";
  for (int look = 0; look < 4; ++look) EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(device.refused, 2) << "and no restart forgets it: it is in the row";
  EXPECT_EQ(access.stored.refusals, 2);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(device.refused, 4);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  device.password = "factory-secret";
  EXPECT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.refusals, 0);
}

TEST_F(Nvos, NothingLeavesAPlaceThatIsDisarmedInTheMiddleOfAPasswordChange) {
  for (const auto& last : {"POST /nvue_v1/revision", "PATCH /nvue_v1/system/aaa/user/admin?rev=7"}) {
    armed = true;
    access.stored = {};
    access.stored.user = "admin";
    access.stored.password = Secret("factory-secret");
    access.stored.mustChange = true;
    device.seen.clear();
    device.onSeen = [&](const std::string& key) {
      if (key == last) armed = false;
    };
    EXPECT_EQ(run(os->changePassword()).error().code, Errc::NotArmed);
    EXPECT_EQ(device.seen.back(), last);
    EXPECT_EQ(device.password, "factory-secret");
    EXPECT_FALSE(access.stored.nextPassword);
    device.staged.clear();
  }
}

TEST_F(Nvos, AnApplicationThatIsRefusedIsNeverQuoted) {
  sentBeforeACrash();
  device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{
      409, {}, R"({"title":"sent-before-the-crash is too short","detail":"sent-before-the-crash"})"});
  const auto refused = run(os->changePassword());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what.find("sent-before-the-crash"), std::string::npos) << refused.error().what;
}

TEST_F(Nvos, TheNewPasswordIsDurableBeforeItIsSetAndKeptAfterwards) {
  ASSERT_TRUE(run(os->changePassword()));
  EXPECT_EQ(access.stored.password.reveal(), device.password);
  EXPECT_NE(device.password, "factory-secret");
  EXPECT_FALSE(access.stored.nextPassword);
  EXPECT_FALSE(access.stored.mustChange);
  device.seen.clear();
  ASSERT_TRUE(run(os->changePassword()));
  EXPECT_THAT(device.seen, ElementsAre("GET /nvue_v1/platform")) << "it is done";
}

TEST_F(Nvos, OfTwoPasswordsTheOneThatWorksIsKept) {
  for (const bool applied : {true, false}) {
    access.stored.password = Secret("old");
    access.stored.nextPassword = Secret("new");
    access.stored.mustChange = true;
    device.password = applied ? "new" : "old";
    ASSERT_TRUE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), device.password);
    EXPECT_EQ(access.stored.nextPassword.has_value(), !applied) << "it may be on its way";
    EXPECT_EQ(access.stored.mustChange, !applied);
  }
}

TEST_F(Nvos, OfTwoPasswordsTheOneWhoseOutcomeACrashLeftOpenIsNotTriedAgain) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "old";
  device.once["GET /nvue_v1/platform"].push_back(lostReply());
  EXPECT_FALSE(run(os->signIn()));
  device.seen.clear();
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(device.refused, 0) << "the other one is tried";
  EXPECT_EQ(access.stored.password.reveal(), "old");
}

TEST_F(Nvos, WhatJudgesNoPasswordSettlesNone) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "old";
  for (const auto& noJudgement :
       {Result<HttpReply>(HttpReply{503, {}, "starting"}), Result<HttpReply>(HttpReply{502, {}, ""}),
        Result<HttpReply>(HttpReply{429, {}, ""}),
        Result<HttpReply>(Error{Errc::Unreachable, "reset by peer"})}) {
    device.once["GET /nvue_v1/platform"].push_back(noJudgement);
    EXPECT_FALSE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), "old");
    EXPECT_TRUE(access.stored.nextPassword);
  }
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_LE(device.refused, 1);
  EXPECT_EQ(access.stored.password.reveal(), "old");
}

// The right one was asked twice and never judged: it is not refused.
TEST_F(Nvos, WhatWasNotJudgedComesFirstAgain) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "new";
  for (int i = 0; i < 4; ++i) {
    device.once["GET /nvue_v1/platform"].push_back(HttpReply{503, {}, "starting"});
    EXPECT_FALSE(run(os->signIn()));
  }
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(device.refused, 0);
  EXPECT_EQ(access.stored.password.reveal(), "new");
}

TEST_F(Nvos, ARefusalOfWhatIsSentAgainCostsNoGuess) {
  sentBeforeACrash();
  device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{503, {}, "busy"});
  EXPECT_FALSE(run(os->changePassword()));
  EXPECT_TRUE(access.stored.nextPassword);
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(device.refused, 0);
}

TEST_F(Nvos, WhatIsRefusedWhenItIsSentAgainIsDroppedOnceItIsNotTheOne) {
  sentBeforeACrash();
  device.once["PATCH /nvue_v1/system/aaa/user/admin?rev=7"].push_back(HttpReply{400, {}, "{}"});
  EXPECT_FALSE(run(os->changePassword()));
  EXPECT_FALSE(access.stored.nextPassword);
  EXPECT_EQ(device.refused, 1);
  EXPECT_EQ(access.stored.password.reveal(), "factory-secret");
}

TEST_F(Nvos, ABusySwitchForgivesNoRefusal) {
  device.password = "somebody changed it";
  device.once["GET /nvue_v1/platform"] = {HttpReply{401, {}, ""}, HttpReply{503, {}, ""}};
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Busy);
  EXPECT_EQ(access.stored.refusals, 1);
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(device.refused, 1) << "the second refusal was the last guess";
}

// The request left, the controller died, and the next one signed in before the switch had got round to it.
TEST_F(Nvos, APasswordThatTheSwitchSetsAfterTheNextSignInIsNotLost) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "old";
  ASSERT_TRUE(run(os->signIn()));
  device.password = "new";
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.password.reveal(), "new");
  EXPECT_FALSE(access.stored.mustChange);
  EXPECT_EQ(device.refused, 2);
}

TEST_F(Nvos, WhatMayBeOnItsWayIsAppliedAgainAndNothingElse) {
  access.stored.nextPassword = Secret("sent-before-the-crash");
  ASSERT_TRUE(run(os->changePassword()));
  EXPECT_EQ(device.password, "sent-before-the-crash");
  EXPECT_EQ(access.stored.password.reveal(), "sent-before-the-crash");
}

TEST_F(Nvos, ABrokenAnswerToTheApplicationLeavesBothPasswordsOpen) {
  for (const int status : {500, 502, 504}) {
    device.password = "factory-secret";
    access.stored.password = Secret("factory-secret");
    access.stored.nextPassword.reset();
    access.stored.mustChange = true;
    device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{status, {}, "bad gateway"});
    const auto changed = run(os->changePassword());
    ASSERT_FALSE(changed);
    EXPECT_TRUE(changed.error().outcomeUnknown) << status;
    ASSERT_TRUE(access.stored.nextPassword) << status;
    device.password = access.stored.nextPassword->reveal();  // it was applied all the same
    ASSERT_TRUE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), device.password);
  }
}

// With the same password the stage was let in a moment before.
TEST_F(Nvos, AnApplicationThatIsRefusedAsIfByAWrongPasswordLeavesBothOpen) {
  for (const int status : {401, 403}) {
    device.password = "factory-secret";
    access.stored = {};
    access.stored.user = "admin";
    access.stored.password = Secret("factory-secret");
    access.stored.mustChange = true;
    device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{status, {}, "{}"});
    const auto changed = run(os->changePassword());
    ASSERT_FALSE(changed);
    EXPECT_TRUE(changed.error().outcomeUnknown) << status;
    EXPECT_EQ(access.stored.guesses, status == 401 ? 1 : 0);
    ASSERT_TRUE(access.stored.nextPassword) << status;
    device.password = access.stored.nextPassword->reveal();  // it was applied all the same
    ASSERT_TRUE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), device.password);
    EXPECT_EQ(device.refused, 0);
  }
}

TEST_F(Nvos, ARefusedPasswordIsDroppedAndNeverQuoted) {
  device.once["PATCH /nvue_v1/system/aaa/user/admin?rev=7"].push_back(
      HttpReply{400, {}, R"({"title":"password Abc is too weak"})"});
  const auto changed = run(os->changePassword());
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().what, testing::Not(HasSubstr("Abc")));
  EXPECT_FALSE(access.stored.nextPassword);
  EXPECT_EQ(access.stored.password.reveal(), "factory-secret");
}

}  // namespace
}  // namespace zellige::nvos
