#include "controller/engine/turn.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige {

namespace {

constexpr int kMostDeaths = 20;      // DESIGN 2: twenty deaths in one step are a finding
constexpr Duration kFirstLook = 2s;  // after an act, and the start of the adaptive poll

std::vector<Need> needsOf(const Step& step, const Target* target, const std::vector<Node>& subject) {
  std::vector<Need> needs;
  const auto machines = target ? target->countIn(subject) : 0;
  if (step.needs.duringAct) needs.push_back(needOf(*step.needs.duringAct, target, machines));
  if (step.needs.duringStep) needs.push_back(needOf(*step.needs.duringStep, target, machines));
  return needs;
}

}  // namespace

Task<void> Turn::go() {
  for (;;) {
    const auto then = co_await lookOnce();
    if (then == Then::Wait) co_return;
  }
}

Task<Turn::Then> Turn::lookOnce() {
  settledTodo_ = false;
  const auto* step = currentStep();
  std::vector<Node> nodes;
  for (const auto id : run_.subject)
    if (auto node = engine_.store_.node(id)) nodes.push_back(std::move(*node));
  const bool allThere = !nodes.empty() && nodes.size() == run_.subject.size();
  auto target = run_.target.empty() ? nullptr : engine_.store_.target(run_.target);
  const auto* flow = engine_.workflow(run_.workflow);
  const bool needsTarget = !run_.target.empty() || (flow && flow->qualifies);
  const bool targetThere = target || !needsTarget;
  StepContext context(engine_.store_, engine_.bmcs_, engine_.site_, engine_.executor_, run_, std::move(nodes),
                      std::move(target), live_.scratch);

  if (live_.ended) co_return co_await linger(context, allThere && targetThere ? step : nullptr);
  if (!live_.cancels.empty()) co_return co_await cancelled();
  if (!allThere) co_return co_await endWithoutNode();
  if (!step)
    co_return co_await fail(context, "run.step_unknown",
                            fmt::format("step {} of {}", run_.step, run_.workflow));
  if (!targetThere)
    co_return co_await fail(context, "run.step_unknown", "what the run works towards is not in the database");

  if (std::exchange(live_.resumed, false) && run_.act().phase == ActPhase::Intended) {
    const auto counted = co_await countDeath(context, *step);
    if (!counted || !run_.unfinished()) co_return Then::Wait;
  }

  if (auto lacking = lacksAddress(context); !lacking.empty())
    co_return co_await wait(context, std::move(lacking), 10min);

  Result<Seen> seen = Seen::Todo;
  const bool lookIsSkipped = engine_.options_.mutation == Mutation::SkipLook &&
                             run_.act().phase == ActPhase::Unknown;
  if (!lookIsSkipped) seen = co_await step->look(context);
  if (!seen) co_return co_await lookFailed(context, *step, std::move(seen.error()));

  live_.lookErrors = 0;
  live_.errorsCountFrom = Time{};
  const auto back = co_await contactRegained(context);
  if (!back) co_return Then::Wait;
  switch (*seen) {
    case Seen::Done: co_return co_await stepDone(context, *step);
    case Seen::Busy: co_return co_await stepBusy(context, *step);
    case Seen::Todo: co_return co_await stepTodo(context, *step);
  }
  co_return Then::Wait;
}

// nullptr: neither this version's steps nor its resume map know the run's step.
const Step* Turn::currentStep() {
  const auto* workflow = engine_.workflow(run_.workflow);
  if (!workflow) return nullptr;
  const auto* step = workflow->resumeAt(run_.step);
  if (!step || step->id == run_.step) return step;
  // What was intended under the old name may still take effect under the new one.
  const auto item = run_.item;
  auto acts = std::move(run_.acts);
  std::erase_if(acts, [](const auto& act) { return !act.second.mayHaveTakenEffect(); });
  enterStep(*step);
  run_.item = item;
  for (const auto& [of, old] : acts) run_.acts[of].phase = ActPhase::Unknown;
  return step;
}

// We died between intent and result. The try does not count; what became of it, the looks will tell.
Task<Result<void>> Turn::countDeath(StepContext& context, const Step& step) {
  auto& act = run_.act();
  act.phase = ActPhase::Unknown;
  act.tries = std::max(0, act.tries - 1);
  if (++run_.deaths < kMostDeaths) co_return co_await commit("run.resumed", {});
  co_await fail(context, "controller.crashes", fmt::format("in step {}", step.id));
  co_return Result<void>{};
}

void Turn::enterStep(const Step& step) {
  run_.step = step.id;
  run_.item.clear();
  run_.acts.clear();
  run_.deaths = 0;
  run_.stepSince = engine_.executor_.now();
  run_.excused = Duration{0};
  run_.waitsFor.clear();
  run_.blockedSince.reset();
  live_.firstTodo.reset();
  live_.hiccup = false;
  live_.busyLooks = 0;
  live_.scratch.clear();
}

// Another item is another act, with its own tries and settle; what was done to this one stays known.
void Turn::chooseItem(std::string item) {
  if (item == run_.item) return;
  run_.item = std::move(item);
  live_.firstTodo.reset();
}

