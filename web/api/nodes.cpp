// Nodes, and runs started on them.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

/// Of the five facts: rises with every change of them.
std::string tagOf(const Node& node) { return fmt::format("\"{}\"", node.version); }

Result<NodeFilter> filterOf(const Call& call) {
  NodeFilter filter;
  auto lifecycles = namesIn<Lifecycle>(call, "lifecycle");
  if (!lifecycles) return lifecycles.error();
  filter.lifecycles = std::move(*lifecycles);
  auto kinds = namesIn<NodeKind>(call, "kind");
  if (!kinds) return kinds.error();
  auto healths = namesIn<Health>(call, "health");
  if (!healths) return healths.error();
  if (kinds->size() > 1 || healths->size() > 1)
    return Error{Errc::Invalid, "kind and health take one value each"};
  if (!kinds->empty()) filter.kind = kinds->front();
  if (!healths->empty()) filter.health = healths->front();
  if (const auto* contact = call.filter("contact")) {
    if (*contact != "reachable" && *contact != "unreachable")
      return Error{Errc::Invalid, "contact must be reachable or unreachable"};
    filter.reachable = *contact == "reachable";
  }
  if (const auto* place = call.filter("place")) filter.place = *place;
  if (const auto* text = call.filter("q")) filter.text = *text;
  if (filter.text.size() > 128 || filter.place.size() > 200)
    return Error{Errc::Invalid, "q or place is too long"};
  return filter;
}

struct Order {
  NodeSort sort = NodeSort::Place;
  bool descending = false;
};
Result<Order> orderOf(const Call& call) {
  const auto* text = call.filter("sort");
  if (!text) return Order{};
  const bool descending = text->starts_with('-');
  const auto sort = fromName<NodeSort>(std::string_view(*text).substr(descending ? 1 : 0));
  if (!sort)
    return Error{Errc::Invalid,
                 "sort must be place, serial, lifecycle or since; with '-' before it, the other way"};
  return Order{*sort, descending};
}

bool qualifies(const Workflow& workflow) {
  return std::any_of(workflow.steps.begin(), workflow.steps.end(),
                     [](const Step& s) { return s.reaches.has_value(); });
}

std::optional<HttpReply> changedSinceRead(const Call& call, const Node& node) {
  const auto expected = call.request.headers.get("If-Match");
  if (expected.empty() || expected == "*" || expected == tagOf(node)) return std::nullopt;
  return problem(ProblemKind::Changed,
                 fmt::format("the node is at version {} now; read it again", tagOf(node)));
}

/// "in_service, repair, retired": where a person may move it from here.
std::string waysOut(const Node& node) {
  std::string out;
  for (const auto& move : lifecycleMoves())
    if (move.kinds.contains(node.kind) && move.from == node.lifecycle && move.actor == Actor::Operator)
      out += fmt::format("{}{}", out.empty() ? "" : ", ", nameOf(move.to));
  return out.empty() ? "nowhere" : out;
}

/// Why no run may start on this node; empty: it may.
std::string untouchable(const Node& node) {
  if (node.lifecycle == Lifecycle::Retired) return "the node is retired; import it again first";
  if (node.lifecycle == Lifecycle::Unlisted)
    return "nobody ordered this node; add it to the manifest and import it";
  return {};
}

}  // namespace

Task<HttpReply> listNodes(Services& services, Call call) {
  const auto filter = filterOf(call);
  if (!filter) co_return badParameter(filter.error().what);
  const auto order = orderOf(call);
  if (!order) co_return badParameter(order.error().what);
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto* cursor = call.filter("cursor");
  const auto found = services.queries.nodes(*filter, order->sort, order->descending,
                                            cursor ? std::string_view(*cursor) : std::string_view{},
                                            static_cast<int>(*limit));
  if (!found) co_return badParameter(found.error().what);
  const Shapes shapes(services.store, services.engine);
  Json nodes = Json::array();
  for (const auto& row : found->nodes) nodes.push_back(shapes.node(row));
  co_return jsonReply(200, {{"nodes", std::move(nodes)},
                            {"next", found->next.empty() ? Json{} : Json(found->next)},
                            {"total", found->total},
                            {"total_is_exact", found->totalIsExact}});
}

