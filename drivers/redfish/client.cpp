#include "drivers/redfish/client.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

constexpr int kRenewals = 2;  // of the session, for one request

const std::shared_ptr<const Json>& nothing() {
  static const auto empty = std::make_shared<const Json>(Json::object());
  return empty;
}

}  // namespace

Client::Client(const Wiring& wiring, NodeId node, http::Peer peer, std::function<bool()> armed)
    : wiring_(wiring), node_(node), peer_(std::move(peer)), armed_(std::move(armed)),
      turns_(wiring.executor, wiring.options.atATime), loginTurn_(wiring.executor, 1) {
  peer_.caFile = wiring.options.caFile;
}

Client::ReadLimit::ReadLimit(Client& client) : client_(client) {
  client_.readBy_ = client_.wiring_.executor.now() + client_.wiring_.options.wholeRead;
}

void Client::moveTo(http::Peer peer) {
  if (peer.address == peer_.address && peer.port == peer_.port) return;
  peer_.address = std::move(peer.address);
  peer_.port = peer.port;
}

Result<void> Client::armed(std::string_view what) const {
  if (armed_()) return {};
  return Error{Errc::NotArmed, fmt::format("{}: this place is in observe mode; nothing was sent", what)};
}

void Client::note(const Ask& ask, Time begin, int status, std::size_t bytes, std::string problem) {
  exchanges_.add({begin, ask.method, ask.uri.substr(0, ask.uri.find('?')), status,
                  wiring_.executor.now() - begin, static_cast<std::int64_t>(bytes), std::move(problem)});
}

// One request, when it is its turn. The reply is whatever the BMC says.
Task<Result<HttpReply>> Client::once(Ask ask) {
  auto turn = co_await turns_.take();
  if (ask.gated && ask.method != "GET")  // asked again at the last moment: it may have waited long
    if (auto ok = armed(fmt::format("{} {}", ask.method, ask.uri)); !ok) co_return ok.error();

  HttpRequest request;
  request.method = ask.method;
  request.target = ask.uri;
  request.headers.add("Accept", "application/json");
  request.headers.add("Accept-Encoding", "identity");  // compressed replies may weaken ETags (FACTS 3)
  request.headers.add("OData-Version", "4.0");
  if (ask.as == As::Session || ask.as == As::Token) request.headers.add("X-Auth-Token", ask.secret.reveal());
  if (ask.as == As::Basic) request.headers.add("Authorization", "Basic " + toBase64(ask.secret.reveal()));
  if (!ask.ifMatch.empty()) request.headers.add("If-Match", ask.ifMatch);
  if (!ask.body.empty()) {
    request.headers.add("Content-Type", "application/json");
    request.body = ask.body;
  }
  http::SendOptions options;
  options.timeout = ask.timeout;
  options.connectTimeout = wiring_.options.connectTimeout;
  if (ask.upload) options.upload = *ask.upload;

  const auto begin = wiring_.executor.now();
  auto received = co_await wiring_.transport.send(peer_, std::move(request), std::move(options));
  turn.end();
  if (!received) {
    auto& error = received.error();
    note(ask, begin, 0, 0, std::string(name(error.code)));
    // It left and nothing believable came back: a write may have been applied.
    if (ask.method != "GET" && (error.code == Errc::Timeout || error.code == Errc::BadReply))
      error.outcomeUnknown = true;
    co_return std::move(error);
  }
  note(ask, begin, received->reply.status, received->reply.body.size(), {});
  if (peer_.pin.empty()) peer_.pin = received->pin;
  co_return std::move(received->reply);
}

// A request to its end: session, gate, waiting where the BMC says so.
Task<Result<Document>> Client::perform(Ask ask) {
  const bool read = ask.method == "GET";
  if (ask.uri.empty()) co_return Error{Errc::NotFound, ask.method + ": the BMC gave no link for this"};
  if (!read)
    if (auto ok = armed(fmt::format("{} {}", ask.method, ask.uri)); !ok) co_return ok.error();
  const auto& options = wiring_.options;
  if (read && wiring_.executor.now() > readBy_)
    co_return Error{Errc::Timeout,
                    fmt::format("GET {}: the BMC answers so slowly that it was not read whole in {} min",
                                ask.uri, std::chrono::floor<std::chrono::minutes>(options.wholeRead).count())};
  const auto giveUp = wiring_.executor.now() + options.patience;
  int renewals = 0;
  for (int tries = 1;;) {
    if (ask.as == As::Session) {
      auto session = co_await ensureSession();
      if (!session) co_return session.error();
      ask.secret = token_;
      if (basicOnly_)
        co_return Error{Errc::PasswordExpired, "the BMC asks for a new password first", false, 403};
    }
    auto reply = co_await once(ask);
    if (!reply) co_return reply.error();
    // The session had ended; or, on the new one, it is a stray 401 (FACTS 7).
    if (reply->status == 401 && ask.as == As::Session && renewals < kRenewals) {
      ++renewals;
      forgetToken(ask.secret);
      if (!ask.upload) continue;
      auto session = co_await ensureSession();
      if (!session) co_return session.error();
      co_return Error{Errc::Busy, fmt::format("POST {}: the session had ended; nothing was applied", ask.uri),
                      false, 401};
    }
    const bool again = read ? isBusy(reply->status) : reply->status == 503 && !ask.upload;
    if (again && tries < options.tries) {
      const auto asked = retryAfter(*reply, wiring_.executor.now());
      const Duration wait = asked ? Duration(*asked) : options.defaultWait;
      if (wiring_.executor.now() + wait <= giveUp) {
        ++tries;
        co_await sleepFor(wiring_.executor, wait);
        continue;
      }
    }
    co_return judge(ask, std::move(*reply));
  }
}

