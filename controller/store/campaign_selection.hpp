// Which nodes a campaign takes, in which order, and when it is refused before any of them is touched.
#pragma once

#include <string>
#include <vector>

#include "controller/base/result.hpp"
#include "controller/model/campaign.hpp"
#include "controller/store/campaign_rows.hpp"
#include "controller/store/connection.hpp"

namespace zellige {

struct Selected {
  NodeId node;
  std::string rack;
  bool canary = false;
};
struct Selection {
  CatalogBaseline baseline;
  std::vector<Selected>
      members;  ///< in the order in which they are taken: the canary's racks first, spread over those that can begin
  int racks = 0;
};
/// Who would be in it, or why it can never end well: Errors as CreateCampaign has.
Result<Selection> selectMembers(Connection& db, const Campaign& wanted);

/// Why nobody may take these nodes up again: one of them is in another campaign that is not over; empty: they may.
std::string whyNotAgain(Connection& db, CampaignId campaign);
/// Why a node could not be brought back to this baseline; empty: it could.
std::string whyNotBackTo(Connection& db, const std::string& baseline);
/// Why the baselines that its members had before cannot be gone back to; empty: they can.
std::string whyNotBack(Connection& db, const Campaign& campaign);

}  // namespace zellige