Task<HttpReply> getNode(Services& services, Call call) {
  const auto id = services.queries.nodeBySerial(call.path[0]);
  const auto detail = id ? services.queries.node(*id, services.now()) : std::nullopt;
  if (!detail) co_return noSuchNode(call.path[0]);
  auto reply = jsonReply(200, Shapes(services.store, services.engine).nodeDetail(*detail));
  reply.headers.set("ETag", tagOf(detail->row.node));
  co_return reply;
}

Task<HttpReply> moveNode(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  Body body(call);
  const auto wanted = body.text("to", 32);
  const auto to = fromName<Lifecycle>(wanted);
  if (!wanted.empty() && !to) body.wrong("/to", "is no value of lifecycle");
  auto why = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (auto changed = changedSinceRead(call, *node)) co_return std::move(*changed);
  if (!findMove(node->kind, node->lifecycle, *to, Actor::Operator))
    co_return problem(ProblemKind::Conflict, fmt::format("{} is {}: a person can make it {}", node->serial,
                                                         nameOf(node->lifecycle), waysOut(*node)));
  MoveLifecycle move{node->id, node->lifecycle, *to, Actor::Operator, std::move(why), {}};
  Change change{services.now(), call.who.user, {std::move(move)}};
  const auto done = co_await services.store.commit(std::move(change));
  if (!done) co_return problem(done.error());
  services.bringUp.look({node->id});
  services.campaigns.look({node->id});
  co_return co_await getNode(services, std::move(call));
}

Task<HttpReply> startRun(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  Body body(call);
  const auto workflowName = body.text("workflow", 64);
  const auto parameter = body.text("parameter", 64, 0);
  const auto why = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (auto changed = changedSinceRead(call, *node)) co_return std::move(*changed);
  const auto* workflow = services.engine.workflow(workflowName);
  if (!workflow)
    co_return problem(ProblemKind::NotFound, fmt::format("there is no workflow '{}'", workflowName));
  if (auto reason = untouchable(*node); !reason.empty())
    co_return problem(ProblemKind::Conflict, std::move(reason));

  std::vector<Op> lift;  // in one Change with the run: a crash must not leave the node between the two
  if (node->lifecycle == Lifecycle::Quarantined && qualifies(*workflow)) {
    if (services.store.hasBlockingFinding(node->id))
      co_return problem(ProblemKind::Conflict,
                        "the node is quarantined with a blocking finding; retry the failed run, or resolve "
                        "the finding first");
    if (services.store.unfinishedRunOf(node->id))
      co_return problem(ProblemKind::Conflict,
                        "another run on this node has not ended; cancel it or wait for it");
    MoveLifecycle move{node->id, Lifecycle::Quarantined, Lifecycle::Qualifying, Actor::Operator, why, {}};
    lift.emplace_back(std::move(move));
  }
  auto subject = services.engine.subjectOf(*workflow, *node);
  for (const auto id : subject)
    if (const auto member = services.store.node(id))
      if (auto refused = refuseUnless(call, Level::Operator, member->place)) co_return std::move(*refused);
  const bool alone = workflow->together.empty();
  StartRun request{
      workflowName, std::move(subject), Lane::Operator, parameter, alone ? node->profile : "", call.who.user,
      why,          std::move(lift)};
  const auto id = co_await services.engine.start(std::move(request));
  if (!id) co_return problem(id.error());
  const auto run = services.store.run(*id);
  if (!run)
    co_return problem(ProblemKind::Broken,
                      "the run was started and cannot be read; look for it in GET /api/v1/runs");
  co_return jsonReply(201, Shapes(services.store, services.engine).runDetail(*run));
}

Task<HttpReply> acceptCertificate(Services& services, Call call) {
  const auto node = nodeOf(services, call.path[0]);
  if (!node) co_return noSuchNode(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  Body body(call);
  auto why = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (const auto run = services.store.unfinishedRunOf(node->id))
    co_return problem(
        ProblemKind::Conflict,
        fmt::format("run {} speaks to this BMC; cancel it or wait until it has ended", run->value));
  By by{call.who.user, std::move(why)};
  const auto done = co_await services.store.acceptCertificate(node->id, std::move(by));
  if (!done) co_return problem(done.error());
  if (services.options.forgetBmc) services.options.forgetBmc(node->id);
  co_return co_await getNode(services, std::move(call));
}

}  // namespace zellige::api
