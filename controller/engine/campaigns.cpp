#include "controller/engine/campaigns.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "controller/base/log.hpp"

namespace zellige {

namespace {

constexpr std::size_t kPage = 1'000;  // members looked at between two rounds of the event loop: about 10 ms
constexpr Duration kLookAgain = 5min;  // at nodes that could not begin: not all that lets them is told (a hold ends)
constexpr Duration kStalled = 10min;  // a run that cannot go on for so long is told of: a person may have to help

constexpr std::string_view kActor = "campaign ";  // who begins its runs, before the number

struct Outcome {
  MemberState state;
  std::string why;
};

// What became of the run that the campaign began on this node, or of whatever brought it to the baseline since.
Outcome outcomeOf(Store& store, const Workflow& flow, const Campaign& campaign, const CampaignMember& member) {
  const auto run = store.lastRunOf(member.node, flow.name);
  if (!run) return {MemberState::Pending, {}};
  if (run->unfinished()) return {MemberState::Running, {}};
  const auto target = store.target(run->target);
  const bool forward = target && target->baseline.name == campaign.baseline;
  if (forward && campaign.goal == CampaignGoal::Back) {  // it was under way when the campaign was turned
    if (member.previous == campaign.baseline) return {MemberState::LeftOut, "it had this baseline before"};
    return {MemberState::Pending, {}};
  }
  const auto& given = campaign.goal == CampaignGoal::Forward ? campaign.baseline : member.previous;
  if (!target || target->baseline.name != given)
    return {MemberState::LeftOut, fmt::format("run {} was about another baseline", run->id.value)};
  switch (run->state) {
    case RunState::Done: return {MemberState::Done, {}};
    case RunState::Cancelled:
      return {MemberState::LeftOut, fmt::format("run {} was cancelled", run->id.value)};
    default: return {MemberState::Failed, fmt::format("run {} failed in {}", run->id.value, run->step)};
  }
}

}  // namespace

struct Campaigns::Open {
  explicit Open(Campaign of) : row(std::move(of)), actor(fmt::format("{}{}", kActor, row.id.value)) {}
  Campaign row;
  const std::string actor;  ///< who does it, in the audit trail
  Cohort cohort;
  bool loaded = false, looking = false, again = false;
  std::set<NodeId> ended;  ///< members that were under way, and whose run may be over
  TimerId later = TimerId::None;

