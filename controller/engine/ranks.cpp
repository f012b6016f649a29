#include "controller/engine/ranks.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige {

namespace {

constexpr Duration kLongSilence = 30min;  // an aux cycle and all that a BMC does by itself are over by then
constexpr Duration kPause = 1h;           // before a run that was kept waiting is tried again

template <class Range, class T>
bool isIn(const Range& some, const T& one) {
  return std::find(some.begin(), some.end(), one) != some.end();
}

bool isOf(const Recipe::Stage& stage, const Node& node) { return isIn(stage.of, node.kind); }

StartRun request(const Recipe::Stage& stage, const std::vector<const Node*>& subject) {
  StartRun out;
  out.workflow = stage.workflow;
  for (const auto* node : subject) out.subject.push_back(node->id);
  out.lane = Lane::Rollout;
  if (subject.size() == 1) out.profile = subject.front()->profile;
  return out;
}

bool isAbout(const Run& run, const std::vector<const Node*>& subject) {
  return run.subject.size() == subject.size() &&
         std::all_of(subject.begin(), subject.end(), [&](const Node* n) { return isIn(run.subject, n->id); });
}

}  // namespace

Ranks::Ranks(Store& store, const Engine& engine, const Recipe& recipe, const std::string& place, Time now)
    : store_(store), engine_(engine), recipe_(recipe), now_(now), nodes_(store.nodesOfRack(place)),
      marks_(store.evidenceOfRack(place)), campaign_(store.campaignOn(place)) {
  std::erase_if(nodes_, [](const Node& node) {
    return node.lifecycle == Lifecycle::Retired || node.lifecycle == Lifecycle::Unlisted;
  });
}

std::string Ranks::misfit() const {
  std::vector<NodeKind> qualified;
  for (const auto& stage : recipe_.stages) {
    const auto* flow = engine_.workflow(stage.workflow);
    const auto what = flow ? misfit(stage, *flow) : fmt::format("there is no workflow {}", stage.workflow);
    if (!what.empty()) return fmt::format("recipe {}: {}", recipe_.name, what);
    if (flow->qualifies) qualified.insert(qualified.end(), stage.of.begin(), stage.of.end());
  }
  for (const auto& [kind, wanted] : recipe_.members)
    if (!isIn(qualified, kind))
      return fmt::format("recipe {}: no stage qualifies a {}", recipe_.name, nameOf(kind));
  return {};
}

std::string Ranks::lacks() const {
  for (const auto& [kind, wanted] : recipe_.members) {
    const auto there = std::count_if(nodes_.begin(), nodes_.end(),
                                     [kind = kind](const Node& node) { return node.kind == kind; });
    if (there != wanted) return fmt::format("{} of {} {}s are on the manifest", there, wanted, nameOf(kind));
  }
  for (const auto& node : nodes_)
    if (!recipe_.members.contains(node.kind))
      return fmt::format("recipe {} has no {}, but {} is on the manifest", recipe_.name, nameOf(node.kind),
                         node.serial);
  return {};
}

std::string Ranks::misfit(const Recipe::Stage& stage, const Workflow& flow) const {
  if (flow.shows.empty() && !flow.qualifies)
    return fmt::format("whether {} is done cannot be seen afterwards", flow.name);
  for (const auto kind : stage.of)
    if ((flow.kind && *flow.kind != kind) || (!flow.together.empty() && !isIn(flow.together, kind)))
      return fmt::format("{} is not for a {}", flow.name, nameOf(kind));
  for (const auto kind : flow.together)
    if (recipe_.members.contains(kind) && !isIn(stage.of, kind))
      return fmt::format("{} takes every {} as well", flow.name, nameOf(kind));
  if (!flow.together.empty() && stage.atLeast)
    return fmt::format("{} takes all together: stage {} has no at_least", flow.name, stage.id);
  return {};
}

