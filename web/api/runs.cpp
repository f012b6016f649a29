// Runs: what is being done to nodes, and what was.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

HttpReply noSuchRun(const std::string& id) {
  return problem(ProblemKind::NotFound,
                 fmt::format("there is no run '{}'; list them with GET /api/v1/runs", id.substr(0, 32)));
}

std::optional<Run> runOf(Services& services, const Call& call) {
  const auto id = idOf(call.path[0]);
  return id == 0 ? std::nullopt : services.store.run(RunId{id});
}

/// 403 if one of the run's nodes stands where the caller may not act.
std::optional<HttpReply> refuseUnlessOn(Services& services, const Call& call, const Run& run) {
  for (const auto id : run.subject)
    if (const auto node = services.store.node(id))
      if (auto refused = refuseUnless(call, Level::Operator, node->place)) return refused;
  return std::nullopt;
}

// What must be done before a failed run may be tried again: its findings are resolved, its node leaves quarantine. A rack's
// run is tried with whoever is of the rack now, and takes nobody out of quarantine.
struct Lift {
  std::vector<Op> ops;
  std::vector<NodeId> subject;
  std::string profile;
  std::string refusal;  ///< why it may not be tried; empty: it may
};
Lift liftFor(Services& services, const Call& call, const Run& run, const Workflow& flow,
             const std::string& why) {
  Lift lift;
  const auto first = services.store.node(run.subject.front());
  if (!first) return lift.refusal = "a node of this run is not there any more", lift;
  lift.subject = services.engine.subjectOf(flow, *first);
  const bool alone = flow.together.empty();
  if (alone) lift.profile = first->profile;
  for (const auto id : lift.subject) {
    const auto node = services.store.node(id);
    if (const auto other = services.store.unfinishedRunOf(id)) {
      lift.refusal = fmt::format("run {} on {} has not ended; cancel it or wait for it", other->value,
                                 node->serial);
      return lift;
    }
    FindingFilter filter;
    filter.node = id;
    for (const auto& row : services.queries.findings(filter, {}, 500).findings) {
      const auto& finding = row.finding;
      const auto* cause = findCause(finding.cause);
      if (finding.run == run.id)
        lift.ops.emplace_back(ResolveFindings{id, finding.cause, fmt::format("{}: {}", call.who.user, why)});
      else if (!cause || cause->blocking) {
        lift.refusal = fmt::format("finding {} ({}) blocks {}; resolve it first", finding.id.value,
                                   finding.cause, node->serial);
        return lift;
      }
    }
    if (alone && node->lifecycle == Lifecycle::Quarantined)
      lift.ops.emplace_back(
          MoveLifecycle{id, Lifecycle::Quarantined, Lifecycle::Qualifying, Actor::Operator, why, {}});
  }
  return lift;
}

}  // namespace

Task<HttpReply> listRuns(Services& services, Call call) {
  RunFilter filter;
  auto states = namesIn<RunState>(call, "state");
  if (!states) co_return badParameter(states.error().what);
  filter.states = std::move(*states);
  if (const auto* workflow = call.filter("workflow")) filter.workflow = *workflow;
  if (const auto* serial = call.filter("node")) {
    const auto id = services.store.nodeBySerial(*serial);
    if (!id) co_return badParameter(fmt::format("there is no node '{}'", serial->substr(0, 64)));
    filter.node = *id;
  }
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto before = cursorIn(call, "runs");
  if (!before) co_return badParameter(before.error().what);
  const auto found = services.queries.runs(filter, RunId{*before}, static_cast<int>(*limit));
  const Shapes shapes(services.store, services.engine);
  Json runs = Json::array();
  for (const auto& run : found.runs) runs.push_back(shapes.run(run));
  co_return page("runs", std::move(runs), cursorOf("runs", found.next.value));
}

Task<HttpReply> getRun(Services& services, Call call) {
  const auto run = runOf(services, call);
  if (!run) co_return noSuchRun(call.path[0]);
  co_return jsonReply(200, Shapes(services.store, services.engine).runDetail(*run));
}

Task<HttpReply> cancelRun(Services& services, Call call) {
  const auto run = runOf(services, call);
  if (!run) co_return noSuchRun(call.path[0]);
  if (auto refused = refuseUnlessOn(services, call, *run)) co_return std::move(*refused);
  Body body(call);
  auto why = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (!run->unfinished())
    co_return problem(ProblemKind::Conflict,
                      fmt::format("run {} has ended: {}", run->id.value, nameOf(run->state)));
  const auto asked = co_await services.engine.cancel(run->id, call.who.user, std::move(why));
  if (!asked)
    co_return problem(ProblemKind::Conflict, fmt::format("run {} has ended meanwhile", run->id.value));
  const auto now = services.store.run(run->id);
  co_return jsonReply(202, Shapes(services.store, services.engine).runDetail(now ? *now : *run));
}

Task<HttpReply> retryRun(Services& services, Call call) {
  const auto run = runOf(services, call);
  if (!run) co_return noSuchRun(call.path[0]);
  if (auto refused = refuseUnlessOn(services, call, *run)) co_return std::move(*refused);
  Body body(call);
  const auto why = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (run->state != RunState::Failed)
    co_return problem(ProblemKind::Conflict, fmt::format("run {} is {}; only a failed run can be tried again",
                                                         run->id.value, nameOf(run->state)));
  const auto* flow = services.engine.workflow(run->workflow);
  if (!flow)
    co_return problem(ProblemKind::Conflict, fmt::format("this version has no workflow {}", run->workflow));
  auto lift = liftFor(services, call, *run, *flow, why);
  if (!lift.refusal.empty()) co_return problem(ProblemKind::Conflict, std::move(lift.refusal));
  StartRun request{run->workflow, lift.subject, Lane::Operator,     run->parameter, lift.profile,
                   call.who.user, why,          std::move(lift.ops)};
  const auto id = co_await services.engine.start(std::move(request));
  if (!id) co_return problem(id.error());
  const auto fresh = services.store.run(*id);
  if (!fresh)
    co_return problem(ProblemKind::Broken,
                      "the run was started and cannot be read; look for it in GET /api/v1/runs");
  co_return jsonReply(201, Shapes(services.store, services.engine).runDetail(*fresh));
}

}  // namespace zellige::api
