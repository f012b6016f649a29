#include "web/api/api.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "web/api/handlers.hpp"
#include "web/api/identify.hpp"
#include "web/api/routes.hpp"

namespace zellige::api {

namespace {

/// What a session that began with a one-time password may do before the password is changed.
bool precedesPasswordChange(std::string_view operation) {
  return operation == "getMe" || operation == "changePassword" || operation == "deleteSession";
}

constexpr std::string_view kSignInHint =
    "sign in with POST /api/v1/session and send its token as 'Authorization: Bearer …'";

std::string_view mediaType(std::string_view value) {
  value = value.substr(0, value.find(';'));
  while (value.ends_with(' ')) value.remove_suffix(1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

std::string_view typeOf(Gives gives) {
  switch (gives) {
    case Gives::Json: return "application/json";
    case Gives::Text: return "text/plain";
    case Gives::Yaml: return "application/yaml";
    case Gives::Bytes: return "application/octet-stream";
  }
  return {};
}

/// Ranges by type only; weights are ignored: there is one representation of everything.
bool accepts(std::string_view header, std::string_view type) {
  if (header.empty()) return true;
  while (!header.empty()) {
    const auto cut = header.find(',');
    const auto range = mediaType(header.substr(0, cut));
    if (range == "*/*" || sameIgnoringCase(range, type)) return true;
    if (range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1))) return true;
    header = cut == std::string_view::npos ? std::string_view{} : header.substr(cut + 1);
  }
  return false;
}

std::optional<HttpReply> readQuery(Call& call, std::span<const std::string_view> known) {
  auto rest = call.request.query();
  while (!rest.empty()) {
    const auto cut = rest.find('&');
    const auto pair = rest.substr(0, cut);
    rest = cut == std::string_view::npos ? std::string_view{} : rest.substr(cut + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decodePercent(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string{}
                                                  : decodePercent(pair.substr(equals + 1), true);
    if (!name || !value || value->size() > 1000)
      return problem(ProblemKind::BadRequest, "the query cannot be read; encode it as name=value&name=value");
    if (std::find(known.begin(), known.end(), *name) == known.end())
      return problem(
          ProblemKind::UnknownParameter,
          fmt::format("the query parameter '{}' is not known here; remove it", name->substr(0, 64)));
    if (!call.query.emplace(*name, std::move(*value)).second)
      return problem(ProblemKind::BadRequest, fmt::format("the query parameter '{}' is there twice", *name));
  }
  return std::nullopt;
}

std::optional<HttpReply> readBody(Call& call, const Route& route) {
  if (route.takes == Takes::Nothing) {
    if (!call.request.body.empty())
      return problem(ProblemKind::BadRequest, "this operation takes no body; send none");
    return std::nullopt;
  }
  const auto wanted = route.takes == Takes::Json ? "application/json" : "application/octet-stream";
  if (!sameIgnoringCase(mediaType(call.request.headers.get("Content-Type")), wanted))
    return problem(ProblemKind::UnsupportedMedia, fmt::format("send the body as Content-Type: {}", wanted));
  if (call.request.body.size() > route.maxBytes)
    return problem(ProblemKind::TooLarge, fmt::format("the body has {} bytes; at most {} are taken",
                                                      call.request.body.size(), route.maxBytes));
  if (route.takes == Takes::Bytes) return std::nullopt;
  auto json = parseJson(call.request.body, {.bytes = route.maxBytes, .depth = 8, .values = 50'000});
  if (!json) return problem(ProblemKind::BadRequest, fmt::format("the body: {}", json.error().what));
  if (!json->is_object()) return problem(ProblemKind::Invalid, "the body must be a JSON object");
  call.body = std::make_shared<const Json>(std::move(*json));
  return std::nullopt;
}

void addHeaders(HttpReply& reply) {
  auto& headers = reply.headers;
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  headers.set("Referrer-Policy", "no-referrer");
}

}  // namespace

struct Api::Impl {
  Impl(SqliteStore& s, Engine& engine, BringUp& bringUp, Campaigns& campaigns, Executor& executor,
       ApiOptions o)
      : store(s), queries(s.queries()), options(std::move(o)), passwords(executor, options.working),
        files(executor, options.working), attempts(options.attempts),
        watch(
            executor, [this] { return queries->lastEvent(); }, options.clockSpeed),
        backup(s.directory().outgoing(), executor, options.clockSpeed), services{
                                                                            store,     *queries,  engine,
                                                                            bringUp,   campaigns, executor,
                                                                            options,   passwords, files,
                                                                            attempts,  watch,     uploading,
                                                                            importing, backup} {}

  Task<HttpReply> answer(HttpRequest request, Caller caller);
  Task<HttpReply> answerOnce(const Route& route, Call call);

  SqliteStore& store;
  std::unique_ptr<Queries> queries;
  ApiOptions options;
  Worker passwords, files;
  Attempts attempts;
  EventWatch watch;
  KeptBackup backup;
  std::set<std::string> uploading;
  bool importing = false;
  std::set<std::pair<std::string, std::string>> answering;  // (user, Idempotency-Key) in flight
  Services services;
};

Api::Api(SqliteStore& store, Engine& engine, BringUp& bringUp, Campaigns& campaigns, Executor& executor,
         ApiOptions options)
    : impl_(std::make_unique<Impl>(store, engine, bringUp, campaigns, executor, std::move(options))) {
  removeUnfinishedImports(impl_->options.incoming);
}
Api::~Api() = default;

Task<HttpReply> Api::handle(HttpRequest request, Caller caller) {
  auto reply = co_await impl_->answer(std::move(request), std::move(caller));
  addHeaders(reply);
  co_return reply;
}

Task<HttpReply> Api::Impl::answer(HttpRequest request, Caller caller) {
  auto found = findRoute(request.method, request.path());
  if (!found.route) {
    if (found.allowed.empty())
      co_return problem(ProblemKind::NotFound,
                        "nothing answers here; /api/v1/openapi.yaml lists what there is");
    auto reply = problem(ProblemKind::MethodNotAllowed, fmt::format("use one of: {}", found.allowed));
    reply.headers.set("Allow", found.allowed);
    co_return reply;
  }
  const auto& route = *found.route;
  if (!accepts(request.headers.get("Accept"), typeOf(route.gives)))
    co_return problem(ProblemKind::NotAcceptable,
                      fmt::format("this is given as {}; accept that", typeOf(route.gives)));

  Call call;
  call.request = std::move(request);
  call.caller = std::move(caller);
  call.path = std::move(found.values);
  auto who = identify(*queries, call.request, services.now());
  if (!who && route.needs != Level::Anyone)
    co_return problem(ProblemKind::SignIn, fmt::format("{}; {}", who.error().what, kSignInHint));
  if (who) call.who = std::move(*who);
  if (route.needs != Level::Anyone && call.who.user.empty())
    co_return problem(ProblemKind::SignIn, std::string(kSignInHint));
  if (call.who.mustChange && route.needs != Level::Anyone && !precedesPasswordChange(route.operation))
    co_return problem(ProblemKind::PasswordChange,
                      "your password was given by somebody else; change it with "
                      "PUT /api/v1/users/me/password (zellige login asks for it)");
  if (!call.who.may(route.needs))
    co_return problem(
        ProblemKind::Forbidden,
        fmt::format("{} may not do this anywhere; ask an administrator for a role that may", call.who.user));
  if (auto refused = readQuery(call, route.query)) co_return std::move(*refused);
  if (auto refused = readBody(call, route)) co_return std::move(*refused);
  if (call.request.method == "POST" && call.request.headers.has("Idempotency-Key"))
    co_return co_await answerOnce(route, std::move(call));
  co_return co_await route.handler(services, std::move(call));
}

namespace {

class KeyInUse {
 public:
  using Keys = std::set<std::pair<std::string, std::string>>;
  KeyInUse(Keys& keys, const std::pair<std::string, std::string>& key) : keys_(keys), key_(key) {
    keys_.insert(key_);
  }
  ~KeyInUse() { keys_.erase(key_); }
  KeyInUse(const KeyInUse&) = delete;

 private:
  Keys& keys_;
  std::pair<std::string, std::string> key_;
};

}  // namespace

// A repeated POST gets the first one's answer. Only a success is kept: what was refused has changed nothing, and may be
// asked for again with the same key.
Task<HttpReply> Api::Impl::answerOnce(const Route& route, Call call) {
  const std::string key{call.request.headers.get("Idempotency-Key")};
  const bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!route.repeatable)
    co_return problem(ProblemKind::BadRequest,
                      "this answer holds a secret and is not kept; send no Idempotency-Key");
  if (key.empty() || key.size() > 64 || !printable)
    co_return problem(ProblemKind::BadRequest, "Idempotency-Key must be 1 to 64 visible ASCII characters");
  const auto user = call.who.user;
  const auto digest = sha256Hex(call.request.method + "\n" + call.request.target + "\n" + call.request.body);
  if (const auto kept = queries->idempotentReply(user, key)) {
    if (kept->request != digest)
      co_return problem(ProblemKind::KeyReused,
                        "this Idempotency-Key came with another request before; take a new one");
    HttpReply reply;
    reply.status = kept->status;
    reply.headers.set("Content-Type", "application/json");
    reply.headers.set("Idempotency-Replayed", "true");
    reply.body = kept->body;
    co_return reply;
  }
  if (answering.contains({user, key}))
    co_return problem(ProblemKind::Conflict,
                      "a request with this Idempotency-Key is being answered; wait and repeat it");
  const KeyInUse inUse(answering, {user, key});
  auto reply = co_await route.handler(services, std::move(call));
  if (reply.status >= 200 && reply.status < 300) {
    IdempotentReply kept{user, key, digest, reply.status, reply.body, services.now()};
    // Refused only if the key is there already, which `answering` rules out; the answer stands either way.
    static_cast<void>(co_await store.putIdempotentReply(std::move(kept)));
  }
  co_return reply;
}

void Api::endWaits() { impl_->watch.close(); }

std::string_view operationOf(const HttpRequest& request) {
  const auto found = findRoute(request.method, request.path());
  return found.route ? found.route->operation : std::string_view{};
}

namespace {

constexpr std::string_view kAdmin = "admin";

// Told first, then committed: a crash in between costs a password that never counts, not the way in.
Task<Result<void>> giveAdmin(SqliteStore& store, const TellPassword& tell, bool exists, By by) {
  const Secret password{randomHex(12)};
  User admin;
  admin.name = kAdmin;
  admin.passwordHash = hashPassword(password);
  admin.grants = {{"admin", ""}};
  admin.mustChange = true;
  tell(password);
  if (exists) co_return co_await store.changeUser(std::move(admin), std::move(by));
  co_return co_await store.createUser(std::move(admin), std::move(by));
}

}  // namespace

Task<bool> ensureAdmin(SqliteStore& store, TellPassword tell) {
  if (!store.queries()->users().empty()) co_return false;
  By by{"engine", "first start"};
  co_return bool(co_await giveAdmin(store, tell, false, std::move(by)));
}

Task<Result<void>> resetAdmin(SqliteStore& store, TellPassword tell) {
  const bool exists = store.queries()->user(kAdmin).has_value();
  By by{"engine", "zellige serve --reset-admin"};
  co_return co_await giveAdmin(store, tell, exists, std::move(by));
}

}  // namespace zellige::api
