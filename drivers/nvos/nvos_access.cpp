// The way into a switch tray's system, and its change in two phases (access.hpp): NVOS has no sessions, so each exchange
// is a guess of the password, and none may be guessed wrong twice in a row. One that has let us in is not counted before
// each exchange, only when it is refused: a crash in between costs one guess more.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/password.hpp"
#include "controller/base/random.hpp"
#include "drivers/nvos/nvos_switch.hpp"
#include "drivers/nvos/reply.hpp"

namespace zellige::nvos {

namespace {

constexpr int kGuesses = 2;                  // and none more before the longest lockout is over
constexpr std::size_t kPasswordLength = 20;  // FACTS 7: switch tray 12-64

/// The proxy gave up on it, or the service broke down over it: it may have been applied all the same.
bool leavesOpen(const HttpReply& reply) {
  return reply.status >= 500 && reply.status != 501 && reply.status != 503;
}

constexpr std::string_view kWorked = "basic";  // in the place of a session's address: there is none to be deleted

bool hasWorked(const BmcAccess& access) { return !access.sessionUri.empty(); }

/// Some say 403 to a wrong password; to one that has worked it means that the user may not do this.
bool isRefusedPassword(const HttpReply& reply, bool isProven) {
  return reply.status == 401 || (reply.status == 403 && !isProven);
}

}  // namespace

// Refused twice, nothing is sent before the longest lockout is over; whoever imports another password ends that.
Task<Result<HttpReply>> NvosSwitch::withAccess(Ask ask) {
  const auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  const bool guessedTwice = access->guesses > 0 && access->guesses % kGuesses == 0;
  if (guessedTwice && wiring_.executor.now() < access->guessedAt + wiring_.options.lockout)
    co_return refused();
  // The old one let us in since the new one was sent, or never was: it is the one, until it is refused.
  const bool isOpen = access->nextPassword && !access->guessCurrent;
  if (isOpen) co_return co_await withEither(std::move(ask), access->guesses);
  bool isProven = hasWorked(*access) && access->guesses == 0;
  for (int i = access->guesses % kGuesses; i < kGuesses; ++i) {  // a refusal is confirmed once
    if (!isProven) {
      auto begun = co_await beginGuess();
      if (!begun) co_return begun.error();
    }
    auto reply = co_await once(ask, access->password);
    if (!reply) {
      if (!isProven && !reply.error().left) (void)co_await takeGuessBack();
      co_return reply;
    }
    if (!isRefusedPassword(*reply, isProven)) {
      if (isProven) co_return reply;
      auto kept = isGood(*reply) ? co_await settle(access->password) : co_await takeGuessBack();
      if (!kept) co_return kept.error();
      co_return reply;
    }
    auto counted = co_await countRefusal(isProven);
    if (!counted) co_return counted.error();
    isProven = false;
    if (access->nextPassword && i + 1 < kGuesses) co_return co_await withEither(std::move(ask), i + 1);
  }
  co_return refused();
}

// Either may be valid after a crash: the next one first (access.hpp). Only a reply that let us in says that one is.
// What was not judged comes first again; where nobody knows whether it was, it is the other one's turn.
Task<Result<HttpReply>> NvosSwitch::withEither(Ask ask, int guesses) {
  Ask probe{"GET", "platform", {}};
  for (int i = guesses % kGuesses; i < kGuesses; ++i) {
    auto guess = co_await beginGuess();
    if (!guess) co_return guess.error();
    const Secret password = std::move(*guess);
    auto reply = co_await once(probe, password);
    if (!reply) {
      if (!reply.error().left) (void)co_await takeGuessBack();
      co_return reply;
    }
    if (isGood(*reply)) {
      auto settled = co_await settle(password);
      if (!settled) co_return settled.error();
      co_return co_await once(std::move(ask), password);
    }
    if (!isRefusedPassword(*reply, false)) {
      (void)co_await takeGuessBack();
      co_return refusal("GET platform", *reply);
    }
    auto counted = co_await countRefusal();
    if (!counted) co_return counted.error();
  }
  co_return refused();
}

Error NvosSwitch::refused() const {
  const auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) return access.error();
  const auto until = iso8601(access->guessedAt + wiring_.options.lockout);
  if (access->refusals < kGuesses && access->refusals < access->guesses)
    return Error{
        Errc::Unreachable,
        fmt::format("user {}: sign-ins to NVOS were cut off before their answer; so that they do not "
                    "lock the account, none is tried before {}",
                    access->user, until)};
  if (hasWorked(*access) && access->refusals < 2 * kGuesses)
    return Error{
        Errc::Unreachable,
        fmt::format("user {}: NVOS refuses the password that worked before; others may have locked the "
                    "account, so it is not tried again before {}",
                    access->user, until)};
  return Error{Errc::Auth,
               fmt::format("user {}: NVOS {}; not tried again before {}", access->user,
                           access->nextPassword ? "accepts neither the current nor the next password"
                                                : "refused the password twice",
                           until),
               false, 401};
}

