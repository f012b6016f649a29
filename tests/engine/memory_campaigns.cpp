// What ops on campaigns do to the tables in memory: the rules of controller/store/apply_campaign.cpp, as far as the engine
// relies on them.
#include <algorithm>
#include <set>

#include "tests/engine/memory_store.hpp"

namespace zellige::test {

namespace {

CampaignMember* memberOf(Tables& t, CampaignId campaign, NodeId node) {
  for (auto& member : t.members[campaign])
    if (member.node == node) return &member;
  return nullptr;
}

Campaign* standing(Tables& t, CampaignId id, CampaignState from) {
  const auto it = t.campaigns.find(id);
  return it != t.campaigns.end() && it->second.state == from ? &it->second : nullptr;
}

bool isInAnother(Tables& t, CampaignId campaign) {
  for (const auto& [id, other] : t.campaigns)
    for (const auto& member : t.members[id])
      if (id != campaign && !other.isOver() && memberOf(t, campaign, member.node)) return true;
  return false;
}

const std::string& baselineOf(const Tables& t, NodeId node) {
  const auto& given = t.nodes.at(node).baseline;
  return given.empty() ? kOwnBaseline : given;
}

Error conflict() { return {Errc::Conflict, "it does not stand there any more"}; }

void move(Tables& t, Campaign& campaign, CampaignState to, const std::string& why, Time at) {
  campaign.state = to;
  campaign.why = why;
  campaign.since = at;
  t.events.push_back("campaign.state " + std::string(nameOf(to)));
}

}  // namespace

Result<std::int64_t> applyTo(Tables& t, Time at, const CreateCampaign& op) {
  const CampaignId id{static_cast<std::int64_t>(t.campaigns.size()) + 1};
  auto campaign = op.campaign;
  campaign.id = id;
  campaign.baselineDigest = t.baselines.at(campaign.baseline);
  campaign.created = campaign.since = at;
  std::vector<const Node*> nodes;
  for (const auto& [node, row] : t.nodes)
    if (row.kind == campaign.kind && row.place.isInside(campaign.place)) nodes.push_back(&row);
  if (nodes.empty()) return Error{Errc::Invalid, "it selects nothing"};
  std::sort(nodes.begin(), nodes.end(), [](auto* a, auto* b) { return a->place < b->place; });
  std::set<std::string> racks;
  for (const auto* node : nodes) {
    racks.insert(node->place.rack());
    CampaignMember member;
    member.campaign = id;
    member.ordinal = static_cast<int>(t.members[id].size());
    member.node = node->id;
    member.rack = node->place.rack();
    member.canary = static_cast<int>(racks.size()) <= campaign.canary;
    t.members[id].push_back(std::move(member));
  }
  t.campaigns[id] = std::move(campaign);
  return id.value;
}

Result<std::int64_t> applyTo(Tables& t, Time at, const MoveCampaign& op) {
  auto* campaign = standing(t, op.campaign, op.from);
  if (!campaign) return conflict();
  auto& members = t.members[op.campaign];
  if (op.from == CampaignState::Halted && op.to == CampaignState::Running) {
    campaign->forgiven = static_cast<int>(std::count_if(
        members.begin(), members.end(), [](const auto& m) { return m.state == MemberState::Failed; }));
    campaign->canaryWaived = std::none_of(members.begin(), members.end(), [](const auto& m) {
      return m.canary && (m.state == MemberState::Pending || m.state == MemberState::Running);
    });
  }
  for (auto& member : members)
    if (op.to == CampaignState::Cancelled &&
        (member.state == MemberState::Pending || member.state == MemberState::Running))
      member.state = MemberState::LeftOut;
  move(t, *campaign, op.to, op.why, at);
  return op.campaign.value;
}

Result<std::int64_t> applyTo(Tables& t, Time at, const TurnCampaign& op) {
  auto* campaign = standing(t, op.campaign, op.from);
  if (!campaign || campaign->goal == CampaignGoal::Back || isInAnother(t, op.campaign)) return conflict();
  for (auto& member : t.members[op.campaign]) {
    if (member.state == MemberState::Running) continue;
    const bool hasIt = member.begun && baselineOf(t, member.node) == campaign->baseline;
    member.state = hasIt && member.previous != campaign->baseline ? MemberState::Pending
                                                                  : MemberState::LeftOut;
  }
  campaign->goal = CampaignGoal::Back;
  campaign->forgiven = 0;
  move(t, *campaign, CampaignState::Running, op.why, at);
  return op.campaign.value;
}

Result<std::int64_t> applyTo(Tables& t, Time at, const RetryFailed& op) {
  auto* campaign = standing(t, op.campaign, op.from);
  if (!campaign || isInAnother(t, op.campaign)) return conflict();
  const bool back = campaign->goal == CampaignGoal::Back;
  for (auto& member : t.members[op.campaign])
    if (member.state == MemberState::Failed)
      member.state = back || baselineOf(t, member.node) == campaign->baseline ? MemberState::Pending
                                                                              : MemberState::LeftOut;
  campaign->forgiven = 0;
  move(t, *campaign, CampaignState::Running, op.why, at);
  return op.campaign.value;
}

Result<std::int64_t> applyTo(Tables& t, Time at, const BeginMember& op) {
  auto* member = memberOf(t, op.campaign, op.node);
  const auto* campaign = standing(t, op.campaign, CampaignState::Running);
  if (!campaign || !member || member->state != MemberState::Pending) return conflict();
  const bool forward = campaign->goal == CampaignGoal::Forward;
  if (op.baseline != (forward ? campaign->baseline : member->previous)) return conflict();
  const auto& digest = forward ? campaign->baselineDigest : member->previousDigest;
  if (!digest.empty() && t.baselines[op.baseline] != digest) return conflict();
  auto& node = t.nodes.at(op.node);
  if (!member->begun) {
    member->previous = baselineOf(t, op.node);
    member->previousDigest = t.baselines[member->previous];
  }
  member->begun = true;
  member->state = MemberState::Running;
  member->since = at;
  node.baseline = op.baseline;
  return op.campaign.value;
}

Result<std::int64_t> applyTo(Tables& t, Time at, const EndMember& op) {
  auto* member = memberOf(t, op.campaign, op.node);
  if (!member || member->state != op.from) return conflict();
  member->state = op.to;
  member->why = op.why;
  member->since = at;
  return op.campaign.value;
}

std::vector<Campaign> MemoryStore::openCampaigns() {
  std::vector<Campaign> out;
  for (const auto& [id, campaign] : tables_.campaigns)
    if (!campaign.isOver()) out.push_back(campaign);
  return out;
}

std::optional<Campaign> MemoryStore::campaign(CampaignId id) {
  const auto it = tables_.campaigns.find(id);
  return it == tables_.campaigns.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Campaign> MemoryStore::campaignOn(std::string_view rack) {
  for (const auto& [id, campaign] : tables_.campaigns)
    for (const auto& member : tables_.members[id])
      if (!campaign.isOver() && tables_.nodes.at(member.node).place.rack() == rack &&
          (member.state == MemberState::Pending || member.state == MemberState::Running))
        return campaign;
  return std::nullopt;
}

std::vector<CampaignMember> MemoryStore::campaignMembers(CampaignId id, int from, std::size_t limit) {
  std::vector<CampaignMember> out;
  for (const auto& member : tables_.members[id])
    if (member.ordinal >= from && out.size() < limit) out.push_back(member);
  return out;
}

std::optional<std::string> MemoryStore::baselineDigest(std::string_view name) {
  const auto it = tables_.baselines.find(name);
  return it == tables_.baselines.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace zellige::test
