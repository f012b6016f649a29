#include "controller/engine/bring_up.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "controller/base/log.hpp"

namespace zellige {

namespace {

constexpr int kSweepAtATime = 16;  // racks between two rounds of the event loop: about 10 ms

bool isIn(std::span<const Lifecycle> some, Lifecycle one) {
  return std::find(some.begin(), some.end(), one) != some.end();
}

/// Not of the rack's living: a stage does not wait for it, where the recipe lets it go on with fewer.
bool isOut(const Node& node) {
  return node.lifecycle == Lifecycle::Quarantined || node.lifecycle == Lifecycle::Repair ||
         node.lifecycle == Lifecycle::Retired;
}

/// A rack held against one stage of its recipe.
struct Standing {
  std::vector<const Node*> members;  ///< that are not out
  std::vector<const Node*> waiting;  ///< of these, for whom the stage does not hold yet
  int wanted = 0;                    ///< members of a complete rack

  int passed() const { return static_cast<int>(members.size() - waiting.size()); }
  int out() const { return wanted - static_cast<int>(members.size()); }
  bool whole() const { return passed() == wanted; }
  bool isOver(const Recipe::Stage& stage) const {
    return waiting.empty() && passed() >= stage.atLeast.value_or(wanted);
  }
};

class Ranks {
 public:
  Ranks(Store& store, const Engine& engine, const Recipe& recipe, const std::string& place)
      : store_(store), engine_(engine), recipe_(recipe), nodes_(store.nodesOfRack(place)) {}

  /// Why this rack cannot begin: what a recipe wants that nobody has ordered, or nobody knows.
  std::string lacks() const {
    for (const auto& stage : recipe_.stages) {
      const auto* flow = engine_.workflow(stage.workflow);
      if (!flow) return fmt::format("recipe {}: there is no workflow {}", recipe_.name, stage.workflow);
      if (flow->shows.empty() && !flow->qualifies)
        return fmt::format("recipe {}: whether {} is done cannot be seen afterwards", recipe_.name,
                           stage.workflow);
      for (const auto kind : stage.of)
        if (flow->kind && *flow->kind != kind)
          return fmt::format("recipe {}: {} is not for a {}", recipe_.name, stage.workflow, nameOf(kind));
    }
    for (const auto& [kind, wanted] : recipe_.members) {
      const auto there = std::count_if(nodes_.begin(), nodes_.end(), [&, kind = kind](const Node& node) {
        return node.kind == kind && node.lifecycle != Lifecycle::Retired;
      });
      if (there != wanted)
        return fmt::format("{} of {} {}s are on the manifest", there, wanted, nameOf(kind));
    }
    return {};
  }

  Standing of(const Recipe::Stage& stage) const {
    Standing out;
    out.wanted = recipe_.membersOf(stage);
    const auto* flow = engine_.workflow(stage.workflow);
    std::optional<RunId> shared;
    for (const auto& node : nodes_) {
      if (std::find(stage.of.begin(), stage.of.end(), node.kind) == stage.of.end() || isOut(node)) continue;
      out.members.push_back(&node);
      if (flow->qualifies) {
        if (node.lifecycle != Lifecycle::Available && node.lifecycle != Lifecycle::InService)
          out.waiting.push_back(&node);
        continue;
      }
      const auto from = store_.evidenceFrom(node.id, flow->shows);
      // What was shown of all together holds for all, or for none.
      const bool holds = from && (!stage.together || from == shared || !shared);
      if (from && !shared) shared = from;
      if (!holds) out.waiting.push_back(&node);
    }
    if (stage.together && (!out.waiting.empty() || out.members.size() != static_cast<std::size_t>(out.wanted)))
      out.waiting = out.members;
    return out;
  }

  std::vector<StartRun> missing(const Recipe::Stage& stage, const Standing& standing) const {
    std::vector<StartRun> out;
    if (!stage.together) {
      for (const auto* node : standing.waiting)
        if (mayStart(stage, *node)) out.push_back(request(stage, {node->id}, node->profile));
      return out;
    }
    if (standing.waiting.empty() || standing.members.size() != static_cast<std::size_t>(standing.wanted))
      return out;
    std::vector<NodeId> all;
    for (const auto* node : standing.members) {
      if (!mayStart(stage, *node)) return out;
      all.push_back(node->id);
    }
    out.push_back(request(stage, std::move(all), {}));
    return out;
  }

 private:
  static StartRun request(const Recipe::Stage& stage, std::vector<NodeId> subject, std::string profile) {
    StartRun out;
    out.workflow = stage.workflow;
    out.subject = std::move(subject);
    out.lane = Lane::Rollout;
    out.profile = std::move(profile);
    return out;
  }

  // What a person cancelled is not begun again by itself; what failed only when the machine stands elsewhere since: it
  // was released, repaired or qualified again.
  bool mayStart(const Recipe::Stage& stage, const Node& node) const {
    const auto* flow = engine_.workflow(stage.workflow);
    if (store_.unfinishedRunOf(node.id)) return false;
    if (!flow->startsIn.empty() && !isIn(flow->startsIn, node.lifecycle)) return false;
    const auto last = store_.lastRunOf(node.id, stage.workflow);
    if (!last || last->state == RunState::Done) return true;
    return last->state == RunState::Failed && last->ended && node.lifecycleSince > *last->ended;
  }

