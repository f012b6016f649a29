#include "controller/engine/turn.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige {

namespace {

constexpr int kMostDeaths = 20;          // DESIGN 2: twenty deaths in one step are a finding
constexpr int kMostLookErrors = 8;       // in a row; with doubling waits that is about half an hour at poll 15 s
constexpr int kContactErrorsToBlock = 3; // in a row, over at least 15 s
constexpr Duration kFirstLook = 2s;      // after an act, and the start of the adaptive poll

bool isContact(const Error& e) { return e.code == Errc::Unreachable || e.code == Errc::Timeout; }

std::vector<Budget> needsOf(const Step& step) {
  std::vector<Budget> needs;
  if (step.needs.duringAct) needs.push_back(*step.needs.duringAct);
  if (step.needs.duringStep) needs.push_back(*step.needs.duringStep);
  return needs;
}

Duration grown(Duration first, int doublings, Duration most) {
  for (int i = 0; i < doublings && first < most; ++i) first *= 2;
  return std::min(first, most);
}

}  // namespace

Task<void> Turn::go() {
  for (;;) {
    const auto then = co_await lookOnce();
    if (then == Then::Wait) co_return;
  }
}

Task<Turn::Then> Turn::lookOnce() {
  const auto* workflow = engine_.workflow(run_.workflow);
  const auto* step = workflow ? workflow->find(run_.step) : nullptr;
  if (workflow && !step)
    for (const auto& [old, now] : workflow->resume)
      if (old == run_.step && (step = workflow->find(now))) enterStep(*step);

  std::vector<Node> nodes;
  for (const auto id : run_.subject)
    if (auto node = engine_.store_.node(id)) nodes.push_back(std::move(*node));
  auto target = run_.target.empty() ? nullptr : engine_.store_.target(run_.target);
  StepContext context(engine_.store_, engine_.bmcs_, engine_.site_, engine_.executor_, run_, std::move(nodes), std::move(target),
                      live_.scratch);

  if (!step)
    co_return co_await fail(context, "run.step_unknown", fmt::format("step {} of {}", run_.step, run_.workflow));
  if (live_.ended) co_return co_await linger(context, *step);
  if (live_.cancelRequested) co_return co_await cancelled();

  if (std::exchange(live_.resumed, false) && run_.phase == ActPhase::Intended) {
    // We died between intent and result. The try does not count; what became of it, the looks will tell.
    run_.phase = ActPhase::Unknown;
    run_.tries = std::max(0, run_.tries - 1);
    if (++run_.deaths >= kMostDeaths)
      co_return co_await fail(context, "controller.crashes", fmt::format("in step {}", step->id));
    const auto saved = co_await save(context, "run.resumed");
    if (!saved) co_return Then::Wait;
  }

  Result<Seen> seen = Seen::Todo;
  const bool lookIsSkipped = engine_.options_.mutation == Mutation::SkipLook && run_.phase == ActPhase::Unknown;
  if (!lookIsSkipped) seen = co_await step->look(context);
  if (!seen) co_return co_await lookFailed(context, *step, std::move(seen.error()));

  live_.lookErrors = 0;
  if (std::exchange(live_.contactErrors, 0) > 0 && run_.state == RunState::Blocked) {
    run_.state = RunState::Active;
    run_.excused += context.now() - run_.blockedSince.value_or(context.now());
    run_.blockedSince.reset();
    run_.waitsFor.clear();
    SetContact reachable{context.node().id, std::nullopt};
    std::vector<Op> ops;
    ops.emplace_back(std::move(reachable));
    const auto saved = co_await save(context, "run.contact", std::move(ops));
    if (!saved) co_return Then::Wait;
  }
  switch (*seen) {
    case Seen::Done: co_return co_await stepDone(context, *step);
    case Seen::Busy: co_return co_await stepBusy(context, *step);
    case Seen::Todo: co_return co_await stepTodo(context, *step);
  }
  co_return Then::Wait;
}

void Turn::enterStep(const Step& step) {
  run_.step = step.id;
  run_.item.clear();
  run_.phase = ActPhase::None;
  run_.tries = 0;
  run_.deaths = 0;
  run_.witness.clear();
  run_.stepSince = engine_.executor_.now();
  run_.excused = Duration{0};
  run_.waitsFor.clear();
  live_.firstTodo.reset();
  live_.waitingSince.reset();
  live_.busyLooks = 0;
  live_.scratch.clear();
}

