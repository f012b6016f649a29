// Our one session at a BMC: reused while it lives, durable before its first use, and opened with at most one wrong
// guess. Lockouts are real (FACTS 7: Supermicro 3 tries), so a 401 is confirmed once and then it is a person's turn. A
// password that has let us in before may be refused because others have locked the account: that is waited out first.
// Guesses are remembered where no crash and no forgetting of idle machines loses them: in the row itself, before they are
// sent.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/log.hpp"
#include "drivers/redfish/client.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

constexpr int kGuesses = 2;  // and none more before the longest lockout is over

std::string credentials(const std::string& user, const Secret& password) {
  return Json{{"UserName", user}, {"Password", password.reveal()}}.dump();
}

// Some say 400 or 403 to a wrong password. Where it is right, and to be changed first, that is said with it.
bool isRefusedPassword(const HttpReply& reply) {
  if (reply.status == 401) return true;
  return (reply.status == 400 || reply.status == 403) && !wantsPasswordChange(reply) &&
         !sessionTableFull(reply);
}

void tellSettled(NodeId node, bool isNext) {
  log::info("BMC_PASSWORD_SETTLED",
            {{"node", std::to_string(node.value)}, {"valid", isNext ? "next" : "current"}});
}
}  // namespace

Result<void> Client::loadAccess() {
  if (access_) return {};
  auto loaded = wiring_.access.loadAccess(node_);
  if (!loaded) return loaded.error();
  access_ = std::make_unique<BmcAccess>(std::move(*loaded));
  mustChange_ = access_->mustChange;
  if (!access_->pin.empty() || pinIsStored_) peer_.pin = access_->pin;
  pinIsStored_ = !access_->pin.empty();
  return {};
}

// Not kept for longer than it is needed: a site has hundreds of thousands of BMCs. Where no session can be opened, it is
// needed to tell whether somebody corrected it.
void Client::forgetAccess() {
  rootLinks_.reset();
  if (!basicOnly_) access_.reset();
}

// Refused, what we know is old: somebody changed the way in meanwhile, and nothing has shown yet that it works.
Task<Result<void>> Client::saveAccess() {
  auto copy = *access_;
  auto saved = co_await wiring_.access.saveAccess(node_, std::move(copy));
  if (!saved) {
    access_.reset();
    basicOnly_ = false;
  } else if (access_) {
    ++access_->version;
  }
  co_return saved;
}

// What only we can know, beside whatever others write meanwhile.
Task<Result<void>> Client::changeAccess(std::function<void(BmcAccess&)> edit) {
  for (;;) {
    if (auto loaded = loadAccess(); !loaded) co_return loaded.error();
    edit(*access_);
    auto saved = co_await saveAccess();
    if (saved || saved.error().code != Errc::Conflict) co_return saved;
  }
}

void Client::forgetToken(const Secret& rejected) {
  if (token_ == rejected) tokenIsDead_ = true;  // else somebody signed in anew meanwhile
}

Task<Result<void>> Client::ensureSession() {
  if (hasSession()) co_return Result<void>{};
  auto turn = co_await loginTurn_.take();
  if (hasSession()) co_return Result<void>{};
  const auto before = std::exchange(access_, nullptr);  // fresh: a person may have corrected the password
  if (auto loaded = loadAccess(); !loaded) co_return loaded.error();
  if (basicOnly_ && before && before->user == access_->user && before->password == access_->password)
    co_return Result<void>{};
  basicOnly_ = false;
  if (!access_->sessionToken.empty() && !(tokenIsDead_ && access_->sessionToken == token_)) {
    token_ = access_->sessionToken;
    tokenIsDead_ = false;
    forgetAccess();
    co_return Result<void>{};
  }
  const bool guessedTwice = access_->guesses > 0 && access_->guesses % kGuesses == 0;
  if (guessedTwice && wiring_.executor.now() < access_->guessedAt + wiring_.options.lockout)
    co_return refused();
  auto signedIn = co_await signInByPassword();
  if (signedIn) forgetAccess();
  co_return signedIn;
}

