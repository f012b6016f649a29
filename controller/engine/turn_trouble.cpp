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
constexpr Duration kMostBlockedWait = 5min;  // the same for one given up on: a dark hall must not starve the others

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
  const bool answersOthers = silent && (co_await silentNodes(context)).empty();
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

// Whose BMCs do not even say who they are.
Task<std::vector<NodeId>> Turn::silentNodes(StepContext& context) {
  std::vector<NodeId> silent;
  for (const auto& node : context.nodes()) {
    const auto identity = co_await context.bmcOf(node).identify();
    if (!identity) silent.push_back(node.id);
  }
  co_return silent;
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
    run_.waitsFor = fmt::format("contact with the BMC: {}", error.what);
    std::vector<NodeId> lost{context.node().id};
    if (context.nodes().size() > 1) lost = co_await silentNodes(context);
    std::vector<Op> ops;
    ops.reserve(lost.size());
    for (const auto node : lost) ops.emplace_back(SetContact{node, live_.contactLostSince});
    const auto saved = co_await commit("run.blocked", std::move(ops));
    if (!saved) co_return Then::Wait;
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
  for (const auto& node : context.nodes()) ops.emplace_back(SetContact{node.id, std::nullopt});
  co_return co_await commit("run.contact", std::move(ops));
}

// The run's act may be what the machine is still busy with.
bool Turn::mayStillFlash() const {
  const auto* workflow = engine_.workflow(run_.workflow);
  const auto* step = workflow ? workflow->find(run_.step) : nullptr;
  return step && step->needs.duringStep == Budget::Flash && engine_.budgets_.holds(run_.id, Budget::Flash) &&
         mayHaveTakenEffect() && !settledTodo_;
}

Task<Turn::Then> Turn::fail(StepContext& context, std::string cause, std::string detail) {
  const auto* known = findCause(cause);
  if (!known) throw std::logic_error("cause code not in model/finding.cpp: " + cause);
  std::vector<Op> findings, moves;
  std::set<NodeId> found;  // where the look itself has said who it is about, nobody else is blamed
  for (const auto& op : context.outbox_)
    if (const auto* raise = std::get_if<RaiseFinding>(&op); raise && raise->finding.cause == cause)
      found.insert(raise->finding.node);
  for (const auto& node : context.nodes()) {
    if (!found.empty() && !found.contains(node.id)) continue;
    if (found.empty())
      findings.emplace_back(RaiseFinding{{{}, node.id, run_.id, cause, detail, now(), {}, {}}});
    // A machine in use is never taken away past its drain: it gets no new work, and the finding says why.
    const bool inUse = node.lifecycle == Lifecycle::InService && node.scheduling == Scheduling::Open;
    if (known->blocking && inUse)
      moves.emplace_back(SetScheduling{node.id, Scheduling::Open, Scheduling::Cordoned, cause});
    if (known->blocking && findMove(node.kind, node.lifecycle, Lifecycle::Quarantined, Actor::Engine))
      moves.emplace_back(
          MoveLifecycle{node.id, node.lifecycle, Lifecycle::Quarantined, Actor::Engine, cause, {}});
  }
  takeFrom(context);
  const bool keepsSlot = mayStillFlash();
  const auto end = [&] {
    run_.lingers = keepsSlot;
    run_.state = RunState::Failed;
    run_.ended = now();
    run_.waitsFor = cause;
    run_.blockedSince.reset();
  };
  end();
  auto all = findings;
  all.insert(all.end(), moves.begin(), moves.end());
  auto saved = co_await save(context, "run.failed", std::move(all));
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
  const bool keepsSlot = mayStillFlash();
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

// The run has ended, but the machine was still flashing: its slot is not free until a look says so.
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