const EvidenceMark* Ranks::shown(NodeId node, std::string_view subject) const {
  const std::pair wanted(node, subject);
  const auto it = std::lower_bound(marks_.begin(), marks_.end(), wanted,
                                   [](const EvidenceMark& m, const auto& key) {
                                     return std::pair<NodeId, std::string_view>(m.node, m.subject) < key;
                                   });
  return it != marks_.end() && it->node == node && it->subject == subject ? &*it : nullptr;
}

const std::optional<Run>& Ranks::lastRun(NodeId node, std::string_view workflow) {
  const auto [it, isNew] = lastRuns_.try_emplace({node, std::string(workflow)});
  if (isNew) it->second = store_.lastRunOf(node, workflow);
  return it->second;
}

void Ranks::expect(Time at) { changesAt_ = changesAt_ ? std::min(*changesAt_, at) : at; }

// What is in use is not judged by its evidence: that is asked for when it comes back.
bool Ranks::holds(const Workflow& flow, const Node& node) {
  if (node.lifecycle == Lifecycle::InService && !isIn(flow.startsIn, Lifecycle::InService)) return true;
  if (flow.qualifies) return node.lifecycle == Lifecycle::Available && !hasLostEvidence(flow, node);
  const auto* mark = shown(node.id, flow.shows);
  return mark && mark->holds;
}

// When it became available, all was shown that its run had to show.
bool Ranks::hasLostEvidence(const Workflow& flow, const Node& node) {
  for (const auto& mark : marks_) {
    if (mark.node != node.id || mark.holds) continue;
    const auto& qualified = lastRun(node.id, flow.name);
    const auto target = qualified ? store_.target(qualified->target) : nullptr;
    if (target && flow.leaves && isIn(flow.leaves(*target, node.kind), mark.subject)) return true;
  }
  return false;
}

bool Ranks::isBrokenSince(const Workflow& flow, const Members& subject, const Run& last) {
  return std::any_of(subject.begin(), subject.end(), [&](const Node* node) {
    if (flow.qualifies) return hasLostEvidence(flow, *node);
    const auto* mark = shown(node->id, flow.shows);
    return mark && !mark->holds && mark->run == last.id;
  });
}

bool Ranks::isSilentForLong(const Node& node) {
  if (!node.unreachableSince) return false;
  const auto until = *node.unreachableSince + kLongSilence;
  if (now_ >= until) return true;
  expect(until);
  return false;
}

// Nobody waits for it: in words, or empty.
std::string Ranks::isOut(const Recipe::Stage& stage, const Workflow& flow, const Node& node) {
  if (node.lifecycle == Lifecycle::Quarantined || node.lifecycle == Lifecycle::Repair)
    return fmt::format("{} {}", node.serial, nameOf(node.lifecycle));
  // Where the recipe lets it go on with fewer, one dead machine does not hold the rack; but nobody takes for dry what does
  // not answer.
  if (!stage.atLeast || flow.guards || holds(flow, node)) return {};
  if (isSilentForLong(node)) return fmt::format("{} without contact", node.serial);
  const auto& last = lastRun(node.id, flow.name);
  return last && last->state == RunState::Cancelled ? fmt::format("{} cancelled", node.serial) : std::string{};
}

Standing Ranks::of(const Recipe::Stage& stage) {
  Standing out;
  out.wanted = recipe_.membersOf(stage);
  const auto& flow = *engine_.workflow(stage.workflow);
  std::optional<RunId> shared;
  for (const auto& node : nodes_) {
    if (!isOf(stage, node)) continue;
    if (auto why = isOut(stage, flow, node); !why.empty()) {
      out.out.push_back(std::move(why));
      continue;
    }
    out.members.push_back(&node);
    bool waits = !holds(flow, node);
    // What was shown of all together holds for all, or for none.
    if (const auto* mark = shown(node.id, flow.shows); mark && !waits && !flow.together.empty()) {
      waits = mark->run != shared.value_or(mark->run);
      shared = mark->run;
    }
    if (waits) out.waiting.push_back(&node);
  }
  if (!flow.together.empty() && (!out.waiting.empty() || out.passed() != out.wanted))
    out.waiting = out.members;
  return out;
}

