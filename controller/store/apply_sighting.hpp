// What the network shows, inside the transaction: which address a BMC has, and which devices are on no manifest.
#pragma once

#include <set>

#include "controller/model/sighting.hpp"
#include "controller/store/events.hpp"

namespace zellige {

/// Unlisted devices that are kept. Whoever floods a DHCP server must not fill the disk.
inline constexpr std::int64_t kMostUnlisted = 10'000;

Result<SightingsTaken> applyLeases(Writing& writing, const std::vector<Lease>& leases);
/// What leases said against the manifest is over, but for these nodes.
Result<void> applyConflicts(Writing& writing, const std::set<NodeId>& conflicts);
Result<void> endConflict(Writing& writing, NodeId node, std::string why);
Result<SightingsTaken> applyAnswers(Writing& writing, const std::vector<Answer>& answers);

/// Whoever has this address by a lease, and is not `but`, has none from now on; one event each. Who that was.
std::vector<NodeId> takeFromLease(Writing& writing, const std::string& address, NodeId but,
                                  const std::string& why);
/// Unlisted devices that nodes turned out to be are none any more.
void dropListed(Writing& writing);
/// A node that is not retired has this address, for its BMC or its switch system.
bool someNodeIsAt(Connection& db, std::string_view address);
/// What "contains" searches look in, from the node's row.
void indexNodeText(Connection& db, NodeId node);

}  // namespace zellige