// What the look or act left behind becomes the run's. A fresh copy has no room to spare: a site keeps many.
void Turn::takeFrom(StepContext& context) { run_.facts = Facts(context.facts_); }

Task<Result<void>> Turn::save(StepContext& context, std::string event, std::vector<Op> more) {
  auto ops = std::exchange(context.outbox_, {});
  for (auto& op : more) ops.push_back(std::move(op));
  co_return co_await commit(std::move(event), std::move(ops));
}

Task<Result<void>> Turn::commit(std::string event, std::vector<Op> ops, std::string actor) {
  Change change;
  change.at = now();
  change.actor = std::move(actor);
  change.ops.emplace_back(SaveRun{run_, std::move(event)});
  for (auto& op : ops) change.ops.push_back(std::move(op));
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
        ops.emplace_back(
            MoveLifecycle{node.id, node.lifecycle, *step.reaches, Actor::Engine, std::string(step.id), {}});
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
  engine_.budgets_.releaseAll(run_.id);
  engine_.wakeGranted();
  co_return next ? Then::GoOn : Then::Wait;
}

Task<Turn::Then> Turn::stepBusy(StepContext& context, const Step& step) {
  live_.firstTodo.reset();
  giveBackUnused(step);
  if (context.stalled_) {
    auto reason = context.waitsFor_;
    co_return co_await wait(context, std::move(reason), step.poll);
  }
  const bool wasBlocked = goOn();
  if (overdue(step)) {
    const auto detail = fmt::format("{}: {}", step.title,
                                    context.waitsFor_.empty() ? "still busy" : context.waitsFor_);
    co_return co_await fail(context, std::string(step.overdue), detail);
  }
  const bool changed = wasBlocked || run_.facts != context.facts_ || !context.outbox_.empty() ||
                       run_.waitsFor != context.waitsFor_;
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
  return run_.inStep(now()) > std::max(step.deadline, engine_.options_.minDeadline);
}

bool Turn::mayHaveTakenEffect() const {
  return std::any_of(run_.acts.begin(), run_.acts.end(),
                     [](const auto& act) { return act.second.mayHaveTakenEffect(); });
}

// From now on time is excused, until goOn(). It is kept in the row: a restart does not make a waiting run late.
void Turn::stall() {
  if (!run_.blockedSince) run_.blockedSince = now();
}

// True if the run was stalled: its row must be saved.
bool Turn::goOn() {
  live_.hiccup = false;
  if (!run_.blockedSince) return false;
  run_.excused += now() - *std::exchange(run_.blockedSince, std::nullopt);
  return true;
}

// What is held, or waited for, by a run that is not about to act, and whose act cannot be what keeps the machine busy.
void Turn::giveBackUnused(const Step& step) {
  auto& budgets = engine_.budgets_;
  budgets.withdraw(run_.id);
  if (step.needs.duringAct) budgets.release(run_.id, *step.needs.duringAct);
  if (step.needs.duringStep && !mayHaveTakenEffect()) budgets.release(run_.id, *step.needs.duringStep);
  engine_.wakeGranted();
}

// After any act whose outcome is not a definite no, Todo must be seen twice, settle apart. After a definite no, the
// device gets the patience that it asked for. True: both are over.
bool Turn::mayRepeat(const Step& step) {
  const auto phase = run_.act().phase;
  if (phase == ActPhase::None) return true;
  if (phase == ActPhase::Refused) {
    if (now() >= live_.actNotBefore) return true;
    sleep(live_.actNotBefore - now());
    return false;
  }
  if (engine_.options_.mutation == Mutation::NoSettle) return true;
  const auto settle = std::max({step.settle, engine_.options_.minSettle, Duration{1}});
  if (!live_.firstTodo) live_.firstTodo = now();
  const auto ripe = *live_.firstTodo + settle;
  if (now() >= ripe) return true;
  // Looking on meanwhile: most machines show the effect long before that.
  sleep(std::min(ripe - now(), grown(kFirstLook, live_.busyLooks++, step.poll)));
  return false;
}

// An act that only our own record can tell of, and the record does not say what became of it.
bool Turn::asksAPerson(const Step& step) const {
  const auto& act = run_.act();
  const bool open = act.phase == ActPhase::Unknown || act.phase == ActPhase::Intended;
  if (!open || step.repeat == Repeat::Safe) return false;
  const bool noWitness = std::all_of(act.witness.begin(), act.witness.end(),
                                     [](const auto& seen) { return seen.second.empty(); });
  return step.effect == Effect::Ledger || (step.effect == Effect::Transient && noWitness);
}

