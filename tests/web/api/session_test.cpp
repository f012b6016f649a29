// Signing in, users, tokens. Passwords here are hashed for real (argon2id).
#include "tests/web/api/fixture.hpp"
#include "web/api/routes.hpp"

namespace zellige::test {
namespace {

using testing::HasSubstr;

class Session : public ApiTest {
 protected:
  HttpReply signIn(const std::string& user, const std::string& password,
                   const std::string& address = "192.0.2.7") {
    const auto request = requestOf("POST", "/api/v1/session", Json{{"user", user}, {"password", password}},
                                   {});
    auto reply = wait(api_->handle(request, {address}));
    recorder_.note("createSession", request, reply);
    replies_.push_back(reply.body);
    return reply;
  }
  void addUser(const std::string& name, const std::string& password, const std::string& role,
               bool oneTime = false) {
    User user;
    user.mustChange = oneTime;
    user.name = name;
    user.passwordHash = hashPassword(Secret{password});
    user.grants = {{role, ""}};
    ASSERT_TRUE(wait(store_->createUser(user, by_)));
  }
};

TEST_F(Session, TheFirstStartMakesAnAdminOnce) {
  std::optional<Secret> password;
  const auto tell = [&](const Secret& told) {
    password = told;
    EXPECT_TRUE(queries_->users().empty()) << "a kill here must not lock everybody out";
  };
  EXPECT_TRUE(wait(api::ensureAdmin(*store_, tell)));
  ASSERT_TRUE(password);
  EXPECT_GE(password->reveal().size(), 20u);
  EXPECT_FALSE(wait(api::ensureAdmin(*store_, [](const Secret&) { FAIL() << "told twice"; })));
  const auto reply = signIn("admin", password->reveal());
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_TRUE(json(reply).at("user").at("must_change").get<bool>());
  token_ = json(reply).at("token");
  const auto changed = send("PUT", "/api/v1/users/me/password",
                            Json{{"current", password->reveal()}, {"password", "a longer secret"}});
  EXPECT_EQ(changed.status, 204) << changed.body;
  EXPECT_FALSE(json(get("/api/v1/users/me")).at("must_change").get<bool>());
  EXPECT_EQ(signIn("admin", password->reveal()).status, 401);
  EXPECT_EQ(signIn("admin", "a longer secret").status, 201);
}

// Every operation by itself, so that none is forgotten; the exchanges also show that each documents its 403.
TEST_F(Session, AOneTimePasswordOpensNothingButItsChange) {
  addUser("new", "one-time secret", "admin", true);
  token_ = json(signIn("new", "one-time secret")).at("token");
  for (const auto& route : api::routes()) {
    const bool allowed = route.needs == api::Level::Anyone || route.operation == "getMe" ||
                         route.operation == "changePassword" || route.operation == "deleteSession";
    if (allowed) continue;
    std::string path(route.path);
    for (std::size_t at; (at = path.find('{')) != std::string::npos;)
      path.replace(at, path.find('}') - at + 1, "1");
    const auto refused = send(std::string(route.method), path);
    EXPECT_EQ(refused.status, 403) << route.operation;
    EXPECT_EQ(json(refused).at("type"), "/problems/password-change") << route.operation;
    EXPECT_THAT(refused.body, HasSubstr("PUT /api/v1/users/me/password"));
  }
  EXPECT_EQ(get("/api/v1/users/me").status, 200);
  EXPECT_EQ(get("/api/v1/version").status, 200);
  const Json change{{"current", "one-time secret"}, {"password", "my very own one"}};
  EXPECT_EQ(send("PUT", "/api/v1/users/me/password", change).status, 204);
  EXPECT_EQ(get("/api/v1/nodes").status, 200) << "with the same session";
  addUser("other", "one-time secret", "viewer", true);
  token_ = json(signIn("other", "one-time secret")).at("token");
  EXPECT_EQ(send("DELETE", "/api/v1/session").status, 204);
}

TEST_F(Session, AnApiTokenOfANewUserWorks) {
  be("admin");
  ASSERT_EQ(post("/api/v1/users", {{"name", "ci"},
                                   {"password", "nobody signs in with it"},
                                   {"reason", "pipeline"},
                                   {"roles", {{{"role", "viewer"}}}}})
                .status,
            201);
  const auto made = post("/api/v1/tokens", {{"name", "ci"}, {"user", "ci"}, {"reason", "pipeline"}});
  token_ = json(made).at("token");
  EXPECT_EQ(get("/api/v1/nodes").status, 200);
}

TEST_F(Session, AnotherPasswordEndsTheOtherSessionsAndTokens) {
  addUser("alice", "correct horse", "operator");
  const std::string stolen = json(signIn("alice", "correct horse")).at("token");
  const std::string own = json(signIn("alice", "correct horse")).at("token");
  token_ = own;
  const std::string script = json(post("/api/v1/tokens", {{"name", "x"}, {"reason", "x"}})).at("token");
  const Json change{{"current", "correct horse"}, {"password", "battery staple"}};
  ASSERT_EQ(send("PUT", "/api/v1/users/me/password", change).status, 204);
  EXPECT_EQ(get("/api/v1/users/me").status, 200);
  for (const auto& old : {stolen, script}) {
    token_ = old;
    EXPECT_EQ(get("/api/v1/users/me").status, 401);
  }
}

TEST_F(Session, WhoOwnsTheMachineGetsTheAdminBack) {
  addUser("alice", "correct horse", "viewer");
  std::optional<Secret> password;
  const auto tell = [&](const Secret& told) { password = told; };
  ASSERT_TRUE(wait(api::resetAdmin(*store_, tell))) << "also where there never was one";
  token_ = json(signIn("admin", password->reveal())).at("token");
  auto admin = *queries_->user("admin");
  admin.disabled = true;
  admin.grants = {{"viewer", ""}};
  ASSERT_TRUE(wait(store_->changeUser(admin, by_)));
  ASSERT_TRUE(wait(api::resetAdmin(*store_, tell)));
  EXPECT_EQ(get("/api/v1/users/me").status, 401) << "the old session has ended";
  const auto again = signIn("admin", password->reveal());
  ASSERT_EQ(again.status, 201);
  EXPECT_TRUE(json(again).at("user").at("must_change").get<bool>());
  EXPECT_EQ(json(again).at("user").at("roles").at(0).at("role"), "admin");
  EXPECT_EQ(queries_->user("alice")->grants.at(0).role, "viewer");
}

TEST_F(Session, ATokenHoldsUntilSignOutAndForTwelveHours) {
  addUser("alice", "correct horse", "operator");
  const auto first = json(signIn("alice", "correct horse"));
  token_ = first.at("token");
  EXPECT_EQ(get("/api/v1/users/me").status, 200);
  EXPECT_EQ(send("DELETE", "/api/v1/session").status, 204);
  EXPECT_EQ(get("/api/v1/users/me").status, 401);
  token_ = json(signIn("alice", "correct horse")).at("token");
  executor_->after(11h, [] {});
  settle(11h);
  EXPECT_EQ(get("/api/v1/users/me").status, 200);
  executor_->after(2h, [] {});
  settle(2h);
  EXPECT_EQ(get("/api/v1/users/me").status, 401);
}

TEST_F(Session, WrongPasswordsMustWait) {
  addUser("alice", "correct horse", "viewer");
  EXPECT_EQ(signIn("alice", "wrong").status, 401);
  EXPECT_EQ(signIn("nobody", "wrong").status, 401);
  for (int i = 0; i < 9; ++i) signIn("alice", "wrong", "192.0.2." + std::to_string(i));
  const auto refused = signIn("alice", "correct horse");
  EXPECT_EQ(refused.status, 429);
  EXPECT_GT(std::stoi(std::string(refused.headers.get("Retry-After"))), 200);
  executor_->after(6min, [] {});
  settle(6min);
  EXPECT_EQ(signIn("alice", "correct horse").status, 201);
}

TEST_F(Session, AnOwnPasswordIsChangedOnlyByWhoKnowsIt) {
  addUser("alice", "correct horse", "viewer");
  token_ = json(signIn("alice", "correct horse")).at("token");
  const auto change = [&](const std::string& current, const std::string& next) {
    return send("PUT", "/api/v1/users/me/password", Json{{"current", current}, {"password", next}}).status;
  };
  EXPECT_EQ(change("wrong", "long enough now"), 403);
  EXPECT_EQ(change("correct horse", "short"), 422);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(change("wrong", "long enough now"), 403);
  EXPECT_EQ(change("correct horse", "long enough now"), 429);
}

TEST_F(Session, AdminsAddUsers) {
  be("admin");
  const Json bob{{"name", "bob"},
                 {"password", "Canary-initial-1"},
                 {"reason", "new shift"},
                 {"roles", {{{"role", "operator"}, {"place", "H1"}}}}};
  const auto made = post("/api/v1/users", bob);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(json(made).at("roles").at(0).at("place"), "H1");
  EXPECT_EQ(post("/api/v1/users", bob).status, 409);
  EXPECT_EQ(signIn("bob", "Canary-initial-1").status, 201);
  EXPECT_EQ(get("/api/v1/users").status, 200);
  auto wrong = bob;
  wrong["roles"][0]["role"] = "king";
  EXPECT_EQ(post("/api/v1/users", wrong).status, 422);
  wrong = bob;
  wrong["name"] = "a b";
  EXPECT_EQ(post("/api/v1/users", wrong).status, 422);
  wrong = bob;
  wrong["roles"] = Json::array();
  EXPECT_EQ(post("/api/v1/users", wrong).status, 422);
  be("operator");
  EXPECT_EQ(post("/api/v1/users", bob).status, 403);
}

TEST_F(Session, TokensAreMadeListedAndRevoked) {
  be("operator");
  const auto made = post("/api/v1/tokens",
                         {{"name", "ci"}, {"reason", "pipeline"}, {"expires", iso8601(time_.now() + 24h)}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto secret = json(made).at("token").get<std::string>();
  const auto id = std::to_string(json(made).at("id").get<int>());
  const auto list = get("/api/v1/tokens");
  EXPECT_THAT(list.body, HasSubstr("\"ci\""));
  EXPECT_THAT(list.body, testing::Not(HasSubstr(secret)));
  const auto own = std::exchange(token_, secret);
  EXPECT_EQ(get("/api/v1/nodes").status, 200);
  token_ = own;
  EXPECT_EQ(send("DELETE", "/api/v1/tokens/" + id).status, 400) << "no reason";
  EXPECT_EQ(send("DELETE", "/api/v1/tokens/" + id + "?reason=leaked").status, 204);
  EXPECT_EQ(send("DELETE", "/api/v1/tokens/" + id + "?reason=leaked").status, 404);
  token_ = secret;
  EXPECT_EQ(get("/api/v1/nodes").status, 401);
}

TEST_F(Session, TokensOfOthersAreTheAdminsAlone) {
  be("viewer");
  const auto made = json(post("/api/v1/tokens", {{"name", "mine"}, {"reason", "x"}}));
  const auto path = "/api/v1/tokens/" + std::to_string(made.at("id").get<int>()) + "?reason=x";
  be("operator");
  EXPECT_EQ(get("/api/v1/tokens?user=viewer").status, 403);
  EXPECT_EQ(post("/api/v1/tokens", {{"name", "x"}, {"user", "viewer"}, {"reason", "x"}}).status, 403);
  EXPECT_EQ(send("DELETE", path).status, 404) << "it stays untold that there is one";
  be("admin");
  EXPECT_EQ(get("/api/v1/tokens?user=viewer").status, 200);
  EXPECT_EQ(post("/api/v1/tokens", {{"name", "x"}, {"user", "nobody"}, {"reason", "x"}}).status, 404);
  EXPECT_EQ(send("DELETE", path).status, 204);
}

TEST_F(Session, SecretsAnswerNoIdempotencyKey) {
  be("operator");
  EXPECT_EQ(post("/api/v1/tokens", {{"name", "x"}, {"reason", "x"}}, {{"Idempotency-Key", "k"}}).status, 400);
}

TEST_F(Session, NothingSecretIsKeptOrTold) {
  addUser("alice", "Canary-of-alice", "admin");
  token_ = json(signIn("alice", "Canary-of-alice")).at("token");
  get("/api/v1/users");
  get("/api/v1/users/me");
  get("/api/v1/events?limit=500");
  for (const auto& reply : replies_) {
    EXPECT_THAT(reply, testing::Not(HasSubstr("Canary")));
    EXPECT_THAT(reply, testing::Not(HasSubstr("argon2")));
  }
  for (const auto& event : eventsSince(0)) {
    EXPECT_THAT(event.data, testing::Not(HasSubstr("Canary")));
    EXPECT_THAT(event.data, testing::Not(HasSubstr(token_)));
  }
}

TEST(Attempts, AreForgottenFromTheOldEnd) {
  api::Attempts attempts({.perUser = 2, .perAddress = 100, .window = 5min, .remembered = 6});
  Time now{};
  attempts.wrong("a", "1", now);
  attempts.wrong("a", "1", now);
  EXPECT_EQ(attempts.mustWait("a", "1", now), 5min);
  EXPECT_EQ(attempts.mustWait("b", "2", now), 0ms);
  for (int i = 0; i < 10; ++i) attempts.wrong("u" + std::to_string(i), "3", now);
  EXPECT_EQ(attempts.mustWait("a", "9", now), 0ms) << "memory stays bounded";
}

TEST(Recorder, LeavesSecretsOut) {
  HttpRequest request{"POST", "/api/v1/session", {}, R"({"user":"a","password":"Canary"})"};
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Authorization", "Bearer Canary");
  HttpReply reply{201, {}, R"({"token":"Canary","user":{"name":"a"}})"};
  reply.headers.set("Content-Type", "application/json");
  EXPECT_THAT(api::exchangeLine("createSession", request, reply), testing::Not(HasSubstr("Canary")));
  HttpRequest boot{"GET", "/boot/Canary/deploy.iso", {}, {}};
  EXPECT_THAT(api::exchangeLine("getBootMedia", boot, {200, {}, {}}), testing::Not(HasSubstr("Canary")));
}

}  // namespace
}  // namespace zellige::test