// One password: a refusal is confirmed once, because a single stray 401 happens (FACTS 7). Two (a crash in the middle of
// a password change): each is tried once; confirming as well would be a second wrong guess.
Task<Result<void>> Client::signInByPassword() {
  auto uri = co_await sessionsUri();
  if (!uri) co_return uri.error();
  for (int i = access_->guesses % kGuesses; i < kGuesses; ++i) {
    const Secret guess = access_->guess();
    const bool oneOfTwo = access_->nextPassword.has_value();
    if (oneOfTwo) access_->guessCurrent = !access_->guessCurrent;
    ++access_->guesses;
    access_->guessedAt = wiring_.executor.now();
    auto counted = co_await saveAccess();
    if (!counted) co_return counted;
    auto login = co_await tryLogin(guess, *uri);
    if (!login) {
      if (!login.error().outcomeUnknown) co_await takeGuessBack(oneOfTwo);
      co_return login.error();
    }
    if (*login == Login::Accepted) co_return Result<void>{};
    ++access_->refusals;
    access_->guessedAt = wiring_.executor.now();
    auto saved = co_await saveAccess();
    if (!saved) co_return saved;
  }
  co_return refused();
}

// It was never judged: it does not count, and comes first again. What had been counted before it was waited out.
Task<void> Client::takeGuessBack(bool oneOfTwo) {
  if (!access_ || access_->guesses == 0) co_return;  // somebody else's row now
  --access_->guesses;
  access_->guessedAt = {};
  if (oneOfTwo) access_->guessCurrent = !access_->guessCurrent;
  (void)co_await saveAccess();  // lost, it counts as a guess
}

// Nothing is sent as long as it lasts. Whoever imports another password meanwhile ends it. It becomes a person's turn only
// when every guess that this takes was answered.
Error Client::refused() const {
  const auto until = iso8601(access_->guessedAt + wiring_.options.lockout);
  const bool worked = !access_->sessionUri.empty();
  if (access_->refusals < kGuesses && access_->refusals < access_->guesses)
    return Error{Errc::Unreachable,
                 fmt::format("user {}: sign-ins were cut off before their answer; so that they do not lock "
                             "the account, none is tried before {}",
                             access_->user, until)};
  if (worked && access_->refusals < 2 * kGuesses)
    return Error{
        Errc::Unreachable,
        fmt::format("user {}: the password that worked before is refused; others may have locked the "
                    "account, so it is not tried again before {}",
                    access_->user, until)};
  const auto said = lastRefusal_.empty() ? std::string{} : fmt::format(" ({})", lastRefusal_);
  return Error{Errc::Auth,
               fmt::format("user {}: {}{}; not tried again before {}", access_->user,
                           access_->nextPassword ? "neither the current nor the next password is accepted"
                                                 : "password refused twice",
                           said, until),
               false, 401};
}

Task<Result<std::string>> Client::sessionsUri() {
  if (!rootLinks_ || rootLinks_->sessions.empty()) {
    auto top = co_await root();
    if (!top) co_return top.error();
  }
  if (rootLinks_->sessions.empty())
    co_return Error{Errc::Unsupported, "the service root names no Sessions collection"};
  co_return rootLinks_->sessions;
}

