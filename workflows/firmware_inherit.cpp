// What a run that ended too early left on the machine, for the next one: firmware that is written, or still being
// written, shows no version before it is alive, and nothing is flashed twice.
#include <algorithm>

#include "workflows/firmware.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kCycleBegins = 2min;  // by then a power cycle that a BMC agreed to has begun

// Another package for the same components is another matter.
bool wasWanted(const Baseline::Entry& entry, const Target* was) {
  if (!was) return true;
  const auto& entries = was->baseline.entries;
  return std::any_of(entries.begin(), entries.end(), [&](const auto& old) {
    return old.id == entry.id && old.packageDigest == entry.packageDigest;
  });
}

void copy(const Facts& from, const std::string& key, Facts& to) {
  if (const auto value = from.find(key)) to.set(key, *value);
}

void inheritWrite(const Run& last, const std::string& entry, Facts& facts) {
  const auto& write = last.actOf("write." + entry);
  if (const auto written = last.facts.get("written." + entry); !written.empty()) {
    facts.set("written." + entry, written);
    if (!last.actOf("restart." + entry).mayHaveTakenEffect()) return;
    // What became of the restart cannot be told any more; the power cycle brings it alive as well.
    facts.set("written." + entry, "maybe");
    facts.set("pending", "yes");
  } else if (!last.facts.get("failed." + entry).empty()) {
    return;  // nothing came of it
  } else if (write.mayHaveTakenEffect()) {
    facts.set("begun." + entry, write.phase == ActPhase::Accepted ? "accepted" : "unknown");
    facts.set("begun_tasks." + entry, write.witness.get("tasks"));
    facts.set("begun_reset." + entry, write.witness.get("bmc_reset"));
    copy(last.facts, "task." + entry, facts);
  } else {
    for (const auto* fact : {"begun.", "begun_tasks.", "begun_reset.", "task."})
      copy(last.facts, fact + entry, facts);
  }
}

void inheritCycle(const Run& last, Facts& facts) {
  for (const auto* fact : {"pending", "host_pending", "cycled_at", "cycle_reset"})
    copy(last.facts, fact, facts);
  if (last.step != kCycleStep || !last.act().mayHaveTakenEffect()) return;
  copy(last.facts, "cycle_asked_at", facts);
  const auto before = last.act().witness.get("bmc_reset");
  facts.set("cycle_reset", before);
  if (!before.empty() || last.act().phase != ActPhase::Accepted) return;
  // A BMC that does not say when it restarted: that it agreed must do.
  facts.erase("pending");
  facts.set("cycled_at", last.facts.get("cycle_asked_at"));
}

bool wroteItself(const StepContext& context) {
  const auto& acts = context.run().acts;
  return std::any_of(acts.begin(), acts.end(),
                     [](const auto& act) { return act.second.mayHaveTakenEffect(); });
}

}  // namespace

Facts inheritFirmware(const Run& last, const Target* was, const Target& is) {
  Facts facts;
  for (const auto& entry : is.baseline.entries)
    if (wasWanted(entry, was)) inheritWrite(last, entry.id, facts);
  if (!facts.empty()) inheritCycle(last, facts);
  copy(last.facts, "pushed_at", facts);
  return facts;
}

Task<Result<Seen>> lookInherited(StepContext& context, const Versions& versions) {
  const bool waits = !context.fact("pending").empty() || !context.fact("host_pending").empty();
  if (!waits || wroteItself(context)) co_return Seen::Done;
  const auto& baseline = context.target().baseline;
  if (firstUnlisted(baseline, versions).empty() && firstBehind(baseline, versions).empty()) {
    // Alive by now: by the earlier run's power cycle, or a person's. The host may have been left off.
    context.clearFact("pending");
    context.clearFact("host_pending");
    context.setFact("cycled_at", millis(context.now()));
    co_return Seen::Done;
  }
  const auto before = context.fact("cycle_reset");
  if (before.empty()) co_return Seen::Done;
  const auto state = co_await context.bmc().state();
  if (!state) co_return state.error();
  if (state->lastReset != before) {
    context.clearFact("pending");
    context.setFact("cycled_at", millis(context.now()));
  } else if (toMillis(context.now()) - millisOf(context, "cycle_asked_at") < kCycleBegins.count()) {
    context.waitFor("the power cycle that an earlier run asked for");
    co_return Seen::Busy;
  }
  context.clearFact("cycle_reset");
  co_return Seen::Done;
}

}  // namespace zellige::workflows