// What the look or act left behind becomes the run's.
void Turn::takeFrom(StepContext& context) { run_.facts = context.facts_; }

Task<Result<void>> Turn::save(StepContext& context, std::string event, std::vector<Op> more) {
  Change change;
  change.at = context.now();
  change.actor = "engine";
  change.ops.emplace_back(SaveRun{run_, std::move(event)});
  for (auto& op : context.outbox_) change.ops.push_back(std::move(op));
  context.outbox_.clear();
  for (auto& op : more) change.ops.push_back(std::move(op));
  auto receipt = co_await engine_.store_.commit(std::move(change));
  if (receipt) co_return Result<void>{};
  // Somebody else moved the node meanwhile: our picture is old. Take the row as it stands and look again.
  if (auto row = engine_.store_.run(run_.id)) run_ = std::move(*row);
  sleep(kFirstLook);
  co_return receipt.error();
}

Task<Turn::Then> Turn::stepDone(StepContext& context, const Step& step) {
  std::vector<Op> ops;
  if (step.reaches)
    for (const auto& node : context.nodes())
      if (node.lifecycle != *step.reaches && findMove(node.kind, node.lifecycle, *step.reaches, Actor::Engine))
        ops.emplace_back(MoveLifecycle{node.id, node.lifecycle, *step.reaches, Actor::Engine, std::string(step.id), {}});
  takeFrom(context);
  const auto* next = engine_.workflow(run_.workflow)->next(step);
  if (next) {
    enterStep(*next);
  } else {
    run_.state = RunState::Done;
    run_.ended = context.now();
    run_.waitsFor.clear();
  }
  const auto saved = co_await save(context, next ? "run.step" : "run.done", std::move(ops));
  if (!saved) {
    if (saved.error().code == Errc::Rejected)
      co_return co_await fail(context, "act.rejected", saved.error().what);
    co_return Then::Wait;
  }
  ++engine_.transitions_;
  if (step.needs.duringStep) engine_.budgets_.release(run_.id, *step.needs.duringStep);
  co_return next ? Then::GoOn : Then::Wait;
}

Task<Turn::Then> Turn::stepBusy(StepContext& context, const Step& step) {
  live_.firstTodo.reset();
  if (live_.waitingSince) run_.excused += context.now() - *std::exchange(live_.waitingSince, std::nullopt);
  if (overdue(step)) {
    const bool keepsSlot = step.needs.duringStep && engine_.budgets_.holds(run_.id, *step.needs.duringStep);
    const auto detail = fmt::format("{}: {}", step.title, context.waitsFor_.empty() ? "still busy" : context.waitsFor_);
    co_await fail(context, std::string(step.overdue), detail);
    live_.ended = keepsSlot;
    if (keepsSlot) sleep(step.poll);
    co_return Then::Wait;
  }
  const bool changed = run_.facts != context.facts_ || !context.outbox_.empty() || run_.waitsFor != context.waitsFor_;
  takeFrom(context);
  run_.waitsFor = context.waitsFor_;
  if (changed) {
    const auto saved = co_await save(context, "");
    if (!saved) co_return Then::Wait;
  }
  sleep(grown(kFirstLook, live_.busyLooks++, step.poll));
  co_return Then::Wait;
}

bool Turn::overdue(const Step& step) const {
  const auto limit = std::max(step.deadline, engine_.options_.minDeadline);
  return engine_.executor_.now() - run_.stepSince - run_.excused > limit;
}

// After any act whose outcome is not a definite no, Todo must be seen twice, settle apart. True: it was.
bool Turn::mayRepeat(const Step& step) {
  if (run_.phase == ActPhase::None || run_.phase == ActPhase::Refused) return true;
  if (engine_.options_.mutation == Mutation::NoSettle) return true;
  const auto now = engine_.executor_.now();
  const auto settle = std::max(step.settle, engine_.options_.minSettle);
  if (!live_.firstTodo) live_.firstTodo = now;
  const auto ripe = *live_.firstTodo + settle;
  if (now >= ripe && now > *live_.firstTodo) return true;
  sleep(ripe > now ? ripe - now : settle);
  return false;
}

