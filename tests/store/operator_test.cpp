#include <gmock/gmock.h>

#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Operator = test::StoreTest;

TEST_F(Operator, ArmsAPlaceWithAllThatIsInIt) {
  openWithSite();
  const Place tray{"H1/R01/RK001/U10"};
  EXPECT_FALSE(store_->armed(tray)) << "a new site only looks";
  const auto before = store_->lastEvent();
  ASSERT_TRUE(wait(store_->armPlace("H1/R01", by_)));
  ASSERT_TRUE(wait(store_->armPlace("H1/R01", by_)));
  EXPECT_TRUE(store_->armed(tray));
  EXPECT_FALSE(store_->armed({"H1/R010/RK001/U10"}));
  EXPECT_FALSE(store_->armed({"H1"}));
  const auto inner = wait(store_->disarmPlace("H1/R01/RK001", by_));
  ASSERT_FALSE(inner) << "it would stay armed";
  EXPECT_THAT(inner.error().what, HasSubstr("'H1/R01' is"));
  ASSERT_TRUE(wait(store_->disarmPlace("H1/R01", by_)));
  EXPECT_FALSE(store_->armed(tray));
  EXPECT_TRUE(wait(store_->disarmPlace("H1/R01", by_)));
  ASSERT_TRUE(wait(store_->armPlace("", by_)));
  EXPECT_TRUE(store_->armed(tray));
  EXPECT_FALSE(wait(store_->disarmPlace("H1", by_)));
  EXPECT_THAT(kindsSince(before), ElementsAre("place.armed", "place.disarmed", "place.armed"));
  const auto event = eventsSince(before)[0];
  EXPECT_EQ(event.actor, "alice");
  EXPECT_EQ(event.data, R"({"place":"H1/R01","why":"bring-up"})");
  EXPECT_EQ(queries_->armedPlaces().at(0).by, "alice");
}

TEST_F(Operator, HoldsANodeOrAPlaceUntilReleasedOrExpired) {
  openWithSite();
  EXPECT_EQ(store_->heldBecause(nodeId(0)), "");
  Hold hold;
  hold.node = nodeId(0);
  hold.owner = "alice";
  hold.reason = "waiting for a part";
  hold.expires = time_.now() + 1h;
  ASSERT_TRUE(wait(store_->addHold(hold, by_)));
  EXPECT_EQ(store_->heldBecause(nodeId(0)), "hold of alice: waiting for a part");
  EXPECT_EQ(store_->heldBecause(nodeId(1)), "");
  Hold lock;
  lock.kind = HoldKind::PersonalLock;
  lock.place = "H1/R01/RK001";
  lock.owner = "alice";
  lock.reason = "hands inside";
  const auto id = wait(store_->addHold(lock, by_));
  ASSERT_TRUE(id);
  EXPECT_EQ(store_->heldBecause(nodeId(0)), "personal lock of alice on H1/R01/RK001: hands inside");
  EXPECT_EQ(store_->heldBecause(nodeId(1)), "personal lock of alice on H1/R01/RK001: hands inside");
  EXPECT_EQ(queries_->holds(time_.now()).size(), 2u);

  const auto stolen = wait(store_->releaseHold(*id, {"bob", "impatient"}, false));
  ASSERT_FALSE(stolen);
  EXPECT_EQ(stolen.error().code, Errc::Rejected);
  ASSERT_TRUE(wait(store_->releaseHold(*id, {"carol", "shift lead"}, true)));
  EXPECT_EQ(wait(store_->releaseHold(*id, by_, true)).error().code, Errc::Conflict);
  executor_->after(2h, [] {});
  while (time_.runOne()) {
  }
  EXPECT_EQ(store_->heldBecause(nodeId(0)), "") << "it has expired";
  EXPECT_EQ(wait(store_->addHold({}, by_)).error().code, Errc::Invalid);
}

