// Holds on a node: no run acts there while one is in force.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

/// In force on the node itself or on a place around it.
std::vector<Hold> holdsOn(Services& services, const Node& node) {
  std::vector<Hold> out;
  for (auto& hold : services.queries.holds(services.now()))
    if (hold.node == node.id || (!hold.node && node.place.isInside(hold.place)))
      out.push_back(std::move(hold));
  return out;
}

}  // namespace

Task<HttpReply> listHolds(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  const Shapes shapes(services.store, services.engine);
  Json holds = Json::array();
  for (const auto& hold : holdsOn(services, *node)) holds.push_back(shapes.hold(hold));
  co_return jsonReply(200, {{"holds", std::move(holds)}});
}

Task<HttpReply> createHold(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Technician, node->place)) co_return std::move(*refused);
  Body body(call);
  Hold hold;
  const auto kind = body.text("kind", 32, 0);
  if (kind == "personal_lock")
    hold.kind = HoldKind::PersonalLock;
  else if (!kind.empty() && kind != "hold")
    body.wrong("/kind", "must be hold or personal_lock");
  hold.reason = body.reason();
  hold.expires = body.time("expires");
  if (hold.expires && *hold.expires <= services.now()) body.wrong("/expires", "lies in the past");
  if (auto refused = body.refused()) co_return std::move(*refused);
  hold.node = node->id;
  hold.owner = call.who.user;
  By by{call.who.user, hold.reason};
  const auto id = co_await services.store.addHold(hold, std::move(by));
  if (!id) co_return problem(id.error());
  hold.id = *id;
  hold.created = services.now();
  for (const auto& stored : services.queries.holds(services.now()))
    if (stored.id == *id) hold = stored;
  co_return jsonReply(201, Shapes(services.store, services.engine).hold(hold));
}

Task<HttpReply> releaseHold(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Technician, node->place)) co_return std::move(*refused);
  const auto* why = call.filter("reason");
  if (!why || why->empty() || why->size() > 500)
    co_return badParameter("say why in ?reason=… (1 to 500 bytes)");
  const auto id = idOf(call.path[1]);
  std::optional<Hold> held;
  for (auto& hold : services.queries.holds(services.now()))
    if (hold.id.value == id && hold.node == node->id) held = std::move(hold);
  if (!held)
    co_return problem(ProblemKind::NotFound, fmt::format("there is no hold '{}' in force on {}",
                                                         call.path[1].substr(0, 32), node->serial));
  const bool shiftLead = call.who.may(Level::Admin, node->place) || call.who.has("shift_lead", node->place);
  if (held->owner != call.who.user && !shiftLead && !call.who.may(Level::Operator, node->place))
    co_return problem(
        ProblemKind::Forbidden,
        fmt::format("this hold is {}'s: they, an operator or the shift lead release it", held->owner));
  By by{call.who.user, *why};
  const auto done = co_await services.store.releaseHold(HoldId{id}, std::move(by), shiftLead);
  if (!done) co_return problem(done.error());
  services.engine.nudge(node->id);
  services.bringUp.look({node->id});
  services.campaigns.look({node->id});
  co_return emptyReply(204);
}

}  // namespace zellige::api