Task<Result<Client::Login>> Client::tryLogin(Secret password, std::string uri) {
  auto ask = writing("POST", uri, credentials(access_->user, password));
  ask.as = As::Nobody;
  ask.gated = false;
  ask.secretBody = true;
  ask.timeout = wiring_.options.readTimeout;
  const auto& options = wiring_.options;
  const auto giveUp = wiring_.executor.now() + options.patience;
  for (int tries = 1;;) {
    auto reply = co_await once(ask);
    if (!reply) co_return reply.error();
    if (isRefusedPassword(*reply)) {
      lastRefusal_ = refusal("POST", uri, *reply, wiring_.executor.now(), true).what;
      co_return Login::Refused;
    }
    if (reply->status >= 200 && reply->status < 300) {
      auto kept = co_await keepSession(std::move(password), std::move(*reply));
      if (!kept) co_return kept.error();
      co_return Login::Accepted;
    }
    if (wantsPasswordChange(*reply)) {  // the password is right, and no session before it is changed
      basicOnly_ = true;
      HttpReply noSession;
      auto kept = co_await keepSession(std::move(password), std::move(noSession));
      if (!kept) co_return kept.error();
      co_return Login::Accepted;
    }
    const auto now = wiring_.executor.now();
    const Duration wait = retryAfter(*reply, now).value_or(std::chrono::ceil<Seconds>(options.defaultWait));
    if (reply->status == 503 && !sessionTableFull(*reply) && tries++ < options.tries && now + wait <= giveUp) {
      co_await sleepFor(wiring_.executor, wait);
      continue;
    }
    auto error = refusal("POST", uri, *reply, now, true);
    if (sessionTableFull(*reply)) {
      // Out of reach as long as it lasts: that others leave sessions open is not this machine's sickness.
      error.code = Errc::Unreachable;
      error.what += " (the BMC's session table is full; sessions that others left open end by themselves)";
    }
    co_return error;
  }
}

// The password works: it, the session and the pin become durable before the session is used.
Task<Result<void>> Client::keepSession(Secret password, HttpReply reply) {
  const auto oldToken = access_->sessionToken;
  const auto oldUri = access_->sessionUri;
  const bool opened = reply.status != 0;
  const Secret token(std::string(reply.headers.get("X-Auth-Token")));
  if (opened && token.empty())
    co_return Error{Errc::BadReply, "a session without X-Auth-Token", false, reply.status};
  if (access_->nextPassword) {
    const bool isNext = *access_->nextPassword == password;
    tellSettled(node_, isNext);
    access_->guessCurrent = !isNext;
    if (isNext) {
      access_->mustChange = mustChange_ = false;
      access_->password = std::move(password);
      access_->nextPassword.reset();
    }  // else a request that left before a crash may still be at work: what it sets must not be forgotten
  }
  access_->guesses = access_->refusals = 0;
  access_->sessionToken = token;
  access_->sessionUri = localPath(reply.headers.get("Location"));
  if (opened && access_->sessionUri.empty()) {
    const auto body = parseJson(reply.body);
    if (body) access_->sessionUri = localPath(readString(*body, "@odata.id").value_or(""));
  }
  if (access_->pin.empty()) access_->pin = peer_.pin;
  const auto uri = access_->sessionUri;
  auto saved = co_await saveAccess();
  if (!saved) {
    if (opened) (void)co_await deleteSession(token, uri);
    co_return saved;
  }
  const bool oldIsDead = tokenIsDead_ && oldToken == token_;
  token_ = token;
  tokenIsDead_ = false;
  if (opened && !oldToken.empty() && !oldIsDead)
    (void)co_await deleteSession(token, oldUri);  // ours too; sessions are few
  co_return Result<void>{};
}

Task<Result<void>> Client::deleteSession(Secret token, std::string uri) {
  if (uri.empty()) co_return Result<void>{};
  auto ask = writing("DELETE", uri, {});
  ask.as = As::Token;
  ask.secret = std::move(token);
  ask.gated = false;
  auto reply = co_await once(std::move(ask));
  if (!reply) co_return reply.error();
  const bool gone = reply->status == 401 || reply->status == 404 ||
                    (reply->status >= 200 && reply->status < 300);
  if (gone) co_return Result<void>{};
  co_return refusal("DELETE", uri, *reply, wiring_.executor.now());
}

}  // namespace zellige::redfish