TEST_F(Operator, KeepsUsersAndTokensByTheirHash) {
  openStore();
  User user{"bob", "hash-1", {{"technician", "H1"}}};
  ASSERT_TRUE(wait(store_->createUser(user, by_)));
  EXPECT_EQ(wait(store_->createUser(user, by_)).error().code, Errc::Conflict);
  const auto hash = hashToken(Secret{"token"});
  ApiToken token{{}, TokenKind::Session, "bob", "tablet", hash, {}, time_.now() + 1h, std::nullopt};
  const auto id = wait(store_->createToken(token, {"bob", "sign-in"}));
  ASSERT_TRUE(id);
  EXPECT_EQ(queries_->validToken(hash, time_.now())->user, "bob");
  EXPECT_FALSE(queries_->validToken(hash, time_.now() + 2h)) << "expired";
  EXPECT_FALSE(queries_->validToken(hashToken(Secret{"other"}), time_.now()));
  ASSERT_TRUE(wait(store_->revokeToken(*id, by_)));
  EXPECT_FALSE(queries_->validToken(hash, time_.now()));
  EXPECT_EQ(wait(store_->revokeToken(*id, by_)).error().code, Errc::NotFound);

  token.hash = hashToken(Secret{"second"});
  ASSERT_TRUE(wait(store_->createToken(token, by_)));
  user.passwordHash = "hash-2";
  user.disabled = true;
  const auto before = store_->lastEvent();
  ASSERT_TRUE(wait(store_->changeUser(user, by_)));
  EXPECT_FALSE(queries_->validToken(token.hash, time_.now())) << "a disabled user's tokens end";
  EXPECT_EQ(queries_->user("bob")->passwordHash, "hash-2");
  EXPECT_EQ(eventsSince(before).at(0).data,
            R"({"disabled":true,"password":"changed","tokens_revoked":1,"user":"bob","why":"bring-up"})");
  user.disabled = false;
  ASSERT_TRUE(wait(store_->changeUser(user, by_)));
  token.hash = hashToken(Secret{"third"});
  const auto kept = wait(store_->createToken(token, by_));
  token.hash = hashToken(Secret{"fourth"});
  ASSERT_TRUE(wait(store_->createToken(token, by_)));
  user.passwordHash = "hash-3";
  ASSERT_TRUE(wait(store_->changeUser(user, by_, *kept)));
  EXPECT_TRUE(queries_->validToken(hashToken(Secret{"third"}), time_.now())) << "the one it was changed with";
  EXPECT_FALSE(queries_->validToken(token.hash, time_.now())) << "another password ends the others";
  EXPECT_EQ(queries_->users().size(), 1u);
  EXPECT_EQ(queries_->tokens("bob").size(), 4u);
  EXPECT_EQ(wait(store_->createToken({{}, TokenKind::Api, "nobody", "x", "y"}, by_)).error().code,
            Errc::NotFound);
}

TEST_F(Operator, ForgetsTokensAndAnswersThatAreLongOver) {
  openStore();
  ASSERT_TRUE(wait(store_->createUser({"bob", "hash", {{"viewer", ""}}}, by_)));
  const auto token = [&](const std::string& hash, std::optional<Time> expires) {
    return *wait(
        store_->createToken({{}, TokenKind::Session, "bob", "x", hash, {}, expires, std::nullopt}, by_));
  };
  token("expired", time_.now() + 1h);
  ASSERT_TRUE(wait(store_->revokeToken(token("revoked", std::nullopt), by_)));
  token("for ever", std::nullopt);
  ASSERT_TRUE(wait(store_->putIdempotentReply({"bob", "key-1", "digest", 201, "{}", {}})));
  const auto now = time_.now();
  auto removed = wait(store_->removeOld({{}, now - 1h, now - 1h}, 100, by_));
  EXPECT_EQ(removed->tokens + removed->replies, 0);
  removed = wait(store_->removeOld({{}, now + 2h, now + 2h}, 1, by_));
  EXPECT_EQ(removed->tokens, 1) << "no more at a time";
  EXPECT_EQ(removed->replies, 1);
  EXPECT_EQ(wait(store_->removeOld({{}, now + 2h, now + 2h}, 100, by_))->tokens, 1);
  ASSERT_EQ(queries_->tokens("bob").size(), 1u);
  EXPECT_EQ(queries_->tokens("bob").at(0).hash, "for ever");
}

TEST_F(Operator, AcceptsAnotherCertificateOnce) {
  openWithSite();
  auto access = *store_->loadAccess(nodeId(0));
  access.pin = "old";
  access.guesses = access.refusals = 2;
  access.sessionToken = Secret{"token"};
  access.sessionUri = "/redfish/v1/SessionService/Sessions/1";
  ASSERT_TRUE(wait(store_->saveAccess(nodeId(0), access)));
  raise(nodeId(0), "bmc.certificate_changed");
  raise(nodeId(0), "cooling.leak");
  const auto before = store_->lastEvent();
  ASSERT_TRUE(wait(store_->acceptCertificate(nodeId(0), {"alice", "board swapped"})));
  const auto now = *store_->loadAccess(nodeId(0));
  EXPECT_EQ(now.pin, "");
  EXPECT_TRUE(now.sessionToken.empty());
  EXPECT_EQ(now.sessionUri, "");
  EXPECT_EQ(now.guesses + now.refusals, 0) << "by another BMC";
  EXPECT_EQ(now.password, access.password);
  const auto events = eventsSince(before);
  ASSERT_EQ(events.at(0).kind, "access.certificate_accepted");
  EXPECT_EQ(events.at(0).actor, "alice");
  EXPECT_EQ(events.at(0).data, R"({"forgotten_pin":"old","why":"board swapped"})");
  const auto open = queries_->findings({}, {}, 10).findings;
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open.at(0).finding.cause, "cooling.leak") << "only what it was about is resolved";
  EXPECT_EQ(wait(store_->acceptCertificate(NodeId{99}, by_)).error().code, Errc::NotFound);
}

TEST_F(Operator, RemembersAnAnswerToAPost) {
  openStore();
  const IdempotentReply reply{"bob", "key-1", "digest", 201, R"({"id":1})", {}};
  ASSERT_TRUE(wait(store_->putIdempotentReply(reply)));
  EXPECT_EQ(wait(store_->putIdempotentReply(reply)).error().code, Errc::Conflict);
  const auto stored = queries_->idempotentReply("bob", "key-1");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->body, reply.body);
  EXPECT_EQ(stored->status, 201);
  EXPECT_FALSE(queries_->idempotentReply("eve", "key-1"));
}

}  // namespace
}  // namespace zellige
