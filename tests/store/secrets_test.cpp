#include <gmock/gmock.h>

#include "tests/store/canary.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

class Secrets : public test::StoreTest {
 protected:
  const std::vector<std::string> canaries_{std::string(test::kPassword), "next-Canary-77e1c2a9",
                                           "session-Canary-04bb91",      "agent-token-Canary-5a5a",
                                           "user-Canary-password-1",     "api-token-Canary-900d"};

  /// Every secret that the store is ever given.
  void openWithSecrets() {
    openWithSite();
    auto access = *store_->loadAccess(nodeId(0));
    access.nextPassword = Secret{canaries_[1]};
    access.sessionToken = Secret{canaries_[2]};
    ASSERT_TRUE(wait(store_->saveAccess(nodeId(0), access)));
    AgentOrder order;
    order.id = "1";
    order.kind = OrderKind::WriteImage;
    order.seed = encodeBootMedia({"http://10.0.0.254/agent/v1/report", canaries_[3]});
    ASSERT_TRUE(commit({PutOrder{nodeId(0), order}}));
    ASSERT_TRUE(
        wait(store_->createUser({"bob", hashPassword(Secret{canaries_[4]}), {{"technician", "H1"}}}, by_)));
    ASSERT_TRUE(
        wait(store_->createToken({{}, TokenKind::Api, "bob", "ci", hashToken(Secret{canaries_[5]})}, by_)));
    EXPECT_EQ(store_->loadAccess(nodeId(0))->nextPassword->reveal(), canaries_[1]);
    EXPECT_EQ(store_->order(nodeId(0))->seed, order.seed);
  }
  std::vector<std::string> hits() {
    std::vector<std::string> out;
    for (const auto& hit : test::findCanaries(directory_.path() / "data", canaries_))
      out.push_back(hit.file.filename().string() + " " + hit.form + " " + hit.canary);
    return out;
  }
};

TEST_F(Secrets, LieInNoByteOfAnyFile) {
  openWithSecrets();
  ASSERT_GT(std::filesystem::file_size(directory_.path() / "data" / "zellige.db-wal"), 4096u)
      << "the WAL is looked at too";
  EXPECT_THAT(hits(), ::testing::IsEmpty());
  close();
  EXPECT_THAT(hits(), ::testing::IsEmpty());
}

TEST_F(Secrets, AreFoundByTheScannerWhenTheyLeak) {
  openWithSecrets();
  raise(nodeId(0), "bmc.credentials", "tried password " + canaries_[1]);
  EXPECT_THAT(hits(), ::testing::Contains("zellige.db-wal plain " + canaries_[1]));
  raise(nodeId(1), "bmc.credentials", "Authorization: Basic " + toBase64("root:" + canaries_[0]));
  EXPECT_THAT(hits(), ::testing::Contains("zellige.db-wal base64 " + canaries_[0]));
}

TEST_F(Secrets, StaySealedWithAnotherSiteKey) {
  openWithSecrets();
  close();
  executor_ = std::make_unique<VirtualExecutor>(time_);
  store_ = *SqliteStore::open(directory_.path() / "data", *executor_, SecretBox::fromSeed("other"),
                              virtualOptions());
  const auto access = store_->loadAccess(NodeId{1});
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, Errc::Invalid);
  EXPECT_THAT(access.error().what, ::testing::HasSubstr("site key"));
}

TEST(Passwords, AreVerifiedByTheirHashAlone) {
  const auto hash = hashPassword(Secret{"correct horse"});
  EXPECT_TRUE(hash.starts_with("$argon2id$"));
  EXPECT_TRUE(verifyPassword(hash, Secret{"correct horse"}));
  EXPECT_FALSE(verifyPassword(hash, Secret{"wrong horse"}));
  EXPECT_FALSE(verifyPassword("", Secret{""}));
  EXPECT_NE(hash, hashPassword(Secret{"correct horse"})) << "salted";
}

}  // namespace
}  // namespace zellige