Task<Turn::Then> Turn::stepTodo(StepContext& context, const Step& step) {
  if (!step.again.empty()) co_return co_await goBack(context, step);
  if (!step.act) co_return co_await stepBusy(context, step);

  chooseItem(context.item_);
  if (asksAPerson(step)) co_return co_await fail(context, "act.outcome_unknown", std::string(step.title));
  if (!mayRepeat(step)) co_return Then::Wait;
  settledTodo_ = true;
  const auto tries = run_.act().tries;
  if (tries >= step.maxTries) {
    const auto& why = context.waitsFor_.empty() ? run_.waitsFor : context.waitsFor_;
    co_return co_await fail(context, std::string(step.spent),
                            fmt::format("{} ({} tries){}{}", step.title, tries, why.empty() ? "" : ": ", why));
  }
  if (overdue(step)) co_return co_await fail(context, std::string(step.overdue), std::string(step.title));

  if (auto reason = mustWaitBefore(context); !reason.empty()) {
    engine_.budgets_.releaseAll(run_.id);
    engine_.wakeGranted();
    co_return co_await wait(context, std::move(reason), 60s);
  }
  const auto target = run_.target.empty() ? nullptr : engine_.store_.target(run_.target);
  const auto needs = needsOf(step, target.get(), context.nodes());
  if (!engine_.budgets_.take(run_.id, run_.lane, run_.created, needs, context.node().place)) {
    auto reason = engine_.budgets_.shortage(needs, context.node().place);
    if (reason.empty()) reason = fmt::format("{}: others have waited longer", nameOf(needs.front().budget));
    live_.keptFrom = now();  // nobody keeps it waiting: it waits its turn, however long that takes
    co_return co_await wait(context, std::move(reason), isOfSeveral() ? 1min : 10min);
  }
  co_return co_await actNow(context, step);
}

// A BMC may be on the manifest by its MAC alone. Whoever learns its address nudges the run.
std::string Turn::lacksAddress(const StepContext& context) const {
  for (const auto& node : context.nodes())
    if (node.bmc.address.empty())
      return fmt::format(
          "the address of the BMC with the MAC {} ({}): cable it, and see that its DHCP server's "
          "lease file is configured, or import its address",
          node.bmc.mac, node.serial);
  return {};
}

std::string Turn::mustWaitBefore(StepContext& context) const {
  for (const auto& node : context.nodes()) {
    context.isAbout(node);
    if (!engine_.store_.armed(node.place))
      return fmt::format("{} is not armed (zellige site arm)", node.place.path);
    if (auto held = engine_.store_.heldBecause(node.id); !held.empty()) return held;
  }
  return {};
}

Task<Turn::Then> Turn::wait(StepContext& context, std::string reason, Duration atMost) {
  stall();
  if (waitedTooLong()) co_return co_await keptWaiting(context, std::move(reason));
  const bool changed = run_.waitsFor != reason || run_.facts != context.facts_ || !context.outbox_.empty();
  takeFrom(context);
  if (changed) {
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
    co_return co_await fail(context, std::string(step.spent),
                            fmt::format("{}: {}", step.title, context.waitsFor_));
  takeFrom(context);
  enterStep(*earlier);
  const auto saved = co_await save(context, "run.again");
  if (!saved) co_return Then::Wait;
  engine_.budgets_.releaseAll(run_.id);
  engine_.wakeGranted();
  co_return Then::GoOn;
}

Task<Turn::Then> Turn::actNow(StepContext& context, const Step& step) {
  goOn();
  for (const auto& [key, value] : context.intentFacts_) {
    if (value.empty())
      context.facts_.erase(key);
    else
      context.facts_.set(key, value);
  }
  takeFrom(context);
  auto& intended = run_.act();
  intended.witness = context.witness_;
  intended.phase = ActPhase::Intended;
  ++intended.tries;
  run_.waitsFor.clear();
  live_.firstTodo.reset();
  live_.busyLooks = 0;
  const auto intent = co_await save(context, "run.intent");
  if (!intent) {
    giveBackUnused(step);
    co_return Then::Wait;
  }

  const auto done = co_await step.act(context);
  if (step.needs.duringAct) engine_.budgets_.release(run_.id, *step.needs.duringAct);
  engine_.wakeGranted();
  auto& act = run_.act();
  if (!done && !done.error().cause.empty()) {
    act.phase = done.error().outcomeUnknown ? ActPhase::Unknown : ActPhase::Refused;
    co_return co_await fail(context, done.error().cause, done.error().what);
  }
  takeFrom(context);
  auto again = kFirstLook;
  if (done) {
    act.phase = ActPhase::Accepted;
  } else if (done.error().outcomeUnknown) {
    act.phase = ActPhase::Unknown;
  } else {
    const auto& error = done.error();
    act.phase = ActPhase::Refused;
    run_.waitsFor = error.what;
    // Nothing reached the machine, or it asked for patience: that was no try.
    const bool noTry = isContact(error) || error.code == Errc::Busy || error.code == Errc::NotArmed;
    if (noTry) --act.tries;
    again = error.code == Errc::Busy ? std::max<Duration>(error.retryAfter, 5s) : grown(5s, act.tries, 5min);
    live_.actNotBefore = now() + again;
  }
  const auto* event = done ? "run.acted" : act.phase == ActPhase::Unknown ? "run.unknown" : "run.refused";
  const auto saved = co_await save(context, event);
  if (saved) sleep(again);
  co_return Then::Wait;
}

void Turn::sleep(Duration d) { live_.due = engine_.executor_.now() + std::max(d, engine_.options_.minPoll); }

}  // namespace zellige
