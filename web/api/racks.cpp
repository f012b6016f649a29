// Racks that come up by a recipe: how far each is, and what it waits for.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/engine/bring_up.hpp"
#include "web/api/find.hpp"

namespace zellige::api {

namespace {

Json rackShape(const Rack& rack, const BringUp& bringUp) {
  const auto waits = bringUp.waitsFor(rack.place);
  return {{"place", rack.place},
          {"recipe", rack.recipe},
          {"state", nameOf(rack.state)},
          {"since", iso8601(rack.since)},
          {"waits_for", waits.empty() ? Json{} : Json(waits)}};
}

Json stageShape(const StageStanding& stage) {
  return {{"id", stage.id},
          {"workflow", stage.workflow},
          {"members", stage.members},
          {"passed", stage.passed},
          {"running", stage.running},
          {"stopped", stage.stopped},
          {"not_begun", stage.notBegun},
          {"out", stage.out},
          {"over", stage.over}};
}

std::string placeIn(const Call& call) {
  return fmt::format("{}/{}/{}", call.path[0], call.path[1], call.path[2]);
}

HttpReply noSuchRack(const std::string& place) {
  return problem(
      ProblemKind::NotFound,
      fmt::format("no rack with a recipe is at '{}'; list them with GET /api/v1/racks", place.substr(0, 64)));
}

}  // namespace

Task<HttpReply> listRacks(Services& services, Call call) {
  const auto states = namesIn<RackState>(call, "state");
  if (!states) co_return badParameter(states.error().what);
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto after = cursorTextIn(call, "racks");
  if (!after) co_return badParameter(after.error().what);
  const auto* place = call.filter("place");
  const auto wanted = static_cast<int>(*limit);
  auto racks = services.queries.racksByRecipe(*after, place ? *place : std::string{}, *states, wanted + 1);
  const bool more = racks.size() > *limit;
  if (more) racks.pop_back();
  Json rows = Json::array();
  for (const auto& rack : racks) rows.push_back(rackShape(rack, services.bringUp));
  co_return page("racks", std::move(rows), more ? cursorAfter("racks", racks.back().place) : std::string{});
}

Task<HttpReply> getRack(Services& services, Call call) {
  const auto place = placeIn(call);
  const auto rack = services.store.rack(place);
  if (!rack) co_return noSuchRack(place);
  auto body = rackShape(*rack, services.bringUp);
  auto& stages = body["stages"] = Json::array();
  for (const auto& stage : services.bringUp.stages(place)) stages.push_back(stageShape(stage));
  auto& members = body["members"] = Json::array();
  for (const auto& node : services.store.nodesOfRack(place))
    members.push_back({{"serial", node.serial},
                       {"kind", nameOf(node.kind)},
                       {"place", node.place.path},
                       {"lifecycle", nameOf(node.lifecycle)}});
  co_return jsonReply(200, body);
}

Task<HttpReply> bringUpRack(Services& services, Call call) {
  const auto place = placeIn(call);
  if (auto refused = refuseUnless(call, Level::Operator, Place{place})) co_return std::move(*refused);
  Body body(call);
  AskedBringUp asked{place, body.text("stage", 64, 0), call.who.user, body.reason()};
  if (auto refused = body.refused()) co_return std::move(*refused);
  const auto begun = co_await services.bringUp.begin(std::move(asked));
  if (!begun) co_return problem(begun.error());
  const Shapes shapes(services.store, services.engine);
  Json runs = Json::array();
  for (const auto id : *begun)
    if (const auto run = services.store.run(id)) runs.push_back(shapes.run(*run));
  co_return jsonReply(201, {{"runs", std::move(runs)}});
}

}  // namespace zellige::api
