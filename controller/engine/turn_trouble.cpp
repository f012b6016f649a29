// What a turn does when a look fails, when contact is lost, and when the run ends before its last step.
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "controller/engine/turn.hpp"

namespace zellige {

namespace {

constexpr int kMostLookErrors = 8;  // in a row; with doubling waits that is about 20 minutes at poll 15 s
constexpr int kContactErrorsToBlock = 3;  // in a row, over at least 15 s
constexpr Duration kMostWait = 60s;       // between two looks at a machine that does not answer
// Nobody else can work on the others while they wait for one of them; longer than a driver waits out a lockout.
constexpr Duration kMostTogether = 12min;
constexpr Duration kMostBlockedWait = 5min;  // the same for one given up on: a dark hall must not starve the others

constexpr std::string_view kRunFailed = "rack.run_failed";

std::set<NodeId> foundOn(const std::vector<Op>& outbox, std::string_view cause) {
  std::set<NodeId> out;
  for (const auto& op : outbox)
    if (const auto* raise = std::get_if<RaiseFinding>(&op); raise && raise->finding.cause == cause)
      out.insert(raise->finding.node);
  return out;
}

}  // namespace

Duration grown(Duration first, int doublings, Duration most) {
  for (int i = 0; i < doublings && first < most; ++i) first *= 2;
  return std::min(first, most);
}

Task<Turn::Then> Turn::lookFailed(StepContext& context, const Step& step, Error error) {
  if (!error.cause.empty()) co_return co_await fail(context, error.cause, error.what);
  giveBackUnused(step);
  live_.firstTodo.reset();
  // A BMC that answers, but never to this question, is not out of reach.
  const bool silent = error.code == Errc::Timeout && live_.contactErrors + 1 >= kContactErrorsToBlock &&
                      run_.state != RunState::Blocked;
  const bool answersOthers = silent && !(co_await isSilent(context));
  if (isContact(error) && !answersOthers) co_return co_await contactFailed(context, std::move(error));
  const auto back = co_await contactRegained(context);
  if (!back) co_return Then::Wait;
  switch (error.code) {
    case Errc::Auth:
    case Errc::PasswordExpired: co_return co_await fail(context, "bmc.credentials", error.what);
    case Errc::NotArmed: co_return co_await wait(context, std::move(error.what), 60s);
    case Errc::Busy:
      if (overdue(step)) co_return co_await fail(context, std::string(step.overdue), error.what);
      sleep(std::max<Duration>(error.retryAfter, step.poll));
      co_return Then::Wait;
    case Errc::Unreachable:
    case Errc::Timeout:
    case Errc::NotFound:
    case Errc::Conflict:
    case Errc::Rejected:
    case Errc::BadReply:
    case Errc::Unsupported:
    case Errc::Invalid: break;
  }
  if (now() >= live_.errorsCountFrom) {
    if (++live_.lookErrors >= kMostLookErrors || overdue(step))
      co_return co_await fail(context, "bmc.bad_reply", fmt::format("{}: {}", step.title, error.what));
    live_.errorsCountFrom = now() + grown(step.poll, live_.lookErrors - 1, 5min);
  }
  sleep(live_.errorsCountFrom - now());
  co_return Then::Wait;
}

// The BMC of the node that the look was about does not even say who it is.
Task<bool> Turn::isSilent(StepContext& context) {
  const auto identity = co_await context.bmcOf(context.about()).identify();
  co_return !identity;
}

// No contact is not sickness: the run is blocked, nothing is counted against it, and it goes on when the BMC is back.
Task<Turn::Then> Turn::contactFailed(StepContext& context, Error error) {
  if (!run_.blockedSince) {
    stall();
    live_.hiccup = true;
  }
  if (!live_.contactLostSince) live_.contactLostSince = now();
  const bool blocked = run_.state == RunState::Blocked;
  if (now() >= live_.errorsCountFrom) {
    ++live_.contactErrors;
    live_.errorsCountFrom = now() + grown(5s, live_.contactErrors - 1, blocked ? kMostBlockedWait : kMostWait);
  }
  if (live_.contactErrors >= kContactErrorsToBlock && !blocked) {
    live_.hiccup = false;
    run_.state = RunState::Blocked;
    const auto& node = context.about();
    run_.waitsFor = isOfSeveral()
                        ? fmt::format("contact with {} at {}: {}", node.serial, node.place.path, error.what)
                        : fmt::format("contact with the BMC: {}", error.what);
    bool lost = !isOfSeveral();
    if (!lost) lost = co_await isSilent(context);
    std::vector<Op> ops;
    if (lost) ops.emplace_back(SetContact{node.id, live_.contactLostSince});
    const auto saved = co_await commit("run.blocked", std::move(ops));
    if (!saved) co_return Then::Wait;
  }
  if (waitedTooLong()) {
    auto reason = fmt::format("no contact: {}", error.what);
    co_return co_await keptWaiting(context, std::move(reason));
  }
  sleep(std::max<Duration>(live_.errorsCountFrom - now(), 5s));
  co_return Then::Wait;
}

// The BMC answered, whatever it said.
Task<Result<void>> Turn::contactRegained(StepContext& context) {
  live_.contactErrors = 0;
  live_.contactLostSince.reset();
  if (run_.state != RunState::Blocked) {
    if (live_.hiccup) goOn();
    co_return Result<void>{};
  }
  goOn();
  run_.state = RunState::Active;
  run_.waitsFor.clear();
  std::vector<Op> ops;
  // Of several, those that were asked: the silence of another is not over because these answered.
  for (const auto& node : context.nodes())
    if (!isOfSeveral() || (node.unreachableSince && context.held_.contains(node.id)))
      ops.emplace_back(SetContact{node.id, std::nullopt});
  co_return co_await commit("run.contact", std::move(ops));
}

bool Turn::waitedTooLong() const {
  if (!isOfSeveral() || !run_.blockedSince) return false;
  const auto since = std::max(*run_.blockedSince, live_.keptFrom);
  return now() - since >= std::max(kMostTogether, engine_.options_.minDeadline);
}

// A rack's machines are free again, and the run is begun anew when the one is back.
Task<Turn::Then> Turn::keptWaiting(StepContext& context, std::string reason) {
  context.findOn(context.about(), kKeptWaiting, reason);
  co_return co_await fail(context, std::string(kKeptWaiting), std::move(reason));
}

// The run's act may be what the machine is still busy with: a write, or stress.
bool Turn::mayStillBeBusy() const {
  const auto* workflow = engine_.workflow(run_.workflow);
  const auto* step = workflow ? workflow->find(run_.step) : nullptr;
  const auto held = step ? step->needs.duringStep : std::nullopt;
  return (held == Budget::Flash || held == Budget::Power) && engine_.budgets_.holds(run_.id, *held) &&
         mayHaveTakenEffect() && !settledTodo_;
}

// Where the look has said who a cause is about, nobody else is blamed. Of several, none is taken away for what was found
// on none of them: one switch's trouble is not the rack's.
Task<Turn::Then> Turn::fail(StepContext& context, std::string cause, std::string detail) {
  auto blamed = foundOn(context.outbox_, cause);
  if (blamed.empty()) {
    if (isOfSeveral()) {
      detail = fmt::format("{}: {}", cause, detail);
      cause = kRunFailed;
    }
    context.findOn(context.about(), cause, std::move(detail));
    blamed.insert(context.about().id);
  }
  const auto* known = findCause(cause);
  if (!known) throw std::logic_error("cause code not in model/finding.cpp: " + cause);
  std::vector<Op> findings, moves;
  for (const auto& op : context.outbox_)
    if (std::holds_alternative<RaiseFinding>(op)) findings.push_back(op);
  for (const auto& node : context.nodes()) {
    if (!known->blocking || !blamed.contains(node.id)) continue;
    // A machine in use is never taken away past its drain: it gets no new work, and the finding says why.
    const bool inUse = node.lifecycle == Lifecycle::InService && node.scheduling == Scheduling::Open;
    if (inUse) moves.emplace_back(SetScheduling{node.id, Scheduling::Open, Scheduling::Cordoned, cause});
    if (findMove(node.kind, node.lifecycle, Lifecycle::Quarantined, Actor::Engine))
      moves.emplace_back(
          MoveLifecycle{node.id, node.lifecycle, Lifecycle::Quarantined, Actor::Engine, cause, {}});
  }
  takeFrom(context);
  const bool keepsSlot = mayStillBeBusy();
  const auto end = [&] {
    run_.lingers = keepsSlot;
    run_.state = RunState::Failed;
    run_.ended = now();
    run_.waitsFor = cause;
    run_.blockedSince.reset();
  };
  end();
  auto saved = co_await save(context, "run.failed", std::move(moves));
  if (!saved && saved.error().code == Errc::Rejected) {
    // Something that the look left behind is refused for good: the run still ends, with its finding.
    end();
    saved = co_await commit("run.failed", std::move(findings));
  }
  if (saved) live_.ended = keepsSlot;
  if (saved && keepsSlot) sleep(60s);
  co_return Then::Wait;
}

// Its node's row is not there any more, so nothing can be found on it either.
Task<Turn::Then> Turn::endWithoutNode() {
  run_.state = RunState::Failed;
  run_.ended = now();
  run_.waitsFor = "a node of this run is not in the store";
  const auto saved = co_await commit("run.failed", {});
  co_return Then::Wait;
}

Task<Turn::Then> Turn::cancelled() {
  const bool keepsSlot = mayStillBeBusy();
  run_.lingers = keepsSlot;
  run_.state = RunState::Cancelled;
  run_.ended = now();
  run_.waitsFor = live_.cancels.back().why;
  run_.blockedSince.reset();
  const auto saved = co_await commit("run.cancelled", {}, live_.cancels.back().who);
  if (saved) live_.ended = keepsSlot;
  if (saved && keepsSlot) sleep(60s);
  co_return Then::Wait;
}

// The run has ended, but the machine may be busy with what it began: what it holds is not free until a look says so.
Task<Turn::Then> Turn::linger(StepContext& context, const Step* step) {
  Result<Seen> seen = Seen::Done;
  if (step) seen = co_await (step->stillRuns ? step->stillRuns : step->look)(context);
  takeFrom(context);  // what it saw must not wait for the next look again
  if (seen && *seen != Seen::Busy) {
    Change change;
    change.at = now();
    change.ops.emplace_back(EndLinger{run_.id});
    const auto saved = co_await engine_.store_.commit(std::move(change));
    if (saved) live_.ended = run_.lingers = false;
  }
  if (live_.ended) sleep(step ? std::max<Duration>(step->poll, 60s) : 60s);
  co_return Then::Wait;
}

}  // namespace zellige
