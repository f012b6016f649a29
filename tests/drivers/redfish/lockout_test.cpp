// Fault 7: others have locked the account. Nobody can tell that it is not the password, and nothing is guessed meanwhile.
#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

constexpr const char* sessions = "/redfish/v1/SessionService/Sessions";

class Lockout : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_RECORDED_TREES();
    ASSERT_TRUE(bench.run(bench.bmc().signIn()));
    bench.machine.tokens.clear();
  }
  std::size_t logins() const { return bench.machine.count("POST", sessions); }
  void pass(Duration d) {
    bench.executor.after(d, [] {});
    bench.drain();
  }
  Bench bench;
};

TEST_F(Lockout, APasswordThatWorkedBeforeIsTriedAgainOnlyAfterTheLongestLockout) {
  bench.machine.always("POST", sessions, jsonReply(401, Json::object()));
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
    bench.machine.once("POST", sessions, jsonReply(401, Json::object()));
    bench.machine.once("POST", sessions, jsonReply(401, Json::object()));
    EXPECT_EQ(bench.run(bench.bmc().host()).error().code, Errc::Unreachable);
    pass(11min);
    EXPECT_TRUE(bench.run(bench.bmc().host()));
  }
}

TEST_F(Lockout, ACorrectedPasswordIsTriedWithoutWaitingForALockoutToEnd) {
  bench.machine.password = "changed";
  EXPECT_EQ(bench.run(bench.bmc().host()).error().code, Errc::Unreachable);
  bench.access.stored.password = Secret("changed");
  bench.access.stored.sessionToken = {};
  ++bench.access.stored.version;
  EXPECT_TRUE(bench.run(bench.bmc().host()));
}

}  // namespace
}  // namespace zellige::redfish