// What is tried now; durably, it has been tried, and of two it is the other one's turn next.
Task<Result<Secret>> NvosSwitch::beginGuess() {
  auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  const Secret guess = access->guess();
  if (access->nextPassword) access->guessCurrent = !access->guessCurrent;
  ++access->guesses;
  access->guessedAt = wiring_.executor.now();
  auto saved = co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(*access));
  if (!saved) co_return saved.error();
  co_return guess;
}

// It was never judged: it does not count, and comes first again.
Task<Result<void>> NvosSwitch::takeGuessBack() {
  auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  if (access->guesses == 0) co_return Result<void>{};  // somebody else's row now
  --access->guesses;
  access->guessedAt = {};  // what had been counted before it was waited out
  if (access->nextPassword) access->guessCurrent = !access->guessCurrent;
  co_return co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(*access));
}

// Of a password that was not counted before it was sent, the guess as well; of two it is the next one's turn then.
Task<Result<void>> NvosSwitch::countRefusal(bool uncounted) {
  auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  ++access->refusals;
  if (uncounted) ++access->guesses;
  if (uncounted && access->nextPassword) access->guessCurrent = false;
  access->guessedAt = wiring_.executor.now();
  co_return co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(*access));
}

Task<Result<void>> NvosSwitch::settle(Secret valid) {
  const auto fresh = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!fresh) co_return fresh.error();
  auto settled = *fresh;
  const bool isNext = settled.nextPassword && valid == *settled.nextPassword;
  if (isNext) {
    settled.mustChange = false;
    settled.password = valid;
    settled.nextPassword.reset();
  }  // else a request that left before a crash may still be at work: what it sets must not be forgotten
  settled.guessCurrent = !isNext;
  settled.guesses = settled.refusals = 0;
  settled.sessionUri = kWorked;
  co_return co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(settled));
}

Task<Result<void>> NvosSwitch::sendPassword(std::string id, Secret password) {
  const auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  Ask stage{"PATCH", fmt::format("system/aaa/user/{}?rev={}", access->user, id),
            Json{{"password", password.reveal()}}.dump(), true};
  // The old one is still the valid one here: not by withAccess, which would try the next.
  auto staged = co_await once(std::move(stage), access->password);
  if (!staged) co_return staged.error();
  if (staged->status >= 300)
    co_return Error{staged->status == 400 ? Errc::Invalid : Errc::Rejected,
                    fmt::format("NVOS refused the new password: HTTP {}", staged->status), false,
                    staged->status};
  auto applied = co_await once(application(id), access->password);
  if (!applied) co_return applied.error();
  if (isGood(*applied)) co_return Result<void>{};
  auto error = refusal("PATCH revision", *applied);
  error.what = fmt::format("NVOS did not apply the new password: HTTP {}", applied->status);  // it may quote it
  // The same password let the stage in a moment ago: refused now, the new one may be the valid one already.
  error.outcomeUnknown = leavesOpen(*applied) || isRefusedPassword(*applied, false);
  co_return error;
}

Task<Result<void>> NvosSwitch::dropNextPassword(Secret refused) {
  auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  if (access->nextPassword != refused) co_return Result<void>{};
  access->nextPassword.reset();
  co_return co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(*access));
}

Task<Result<void>> NvosSwitch::changePassword() {
  if (!armed_())
    co_return Error{Errc::NotArmed, "password change: this place is in observe mode; nothing was sent"};
  auto known = co_await signIn();  // settles what a crash left
  if (!known) co_return known.error();
  auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  if (!access->mustChange) co_return Result<void>{};
  auto revision = co_await openRevision();
  if (!revision) {
    auto error = revision.error();
    error.outcomeUnknown = false;
    co_return error;
  }
  access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  // What an earlier run may have sent is sent again, not something new: should that be applied late, it sets the same.
  const bool mayBeOnItsWay = access->nextPassword.has_value();
  const auto& given = wiring_.options.randomHex;
  auto planned = *access;
  if (!mayBeOnItsWay)
    planned.nextPassword = Secret(given ? makePassword(kPasswordLength, given)
                                        : makePassword(kPasswordLength, randomHex));
  planned.guessCurrent = false;
  const Secret next = *planned.nextPassword;
  auto saved = co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(planned));
  if (!saved) co_return saved;
  auto sent = co_await sendPassword(std::move(*revision), next);
  if (!sent && sent.error().httpStatus == 401) {
    auto counted = co_await countRefusal(true);
    if (!counted) co_return counted.error();
  }
  if (!sent && sent.error().outcomeUnknown) co_return sent;  // the next sign-in finds out
  if (!sent) {
    // With the old one NVOS let this request in. What may be on its way is dropped only if that is still so after it was
    // refused for what it is.
    const bool isUnfit = sent.error().code == Errc::Invalid;
    if (mayBeOnItsWay && !isUnfit) {
      if (sent.error().httpStatus != 401) (void)co_await settle(access->password);
      co_return sent;
    }
    if (mayBeOnItsWay) {
      auto judged = co_await signIn();
      if (!judged) co_return judged.error();
    }
    (void)co_await dropNextPassword(next);
    co_return sent;
  }
  auto settled = co_await signIn();  // what let us in is kept, and nothing else
  if (!settled) co_return settled.error();
  co_return Result<void>{};
}

}  // namespace zellige::nvos
