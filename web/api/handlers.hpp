// Every operation's handler. What each takes and answers is in openapi.yaml.
#pragma once

#include <filesystem>

#include "controller/base/task.hpp"
#include "web/api/call.hpp"
#include "web/api/services.hpp"

namespace zellige::api {

// about.cpp
Task<HttpReply> getVersion(Services& services, Call call);
Task<HttpReply> getOpenapi(Services& services, Call call);
Task<HttpReply> getMetrics(Services& services, Call call);
// session.cpp
Task<HttpReply> createSession(Services& services, Call call);
Task<HttpReply> deleteSession(Services& services, Call call);
// users.cpp
Task<HttpReply> getMe(Services& services, Call call);
Task<HttpReply> changePassword(Services& services, Call call);
Task<HttpReply> listUsers(Services& services, Call call);
Task<HttpReply> createUser(Services& services, Call call);
// api_tokens.cpp
Task<HttpReply> listTokens(Services& services, Call call);
Task<HttpReply> createToken(Services& services, Call call);
Task<HttpReply> revokeToken(Services& services, Call call);
// nodes.cpp
Task<HttpReply> listNodes(Services& services, Call call);
Task<HttpReply> getNode(Services& services, Call call);
Task<HttpReply> moveNode(Services& services, Call call);
Task<HttpReply> startRun(Services& services, Call call);
Task<HttpReply> acceptCertificate(Services& services, Call call);
// campaigns.cpp
Task<HttpReply> listCampaigns(Services& services, Call call);
Task<HttpReply> createCampaign(Services& services, Call call);
Task<HttpReply> getCampaign(Services& services, Call call);
Task<HttpReply> listCampaignMembers(Services& services, Call call);
Task<HttpReply> pauseCampaign(Services& services, Call call);
Task<HttpReply> resumeCampaign(Services& services, Call call);
Task<HttpReply> haltCampaign(Services& services, Call call);
Task<HttpReply> cancelCampaign(Services& services, Call call);
Task<HttpReply> retryCampaign(Services& services, Call call);
Task<HttpReply> rollBackCampaign(Services& services, Call call);
Task<HttpReply> leaveOutMember(Services& services, Call call);
// holds.cpp
Task<HttpReply> listHolds(Services& services, Call call);
Task<HttpReply> createHold(Services& services, Call call);
Task<HttpReply> releaseHold(Services& services, Call call);
// racks.cpp
Task<HttpReply> listRacks(Services& services, Call call);
Task<HttpReply> getRack(Services& services, Call call);
Task<HttpReply> bringUpRack(Services& services, Call call);
// runs.cpp
Task<HttpReply> listRuns(Services& services, Call call);
Task<HttpReply> getRun(Services& services, Call call);
Task<HttpReply> cancelRun(Services& services, Call call);
Task<HttpReply> retryRun(Services& services, Call call);
// findings.cpp
Task<HttpReply> listFindings(Services& services, Call call);
Task<HttpReply> getFinding(Services& services, Call call);
Task<HttpReply> resolveFinding(Services& services, Call call);
// events.cpp
Task<HttpReply> listEvents(Services& services, Call call);
// site.cpp
Task<HttpReply> getSite(Services& services, Call call);
Task<HttpReply> armPlace(Services& services, Call call);
Task<HttpReply> disarmPlace(Services& services, Call call);
// backups.cpp
Task<HttpReply> createBackup(Services& services, Call call);
Task<HttpReply> deleteBackup(Services& services, Call call);
Task<HttpReply> getBackupPart(Services& services, Call call);
// sightings.cpp
Task<HttpReply> listUnlisted(Services& services, Call call);
Task<HttpReply> getScan(Services& services, Call call);
Task<HttpReply> startScan(Services& services, Call call);
Task<HttpReply> stopScan(Services& services, Call call);
// files.cpp
Task<HttpReply> getFile(Services& services, Call call);
Task<HttpReply> putFile(Services& services, Call call);
// import.cpp
Task<HttpReply> importBundle(Services& services, Call call);
/// What a process that was killed during an import left behind, factory passwords in it: in memory, or in `otherwise`.
void removeUnfinishedImports(const std::filesystem::path& otherwise);

}  // namespace zellige::api
