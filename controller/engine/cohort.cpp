#include "controller/engine/cohort.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige {

void Cohort::add(CampaignMember member) {
  const auto [rack, isNew] = rackOf_.emplace(member.rack, racks_.size());
  if (isNew) racks_.push_back({.place = member.rack, .canary = member.canary});
  const auto index = members_.size();
  byNode_[member.node] = index;
  racks_[rack->second].members.push_back(index);
  members_.push_back(std::move(member));
  count(members_.back(), 1);
}

const CampaignMember* Cohort::find(NodeId node) const {
  const auto it = byNode_.find(node);
  return it == byNode_.end() ? nullptr : &members_[it->second];
}

void Cohort::count(const CampaignMember& member, int change) {
  const auto state = static_cast<std::size_t>(member.state);
  counts_[state] += change;
  if (member.canary) canaryCounts_[state] += change;
  auto& rack = racks_[rackOf_.at(member.rack)];
  const bool wasOpen = rack.isOpen();
  if (member.state == MemberState::Pending) rack.pending += change;
  if (member.state == MemberState::Running) rack.running += change;
  open_ += static_cast<int>(rack.isOpen()) - static_cast<int>(wasOpen);
}

void Cohort::set(NodeId node, MemberState state) {
  auto& member = members_[byNode_.at(node)];
  count(member, -1);
  if (member.state == MemberState::Running) racks_[rackOf_.at(member.rack)].looked = false;
  member.state = state;
  count(member, 1);
}

void Cohort::setBusy(NodeId node, bool busy) {
  if (busy == isBusy(node)) return;
  auto& rack = racks_[rackOf_.at(find(node)->rack)];
  const bool wasOpen = rack.isOpen();
  busy ? (void)busy_.insert(node) : (void)busy_.erase(node);
  rack.busy += busy ? 1 : -1;
  open_ += static_cast<int>(rack.isOpen()) - static_cast<int>(wasOpen);
}

void Cohort::lookAgain() {
  for (auto& rack : racks_) rack.looked = false;
}

bool Cohort::lookAgainAt(const std::string& rack) {
  const auto it = rackOf_.find(rack);
  if (it == rackOf_.end() || racks_[it->second].pending == 0) return false;
  racks_[it->second].looked = false;
  return true;
}

int Cohort::room(const Campaign& campaign, const Rack& rack) const {
  const int most = campaign.perRack > 0 ? campaign.perRack - rack.running : rack.pending;
  return std::clamp(most, 0, rack.pending);
}

std::size_t Cohort::nextRack(const Campaign& campaign, std::size_t from) const {
  for (auto i = from; i < racks_.size(); ++i) {
    const auto& rack = racks_[i];
    if (rack.looked || room(campaign, rack) == 0) continue;
    if (!rack.canary && !canaryIsOver()) continue;
    if (rack.isOpen() || open_ < campaign.window) return i;
  }
  return racks_.size();
}

std::string Cohort::overBudget(const Campaign& campaign) const {
  const int failed = in(MemberState::Failed), inCanary = canaryIn(MemberState::Failed);
  if (inCanary > campaign.forgiven)
    return fmt::format("{} of {} nodes of the canary failed", inCanary - campaign.forgiven,
                       inCanary + canaryIn(MemberState::Done) + canaryIn(MemberState::Running) +
                           canaryIn(MemberState::Pending));
  if (failed - campaign.forgiven > campaign.failureBudget)
    return fmt::format("{} nodes failed; the budget is {}", failed - campaign.forgiven,
                       campaign.failureBudget);
  const bool showsNothing = canaryIsOver() && canaryIn(MemberState::LeftOut) > 0 &&
                            canaryIn(MemberState::Done) == 0 && in(MemberState::Pending) > 0;
  if (showsNothing && campaign.goal == CampaignGoal::Forward && !campaign.canaryWaived)
    return "no node of the canary got the baseline: nothing is known of it; resume goes on all the same";
  return {};
}

}  // namespace zellige
