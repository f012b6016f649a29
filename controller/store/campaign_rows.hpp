// Rows of campaigns, of their members, and of the baselines that they bring.
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
    "forgiven, state, goal, why, created_by, created, since, canary_waived";
Campaign readCampaign(const Query& row);

inline constexpr std::string_view kMemberColumns =
    "campaign, ordinal, node, rack, canary, state, begun, previous, previous_digest, why, since";
CampaignMember readMember(const Query& row);

std::optional<Campaign> findCampaign(Connection& db, CampaignId id);
std::map<MemberState, std::int64_t> countMembers(Connection& db, CampaignId id);

struct CatalogBaseline {
  Baseline baseline;
  std::string digest;
};
std::optional<CatalogBaseline> findBaseline(Connection& db, std::string_view name);
/// Of the catalogue's document; nullopt: there is no such baseline.
std::optional<std::string> findBaselineDigest(Connection& db, std::string_view name);
/// The baseline that a node of this profile has without a campaign; empty: there is no such profile.
std::string baselineOfProfile(Connection& db, std::string_view profile);

}  // namespace zellige