  Store& store_;
  const Engine& engine_;
  const Recipe& recipe_;
  std::vector<Node> nodes_;
};

std::string tell(const Recipe::Stage& stage, const Standing& standing) {
  return fmt::format("stage {}: {} of {} passed, {} under way, {} out", stage.id, standing.passed(),
                     standing.wanted, standing.waiting.size(), standing.out());
}

}  // namespace

void BringUp::sweep() {
  const bool underWay = !toSweep_.empty();
  for (const auto& rack : store_.racks())
    if (std::find(toSweep_.begin(), toSweep_.end(), rack.place) == toSweep_.end())
      toSweep_.push_back(rack.place);
  if (!underWay && !toSweep_.empty()) sweepMore();
}

void BringUp::sweepMore() {
  for (int i = 0; i < kSweepAtATime && !toSweep_.empty(); ++i) {
    const auto place = std::move(toSweep_.front());
    toSweep_.pop_front();
    lookAt(place);
  }
  if (!toSweep_.empty()) executor_.after(Duration{1}, [this] { sweepMore(); });
}

void BringUp::look(NodeId id) {
  const auto node = store_.node(id);
  if (node && store_.rack(node->place.rack())) lookAt(node->place.rack());
}

void BringUp::lookAt(const std::string& place) {
  const auto [it, isNew] = looking_.emplace(place, false);
  if (isNew)
    executor_.spawn(lookUntilSettled(place));
  else
    it->second = true;
}

Task<void> BringUp::lookUntilSettled(std::string place) {
  do {
    looking_[place] = false;
    co_await advance(place);
  } while (looking_[place]);
  looking_.erase(place);
}

Task<bool> BringUp::move(Rack& rack, RackState to, std::string why) {
  Change change;
  change.at = executor_.now();
  change.ops.emplace_back(MoveRack{rack.place, rack.state, to, std::move(why)});
  const auto moved = co_await store_.commit(std::move(change));
  if (moved) rack.state = to;
  co_return bool(moved);
}

Task<void> BringUp::advance(std::string place) {
  auto rack = store_.rack(place);
  if (!rack) co_return;
  auto& waits = waitsFor_[place];
  const auto recipe = store_.recipe(rack->recipe);
  if (!recipe) {
    waits = fmt::format("the recipe {} is not in the catalogue", rack->recipe);
    co_return;
  }
  const Ranks ranks(store_, engine_, *recipe, place);
  waits = ranks.lacks();
  if (rack->state == RackState::Installing) {
    if (waits.empty() && !store_.armed(Place{place})) waits = "the place to be armed";
    if (!waits.empty()) co_return;
    std::string why = "its manifest is complete and its place armed";
    const bool moved = co_await move(*rack, RackState::BringUp, std::move(why));
    if (!moved) co_return;
  }
  std::set<std::string> over;
  bool whole = waits.empty();
  std::string next;
  for (const auto& stage : recipe->stages) {
    if (!engine_.workflow(stage.workflow)) co_return;
    const auto standing = ranks.of(stage);
    if (standing.isOver(stage)) over.insert(stage.id);
    if (standing.whole()) continue;
    if (whole) next = tell(stage, standing);
    whole = false;
    const bool begins = std::all_of(stage.after.begin(), stage.after.end(),
                                    [&](const auto& id) { return over.contains(id); });
    if (!begins) continue;
    for (auto& request : ranks.missing(stage, standing)) {
      const auto first = request.subject.front();
      const auto run = co_await engine_.start(std::move(request));
      if (!run && run.error().code != Errc::Conflict)
        log::warn("BRING_UP_REFUSED",
                  {{"place", place}, {"node", std::to_string(first.value)}, {"why", run.error().what}});
    }
  }
  if (!next.empty()) waits = next;
  std::string why = whole ? "every stage holds for every member" : waits;
  if (whole && rack->state != RackState::Accepted) {
    (void)co_await move(*rack, RackState::Accepted, std::move(why));
  } else if (!whole && rack->state == RackState::Accepted) {
    (void)co_await move(*rack, RackState::Degraded, std::move(why));
  }
}

std::vector<StageStanding> BringUp::stages(const std::string& place) const {
  const auto rack = store_.rack(place);
  const auto recipe = rack ? store_.recipe(rack->recipe) : std::nullopt;
  if (!recipe) return {};
  const Ranks ranks(store_, engine_, *recipe, place);
  std::vector<StageStanding> out;
  for (const auto& stage : recipe->stages) {
    if (!engine_.workflow(stage.workflow)) return out;
    const auto standing = ranks.of(stage);
    out.push_back({stage.id, stage.workflow, standing.wanted, standing.passed(),
                   static_cast<int>(standing.waiting.size()), standing.out(), standing.isOver(stage)});
  }
  return out;
}

std::string BringUp::waitsFor(const std::string& place) const {
  const auto it = waitsFor_.find(place);
  return it == waitsFor_.end() ? std::string{} : it->second;
}

}  // namespace zellige
