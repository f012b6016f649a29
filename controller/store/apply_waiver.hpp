// Waivers: granted and withdrawn by people, each with an event that says by whom and why.
#pragma once

#include "controller/model/waiver.hpp"
#include "controller/store/events.hpp"

namespace zellige {

Result<Waiver> applyGrantWaiver(Writing& writing, NodeId node, Time until, const std::string& reason);
Result<void> applyWithdrawWaiver(Writing& writing, NodeId node, const std::string& why);
/// Not withdrawn, of the nodes of this rack; by node.
std::vector<Waiver> findWaivers(Connection& db, std::string_view rack);

}  // namespace zellige
