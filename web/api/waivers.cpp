// Waivers: a rack goes on without a node of it until a day. Signed by an operator.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

constexpr Duration kLongest = 24h * 366;

}  // namespace

Task<HttpReply> grantWaiver(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  Body body(call);
  const auto reason = body.reason();
  const auto until = body.time("until");
  if (!until)
    body.wrong("/until", "say until when; no waiver is for ever");
  else if (*until <= services.now())
    body.wrong("/until", "lies in the past");
  else if (*until > services.now() + kLongest)
    body.wrong("/until", "is more than a year away");
  if (auto refused = body.refused()) co_return std::move(*refused);
  By by{call.who.user, reason};
  const auto waiver = co_await services.store.grantWaiver(node->id, *until, std::move(by));
  if (!waiver) co_return problem(waiver.error());
  services.bringUp.look({node->id});
  co_return jsonReply(201, Shapes(services.store, services.engine).waiver(*waiver));
}

Task<HttpReply> withdrawWaiver(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  const auto* why = call.filter("reason");
  if (!why || why->empty() || why->size() > 500)
    co_return badParameter("say why in ?reason=… (1 to 500 bytes)");
  By by{call.who.user, *why};
  const auto done = co_await services.store.withdrawWaiver(node->id, std::move(by));
  if (!done) co_return problem(done.error());
  services.bringUp.look({node->id});
  co_return emptyReply(204);
}

}  // namespace zellige::api