Task<Turn::Then> Turn::stepTodo(StepContext& context, const Step& step) {
  if (!step.again.empty()) co_return co_await goBack(context, step);
  if (!step.act) co_return co_await stepBusy(context, step);

  if (context.item_ != run_.item) {
    run_.item = context.item_;
    run_.phase = ActPhase::None;
    run_.tries = 0;
    run_.witness.clear();
    live_.firstTodo.reset();
  }
  const bool outcomeOpen = run_.phase == ActPhase::Unknown || run_.phase == ActPhase::Intended;
  if (outcomeOpen && step.effect == Effect::Ledger && step.repeat == Repeat::Ask)
    co_return co_await fail(context, "act.outcome_unknown", std::string(step.title));
  if (!mayRepeat(step)) co_return Then::Wait;
  if (run_.tries >= step.maxTries)
    co_return co_await fail(context, std::string(step.spent),
                            fmt::format("{} ({} tries){}{}", step.title, run_.tries, run_.waitsFor.empty() ? "" : ": ",
                                        run_.waitsFor));
  if (overdue(step)) co_return co_await fail(context, std::string(step.overdue), std::string(step.title));

  if (auto reason = mustWaitBefore(context); !reason.empty())
    co_return co_await wait(context, std::move(reason), 60s);
  const auto needs = needsOf(step);
  if (!engine_.budgets_.take(run_.id, run_.lane, run_.created, needs, context.node().place)) {
    auto reason = engine_.budgets_.shortage(needs, context.node().place);
    co_return co_await wait(context, std::move(reason), 10min);
  }
  co_return co_await actNow(context, step);
}

std::string Turn::mustWaitBefore(const StepContext& context) const {
  for (const auto& node : context.nodes()) {
    if (!engine_.store_.armed(node.place))
      return fmt::format("{} is not armed (zellige site arm)", node.place.path);
    if (auto held = engine_.store_.heldBecause(node.id); !held.empty()) return held;
  }
  return {};
}

Task<Turn::Then> Turn::wait(StepContext& context, std::string reason, Duration atMost) {
  if (!live_.waitingSince) live_.waitingSince = context.now();
  if (run_.waitsFor != reason) {
    run_.waitsFor = std::move(reason);
    const auto saved = co_await save(context, "");
    if (!saved) co_return Then::Wait;
  }
  sleep(atMost);
  co_return Then::Wait;
}

// The step only checks; what it found missing, an earlier step can do again.
Task<Turn::Then> Turn::goBack(StepContext& context, const Step& step) {
  const auto* earlier = engine_.workflow(run_.workflow)->find(step.again);
  if (++run_.rounds >= step.maxTries)
    co_return co_await fail(context, std::string(step.spent), fmt::format("{}: {}", step.title, context.waitsFor_));
  takeFrom(context);
  enterStep(*earlier);
  const auto saved = co_await save(context, "run.again");
  co_return saved ? Then::GoOn : Then::Wait;
}

Task<Turn::Then> Turn::actNow(StepContext& context, const Step& step) {
  if (live_.waitingSince) run_.excused += context.now() - *std::exchange(live_.waitingSince, std::nullopt);
  takeFrom(context);
  run_.witness = context.witness_;
  run_.phase = ActPhase::Intended;
  run_.waitsFor.clear();
  ++run_.tries;
  live_.firstTodo.reset();
  live_.busyLooks = 0;
  const auto intent = co_await save(context, "run.intent");
  if (!intent) co_return Then::Wait;

  const auto done = co_await step.act(context);
  if (step.needs.duringAct) engine_.budgets_.release(run_.id, *step.needs.duringAct);
  if (!done && !done.error().cause.empty())
    co_return co_await fail(context, done.error().cause, done.error().what);

  takeFrom(context);
  auto again = kFirstLook;
  if (done) {
    run_.phase = ActPhase::Accepted;
  } else if (done.error().outcomeUnknown) {
    run_.phase = ActPhase::Unknown;
  } else {
    const auto& error = done.error();
    run_.phase = ActPhase::Refused;
    run_.waitsFor = error.what;
    // Nothing reached the machine, or it asked for patience: that was no try.
    const bool noTry = isContact(error) || error.code == Errc::Busy || error.code == Errc::NotArmed;
    if (noTry) --run_.tries;
    again = error.code == Errc::Busy ? std::max<Duration>(error.retryAfter, 5s) : grown(5s, run_.tries, 5min);
  }
  const auto saved = co_await save(context, done ? "run.acted" : run_.phase == ActPhase::Unknown ? "run.unknown" : "run.refused");
  if (saved) sleep(again);
  co_return Then::Wait;
}

