// What people do through the API, inside the transaction.
#pragma once

#include "controller/store/events.hpp"

namespace zellige {

Result<void> applyArm(Writing& writing, const std::string& place, const std::string& why);
Result<void> applyDisarm(Writing& writing, const std::string& place, const std::string& why);
Result<HoldId> applyAddHold(Writing& writing, const Hold& hold, const std::string& why);
Result<void> applyReleaseHold(Writing& writing, HoldId hold, const std::string& why, bool mayReleaseLocks);
Result<void> applyCreateUser(Writing& writing, const User& user, const std::string& why);
Result<void> applyChangeUser(Writing& writing, const User& user, TokenId keep, const std::string& why);
Result<TokenId> applyCreateToken(Writing& writing, const ApiToken& token, const std::string& why);
Result<void> applyRevokeToken(Writing& writing, TokenId token, const std::string& why);
Result<void> applyAcceptCertificate(Writing& writing, NodeId node, const std::string& why);
Result<void> applyBackup(Writing& writing, const std::string& sha256, const std::string& why);
Result<Removed> applyRetention(Writing& writing, const KeptSince& keptSince, std::int64_t most,
                               const std::string& why);
Result<void> applyIdempotentReply(Writing& writing, const IdempotentReply& reply);

std::optional<User> findUser(Connection& db, std::string_view name);
std::string encodeGrants(const std::vector<RoleGrant>& grants);

}  // namespace zellige
