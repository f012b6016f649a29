#include "drivers/simulator/server.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "drivers/simulator/reply.hpp"
#include "drivers/simulator/tree.hpp"

namespace zellige::sim::server {

namespace {

constexpr std::string_view kSessionsPath = "/redfish/v1/SessionService/Sessions";
constexpr std::string_view kOwnAccount = "/redfish/v1/AccountService/Accounts/root";
constexpr std::string_view kPushPath = "/redfish/v1/UpdateService/update";  // and update-multipart
constexpr Seconds kSessionTimeout{1800};                                    // FACTS 7
constexpr int kLockoutTries = 10;                                           // FACTS 7: 10/600
constexpr Seconds kLockout{600};
constexpr std::size_t kMaxBody = 1u << 20;  // est; pushes have their own limit
constexpr int kMaxExpandLevels = 6;         // ProtocolFeaturesSupported of the recorded root
constexpr int kFaultRetryAfter = 5;         // est

/// Who is asking.
enum class Caller { Nobody, Root };

void lock(const World& w, Machine& m) {
  m.lockedUntil = w.now() + kLockout;
  m.wrongPasswords = m.lockedPasswords = 0;
}

bool rightPassword(World& w, Machine& m, std::string_view user, std::string_view password) {
  if (w.now() < m.lockedUntil) {  // nobody compares it
    w.ledger.countLockedPassword(m.id, ++m.lockedPasswords);
    return false;
  }
  if (w.now() - m.lastWrongPassword > kLockout) m.wrongPasswords = 0;
  if (user == "root" && password == m.password) {
    m.wrongPasswords = 0;
    return true;
  }
  w.ledger.countRefusedPassword(m.id);
  m.lastWrongPassword = w.now();
  if (++m.wrongPasswords >= kLockoutTries) lock(w, m);
  return false;
}

void dropExpired(const World& w, Machine& m) {
  for (auto& s : m.sessions)
    if (s.token != 0 && w.now() - s.used > kSessionTimeout) s = {};
}

std::string tokenText(const Session& s) { return fmt::format("{:016x}{:04x}", s.token, s.token % 9973); }

Caller callerOf(World& w, Machine& m, const HttpRequest& request) {
  if (const auto token = request.headers.get("X-Auth-Token"); !token.empty()) {
    for (auto& s : m.sessions) {
      if (s.token == 0 || tokenText(s) != token) continue;
      s.used = w.now();
      return Caller::Root;
    }
    return Caller::Nobody;
  }
  constexpr std::string_view kBasic = "Basic ";
  const auto header = request.headers.get("Authorization");
  if (!header.starts_with(kBasic)) return Caller::Nobody;
  const auto pair = fromBase64(header.substr(kBasic.size()));
  if (!pair) return Caller::Nobody;
  const auto colon = pair->find(':');
  if (colon == std::string::npos) return Caller::Nobody;
  return rightPassword(w, m, pair->substr(0, colon), pair->substr(colon + 1)) ? Caller::Root : Caller::Nobody;
}

HttpReply unauthorized() {
  return errorReply(401, "InsufficientPrivilege",
                    "There are insufficient privileges for the account or credentials associated with the "
                    "current session.");
}

HttpReply passwordChangeRequired(World& w, Machine& m) {
  if (w.fires(m, FaultKind::PasswordXhtml)) {
    HttpReply reply{
        403,
        {},
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n"
        "<html xmlns=\"http://www.w3.org/1999/xhtml\">\n <head><title>403 - Forbidden</title></head>\n"
        " <body><h1>403 - Forbidden</h1></body>\n</html>\n"};
    reply.headers.add("Content-Type", "text/html");
    return reply;
  }
  return errorReply(
      403, "PasswordChangeRequired",
      "The password provided for this account must be changed before access is granted. PATCH the "
      "Password property for this account located at /redfish/v1/AccountService/Accounts/root.");
}

HttpReply busyInPlainText() {
  HttpReply reply{503, {}, "Service Unavailable\r\n"};
  reply.headers.add("Content-Type", "text/plain");
  return reply;
}

// Fault 3: whatever resource is asked for when it begins.
bool fails(World& w, Machine& m, std::string_view path) {
  if (w.now() < m.failsUntil) return path == m.failingPath;
  if (!w.fires(m, FaultKind::FailingResource)) return false;
  m.failingPath = path;
  m.failsUntil = w.now() + w.between(m, w.times().failingMin, w.times().failingMax);
  return true;
}

// --- Sessions

// Fault 6: whatever opened them has forgotten them, and they end at their timeout.
void leakSessions(World& w, Machine& m) {
  const auto ago = w.between(m, w.times().leakedMin, w.times().leakedMax);
  for (std::size_t i = 0; i < m.sessions.size(); ++i)
    if (m.sessions[i].token == 0)
      m.sessions[i] = {w.identity(m).number(fmt::format("leaked session {}", i)) | 1, w.now() - ago};
}

HttpReply openSession(World& w, Machine& m, const HttpRequest& request) {
  const auto body = parseJson(request.body, {.bytes = 64u << 10, .depth = 4, .values = 100});
  if (!body || !body->is_object())
    return errorReply(400, "MalformedJSON", "The request body is not a JSON object.");
  const auto user = readString(*body, "UserName"), password = readString(*body, "Password");
  if (!user || !password) return errorReply(400, "PropertyMissing", "UserName and Password are required.");
  if (w.fires(m, m.sessionsOpened == 0 ? FaultKind::LockedAtFirst : FaultKind::LockedOut)) lock(w, m);
  if (!rightPassword(w, m, *user, *password)) return unauthorized();
  dropExpired(w, m);
  if (w.fires(m, FaultKind::SessionTableFull)) leakSessions(w, m);
  for (auto& s : m.sessions) {
    if (s.token != 0) continue;
    s.token = w.identity(m).number(fmt::format("session {} {}", m.sessionsOpened++, toMillis(m.bmcSince))) | 1;
    s.used = w.now();
    w.record(m, ActKind::Session, "open");
    auto json = *resource(w, m, fmt::format("{}/{}", kSessionsPath, sessionId(s)));
    if (m.passwordExpired)
      json["@Message.ExtendedInfo"] = Json::array(
          {{{"@odata.type", "#Message.v1_1_1.Message"}, {"MessageId", "Base.1.18.1.PasswordChangeRequired"}}});
    auto reply = jsonReply(201, json);
    reply.headers.add("X-Auth-Token", tokenText(s));
    reply.headers.add("Location", fmt::format("{}/{}", kSessionsPath, sessionId(s)));
    return reply;
  }
  return errorReply(
      503, "SessionLimitExceeded",
      "The session establishment failed due to the number of simultaneous sessions exceeding the limit "
      "of the implementation.");
}

HttpReply closeSession(World& w, Machine& m, std::string_view path) {
  for (auto& s : m.sessions) {
    if (s.token == 0 || path != fmt::format("{}/{}", kSessionsPath, sessionId(s))) continue;
    s = {};
    w.record(m, ActKind::Session, "close");
    return noContent();
  }
  return errorReply(404, "ResourceNotFound", "There is no such session.");
}

// --- Reading

/// What $expand asks for; levels 0: nothing, -1: something that cannot be.
struct Expand {
  int levels = 0;
  bool subordinate = false, links = false;
};

Expand readExpand(std::string_view query) {
  while (!query.empty()) {
    const auto cut = query.find('&');
    auto part = query.substr(0, cut);
    query = cut == std::string_view::npos ? std::string_view{} : query.substr(cut + 1);
    if (part.starts_with("%24")) part.remove_prefix(2);  // '$', encoded
    constexpr std::string_view kKey = "expand=", kLevels = "levels=";
    if (part.substr(std::min<std::size_t>(1, part.size())).substr(0, kKey.size()) != kKey) continue;
    part.remove_prefix(1 + kKey.size());
    const bool all = part.starts_with('*') || part.starts_with("%2A");
    Expand out{1, all || part.starts_with('.'), all || part.starts_with('~')};
    if (!out.subordinate && !out.links) return {-1};
    if (const auto at = part.find(kLevels); at != std::string_view::npos) {
      const auto digits = part.substr(at + kLevels.size());
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), out.levels);
      if (parsed.ec != std::errc{} || out.levels < 1 || out.levels > kMaxExpandLevels) return {-1};
    }
    return out;
  }
  return {};
}

