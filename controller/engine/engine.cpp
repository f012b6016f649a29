#include "controller/engine/engine.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/engine/turn.hpp"

namespace zellige {

namespace {
BudgetLimits admitted(const EngineOptions& options) {
  auto limits = options.budgets;
  if (options.mutation != Mutation::OverAdmit) return limits;
  for (auto* limit : {&limits.uploads, &limits.flashes, &limits.flashesPerRack, &limits.imageStreams})
    *limit *= 2;
  for (auto& power : limits.power) power.watts *= 2;
  return limits;
}

constexpr std::size_t kResumePage = 500;  // rows read between two rounds of the event loop: about 10 ms
}  // namespace

Engine::Engine(Store& store, BmcDirectory& bmcs, Executor& executor, Surroundings site,
               std::span<const Workflow* const> workflows, EngineOptions options)
    : store_(store), bmcs_(bmcs), executor_(executor), site_(std::move(site)),
      workflows_(workflows.begin(), workflows.end()), options_(options), budgets_(admitted(options)) {}

Engine::~Engine() = default;

const Workflow* Engine::workflow(std::string_view name) const {
  for (const auto* w : workflows_)
    if (w->name == name) return w;
  return nullptr;
}

void Engine::resume() {
  // Holdings first: nothing may be granted before it is known what is still held.
  for (const auto& act : store_.openActs()) {
    const auto* flow = workflow(act.workflow);
    const auto* step = flow ? flow->resumeAt(act.step) : nullptr;
    if (!step || !step->needs.duringStep) continue;
    const auto target = act.target.empty() ? nullptr : store_.target(act.target);
    const auto machines = flow->together.empty() || !target
                              ? 1
                              : target->countIn(nodesOf(store_.run(act.run)->subject));
    budgets_.retake(act.run, {needOf(*step->needs.duringStep, target.get(), machines)}, act.place);
  }
  resuming_ = Resuming{0, {}, executor_.now(), store_.lastSign().value_or(executor_.now()), executor_.now()};
  for (auto& run : store_.lingeringRuns()) {
    const auto id = run.id;
    adopt(std::move(run), executor_.now());
    live_.at(id)->ended = live_.at(id)->lingered = true;
  }
  resumeMore();
}

void Engine::resumeMore() {
  constexpr Lane kLanes[] = {Lane::Operator, Lane::Rollout, Lane::Background};
  auto& at = *resuming_;
  std::size_t read = 0;
  while (at.lane < std::size(kLanes) && read < kResumePage) {
    const auto wanted = kResumePage - read;
    auto page = store_.unfinishedRunsOf(kLanes[at.lane], at.after, wanted);
    read += page.size();
    if (!page.empty()) at.after = page.back().id;
    if (page.size() < wanted) {
      ++at.lane;
      at.after = {};
    }
    for (auto& run : page) {
      if (live_.contains(run.id)) continue;  // started meanwhile, or taken up because somebody asked for it
      resumeOne(std::move(run), at.firstTurn);
      at.firstTurn += options_.resumePace;
    }
  }
  if (at.lane == std::size(kLanes)) {
    resuming_.reset();
    return;
  }
  executor_.after(Duration{1}, [this] { resumeMore(); });
}

void Engine::resumeOne(Run run, Time firstTurn) {
  // While nobody looked, no machine was slow: our absence is excused, or a long outage would quarantine the fleet.
  const auto absence = resuming_->since - std::min(resuming_->since, resuming_->lastSign);
  run.excused += std::min(run.inStep(resuming_->since), absence);
  adopt(std::move(run), firstTurn);
}

// An unfinished run in memory; one that `resume` has not come to yet is taken up now.
Engine::Live* Engine::find(RunId id) {
  if (const auto it = live_.find(id); it != live_.end()) return it->second.get();
  if (!resuming_) return nullptr;
  auto run = store_.run(id);
  if (!run || !run->unfinished()) return nullptr;
  resumeOne(std::move(*run), executor_.now());
  return live_.at(id).get();
}

void Engine::adopt(Run run, Time firstTurn) {
  const auto id = run.id;
  if (run.unfinished())
    for (const auto node : run.subject) runOf_[node] = id;
  auto live = std::make_unique<Live>();
  live->resumed = true;
  live->contactErrors = run.state == RunState::Blocked ? 1 : 0;
  live->told = run.state;
  live->keptFrom = executor_.now();
  live->run = std::move(run);
  auto& there = *(live_[id] = std::move(live));
  wake(there, firstTurn);
}

Task<Result<RunId>> Engine::start(StartRun request) {
  const auto* flow = workflow(request.workflow);
  if (!flow) co_return Error{Errc::NotFound, fmt::format("there is no workflow {}", request.workflow)};
  if (const auto may = flow->parameters;
      !may.empty() && std::find(may.begin(), may.end(), request.parameter) == may.end())
    co_return Error{Errc::Invalid, fmt::format("{} must be asked for one of: {}; not for '{}'", flow->name,
                                               fmt::join(may, ", "), request.parameter)};
  if (auto may = maySubject(*flow, request); !may) co_return may.error();
  Run run;
  run.workflow = request.workflow;
  run.subject = request.subject;
  run.lane = request.lane;
  run.parameter = request.parameter;
  run.startedBy = request.startedBy;
  if (!request.why.empty()) run.facts.set("asked.why", request.why);
  run.created = run.stepSince = executor_.now();
  run.step = flow->steps.front().id;
  const auto lead = leadOf(*flow, request);
  if (!lead) co_return lead.error();
  if (flow->follows) request.profile = lead->profile;
  if (!request.profile.empty()) {
    auto target = co_await store_.freezeTarget(request.profile, baselineFor(*lead, request.alongside));
    if (!target) co_return target.error();
    run.target = (*target)->digest;
    if (auto inherited = inherit(*flow, run); !inherited) co_return inherited.error();
  }
  Change change;
  change.at = run.created;
  change.actor = request.startedBy;
  change.ops = std::move(request.alongside);
  change.ops.emplace_back(SaveRun{run, "run.started"});
  auto receipt = co_await store_.commit(std::move(change));
  if (!receipt) co_return receipt.error();
  run.id = RunId{receipt->ids.back()};
  const auto id = run.id;
  adopt(std::move(run), executor_.now());
  live_[id]->resumed = false;
  co_return id;
}

std::vector<Node> Engine::nodesOf(const std::vector<NodeId>& subject) const {
  std::vector<Node> out;
  for (const auto id : subject)
    if (auto node = store_.node(id)) out.push_back(std::move(*node));
  return out;
}

// Whose profile and baseline it works towards.
Result<Node> Engine::leadOf(const Workflow& flow, const StartRun& request) const {
  const auto nodes = nodesOf(request.subject);
  if (!flow.follows) return nodes.front();
  const Node* lead = nullptr;
  for (const auto& node : nodes) {
    if (node.kind != *flow.follows) continue;
    if (!lead) lead = &node;
    if (node.profile != lead->profile)
      return Error{Errc::Rejected,
                   fmt::format("{} takes {}s of one profile together: {} has {}, {} has {}", flow.name,
                               nameOf(node.kind), lead->serial, lead->profile, node.serial, node.profile)};
  }
  if (lead && !lead->profile.empty()) return *lead;
  return Error{Errc::Rejected, fmt::format("{} needs a {} with a profile", flow.name, nameOf(*flow.follows))};
}

// The one that a campaign gives it in the same Change, or has given it before.
std::string Engine::baselineFor(const Node& node, const std::vector<Op>& alongside) {
  for (const auto& op : alongside)
    if (const auto* begin = std::get_if<BeginMember>(&op); begin && begin->node == node.id)
      return begin->baseline;
  return node.baseline;
}

// Of several nodes, as of one: only what was done to the same ones. A run that still ends leaves nothing that could be
// relied on.
Result<void> Engine::inherit(const Workflow& flow, Run& run) {
  if (flow.inherits.empty()) return {};
  const auto last = store_.lastRunOf(run.subject.front(), flow.name);
  if (!last || last->state == RunState::Done || last->subject != run.subject) return {};
  if (last->unfinished())
    return Error{Errc::Conflict, fmt::format("run {} of this node is not over", last->id.value)};
  for (const auto& [key, value] : last->facts)
    if (key.starts_with(flow.inherits)) run.facts.set(key, value);
  return {};
}

const Workflow* Engine::qualifying(NodeKind kind) const {
  const auto it = std::find_if(workflows_.begin(), workflows_.end(),
                               [&](const auto* w) { return w->qualifies && w->kind == kind; });
  return it == workflows_.end() ? nullptr : *it;
}

std::vector<NodeId> Engine::subjectOf(const Workflow& flow, const Node& node) const {
  if (flow.together.empty()) return {node.id};
  std::vector<NodeId> all;
  for (const auto& member : store_.nodesOfRack(node.place.rack()))
    if (flow.takesTogether(member)) all.push_back(member.id);
  return all;
}

Result<void> Engine::maySubject(const Workflow& flow, const StartRun& request) const {
  if (request.subject.empty()) return Error{Errc::Invalid, "a run needs a node"};
  for (const auto id : request.subject) {
    const auto node = store_.node(id);
    if (!node) return Error{Errc::NotFound, fmt::format("there is no node {}", id.value)};
    if (auto may = mayStart(flow, *node, request.alongside); !may) return may.error();
    if (flow.qualifies && request.profile.empty())
      return Error{Errc::Rejected,
                   fmt::format("{} works towards a profile, and {} has none", flow.name, node->serial)};
  }
  const auto declared = subjectOf(flow, *store_.node(request.subject.front()));
  if (std::is_permutation(declared.begin(), declared.end(), request.subject.begin(), request.subject.end()))
    return {};
  if (flow.together.empty())
    return Error{Errc::Invalid,
                 fmt::format("a run of {} is about one node, not {}", flow.name, request.subject.size())};
  return Error{Errc::Invalid, fmt::format("{} takes all {} members of a rack together, not {} of them",
                                          flow.name, declared.size(), request.subject.size())};
}

Result<void> Engine::mayStart(const Workflow& flow, const Node& node, const std::vector<Op>& alongside) {
  if (flow.kind && *flow.kind != node.kind)
    return Error{Errc::Invalid, fmt::format("{} is for a {}; {} is a {}", flow.name, nameOf(*flow.kind),
                                            node.serial, nameOf(node.kind))};
  auto stands = node.lifecycle;
  for (const auto& op : alongside)
    if (const auto* move = std::get_if<MoveLifecycle>(&op); move && move->node == node.id) stands = move->to;
  const auto in = flow.startsIn;
  if (in.empty() || std::find(in.begin(), in.end(), stands) != in.end()) return {};
  return Error{Errc::Rejected,
               fmt::format("{} does not start on {}, which is {}", flow.name, node.serial, nameOf(stands))};
}

Task<Result<void>> Engine::cancel(RunId id, std::string who, std::string why) {
  auto* found = find(id);
  if (!found || found->ended)
    co_return Error{Errc::NotFound, fmt::format("run {} is not unfinished", id.value)};
  auto& live = *found;
  const Completion<Result<void>> done(executor_);
  live.cancels.push_back({done, std::move(who), std::move(why)});
  if (live.inFlight)
    live.nudged = true;
  else
    wake(live, executor_.now());
  co_return co_await done;
}

void Engine::nudge(NodeId node) {
  const auto it = runOf_.find(node);
  if (it == runOf_.end()) return;
  auto& live = *live_.at(it->second);
  if (live.inFlight)
    live.nudged = true;
  else
    wake(live, executor_.now());
}

void Engine::nudgeAll() {
  for (auto& [id, live] : live_) {
    if (live->inFlight)
      live->nudged = true;
    else if (live->run.state == RunState::Active && live->run.blockedSince)
      wake(*live, executor_.now());
  }
}

std::string Engine::waitsFor(RunId run) const {
  const auto it = live_.find(run);
  return it == live_.end() ? std::string{} : it->second->run.waitsFor;
}

std::optional<Engine::Stall> Engine::stalled(NodeId node) const {
  const auto it = runOf_.find(node);
  if (it == runOf_.end()) return std::nullopt;
  const auto& run = live_.at(it->second)->run;
  if (!run.unfinished() || !run.blockedSince) return std::nullopt;
  return Stall{run.id, *run.blockedSince, run.waitsFor};
}

void Engine::wake(Live& live, Time due) {
  if (live.queued) return;
  executor_.cancel(live.timer);
  live.timer = TimerId::None;
  live.due = due;
  if (due <= executor_.now()) return makeReady(live);
  live.timer = executor_.at(due, [this, id = live.run.id] {
    auto& ripe = *live_.at(id);
    ripe.timer = TimerId::None;
    makeReady(ripe);
  });
}

void Engine::makeReady(Live& live) {
  live.queued = true;
  ready_[static_cast<int>(live.run.lane)].push_back(live.run.id);
  pump();
}

void Engine::pump() {
  for (auto& lane : ready_)
    while (!lane.empty() && turns_ < options_.maxTurns) {
      const auto id = lane.front();
      lane.pop_front();
      auto& live = *live_.at(id);
      live.queued = false;
      live.inFlight = true;
      ++turns_;
      executor_.spawn(takeTurn(id));
    }
}

Task<void> Engine::takeTurn(RunId id) {
  auto& live = *live_.at(id);
  Turn turn(*this, live);
  co_await turn.go();
  --turns_;
  live.inFlight = false;
  afterTurn(live);
  wakeGranted();
  pump();
}

void Engine::afterTurn(Live& live) {
  if (!live.run.unfinished()) {
    const bool cancelled = live.run.state == RunState::Cancelled;
    for (const auto& asked : std::exchange(live.cancels, {})) {
      Result<void> answer;
      if (!cancelled)
        answer = Error{Errc::Conflict, fmt::format("the run ended by itself: {}", nameOf(live.run.state))};
      asked.done.set(std::move(answer));
    }
  }
  const bool moved = std::exchange(live.told, live.run.state) != live.run.state;
  const bool stopped = std::exchange(live.lingered, live.ended) && !live.ended;
  if ((moved || stopped) && tellState_) tellState_(live.run.subject);
  if (live.run.unfinished() || live.ended) {
    const bool atOnce = std::exchange(live.nudged, false);
    wake(live, atOnce ? executor_.now() : live.due);
    return;
  }
  const auto id = live.run.id;
  budgets_.releaseAll(id);
  for (const auto node : live.run.subject) {
    // A newer run may work on the node already: this one only kept its slot until the machine was not busy.
    const auto it = runOf_.find(node);
    if (it == runOf_.end() || it->second != id) continue;
    runOf_.erase(it);
    bmcs_.rest(node);
  }
  live_.erase(id);
}

void Engine::wakeGranted() {
  for (const auto id : budgets_.granted()) {
    const auto it = live_.find(id);
    if (it == live_.end()) continue;
    if (it->second->inFlight)
      it->second->nudged = true;
    else
      wake(*it->second, executor_.now());
  }
}

}  // namespace zellige