  /// What was going on is not so any more: somebody moved the campaign, or a node is to be judged first.
  bool isInterrupted() const { return !loaded || !ended.empty() || row.state != CampaignState::Running; }
};

Campaigns::Campaigns(Store& store, Engine& engine, Executor& executor)
    : store_(store), engine_(engine), executor_(executor) {}

Campaigns::~Campaigns() = default;

void Campaigns::start() {
  for (auto& row : store_.openCampaigns()) readAgain(row.id);
}

void Campaigns::look(const std::vector<NodeId>& nodes) {
  for (auto& [campaign, open] : open_)
    for (const auto id : nodes) {
      const bool isFree = open->cohort.isBusy(id) && !mayBeWritten(id);
      if (isFree) open->cohort.setBusy(id, false);
      const auto* member = open->cohort.find(id);
      const bool mayHaveEnded = member && member->state == MemberState::Running;
      if (mayHaveEnded) open->ended.insert(id);
      const auto node = store_.node(id);
      const bool mayBegin = node && open->cohort.lookAgainAt(node->place.rack());
      if (isFree || mayHaveEnded || mayBegin) lookAt(*open);
    }
}

void Campaigns::lookAgain() {
  for (auto& [id, open] : open_) {
    open->cohort.lookAgain();
    lookAt(*open);
  }
}

bool Campaigns::idle() const {
  return std::none_of(open_.begin(), open_.end(), [](const auto& it) { return it.second->looking; });
}

std::string Campaigns::waitsFor(CampaignId id) const {
  const auto it = open_.find(id);
  if (it == open_.end()) return {};
  const auto& open = *it->second;
  if (open.row.state != CampaignState::Running) return open.row.why;
  std::string first;
  int racks = 0;
  bool keepsWindow = false;
  for (const auto& rack : open.cohort.racks()) {
    auto why = stalledIn(open, rack);
    const bool keeps = !why.empty();
    if (!keeps && rack.pending > 0) why = rack.why;
    if (why.empty()) continue;
    if (racks++ == 0 || (keeps && !keepsWindow)) first = std::move(why);
    keepsWindow = keepsWindow || keeps;
  }
  if (racks < 2) return first;
  return fmt::format("{}; and so {} more rack{}", first, racks - 1, racks > 2 ? "s" : "");
}

// The first run in it that has not gone on for long. Whatever it was doing to its machine may still go on: the rack stays
// in the window until somebody has helped it, or cancelled it.
std::string Campaigns::stalledIn(const Open& open, const Cohort::Rack& rack) const {
  if (!rack.isOpen()) return {};
  for (const auto index : rack.members) {
    const auto& member = open.cohort.members()[index];
    if (open.cohort.isBusy(member.node))
      return fmt::format("{}: its last run is over, but what it began may still go on",
                         store_.node(member.node)->serial);
    if (member.state != MemberState::Running) continue;
    const auto stall = engine_.stalled(member.node);
    if (!stall || executor_.now() - stall->since < kStalled) continue;
    return fmt::format("{}: run {} cannot go on since {}: {}", store_.node(member.node)->serial,
                       stall->run.value, iso8601(stall->since), stall->why);
  }
  return {};
}

// What the rows say now, after somebody moved it.
void Campaigns::readAgain(CampaignId id) {
  auto row = store_.campaign(id);
  if (!row) return;
  auto& open = open_[id];
  if (!open) open = std::make_unique<Open>(*row);
  open->row = std::move(*row);
  if (engine_.mutation() == Mutation::OverAdmit) ++open->row.window;
  open->loaded = false;
  lookAt(*open);
}

void Campaigns::lookAt(Open& open) {
  open.again = true;
  if (!std::exchange(open.looking, true)) executor_.spawn(lookUntilSettled(open.row.id));
}

Task<void> Campaigns::lookUntilSettled(CampaignId id) {
  auto& open = *open_.at(id);
  while (std::exchange(open.again, false)) {
    if (!open.loaded) co_await load(open);
    co_await advance(open);
  }
  open.looking = false;
  const bool mayWait = open.row.state == CampaignState::Running && open.cohort.in(MemberState::Pending) > 0;
  if (!mayWait)
    executor_.cancel(std::exchange(open.later, TimerId::None));
  else if (open.later == TimerId::None)
    open.later = executor_.after(kLookAgain, [this, &open] {
      open.later = TimerId::None;
      open.cohort.lookAgain();
      lookAt(open);
    });
  if (open.row.isOver()) open_.erase(id);
}

Task<void> Campaigns::load(Open& open) {
  open.loaded = true;
  open.cohort.clear();
  open.ended.clear();
  for (int from = 0;;) {
    auto page = store_.campaignMembers(open.row.id, from, kPage);
    for (auto& member : page) {
      const auto node = member.node;
      const bool underWay = member.state == MemberState::Running;
      open.cohort.add(std::move(member));
      if (underWay)
        open.ended.insert(node);
      else if (mayBeWritten(node))
        open.cohort.setBusy(node, true);
    }
    if (page.size() < kPage) co_return;
    from = open.cohort.members().back().ordinal + 1;
    co_await sleepFor(executor_, Duration{1});
  }
}

Task<void> Campaigns::advance(Open& open) {
  co_await judgeEnded(open);
  if (open.isInterrupted()) co_return;
  auto tooMany = open.cohort.overBudget(open.row);
  if (!tooMany.empty()) {
    co_await move(open, CampaignState::Halted, std::move(tooMany));
  } else if (open.cohort.in(MemberState::Pending) + open.cohort.in(MemberState::Running) == 0) {
    co_await move(open, CampaignState::Done, {});
  } else {
    co_await beginMore(open);
  }
}

// By a run that has ended, but whose flash may go on, or by one of a campaign that was cancelled.
bool Campaigns::mayBeWritten(NodeId node) const {
  if (const auto run = store_.unfinishedRunOf(node)) return store_.run(*run)->startedBy.starts_with(kActor);
  return store_.lingers(node);
}

// It is durable that this member is over.
void Campaigns::endedAs(Open& open, NodeId node, MemberState state) {
  const auto* member = open.cohort.find(node);
  if (!member) return;  // its page is still to be read
  open.cohort.setBusy(node, mayBeWritten(node));
  open.cohort.set(node, state);
  const auto& rack = open.cohort.rackOf(*member);
  if (rack.isOver() && tellFreed_) tellFreed_(rack.place);
  lookAt(open);
}

Task<void> Campaigns::judgeEnded(Open& open) {
  const auto* flow = engine_.qualifying(open.row.kind);
  while (!open.ended.empty() && open.loaded) {
    const auto* member = open.cohort.find(*open.ended.begin());
    open.ended.erase(open.ended.begin());
    if (!member || member->state != MemberState::Running) continue;
    auto outcome = outcomeOf(store_, *flow, open.row, *member);
    if (outcome.state == MemberState::Running) continue;
    const auto node = member->node;
    Op op = EndMember{open.row.id, node, outcome.state, std::move(outcome.why)};
    const auto done = co_await commit(open.actor, std::move(op));
    if (done) endedAs(open, node, outcome.state);
  }
}

Task<void> Campaigns::beginMore(Open& open) {
  const auto& row = open.row;
  if (row.goal == CampaignGoal::Forward && store_.baselineDigest(row.baseline) != row.baselineDigest) {
    std::string why = fmt::format(
        "an import has changed the baseline {} since: cancel, and make a campaign of what it is now",
        row.baseline);
    co_await move(open, CampaignState::Halted, std::move(why));
    co_return;
  }
  std::size_t looked = 0;
  for (auto rack = open.cohort.nextRack(row, 0); rack < open.cohort.racks().size();
       rack = open.cohort.nextRack(row, rack)) {
    looked += open.cohort.racks()[rack].members.size();
    co_await beginIn(open, rack);
    if (open.isInterrupted()) co_return;
    if (!open.cohort.overBudget(row).empty()) {  // whom it left out may have been the last of the canary
      open.again = true;
      co_return;
    }
    if (looked < kPage) continue;
    looked = 0;
    co_await sleepFor(executor_, Duration{1});
    if (open.isInterrupted()) co_return;
  }
}

Task<void> Campaigns::beginIn(Open& open, std::size_t rack) {
  const auto& row = open.row;
  const auto& there = open.cohort.racks()[rack];
  const auto taken = takenIn(there.place);
  std::string first;
  open.cohort.beginLook(rack);
  for (const auto index : there.members) {
    const auto& member = open.cohort.members()[index];
    if (member.state != MemberState::Pending) continue;
    if (open.cohort.room(row, there) == 0) break;
    const auto node = store_.node(member.node);
    auto why = whyNot(*node);
    if (node->lifecycle == Lifecycle::Retired) {
      const auto left = co_await leaveOut(row.id, node->id, open.actor, why);
      if (left) why.clear();
    } else if (why.empty() && !taken.empty()) {
      why = taken;
    } else if (why.empty()) {
      StartRun request;
      request.workflow = engine_.qualifying(row.kind)->name;
      request.subject = {node->id};
      request.lane = Lane::Rollout;
      request.profile = node->profile;
      request.startedBy = open.actor;
      request.alongside.emplace_back(
          BeginMember{row.id, node->id, row.goal == CampaignGoal::Forward ? row.baseline : member.previous});
      const auto run = co_await engine_.start(std::move(request));
      if (run) open.cohort.set(node->id, MemberState::Running);
      if (!run) why = run.error().what;
    }
    if (!why.empty() && first.empty()) first = fmt::format("{}: {}", node->serial, why);
    if (!open.isInterrupted()) continue;
    open.cohort.lookAgainAt(there.place);
    co_return;
  }
  open.cohort.endLook(rack, std::move(first));
}

// One tray that is written takes the whole domain from its tenant: whoever has the rest must give it back first. Without
// a recipe, a rack is machines of their own.
std::string Campaigns::takenIn(const std::string& rack) const {
  if (!store_.rack(rack)) return {};
  for (const auto& node : store_.nodesOfRack(rack)) {
    if (node.lifecycle == Lifecycle::InService)
      return fmt::format("{} beside it is {}", node.serial, nameOf(node.lifecycle));
    if (node.lifecycle != Lifecycle::Retired && node.allocation != Allocation::Free)
      return fmt::format("{} beside it is {}", node.serial, nameOf(node.allocation));
  }
  return {};
}

// A run that would only wait would keep its rack in the window; and what is on its way already, or in somebody's hands, goes
// on by itself, on the baseline that it has.
std::string Campaigns::whyNot(const Node& node) const {
  if (node.lifecycle != Lifecycle::Available) return fmt::format("it is {}", nameOf(node.lifecycle));
  if (node.allocation != Allocation::Free) return fmt::format("it is {}", nameOf(node.allocation));
  if (const auto run = store_.unfinishedRunOf(node.id)) return fmt::format("run {} is under way", run->value);
  if (node.bmc.address.empty()) return "the address of its BMC is not known";
  if (node.unreachableSince)
    return fmt::format("it has been without contact since {}", iso8601(*node.unreachableSince));
  if (store_.hasBlockingFinding(node.id)) return "a blocking finding is open";
  if (!store_.armed(node.place)) return fmt::format("{} is not armed", node.place.rack());
  return store_.heldBecause(node.id);
}

Task<bool> Campaigns::move(Open& open, CampaignState to, std::string why) {
  Op op = MoveCampaign{open.row.id, open.row.state, to, why};
  const auto moved = co_await commit(open.actor, std::move(op));
  if (!moved) co_return false;
  open.row.state = to;
  open.row.why = std::move(why);
  co_return true;
}

Task<Result<void>> Campaigns::commit(std::string who, Op op) {
  Change change{executor_.now(), std::move(who), {}};
  change.ops.push_back(std::move(op));
  const auto receipt = co_await store_.commit(std::move(change));
  if (!receipt) co_return receipt.error();
  co_return Result<void>{};
}

}  // namespace zellige
