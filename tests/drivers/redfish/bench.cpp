#include "tests/drivers/redfish/bench.hpp"

#include <fstream>

#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {
std::string keyOf(std::string_view method, std::string_view path) {
  return std::string(method) + " " + uriKey(path);
}
}  // namespace

Json readFile(const std::filesystem::path& file) {
  std::ifstream in(file);
  return in ? Json::parse(in, nullptr, false) : Json();
}

HttpReply jsonReply(int status, const Json& body) {
  HttpReply reply;
  reply.status = status;
  reply.headers.add("Content-Type", "application/json");
  reply.body = body.dump();
  return reply;
}

Json extendedInfo(std::string messageId, std::string message) {
  Json info;
  info["MessageId"] = std::move(messageId);
  info["Message"] = std::move(message);
  Json body;
  body["error"]["@Message.ExtendedInfo"] = Json::array({info});
  return body;
}

Task<Result<http::Received>> FakeBmc::send(http::Peer peer, HttpRequest request, http::SendOptions options) {
  seen.push_back(Seen{request, peer, options, executor_.now()});
  mostInFlight = std::max(mostInFlight, ++inFlight);
  co_await sleepFor(executor_, latency);
  --inFlight;
  if (!peer.pin.empty() && peer.pin != pin)
    co_return failure("bmc.certificate_changed", "the BMC shows another certificate");
  auto reply = answer(request);
  if (reply) reply->pin = pin;
  co_return reply;
}

void FakeBmc::once(std::string method, std::string path, Answer answer) {
  queued_[keyOf(method, path)].push_back(std::move(answer));
}
void FakeBmc::once(std::string method, std::string path, HttpReply reply) {
  once(std::move(method), std::move(path), Answer([reply = std::move(reply)](const HttpRequest&) {
         return Result<http::Received>(http::Received{reply, {}});
       }));
}
void FakeBmc::once(std::string method, std::string path, Error error) {
  once(std::move(method), std::move(path),
       Answer([error = std::move(error)](const HttpRequest&) { return Result<http::Received>(error); }));
}
void FakeBmc::always(std::string method, std::string path, HttpReply reply) {
  standing_[keyOf(method, path)] = std::move(reply);
}
void FakeBmc::overlay(std::string path, Json change) { overlays_[uriKey(path)].push_back(std::move(change)); }

std::vector<FakeBmc::Seen> FakeBmc::sent(std::string_view method) const {
  std::vector<Seen> out;
  for (const auto& s : seen)
    if (s.request.method == method) out.push_back(s);
  return out;
}

std::size_t FakeBmc::count(std::string_view method, std::string_view path) const {
  return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Seen& s) {
    return s.request.method == method && sameUri(s.request.path(), path);
  }));
}

Result<http::Received> FakeBmc::answer(const HttpRequest& request) {
  const auto key = keyOf(request.method, request.path());
  if (auto it = queued_.find(key); it != queued_.end() && !it->second.empty()) {
    const auto next = std::move(it->second.front());
    it->second.pop_front();
    return next(request);
  }
  if (const auto it = standing_.find(key); it != standing_.end()) return http::Received{it->second, {}};
  return http::Received{builtIn(request), {}};
}

HttpReply FakeBmc::session(const HttpRequest& request) {
  const auto body = Json::parse(request.body);
  if (body.at("UserName") != user || body.at("Password") != password)
    return jsonReply(401, extendedInfo("Base.1.8.ResourceAtUriUnauthorized", "refused"));
  const auto token = "token-" + std::to_string(nextToken_++);
  tokens.insert(token);
  auto reply = jsonReply(201, Json::object());
  reply.headers.add("X-Auth-Token", token);
  reply.headers.add("Location", std::string(kSessions) + "/" + token.substr(6));
  return reply;
}

HttpReply FakeBmc::builtIn(const HttpRequest& request) {
  const std::string path(request.path());
  if (request.method == "POST" && sameUri(path, kSessions)) return session(request);
  const bool anonymous = request.method == "GET" && sameUri(path, "/redfish/v1");
  const auto token = std::string(request.headers.get("X-Auth-Token"));
  const bool basic = request.headers.has("Authorization");
  if (!anonymous && !basic && !tokens.contains(token)) return jsonReply(401, Json::object());
  if (request.method == "DELETE" && path.starts_with(kSessions)) {
    tokens.erase("token-" + std::string(lastSegment(path)));
    return HttpReply{204, {}, ""};
  }
  const bool account = request.method == "PATCH" && path.find("/Accounts/") != std::string::npos;
  if (passwordExpired && !anonymous && !account)
    return jsonReply(403, extendedInfo("Base.1.8.PasswordChangeRequired", "change it first"));
  if (request.method == "GET")
    return serve(path, expands && request.query().find("expand") != std::string::npos);
  if (!resource(path) && request.method == "PATCH") return jsonReply(404, Json::object());
  if (account) {
    password = Json::parse(request.body).value("Password", password);
    passwordExpired = false;
    tokens.clear();
    return HttpReply{204, {}, ""};
  }
  if (request.method == "PATCH") overlay(path, Json::parse(request.body));
  return HttpReply{204, {}, ""};
}

std::optional<Json> FakeBmc::resource(const std::string& path) const {
  auto json = readFile(tree_ / path.substr(1) / "index.json");
  const auto over = overlays_.find(uriKey(path));
  if (!json.is_object() && over == overlays_.end()) return std::nullopt;
  if (!json.is_object()) json = Json{{"@odata.id", path}};
  if (over != overlays_.end())
    for (const auto& change : over->second) json.merge_patch(change);
  return json;
}

HttpReply FakeBmc::serve(const std::string& path, bool expand) {
  if (const auto custom = readFile(tree_ / path.substr(1) / "custom.json"); custom.is_object())
    return HttpReply{custom.at("status").get<int>(), {}, custom.at("body").get<std::string>()};
  auto json = resource(path);
  if (!json) return jsonReply(404, extendedInfo("Base.1.8.ResourceMissingAtURI", "no such resource"));
  if (expand && json->contains("Members"))
    for (auto& member : (*json)["Members"])
      if (auto full = resource(member.at("@odata.id").get<std::string>())) member = std::move(*full);
  auto reply = jsonReply(200, *json);
  if (json->contains("@test.etag")) reply.headers.add("ETag", (*json)["@test.etag"].get<std::string>());
  return reply;
}

Bench::Bench(std::string_view tree, ClientOptions options)
    : machine(executor, mockups / tree), wiring{machine, access, executor, std::move(options)} {
  access.stored.user = "root";
  access.stored.password = Secret("correct");
  access.stored.version = 1;
  restart();
}

void Bench::restart() {
  http::Peer peer;
  peer.address = "10.0.0.1";
  owned = std::make_unique<RedfishBmc>(wiring, NodeId{1}, peer, [this] { return armed; });
}

void Bench::import(std::string password) {
  auto& row = access.stored;
  row.password = Secret(std::move(password));
  row.sessionToken = {};
  row.sessionUri.clear();
  row.guesses = row.refusals = 0;
  ++row.version;
}

std::vector<FakeBmc::Seen> Bench::writes() const {
  std::vector<FakeBmc::Seen> out;
  for (const auto& s : machine.seen)
    if (s.request.method != "GET" && !s.request.path().starts_with(kSessions)) out.push_back(s);
  return out;
}

}  // namespace zellige::redfish
