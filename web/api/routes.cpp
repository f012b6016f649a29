#include "web/api/routes.hpp"

#include <algorithm>

#include "web/api/handlers.hpp"

namespace zellige::api {

namespace {

using Names = std::string_view[];
constexpr Names kNodeQuery = {"lifecycle", "place", "kind",   "contact", "health",
                              "q",         "sort",  "cursor", "limit"};
constexpr Names kRackQuery = {"state", "place", "cursor", "limit"};
constexpr Names kRunQuery = {"state", "workflow", "node", "cursor", "limit"};
constexpr Names kFindingQuery = {"state", "cause", "place", "node", "cursor", "limit"};
constexpr Names kEventQuery = {"after", "wait", "kind", "node", "place", "limit"};
constexpr Names kPageQuery = {"cursor", "limit"};
constexpr Names kTokenQuery = {"user"};
constexpr Names kReasonQuery = {"reason"};
constexpr Names kDryRunQuery = {"dry_run"};
constexpr Names kCampaignQuery = {"state", "cursor", "limit"};

constexpr Route kRoutes[] = {
    {"GET", "/api/v1/version", "getVersion", Level::Anyone, getVersion},
    {"GET", "/api/v1/openapi.yaml", "getOpenapi", Level::Anyone, getOpenapi, {}, Takes::Nothing, Gives::Yaml},
    {"GET", "/metrics", "getMetrics", Level::Viewer, getMetrics, {}, Takes::Nothing, Gives::Text},

    {"POST",
     "/api/v1/session",
     "createSession",
     Level::Anyone,
     createSession,
     {},
     Takes::Json,
     Gives::Json,
     4096,
     false},
    {"DELETE", "/api/v1/session", "deleteSession", Level::Viewer, deleteSession},
    {"GET", "/api/v1/users/me", "getMe", Level::Viewer, getMe},
    {"PUT", "/api/v1/users/me/password", "changePassword", Level::Viewer, changePassword, {}, Takes::Json},
    {"GET", "/api/v1/users", "listUsers", Level::Admin, listUsers},
    {"POST", "/api/v1/users", "createUser", Level::Admin, createUser, {}, Takes::Json, Gives::Json, 64u << 10, false},
    {"GET", "/api/v1/tokens", "listTokens", Level::Viewer, listTokens, kTokenQuery},
    {"POST", "/api/v1/tokens", "createToken", Level::Viewer, createToken, {}, Takes::Json, Gives::Json, 4096, false},
    {"DELETE", "/api/v1/tokens/{id}", "revokeToken", Level::Viewer, revokeToken, kReasonQuery},

    {"GET", "/api/v1/nodes", "listNodes", Level::Viewer, listNodes, kNodeQuery},
    {"GET", "/api/v1/nodes/{serial}", "getNode", Level::Viewer, getNode},
    {"POST", "/api/v1/nodes/{serial}/lifecycle", "moveNode", Level::Operator, moveNode, {}, Takes::Json},
    {"POST", "/api/v1/nodes/{serial}/runs", "startRun", Level::Operator, startRun, {}, Takes::Json},
    {"POST",
     "/api/v1/nodes/{serial}/certificate",
     "acceptCertificate",
     Level::Operator,
     acceptCertificate,
     {},
     Takes::Json},
    {"GET", "/api/v1/nodes/{serial}/holds", "listHolds", Level::Viewer, listHolds},
    {"POST", "/api/v1/nodes/{serial}/holds", "createHold", Level::Technician, createHold, {}, Takes::Json},
    {"DELETE", "/api/v1/nodes/{serial}/holds/{id}", "releaseHold", Level::Technician, releaseHold,
     kReasonQuery},

    {"GET", "/api/v1/racks", "listRacks", Level::Viewer, listRacks, kRackQuery},
    {"GET", "/api/v1/racks/{hall}/{row}/{rack}", "getRack", Level::Viewer, getRack},
    {"POST",
     "/api/v1/racks/{hall}/{row}/{rack}/bring-up",
     "bringUpRack",
     Level::Operator,
     bringUpRack,
     {},
     Takes::Json},

    {"GET", "/api/v1/campaigns", "listCampaigns", Level::Viewer, listCampaigns, kCampaignQuery},
    {"POST", "/api/v1/campaigns", "createCampaign", Level::Operator, createCampaign, kDryRunQuery, Takes::Json},
    {"GET", "/api/v1/campaigns/{id}", "getCampaign", Level::Viewer, getCampaign},
    {"GET", "/api/v1/campaigns/{id}/members", "listCampaignMembers", Level::Viewer, listCampaignMembers,
     kCampaignQuery},
    {"POST", "/api/v1/campaigns/{id}/pause", "pauseCampaign", Level::Operator, pauseCampaign, {}, Takes::Json},
    {"POST", "/api/v1/campaigns/{id}/resume", "resumeCampaign", Level::Operator, resumeCampaign, {}, Takes::Json},
    {"POST", "/api/v1/campaigns/{id}/halt", "haltCampaign", Level::Operator, haltCampaign, {}, Takes::Json},
    {"POST", "/api/v1/campaigns/{id}/cancel", "cancelCampaign", Level::Operator, cancelCampaign, {}, Takes::Json},
    {"POST", "/api/v1/campaigns/{id}/retry", "retryCampaign", Level::Operator, retryCampaign, {}, Takes::Json},
    {"POST",
     "/api/v1/campaigns/{id}/rollback",
     "rollBackCampaign",
     Level::Operator,
     rollBackCampaign,
     {},
     Takes::Json},
    {"POST",
     "/api/v1/campaigns/{id}/members/{serial}/leave-out",
     "leaveOutMember",
     Level::Operator,
     leaveOutMember,
     {},
     Takes::Json},

    {"GET", "/api/v1/runs", "listRuns", Level::Viewer, listRuns, kRunQuery},
    {"GET", "/api/v1/runs/{id}", "getRun", Level::Viewer, getRun},
    {"POST", "/api/v1/runs/{id}/cancel", "cancelRun", Level::Operator, cancelRun, {}, Takes::Json},
    {"POST", "/api/v1/runs/{id}/retry", "retryRun", Level::Operator, retryRun, {}, Takes::Json},

    {"GET", "/api/v1/findings", "listFindings", Level::Viewer, listFindings, kFindingQuery},
    {"GET", "/api/v1/findings/{id}", "getFinding", Level::Viewer, getFinding},
    {"POST", "/api/v1/findings/{id}/resolve", "resolveFinding", Level::Operator, resolveFinding, {}, Takes::Json},

    {"GET", "/api/v1/events", "listEvents", Level::Viewer, listEvents, kEventQuery},

    {"GET", "/api/v1/site", "getSite", Level::Viewer, getSite},
    {"POST", "/api/v1/site/arm", "armPlace", Level::Operator, armPlace, {}, Takes::Json},
    {"POST", "/api/v1/site/disarm", "disarmPlace", Level::Operator, disarmPlace, {}, Takes::Json},

    {"POST", "/api/v1/backups", "createBackup", Level::Admin, createBackup, {}, Takes::Json},
    {"DELETE", "/api/v1/backups/{id}", "deleteBackup", Level::Admin, deleteBackup},
    {"GET",
     "/api/v1/backups/{id}/parts/{n}",
     "getBackupPart",
     Level::Admin,
     getBackupPart,
     {},
     Takes::Nothing,
     Gives::Bytes},
    {"GET", "/api/v1/unlisted", "listUnlisted", Level::Viewer, listUnlisted, kPageQuery},
    {"GET", "/api/v1/scan", "getScan", Level::Viewer, getScan},
    {"POST", "/api/v1/scan", "startScan", Level::Operator, startScan, {}, Takes::Json},
    {"DELETE", "/api/v1/scan", "stopScan", Level::Operator, stopScan},

    {"GET", "/api/v1/files/{digest}", "getFile", Level::Viewer, getFile},
    {"PUT", "/api/v1/files/{digest}", "putFile", Level::Operator, putFile, {}, Takes::Bytes, Gives::Json, 8u << 20},
    {"POST", "/api/v1/import", "importBundle", Level::Operator, importBundle, kDryRunQuery, Takes::Json,
     Gives::Json, 80u << 20},
};

std::string_view firstSegment(std::string_view& rest) {
  const auto cut = rest.find('/');
  const auto segment = rest.substr(0, cut);
  rest = cut == std::string_view::npos ? std::string_view{} : rest.substr(cut + 1);
  return segment;
}

bool fits(std::string_view path, std::string_view wanted, std::vector<std::string>& values) {
  values.clear();
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  wanted.remove_prefix(1);
  if (std::count(path.begin(), path.end(), '/') != std::count(wanted.begin(), wanted.end(), '/'))
    return false;
  for (;;) {
    const auto segment = firstSegment(path), pattern = firstSegment(wanted);
    if (pattern.starts_with('{')) {
      auto value = decodePercent(segment, false);
      if (!value || value->empty() || value->size() > 200) return false;
      values.push_back(std::move(*value));
    } else if (segment != pattern) {
      return false;
    }
    if (wanted.empty()) return path.empty();
  }
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Found findRoute(std::string_view method, std::string_view path) {
  Found found;
  std::vector<std::string> values;
  for (const auto& route : kRoutes) {
    if (!fits(path, route.path, values)) continue;
    if (route.method == method || (method == "HEAD" && route.method == "GET")) {
      found.route = &route;
      found.values = values;
    }
    found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") found.allowed += ", HEAD";
  }
  return found;
}

}  // namespace zellige::api
