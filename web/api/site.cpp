// The site as a whole: what is armed, how far the nodes are, what is scarce.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

Json siteShape(Services& services) {
  Json armed = Json::array(), budgets = Json::array(), lifecycles = Json::object();
  for (const auto& place : services.queries.armedPlaces()) armed.push_back(shape(place));
  for (const auto& use : services.engine.budgetUse()) budgets.push_back(shape(use));
  Json restored;
  if (const auto life = services.queries.restored()) restored = shape(*life);
  std::int64_t nodes = 0;
  const auto counts = services.queries.lifecycleCounts();
  for (const auto& [lifecycle, name] : EnumNames<Lifecycle>::table) {
    const auto it = counts.find(lifecycle);
    lifecycles[std::string(name)] = it == counts.end() ? 0 : it->second;
    nodes += it == counts.end() ? 0 : it->second;
  }
  return {{"site", services.queries.site()},
          {"armed", std::move(armed)},
          {"restored", std::move(restored)},
          {"nodes", nodes},
          {"lifecycles", std::move(lifecycles)},
          {"budgets", std::move(budgets)},
          {"unfinished_runs", services.engine.unfinished()},
          {"transitions", services.engine.transitions()},
          {"last_event", services.queries.lastEvent()}};
}

struct ArmRequest {
  std::string place;
  By by;
  std::optional<HttpReply> refused;
};
ArmRequest readArm(const Call& call) {
  ArmRequest out;
  Body body(call);
  out.place = body.text("place", 200, 0);
  out.by = {call.who.user, body.reason()};
  if (out.place.starts_with('/') || out.place.ends_with('/') || out.place.find("//") != std::string::npos)
    body.wrong("/place", "must be a path as H1/R01/RK001, or empty for the whole site");
  out.refused = body.refused();
  if (!out.refused) out.refused = refuseUnless(call, Level::Operator, Place{out.place});
  return out;
}

}  // namespace

Task<HttpReply> getSite(Services& services, Call) { co_return jsonReply(200, siteShape(services)); }

Task<HttpReply> armPlace(Services& services, Call call) {
  auto request = readArm(call);
  if (request.refused) co_return std::move(*request.refused);
  NodeFilter filter;
  filter.place = request.place;
  const auto inside = services.queries.nodes(filter, NodeSort::Place, false, {}, 1);
  if (!request.place.empty() && (!inside || inside->nodes.empty()))
    co_return problem(ProblemKind::NotFound,
                      fmt::format("no node stands in '{}'; places are those of the manifest", request.place));
  const auto done = co_await services.store.armPlace(request.place, std::move(request.by));
  if (!done) co_return problem(done.error());
  services.engine.nudgeAll();
  services.bringUp.sweep(request.place);
  services.campaigns.lookAgain();
  co_return jsonReply(200, siteShape(services));
}

Task<HttpReply> disarmPlace(Services& services, Call call) {
  auto request = readArm(call);
  if (request.refused) co_return std::move(*request.refused);
  const auto done = co_await services.store.disarmPlace(std::move(request.place), std::move(request.by));
  if (!done) co_return problem(done.error());
  co_return jsonReply(200, siteShape(services));
}

}  // namespace zellige::api
