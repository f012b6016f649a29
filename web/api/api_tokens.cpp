// API tokens of users: for scripts and programs. A token has its user's roles.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

bool mayManage(const Call& call, const std::string& user) {
  return user == call.who.user || call.who.may(Level::Admin, Place{});
}

HttpReply notYours() {
  return problem(ProblemKind::Forbidden, "tokens of others are managed by an administrator");
}

}  // namespace

Task<HttpReply> listTokens(Services& services, Call call) {
  const auto* asked = call.filter("user");
  const auto user = asked ? *asked : call.who.user;
  if (!mayManage(call, user)) co_return notYours();
  Json tokens = Json::array();
  for (const auto& token : services.queries.tokens(user)) tokens.push_back(shape(token));
  co_return jsonReply(200, {{"tokens", std::move(tokens)}});
}

Task<HttpReply> createToken(Services& services, Call call) {
  Body body(call);
  ApiToken token;
  token.name = body.text("name", 64);
  token.user = body.text("user", 64, 0);
  token.expires = body.time("expires");
  const auto why = body.reason();
  if (token.expires && *token.expires <= services.now()) body.wrong("/expires", "lies in the past");
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (token.user.empty()) token.user = call.who.user;
  if (!mayManage(call, token.user)) co_return notYours();
  const Secret secret{randomHex(32)};
  token.hash = hashToken(secret);
  token.created = services.now();
  By by{call.who.user, why};
  const auto id = co_await services.store.createToken(token, std::move(by));
  if (!id) co_return problem(id.error());
  token.id = *id;
  auto out = shape(token);
  out["token"] = secret.reveal();
  co_return jsonReply(201, out);
}

Task<HttpReply> revokeToken(Services& services, Call call) {
  const auto* why = call.filter("reason");
  if (!why || why->empty() || why->size() > 500)
    co_return badParameter("say why in ?reason=… (1 to 500 bytes)");
  const auto id = idOf(call.path[0]);
  std::string owner;
  for (const auto& user : services.queries.users())
    for (const auto& token : services.queries.tokens(user.name))
      if (token.id.value == id && !token.revoked) owner = token.user;
  // Whose it is stays untold to who may not manage it.
  if (owner.empty() || !mayManage(call, owner))
    co_return problem(ProblemKind::NotFound,
                      "you have no valid token with this id; list yours with GET /api/v1/tokens");
  By by{call.who.user, *why};
  const auto done = co_await services.store.revokeToken(TokenId{id}, std::move(by));
  if (!done) co_return problem(done.error());
  co_return emptyReply(204);
}

}  // namespace zellige::api