Result<Document> Client::judge(const Ask& ask, HttpReply reply) const {
  const auto now = wiring_.executor.now();
  if (reply.status < 200 || reply.status > 299) {
    auto error = refusal(ask.method, ask.uri, reply, now, ask.secretBody);
    // A plain 403 page while the factory's password is in use is how some say "change it first" (FACTS 7).
    const bool page = reply.body.find_first_not_of(" \t\r\n") != std::string::npos &&
                      reply.body[reply.body.find_first_not_of(" \t\r\n")] == '<';
    if (reply.status == 403 && page && mustChange_) error.code = Errc::PasswordExpired;
    // Sign-ins alone judge the password.
    if (reply.status == 401 && ask.as == As::Session) {
      error.code = Errc::Rejected;
      error.what += " (and the sign-in is accepted: the account may not do this)";
    }
    return error;
  }
  Document document;
  document.uri = ask.uri.substr(0, ask.uri.find('?'));
  document.status = reply.status;
  document.etag = reply.headers.get("ETag");
  document.location = localPath(reply.headers.get("Location"));
  document.log = wiring_.options.readLog;
  document.json = nothing();
  auto json = parseJson(reply.body);
  if (json && json->is_object()) {
    document.json = std::make_shared<const Json>(std::move(*json));
    if (document.etag.empty()) document.etag = document.view().text("@odata.etag").value_or("");
    return document;
  }
  if (ask.method != "GET") return document;  // a write that was accepted needs no believable body
  const auto why = json ? std::string("not a JSON object") : json.error().what;
  return Error{Errc::BadReply, fmt::format("GET {}: {}", ask.uri, why), false, reply.status};
}

Client::Ask Client::reading(std::string uri, bool slow) const {
  Ask ask;
  ask.method = "GET";
  ask.uri = std::move(uri);
  ask.timeout = slow ? wiring_.options.slowReadTimeout : wiring_.options.readTimeout;
  return ask;
}

Client::Ask Client::writing(std::string method, std::string uri, std::string body) const {
  Ask ask;
  ask.method = std::move(method);
  ask.uri = std::move(uri);
  ask.body = std::move(body);
  ask.timeout = wiring_.options.writeTimeout;
  return ask;
}

Task<Result<Document>> Client::root() {
  // For the pin alone; a machine that nobody has credentials for may still say what it is.
  if (peer_.pin.empty()) (void)loadAccess();
  auto ask = reading("/redfish/v1/", false);
  ask.as = As::Nobody;
  auto root = co_await perform(std::move(ask));
  if (root) {
    const auto view = root->view();
    rootLinks_ = std::make_unique<RootLinks>(
        RootLinks{view.link("Links/Sessions"), view.link("AccountService")});
  }
  co_return root;
}

Task<Result<Document>> Client::get(std::string uri, bool slow) {
  auto ask = reading(localPath(uri), slow);
  return perform(std::move(ask));
}

Task<Result<Document>> Client::post(std::string uri, std::string body, bool secretBody) {
  auto ask = writing("POST", std::move(uri), std::move(body));
  ask.secretBody = secretBody;
  return perform(std::move(ask));
}

Task<Result<Document>> Client::upload(std::string uri, http::Upload upload) {
  auto ask = writing("POST", std::move(uri), {});
  ask.upload = std::make_shared<const http::Upload>(std::move(upload));
  ask.timeout = wiring_.options.uploadTimeout;
  return perform(std::move(ask));
}

// Rungs of the ETag ladder (FACTS 3): exactly as shown, weak as strong, none.
std::vector<std::string> Client::etagLadder(std::string_view etag, bool anyMatch) {
  std::vector<std::string> rungs;
  if (anyMatch) rungs.emplace_back("*");
  if (!etag.empty() && etag != "\"\"") {
    rungs.emplace_back(etag);
    if (etag.starts_with("W/")) rungs.emplace_back(etag.substr(2));
  }
  rungs.emplace_back();
  return rungs;
}

Task<Result<Document>> Client::patch(std::string uri, std::string body, bool anyMatch) {
  if (auto ok = armed("PATCH " + uri); !ok) co_return ok.error();
  auto fresh = co_await get(uri);
  if (!fresh) co_return fresh.error();
  std::optional<Result<Document>> last;
  for (const auto& rung : etagLadder(fresh->etag, anyMatch)) {
    auto ask = writing("PATCH", uri, body);
    ask.ifMatch = rung;
    last = co_await perform(std::move(ask));
    if (*last || last->error().httpStatus != 412) break;
  }
  co_return std::move(*last);
}

}  // namespace zellige::redfish
