// What each op of a Change does to the tables, which rules it checks inside the transaction, and which event it leaves.
// One function per op, in apply_*.cpp by what they are about.
#pragma once

#include "controller/engine/store.hpp"
#include "controller/store/events.hpp"

namespace zellige {

/// All of it, or an Error; the caller then rolls back.
Result<Receipt> applyChange(Writing& writing, const Change& change);

/// The id of the row it inserted or updated; 0 where there is none.
Result<std::int64_t> apply(Writing& writing, const SaveRun& op);
Result<std::int64_t> apply(Writing& writing, const EndLinger& op);
Result<std::int64_t> apply(Writing& writing, const MoveLifecycle& op);
Result<std::int64_t> apply(Writing& writing, const MoveRack& op);
Result<std::int64_t> apply(Writing& writing, const CreateCampaign& op);
Result<std::int64_t> apply(Writing& writing, const MoveCampaign& op);
Result<std::int64_t> apply(Writing& writing, const TurnCampaign& op);
Result<std::int64_t> apply(Writing& writing, const RetryFailed& op);
Result<std::int64_t> apply(Writing& writing, const BeginMember& op);
Result<std::int64_t> apply(Writing& writing, const EndMember& op);
Result<std::int64_t> apply(Writing& writing, const SetContact& op);
Result<std::int64_t> apply(Writing& writing, const SetHealth& op);
Result<std::int64_t> apply(Writing& writing, const SetAllocation& op);
Result<std::int64_t> apply(Writing& writing, const SetScheduling& op);
Result<std::int64_t> apply(Writing& writing, const RaiseFinding& op);
Result<std::int64_t> apply(Writing& writing, const ResolveFindings& op);
Result<std::int64_t> apply(Writing& writing, const PutInventory& op);
Result<std::int64_t> apply(Writing& writing, const PutFirmware& op);
Result<std::int64_t> apply(Writing& writing, const PutEvidence& op);
Result<std::int64_t> apply(Writing& writing, const InvalidateEvidence& op);
Result<std::int64_t> apply(Writing& writing, const PutOrder& op);
Result<std::int64_t> apply(Writing& writing, const PutReport& op);

Result<void> applyAccess(Writing& writing, AccessKey key, const BmcAccess& access);
Result<BmcAccess> findAccess(Connection& db, const SecretBox& box, AccessKey key);
std::optional<AgentOrder> findOrder(Connection& db, const SecretBox& box, NodeId node);

/// Marks valid evidence of the node invalid where `gone` says so of one of its dependencies; one event each.
void invalidateEvidence(Writing& writing, NodeId node, const std::string& why,
                        const std::function<bool(const std::string&)>& gone);

inline Error noSuchNode(NodeId id) {
  return {Errc::NotFound, "there is no node " + std::to_string(id.value)};
}

}  // namespace zellige
