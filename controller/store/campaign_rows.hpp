// Rows of campaigns, and how a selection is made of the nodes that are there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/result.hpp"
#include "controller/model/campaign.hpp"
#include "controller/model/catalog.hpp"
#include "controller/store/connection.hpp"

namespace zellige {

inline constexpr std::string_view kCampaignColumns =
    "id, name, baseline, baseline_digest, kind, place, profile, window, per_rack, canary, failure_budget, "
    "forgiven, "
    "state, goal, why, created_by, created, since";
Campaign readCampaign(const Query& row);

inline constexpr std::string_view kMemberColumns =
    "campaign, ordinal, node, rack, canary, state, begun, previous, why, since";
CampaignMember readMember(const Query& row);

std::optional<Campaign> findCampaign(Connection& db, CampaignId id);
std::map<MemberState, std::int64_t> countMembers(Connection& db, CampaignId id);

struct CatalogBaseline {
  Baseline baseline;
  std::string digest;
};
std::optional<CatalogBaseline> findBaseline(Connection& db, std::string_view name);
/// The baseline that a node of this profile has without a campaign; empty: there is no such profile.
std::string baselineOfProfile(Connection& db, std::string_view profile);

struct Selected {
  NodeId node;
  std::string rack;
  bool canary = false;
};
struct Selection {
  CatalogBaseline baseline;
  std::vector<Selected> members;  ///< in the order in which they are taken: the canary's racks, spread over all, first
  int racks = 0;
};
/// Who would be in it, or why it can never end well: Errors as CreateCampaign has.
Result<Selection> selectMembers(Connection& db, const Campaign& wanted);

/// Why a node could not be brought back to this baseline; empty: it could.
std::string whyNotBackTo(Connection& db, const std::string& baseline);
/// Why the baselines that its members had before cannot be gone back to; empty: they can.
std::string whyNotBack(Connection& db, const Campaign& campaign);

}  // namespace zellige