bool isAction(std::string_view path) {
  return path.find("/Actions/") != std::string_view::npos || path.starts_with(kPushPath);
}

Answer get(World& w, Machine& m, std::string_view path, const HttpRequest& request) {
  Answer out;
  if (path.ends_with("/Monitor")) {
    const auto task = resource(w, m, path);
    if (!task) return {errorReply(404, "ResourceNotFound", "The task is not there.")};
    return {jsonReply(readString(*task, "TaskState") == "Running" ? 202 : 200, *task)};
  }
  auto json = resource(w, m, path);
  if (!json) {
    if (isAction(path))
      return {errorReply(405, "OperationNotAllowed", "The HTTP method is not allowed on this resource.")};
    return {errorReply(404, "ResourceNotFound",
                       fmt::format("The requested resource named '{}' was not found.", path))};
  }
  const auto expandIt = readExpand(request.query());
  if (expandIt.levels < 0)
    return {errorReply(400, "QueryParameterValueFormatError", "The value of $expand is not supported.")};
  auto etag = etagOf(json->dump());
  if (expandIt.levels > 0) {
    const int count = expand(w, m, *json, expandIt.levels, expandIt.subordinate, expandIt.links);
    out.latency = w.times().expandBase + w.times().expandPerMember * count;
  }
  out.reply = jsonReply(200, *json);
  out.reply.headers.add("ETag", std::move(etag));
  return out;
}

