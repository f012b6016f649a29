// What people may ask of a campaign, and in which states.
#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "controller/engine/campaigns.hpp"

namespace zellige {

namespace {

using enum CampaignState;
constexpr CampaignState kRunning[] = {Running};
constexpr CampaignState kStopped[] = {Paused, Halted};
constexpr CampaignState kNotHalted[] = {Running, Paused};
constexpr CampaignState kNotOver[] = {Running, Paused, Halted};
constexpr CampaignState kNotCancelled[] = {Running, Paused, Halted, Done};

struct Rule {
  CampaignMove move;
  std::string_view done;
  std::span<const CampaignState> from;
};
constexpr Rule kRules[] = {
    {CampaignMove::Pause, "paused", kRunning},
    {CampaignMove::Resume, "resumed", kStopped},
    {CampaignMove::Halt, "halted", kNotHalted},
    {CampaignMove::Cancel, "cancelled", kNotOver},
    {CampaignMove::Retry, "tried again", kNotCancelled},
    {CampaignMove::RollBack, "rolled back", kNotCancelled},
};

Op opOf(CampaignMove move, const Campaign& row, std::string why) {
  switch (move) {
    case CampaignMove::Pause: return MoveCampaign{row.id, row.state, Paused, std::move(why)};
    case CampaignMove::Resume: return MoveCampaign{row.id, row.state, Running, std::move(why)};
    case CampaignMove::Halt: return MoveCampaign{row.id, row.state, Halted, std::move(why)};
    case CampaignMove::Cancel: return MoveCampaign{row.id, row.state, Cancelled, std::move(why)};
    case CampaignMove::Retry: return RetryFailed{row.id, row.state, std::move(why)};
    case CampaignMove::RollBack: break;
  }
  return TurnCampaign{row.id, row.state, std::move(why)};
}

}  // namespace

Task<Result<CampaignId>> Campaigns::create(Campaign campaign, std::string who) {
  if (!engine_.qualifying(campaign.kind))
    co_return Error{Errc::Invalid, fmt::format("nothing brings a {} to a baseline", nameOf(campaign.kind))};
  Change change{executor_.now(), std::move(who), {}};
  change.ops.emplace_back(CreateCampaign{std::move(campaign)});
  const auto receipt = co_await store_.commit(std::move(change));
  if (!receipt) co_return receipt.error();
  const CampaignId id{receipt->ids.back()};
  readAgain(id);
  co_return id;
}

Task<Result<void>> Campaigns::ask(CampaignId id, CampaignMove move, std::string who, std::string why) {
  const auto row = store_.campaign(id);
  if (!row) co_return Error{Errc::NotFound, fmt::format("there is no campaign {}", id.value)};
  const auto& rule = *std::find_if(std::begin(kRules), std::end(kRules),
                                   [&](const Rule& r) { return r.move == move; });
  if (std::find(rule.from.begin(), rule.from.end(), row->state) == rule.from.end())
    co_return Error{Errc::Conflict, fmt::format("campaign {} is {}: it cannot be {}", id.value,
                                                nameOf(row->state), rule.done)};
  auto op = opOf(move, *row, std::move(why));
  const auto done = co_await commit(std::move(who), std::move(op));
  readAgain(id);
  const bool lets = move == CampaignMove::Cancel || move == CampaignMove::RollBack;
  if (done && lets && tellFreed_) tellFreed_(row->place);
  co_return done;
}

Task<Result<void>> Campaigns::leaveOut(CampaignId id, NodeId node, std::string who, std::string why) {
  Op op = EndMember{id, node, MemberState::LeftOut, std::move(why), MemberState::Pending};
  const auto left = co_await commit(std::move(who), std::move(op));
  const auto it = open_.find(id);
  if (left && it != open_.end()) endedAs(*it->second, node, MemberState::LeftOut);
  co_return left;
}

}  // namespace zellige
