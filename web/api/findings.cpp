// Findings: what is wrong, and what a person should do about it.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

HttpReply noSuchFinding(const std::string& id) {
  return problem(
      ProblemKind::NotFound,
      fmt::format("there is no finding '{}'; list them with GET /api/v1/findings", id.substr(0, 32)));
}

std::optional<Finding> findingOf(Services& services, const Call& call) {
  const auto id = idOf(call.path[0]);
  return id == 0 ? std::nullopt : services.queries.finding(FindingId{id});
}

}  // namespace

Task<HttpReply> listFindings(Services& services, Call call) {
  FindingFilter filter;
  if (const auto* state = call.filter("state")) {
    if (*state != "open" && *state != "all") co_return badParameter("state must be open or all");
    filter.openOnly = *state == "open";
  }
  if (const auto* cause = call.filter("cause")) filter.cause = *cause;
  if (const auto* place = call.filter("place")) filter.place = *place;
  if (const auto* serial = call.filter("node")) {
    const auto id = services.store.nodeBySerial(*serial);
    if (!id) co_return badParameter(fmt::format("there is no node '{}'", serial->substr(0, 64)));
    filter.node = *id;
  }
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto before = cursorIn(call, "findings");
  if (!before) co_return badParameter(before.error().what);
  const auto found = services.queries.findings(filter, FindingId{*before}, static_cast<int>(*limit));
  const Shapes shapes(services.store, services.engine);
  Json findings = Json::array();
  for (const auto& row : found.findings) findings.push_back(shapes.finding(row.finding));
  co_return page("findings", std::move(findings), cursorOf("findings", found.next.value));
}

Task<HttpReply> getFinding(Services& services, Call call) {
  const auto finding = findingOf(services, call);
  if (!finding) co_return noSuchFinding(call.path[0]);
  co_return jsonReply(200, Shapes(services.store, services.engine).finding(*finding));
}

Task<HttpReply> resolveFinding(Services& services, Call call) {
  const auto finding = findingOf(services, call);
  const auto node = finding ? services.store.node(finding->node) : std::nullopt;
  if (!node) co_return noSuchFinding(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  Body body(call);
  const auto resolution = body.text("resolution", 500);
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (finding->resolved)
    co_return problem(ProblemKind::Conflict,
                      fmt::format("finding {} was resolved: {}", finding->id.value, finding->resolution));
  Change change{services.now(), call.who.user, {}};
  ResolveFindings op{node->id, finding->cause, fmt::format("{}: {}", call.who.user, resolution)};
  change.ops.emplace_back(std::move(op));
  const auto done = co_await services.store.commit(std::move(change));
  if (!done) co_return problem(done.error());
  services.engine.nudge(node->id);
  services.bringUp.look({node->id});
  services.campaigns.look({node->id});
  const auto now = services.queries.finding(finding->id);
  co_return jsonReply(200, Shapes(services.store, services.engine).finding(now ? *now : *finding));
}

}  // namespace zellige::api