Task<Turn::Then> Turn::lookFailed(StepContext& context, const Step& step, Error error) {
  if (!error.cause.empty()) co_return co_await fail(context, error.cause, error.what);
  if (isContact(error)) co_return co_await contactFailed(context, std::move(error));
  live_.contactErrors = 0;
  switch (error.code) {
    case Errc::Auth:
    case Errc::PasswordExpired:
      co_return co_await fail(context, "bmc.credentials", error.what);
    case Errc::NotArmed:
      co_return co_await wait(context, std::move(error.what), 60s);
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
    case Errc::Invalid:
      break;
  }
  if (++live_.lookErrors >= kMostLookErrors || overdue(step))
    co_return co_await fail(context, "bmc.bad_reply", fmt::format("{}: {}", step.title, error.what));
  sleep(grown(step.poll, live_.lookErrors - 1, 5min));
  co_return Then::Wait;
}

// No contact is not sickness: the run is blocked, nothing is counted against it, and it goes on when the BMC is back.
Task<Turn::Then> Turn::contactFailed(StepContext& context, Error error) {
  if (++live_.contactErrors == 1 && !run_.blockedSince) run_.blockedSince = context.now();
  if (live_.contactErrors >= kContactErrorsToBlock && run_.state != RunState::Blocked) {
    run_.state = RunState::Blocked;
    run_.waitsFor = fmt::format("contact with the BMC: {}", error.what);
    std::vector<Op> ops;
    ops.emplace_back(SetContact{context.node().id, run_.blockedSince});
    const auto saved = co_await save(context, "run.blocked", std::move(ops));
    if (!saved) co_return Then::Wait;
  }
  sleep(grown(5s, live_.contactErrors - 1, 60s));
  co_return Then::Wait;
}

Task<Turn::Then> Turn::fail(StepContext& context, std::string cause, std::string detail) {
  const auto* known = findCause(cause);
  if (!known) throw std::logic_error("cause code not in model/finding.cpp: " + cause);
  std::vector<Op> ops;
  const bool found = std::any_of(context.outbox_.begin(), context.outbox_.end(), [&](const Op& op) {
    const auto* raise = std::get_if<RaiseFinding>(&op);
    return raise && raise->finding.cause == cause;
  });
  if (!found) context.find(cause, std::move(detail));
  if (known->blocking)
    for (const auto& node : context.nodes())
      if (findMove(node.kind, node.lifecycle, Lifecycle::Quarantined, Actor::Engine))
        ops.emplace_back(MoveLifecycle{node.id, node.lifecycle, Lifecycle::Quarantined, Actor::Engine, cause, {}});
  takeFrom(context);
  run_.state = RunState::Failed;
  run_.ended = context.now();
  run_.waitsFor = cause;
  const auto saved = co_await save(context, "run.failed", std::move(ops));
  co_return Then::Wait;
}

Task<Turn::Then> Turn::cancelled() {
  run_.state = RunState::Cancelled;
  run_.ended = engine_.executor_.now();
  run_.waitsFor = live_.cancelReason;
  Change change;
  change.at = *run_.ended;
  change.actor = live_.cancelledBy;
  change.ops.emplace_back(SaveRun{run_, "run.cancelled"});
  const auto receipt = co_await engine_.store_.commit(std::move(change));
  if (!receipt) sleep(kFirstLook);
  co_return Then::Wait;
}

// The run has ended, but the machine was still flashing: its slot is not free until a look says so.
Task<Turn::Then> Turn::linger(StepContext& context, const Step& step) {
  const auto seen = co_await step.look(context);
  if (seen && *seen != Seen::Busy) {
    live_.ended = false;
    co_return Then::Wait;
  }
  sleep(std::max<Duration>(step.poll, 60s));
  co_return Then::Wait;
}

void Turn::sleep(Duration d) { live_.due = engine_.executor_.now() + std::max(d, engine_.options_.minPoll); }

}  // namespace zellige
