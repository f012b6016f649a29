#pragma once

#include "controller/base/id.hpp"

namespace zellige {

using NodeId = Id<struct NodeTag>;
using RunId = Id<struct RunTag>;
using FindingId = Id<struct FindingTag>;
using HoldId = Id<struct HoldTag>;
using CampaignId = Id<struct CampaignTag>;

}  // namespace zellige
