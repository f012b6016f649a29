// What a run that ended too early left on the machine, for the next one: firmware that is written, or still being
// written, shows no version before it is alive, and nothing is flashed twice.
#include <algorithm>
#include <array>

#include "workflows/firmware.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kBegins = 2min;  // by then a restart that a BMC agreed to has begun
constexpr Duration kPerhaps = 20min;  // by then what a restart brings is listed: 10 min of absence, 8 of settling
constexpr std::array kOfPackages{"written.",     "failed.",      "task.",    "begun.",
                                 "begun_reset.", "begun_tasks.", "restart.", "restart_reset."};
constexpr std::array kOfTheTray{"pushed_at",      "pending",   "host_pending", "restarted_at",
                                "cycle_asked_at", "cycled_at", "cycle",        "cycle_reset"};

bool isOfPackage(std::string_view fact) {
  return std::any_of(kOfPackages.begin(), kOfPackages.end(),
                     [&](const char* prefix) { return fact.starts_with(prefix); });
}

bool isOfTheTray(std::string_view fact) {
  return std::find(kOfTheTray.begin(), kOfTheTray.end(), fact) != kOfTheTray.end();
}

// An act whose outcome the next run has to find out.
void leaveAct(const Act& act, const std::string& name, const std::string& of, Facts& facts) {
  facts.set(name + of, act.phase == ActPhase::Accepted ? "accepted" : "unknown");
  facts.set(name + "_reset" + of, act.witness.get("bmc_reset"));
}

void leaveWrite(const Run& last, const Baseline::Entry& entry, Facts& facts) {
  const auto of = "." + packageKey(entry);
  const auto& write = last.actOf("write." + entry.id);
  const auto& restart = last.actOf("restart." + entry.id);
  const auto written = last.facts.get("written" + of), failed = last.facts.get("failed" + of);
  if (write.mayHaveTakenEffect() && written.empty() && failed.empty()) {
    leaveAct(write, "begun", of, facts);
    facts.set("begun_tasks" + of, write.witness.get("tasks"));
  }
  if (restart.mayHaveTakenEffect() && written == "yes") leaveAct(restart, "restart", of, facts);
}

bool wroteItself(const StepContext& context) {
  const auto& acts = context.run().acts;
  return std::any_of(acts.begin(), acts.end(),
                     [](const auto& act) { return act.second.mayHaveTakenEffect(); });
}

bool allAlive(const Baseline& baseline, const Versions& versions) {
  return firstUnlisted(baseline, versions).empty() && firstBehind(baseline, versions).empty();
}

// What became of the power cycle that an earlier run asked for. Done: it is known, and the facts say it.
Task<Result<Seen>> lookEarlierCycle(StepContext& context, const Versions& versions) {
  context.waitFor("the power cycle that an earlier run asked for");
  const auto state = co_await context.bmc().state();
  const auto asked = millisOf(context, "cycle_asked_at");
  if (!state && absentAsExpected(context, state.error(), asked)) co_return Seen::Busy;
  if (!state) co_return state.error();
  switch (earlierRestart(context, *state, "cycle", "", "cycle_asked_at")) {
    case Restart::MayBegin: co_return Seen::Busy;
    case Restart::Perhaps:
      // Somebody may have restarted the BMC alone: what is still behind by then waits for the cycle.
      if (toMillis(context.now()) - asked < kPerhaps.count() && !allAlive(context.target().baseline, versions))
        co_return Seen::Busy;
      break;
    case Restart::Happened:
      context.clearFact("pending");
      context.setFact("cycled_at", millis(context.now()));
      break;
    case Restart::NotAsked:
    case Restart::DidNotHappen: break;
  }
  context.clearFact("cycle");
  context.clearFact("cycle_reset");
  co_return Seen::Done;
}

}  // namespace

Facts inheritFirmware(const Run& last, const Target& target) {
  Facts facts;
  for (const auto& [key, value] : last.facts)
    if (isOfPackage(key) || isOfTheTray(key)) facts.set(key, value);
  if (last.step == kWriteStep)
    for (const auto& entry : target.baseline.entries) leaveWrite(last, entry, facts);
  if (last.step == kCycleStep && last.act().mayHaveTakenEffect()) leaveAct(last.act(), "cycle", "", facts);
  if (last.step == kOnStep && last.act().mayHaveTakenEffect()) {
    facts.erase("host_pending");  // it was off, and on again
    if (facts.get("cycled_at").empty()) facts.set("cycled_at", millis(last.stepSince));
  }
  return facts;
}

void forgetFirmware(StepContext& context) {
  std::vector<std::string> gone;
  for (const auto& [key, value] : context.facts())
    if (isOfPackage(key) || (isOfTheTray(key) && key != "pushed_at")) gone.emplace_back(key);
  for (const auto& key : gone) context.clearFact(key);
}

Restart earlierRestart(const StepContext& context, const BmcState& state, const std::string& asked,
                       const std::string& of, const std::string& at) {
  const auto phase = context.fact(asked + of), before = context.fact(asked + "_reset" + of);
  if (phase.empty()) return Restart::NotAsked;
  const auto ago = toMillis(context.now()) - millisOf(context, at);
  const bool accepted = phase == "accepted", dated = !before.empty() && !state.lastReset.empty();
  const bool soon = ago < kPerhaps.count();  // later, somebody may have restarted it for another reason
  if (dated && before != state.lastReset) return accepted && soon ? Restart::Happened : Restart::Perhaps;
  if (ago < kBegins.count()) return Restart::MayBegin;
  if (dated) return Restart::DidNotHappen;
  // A BMC that says when it restarted, and now does not, is half awake.
  if (!before.empty() && soon) return Restart::MayBegin;
  // Where it never says, our own record that it agreed must do.
  return accepted ? Restart::Happened : Restart::DidNotHappen;
}

Task<Result<Seen>> lookInherited(StepContext& context, const Versions& versions) {
  if (!context.fact("cycle").empty()) {
    const auto known = co_await lookEarlierCycle(context, versions);
    if (!known || *known == Seen::Busy) co_return known;
  }
  const bool waits = !context.fact("pending").empty() || !context.fact("host_pending").empty();
  if (!waits || wroteItself(context) || !allAlive(context.target().baseline, versions)) co_return Seen::Done;
  // Alive by now: by the earlier run's power cycle, or a person's. The host may have been left off.
  context.clearFact("pending");
  context.clearFact("host_pending");
  context.setFact("cycled_at", millis(context.now()));
  co_return Seen::Done;
}

}  // namespace zellige::workflows