std::string Ranks::keptBack(const Recipe::Stage& stage) const {
  if (!campaign_ || engine_.workflow(stage.workflow)->together.empty()) return {};
  return fmt::format("campaign {} ({}) is not done with every node here", campaign_->id.value,
                     nameOf(campaign_->state));
}

Missing Ranks::missing(const Recipe::Stage& stage, const Standing& standing, bool asked) {
  Missing out;
  const auto& flow = *engine_.workflow(stage.workflow);
  std::vector<Members> subjects;
  if (flow.together.empty())
    for (const auto* node : standing.waiting) subjects.push_back({node});
  else if (standing.members.size() == static_cast<std::size_t>(standing.wanted) && !standing.waiting.empty())
    subjects.push_back(standing.members);
  for (const auto& subject : subjects) {
    const auto members = static_cast<int>(subject.size());
    std::string why;
    switch (turnOf(flow, subject, asked, why)) {
      case Turn::Begins: out.starts.push_back(request(stage, subject)); break;
      case Turn::Runs: out.running += members; break;
      case Turn::Stopped:
        out.stopped += members;
        out.because.push_back(std::move(why));
        break;
    }
  }
  return out;
}

// A look must not repeat what a person has to decide, nor what ended the same way before: what failed, was cancelled or
// changed nothing is begun again only when what it was about is different since.
Ranks::Turn Ranks::turnOf(const Workflow& flow, const Members& subject, bool asked, std::string& why) {
  const Run* last = nullptr;
  for (const auto* node : subject) {
    if (store_.unfinishedRunOf(node->id)) return Turn::Runs;
    if (!flow.startsIn.empty() && !isIn(flow.startsIn, node->lifecycle)) {
      why = fmt::format("{} is {}", node->serial, nameOf(node->lifecycle));
      return Turn::Stopped;
    }
    const auto& run = lastRun(node->id, flow.name);
    if (run && (!last || run->id.value > last->id.value)) last = &*run;
  }
  if (asked || !last) return Turn::Begins;
  const bool moved = last->ended && std::any_of(subject.begin(), subject.end(), [&](const auto* node) {
                       return node->lifecycleSince > *last->ended;
                     });
  why = fmt::format("{}: run {} {}", subject.size() == 1 ? subject.front()->serial : "all", last->id.value,
                    nameOf(last->state));
  if (!isAbout(*last, subject)) return Turn::Begins;
  switch (last->state) {
    case RunState::Active:
    case RunState::Blocked: return Turn::Runs;
    case RunState::Cancelled: return Turn::Stopped;
    case RunState::Done: return moved || isBrokenSince(flow, subject, *last) ? Turn::Begins : Turn::Stopped;
    case RunState::Failed: break;
  }
  if (moved) return Turn::Begins;
  why += fmt::format(" ({})", last->waitsFor);
  return last->waitsFor == kKeptWaiting ? afterWaiting(subject, *last, why) : Turn::Stopped;
}

Ranks::Turn Ranks::afterWaiting(const Members& subject, const Run& last, std::string& why) {
  const auto again = *last.ended + kPause;
  if (now_ < again) {
    expect(again);
    return Turn::Stopped;
  }
  for (const auto* node : subject) {
    auto held = store_.heldBecause(node->id);
    if (held.empty() && node->unreachableSince) held = "no contact";
    if (held.empty()) continue;
    why += fmt::format("; {}: {}", node->serial, held);
    expect(now_ + kPause);
    return Turn::Stopped;
  }
  return Turn::Begins;
}

std::string Ranks::trouble() {
  for (const auto& node : nodes_) {
    if (store_.hasBlockingFinding(node.id))
      return fmt::format("a blocking finding is open on {} at {}", node.serial, node.place.path);
    if (isSilentForLong(node))
      return fmt::format("{} at {} has been without contact since {}", node.serial, node.place.path,
                         iso8601(*node.unreachableSince));
  }
  return {};
}

}  // namespace zellige
