// Racks that come up by a recipe: how far each is, and what it waits for.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/engine/bring_up.hpp"
#include "web/api/find.hpp"

namespace zellige::api {

namespace {

Json shape(const Rack& rack, const BringUp& bringUp) {
  const auto waits = bringUp.waitsFor(rack.place);
  return {{"place", rack.place},
          {"recipe", rack.recipe},
          {"state", nameOf(rack.state)},
          {"since", iso8601(rack.since)},
          {"waits_for", waits.empty() ? Json{} : Json(waits)}};
}

Json shape(const StageStanding& stage) {
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
  const auto from = cursorIn(call, "racks");
  if (!from) co_return badParameter(from.error().what);
  const auto* place = call.filter("place");
  auto racks = services.store.racks();
  std::erase_if(racks, [&](const Rack& rack) {
    return (place && !Place{rack.place}.isInside(*place)) ||
           (!states->empty() && std::find(states->begin(), states->end(), rack.state) == states->end());
  });
  // By place, and none ever goes: a cursor is how many came before.
  const auto begin = std::min(static_cast<std::size_t>(*from), racks.size());
  const auto end = std::min(begin + *limit, racks.size());
  Json rows = Json::array();
  for (auto i = begin; i < end; ++i) rows.push_back(shape(racks[i], services.bringUp));
  const auto next = end < racks.size() ? static_cast<std::int64_t>(end) : 0;
  co_return page("racks", std::move(rows), cursorOf("racks", next));
}

Task<HttpReply> getRack(Services& services, Call call) {
  const auto place = placeIn(call);
  const auto rack = services.store.rack(place);
  if (!rack) co_return noSuchRack(place);
  auto body = shape(*rack, services.bringUp);
  auto& stages = body["stages"] = Json::array();
  for (const auto& stage : services.bringUp.stages(place)) stages.push_back(shape(stage));
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