// The exact tag, or none at all: neither "*" nor a weak form of it (FACTS 3).
bool etagMatches(const World& w, const Machine& m, std::string_view path, const HttpRequest& request) {
  if (!request.headers.has("If-Match")) return true;
  const auto json = resource(w, m, path);
  return json && request.headers.get("If-Match") == etagOf(json->dump());
}

Answer write(World& w, Machine& m, std::string_view path, const HttpRequest& request) {
  Answer out;
  if (request.method == "PATCH") {
    if (!etagMatches(w, m, path, request))
      return {
          errorReply(412, "PreconditionFailed", "The ETag supplied did not match the ETag of the resource.")};
    out.reply = patch(w, m, path, request);
  } else {
    out.reply = post(w, m, path, request);
  }
  if (out.reply.status == 404 && resource(w, m, path))
    out.reply = errorReply(405, "OperationNotAllowed", "The HTTP method is not allowed on this resource.");
  out.acted = out.reply.status >= 200 && out.reply.status < 300;
  if (out.acted && path == kOwnAccount) out.latency = w.times().passwordSet;
  if (!path.starts_with(kPushPath)) return out;
  w.beginUpload();
  out.latency = w.times().upload;
  if (out.acted) m.uploading += out.latency;
  return out;
}

Answer signedIn(World& w, Machine& m, std::string_view path, const HttpRequest& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (w.fires(m, FaultKind::StrayUnauthorized)) return {unauthorized()};
  if (w.fires(m, FaultKind::Busy503))
    return {unavailable("The service is temporarily unavailable.", kFaultRetryAfter)};
  if (w.fires(m, FaultKind::BusyPlainText)) return {busyInPlainText()};
  const bool ownSession = request.method == "DELETE" && path.starts_with(kSessionsPath);
  if (m.passwordExpired && path != kOwnAccount && !ownSession) return {passwordChangeRequired(w, m)};
  if (reads && fails(w, m, path))
    return {errorReply(500, "InternalError", "The request failed due to an internal service error.")};
  if (reads) return get(w, m, path, request);
  if (request.method == "DELETE" && path.starts_with(kSessionsPath) && path.size() > kSessionsPath.size())
    return {closeSession(w, m, path)};
  if (request.method == "PATCH" || request.method == "POST") return write(w, m, path, request);
  return {
      errorReply(resource(w, m, path) ? 405 : 404, "OperationNotAllowed", "The HTTP method is not allowed.")};
}

Answer route(World& w, Machine& m, std::string_view path, const HttpRequest& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads) w.ledger.countRead();
  if (request.body.size() > kMaxBody && !path.starts_with(kPushPath))
    return {errorReply(413, "PayloadTooLarge", "The request body is too large.")};
  if (reads && path == "/redfish") return {jsonReply(200, {{"v1", "/redfish/v1/"}})};
  if (request.method == "POST" && path == kSessionsPath) return {openSession(w, m, request)};
  dropExpired(w, m);
  const bool root = path == "/redfish/v1";
  if (callerOf(w, m, request) == Caller::Nobody) {
    const bool anonymous = !request.headers.has("X-Auth-Token") && !request.headers.has("Authorization");
    if (root && reads && anonymous) return {jsonReply(200, anonymousRoot(w, m))};
    return {unauthorized()};
  }
  if (root && reads && m.passwordExpired) return {jsonReply(200, anonymousRoot(w, m))};
  return signedIn(w, m, path, request);
}

std::string_view pathOf(const HttpRequest& request) {
  auto path = request.path();
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

bool concernsSession(const HttpRequest& request) {
  const auto path = pathOf(request);
  return (request.method == "POST" && path == kSessionsPath) ||
         (request.method == "DELETE" && path.starts_with(kSessionsPath));
}

Answer answer(World& w, Machine& m, const HttpRequest& request) {
  const auto path = pathOf(request);
  auto out = route(w, m, path, request);
  if (request.method == "HEAD") out.reply.body.clear();
  return out;
}

}  // namespace zellige::sim::server
