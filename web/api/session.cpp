// Signing in: a password becomes a token for half a day. Only the token's hash is stored.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

constexpr std::size_t kMostWaiting = 32;  // passwords in the queue: about three seconds of one core

HttpReply wrongPassword() {
  return problem(ProblemKind::SignIn, "user and password do not belong together; try again");
}

/// What a password of nobody is compared with, so that time does not tell which names exist.
const std::string& nobodysHash() {
  static const std::string hash = hashPassword(Secret{"nobody"});
  return hash;
}

}  // namespace

Task<HttpReply> createSession(Services& services, Call call) {
  Body body(call);
  const auto name = body.text("user", 64);
  const Secret password{body.text("password", 256)};
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (const auto wait = services.attempts.mustWait(name, call.caller.address, services.now());
      wait > Duration{0}) {
    const auto seconds = std::chrono::ceil<Seconds>(wait).count();
    auto reply = problem(ProblemKind::TooManyRequests,
                         fmt::format("too many wrong passwords; wait {} seconds and try again", seconds));
    reply.headers.set("Retry-After", std::to_string(seconds));
    co_return reply;
  }
  if (services.passwords.waiting() >= kMostWaiting)
    co_return problem(ProblemKind::Busy, "many people sign in at the moment; try again in a few seconds");
  const auto user = services.queries.user(name);
  std::function<bool()> check = [hash = user ? user->passwordHash : std::string{}, password] {
    return verifyPassword(hash.empty() ? nobodysHash() : hash, password) && !hash.empty();
  };
  const bool right = co_await services.passwords.run(std::move(check));
  if (!right || user->disabled) {
    services.attempts.wrong(name, call.caller.address, services.now());
    co_return wrongPassword();
  }
  // Whoever changed the password while this one was checked has ended all sessions; this is one of them.
  if (const auto now = services.queries.user(name); !now || now->passwordHash != user->passwordHash)
    co_return wrongPassword();
  services.attempts.right(name);
  const Secret token{randomHex(32)};
  ApiToken session;
  session.kind = TokenKind::Session;
  session.user = name;
  session.name = call.caller.address;
  session.hash = hashToken(token);
  session.created = services.now();
  session.expires = services.now() + services.options.sessionLength;
  By by{name, "signed in from " + call.caller.address};
  const auto id = co_await services.store.createToken(session, std::move(by));
  if (!id) co_return problem(id.error());
  co_return jsonReply(
      201, {{"token", token.reveal()}, {"expires", iso8601(*session.expires)}, {"user", shape(*user)}});
}

Task<HttpReply> deleteSession(Services& services, Call call) {
  By by{call.who.user, "signed out"};
  const auto done = co_await services.store.revokeToken(call.who.token, std::move(by));
  if (!done) co_return problem(done.error());
  co_return emptyReply(204);
}

}  // namespace zellige::api
