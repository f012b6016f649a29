// Firmware by recipe: write every entry of the baseline in order, bring it alive as the entry says, and believe only
// the version that is read back. Facts this file keeps in the run:
//   task.<entry>      URI of the update task, when the BMC named one
//   written.<entry>   "yes": its task completed; "maybe": the task vanished with a BMC restart (FACTS 6)
//   pushed_at         ms: two pushes within 30 s exhaust the BMC's memory (FACTS 6)
//   pending           something waits for the aux power cycle
//   host_pending      something waits for the host to be switched off and on
//   restarted_at      ms: a BMC restart was asked for
//   cycle_asked_at    ms: the aux power cycle was asked for
//   cycled_at         ms: the aux power cycle was seen
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kBetweenPushes = 35s;    // FACTS 6: 30 s apart
constexpr Duration kAbsence = 10min;        // BMC gone 5 min and more after an update (FACTS 11, fault 19)
constexpr Duration kVersionsSettle = 8min;  // FACTS 11: validate inventory within 8 min
constexpr Duration kBetweenReads = 30s;     // FACTS 11: 3 equal reads 30 s apart
constexpr int kEqualReads = 3;

using Versions = std::vector<FirmwareItem>;

std::int64_t number(const std::string& text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::string millis(Time t) { return std::to_string(toMillis(t)); }

/// The first component of `entry` that is not at its version ("HGX_FW_BMC_0 is 1, wanted 2"); empty: all are.
std::string firstBehind(const Baseline::Entry& entry, const Versions& versions) {
  for (const auto& wanted : entry.components) {
    bool any = false;
    for (const auto& item : versions) {
      if (!matches(wanted.match, item.id)) continue;
      any = true;
      if (!sameVersion(item.version, wanted.version))
        return fmt::format("{} is {}, wanted {}", item.id, item.version, wanted.version);
    }
    if (!any) return fmt::format("{} is not listed", wanted.match);
  }
  return {};
}

/// A component that is not listed at all; empty: every one is. Right after a BMC restart the HGX items are missing for a
/// while (FACTS 9), which says nothing about their versions.
std::string firstUnlisted(const Baseline::Entry& entry, const Versions& versions) {
  for (const auto& wanted : entry.components)
    if (std::none_of(versions.begin(), versions.end(),
                     [&](const auto& item) { return matches(wanted.match, item.id); }))
      return wanted.match;
  return {};
}

std::string firstBehind(const Baseline& baseline, const Versions& versions) {
  for (const auto& entry : baseline.entries)
    if (auto behind = firstBehind(entry, versions); !behind.empty()) return behind;
  return {};
}

std::string uris(const std::vector<BmcTask>& tasks) {
  std::string out;
  for (const auto& task : tasks) out += task.uri + "\n";
  return out;
}

// What became of a write that was intended: its task tells, as long as the BMC remembers it.
struct WriteState {
  enum { Running, Written, Failed, Vanished } state = Vanished;
  std::string text;
};

WriteState writeState(const StepContext& context, const std::string& entry, const std::vector<BmcTask>& tasks) {
  const auto& known = context.fact("task." + entry);
  const auto before = context.run().witness.contains("tasks") ? context.run().witness.at("tasks")
                                                              : std::string{};
  for (const auto& task : tasks) {
    if (task.state == TaskState::Running)
      return {WriteState::Running, fmt::format("the BMC writes firmware{}",
                                               task.percent >= 0 ? fmt::format(": {} %", task.percent) : "")};
  }
  WriteState found;
  for (const auto& task : tasks) {
    const bool ours = known.empty() ? before.find(task.uri + "\n") == std::string::npos : task.uri == known;
    if (!ours) continue;
    found.state = task.state == TaskState::Completed ? WriteState::Written : WriteState::Failed;
    found.text = task.message;
  }
  return found;
}

// True: `error` is the BMC's expected absence after a restart that we asked for at `since`.
bool absentAsExpected(const StepContext& context, const Error& error, std::int64_t since) {
  const bool contact = error.code == Errc::Unreachable || error.code == Errc::Timeout ||
                       error.code == Errc::Busy;
  return contact && since > 0 && toMillis(context.now()) - since < kAbsence.count();
}

// A BMC that does not report when it restarted leaves no witness: then our own record must do.
bool restartedSinceIntent(const StepContext& context, const BmcState& state) {
  if (state.lastReset.empty()) return context.ledgerSaysDone();
  const auto before = context.intended("bmc_reset");
  return before && *before != state.lastReset;
}

enum class EntryState { Settled, Busy, Todo };

// A BMC restart brings entries with activation bmc_reset alive.
Task<Result<EntryState>> lookRestart(StepContext& context, const Baseline::Entry& entry) {
  const auto item = "restart." + entry.id;
  context.chooseItem(item);
  const auto state = co_await context.bmc().state();
  if (!state) {
    const auto since = number(context.fact("restarted_at"));
    if (context.wasIntended(item) && absentAsExpected(context, state.error(), since))
      co_return EntryState::Busy;
    co_return state.error();
  }
  if (restartedSinceIntent(context, *state)) {
    // The new version may be listed late. If the old one stays, only the power cycle will do (fault 16).
    context.waitFor(fmt::format("the new version of {} after the BMC's restart", entry.id));
    if (toMillis(context.now()) - number(context.fact("restarted_at")) < kVersionsSettle.count())
      co_return EntryState::Busy;
    context.setFact("pending", "yes");
    context.setFact("written." + entry.id, "restarted");
    co_return EntryState::Settled;
  }
  context.witness("bmc_reset", state->lastReset);
  // Durable with the intent: from here on the BMC's absence is expected.
  context.setFact("restarted_at", millis(context.now()));
  co_return EntryState::Todo;
}

Task<Result<EntryState>> lookWrite(StepContext& context, const Baseline::Entry& entry) {
  const auto item = "write." + entry.id;
  context.chooseItem(item);
  const auto tasks = co_await context.bmc().tasks();
  if (!tasks) co_return tasks.error();
  const auto state = co_await context.bmc().state();
  if (!state) co_return state.error();
  if (!state->baseboardPresent) {
    // Its firmware is not listed now: that says nothing about versions.
    context.waitFor("the HGX baseboard to answer");
    co_return EntryState::Busy;
  }
  const auto write = writeState(context, entry.id, *tasks);
  if (write.state == WriteState::Running) {
    context.waitFor(write.text);
    co_return EntryState::Busy;
  }
  context.witness("tasks", uris(*tasks));
  context.witness("bmc_reset", state->lastReset);
  if (!context.wasIntended(item)) {
    const auto pushed = number(context.fact("pushed_at"));
    if (pushed > 0 && toMillis(context.now()) - pushed < kBetweenPushes.count()) co_return EntryState::Busy;
    context.setFact("pushed_at", millis(context.now()));
    co_return EntryState::Todo;
  }
  if (write.state == WriteState::Written) {
    context.setFact("written." + entry.id, "yes");
    if (entry.activation == Activation::AuxCycle) context.setFact("pending", "yes");
    if (entry.activation == Activation::HostCycle) context.setFact("host_pending", "yes");
    co_return EntryState::Settled;
  }
  const bool restarted = context.intended("bmc_reset") != state->lastReset;
  if (write.state == WriteState::Vanished && restarted) {
    // Done or not, nobody can tell before the power cycle, not even where a BMC restart should have brought it alive
    // (fault 16 after fault 11): flashing again might flash twice.
    context.setFact("written." + entry.id, "maybe");
    context.setFact("pending", "yes");
    co_return EntryState::Settled;
  }
  if (write.state == WriteState::Failed) context.waitFor(write.text);
  context.clearFact("task." + entry.id);
  context.setFact("pushed_at", millis(context.now()));
  co_return EntryState::Todo;
}

Task<Result<Seen>> lookAllWritten(StepContext& context) {
  const auto versions = co_await context.bmc().firmware();
  if (!versions) {
    const bool restarting = context.run().item.starts_with("restart.") &&
                            context.run().phase != ActPhase::None;
    const auto since = number(context.fact("restarted_at"));
    if (restarting && absentAsExpected(context, versions.error(), since)) co_return Seen::Busy;
    co_return versions.error();
  }
  for (const auto& entry : context.target().baseline.entries) {
    if (firstBehind(entry, *versions).empty()) continue;
    if (const auto unlisted = firstUnlisted(entry, *versions); !unlisted.empty()) {
      context.waitFor(unlisted + " to be listed");
      co_return Seen::Busy;
    }
    const auto& written = context.fact("written." + entry.id);
    const bool needsRestart = written == "yes" && entry.activation == Activation::BmcReset;
    if (!written.empty() && !needsRestart) continue;
    // Not with ?: g++ 12 destroys the result of a co_await in a conditional operator twice.
    Result<EntryState> state = EntryState::Busy;
    if (needsRestart)
      state = co_await lookRestart(context, entry);
    else
      state = co_await lookWrite(context, entry);
    if (!state) co_return state.error();
    if (*state == EntryState::Busy) co_return Seen::Busy;
    if (*state == EntryState::Todo) co_return Seen::Todo;
    // Settled: a written entry may still need its restart, which the next look begins.
    if (context.fact("written." + entry.id) == "yes" && entry.activation == Activation::BmcReset)
      co_return Seen::Busy;
  }
  co_return Seen::Done;
}

Task<Result<void>> writeOrRestart(StepContext& context) {
  const auto item = context.item();
  if (item.starts_with("restart.")) co_return co_await context.bmc().resetBmc();
  const auto id = item.substr(std::string_view("write.").size());
  const auto& entries = context.target().baseline.entries;
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.id == id; });
  const auto package = context.store().file(entry->packageDigest);
  if (!package)
    co_return failure("firmware.rejected",
                      fmt::format("package {} is not in the content store", entry->packageDigest));
  context.clearFact("task." + id);
  auto task = co_await context.bmc().pushFirmware(context.store().filePath(entry->packageDigest),
                                                  package->name, entry->targets, entry->force);
  if (!task) co_return task.error();
  if (!task->empty()) context.setFact("task." + id, *task);
  co_return Result<void>{};
}

bool pending(const StepContext& context) { return !context.fact("pending").empty(); }
bool hostPending(const StepContext& context) { return !context.fact("host_pending").empty(); }

Task<Result<Seen>> lookOff(StepContext& context) {
  if (!pending(context) && !hostPending(context)) co_return Seen::Done;
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  if (host->power == HostPower::Off) co_return Seen::Done;
  co_return host->power == HostPower::PoweringOff ? Seen::Busy : Seen::Todo;
}

Task<Result<void>> switchOff(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::ForceOff);
}

Task<Result<Seen>> lookCopied(StepContext& context) {
  if (!pending(context)) co_return Seen::Done;
  const auto done = co_await context.bmc().backgroundCopyDone();
  if (!done) co_return done.error();
  context.waitFor("background copy of the roots of trust");
  co_return *done ? Seen::Done : Seen::Busy;
}

Task<Result<Seen>> lookCycled(StepContext& context) {
  if (!pending(context)) co_return Seen::Done;
  const auto state = co_await context.bmc().state();
  if (!state) {
    const auto since = number(context.fact("cycle_asked_at"));
    context.waitFor("the BMC to come back from the power cycle");
    if (context.wasIntended("") && absentAsExpected(context, state.error(), since)) co_return Seen::Busy;
    co_return state.error();
  }
  if (restartedSinceIntent(context, *state)) {
    context.clearFact("pending");
    context.setFact("cycled_at", millis(context.now()));
    co_return Seen::Done;
  }
  context.witness("bmc_reset", state->lastReset);
  // Durable with the intent: from here on the BMC's absence is expected.
  context.setFact("cycle_asked_at", millis(context.now()));
  co_return Seen::Todo;
}

Task<Result<void>> cycle(StepContext& context) { co_return co_await context.bmc().auxPowerCycle(); }

Task<Result<Seen>> lookBaseboard(StepContext& context) {
  const auto cycled = number(context.fact("cycled_at"));
  if (cycled == 0) co_return Seen::Done;
  const auto state = co_await context.bmc().state();
  if (!state) {
    if (absentAsExpected(context, state.error(), cycled)) co_return Seen::Busy;
    co_return state.error();
  }
  context.waitFor("the HGX baseboard to come back");
  co_return state->baseboardPresent ? Seen::Done : Seen::Busy;
}

Task<Result<Seen>> lookOn(StepContext& context) {
  if (context.fact("cycled_at").empty() && !hostPending(context)) co_return Seen::Done;
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  const bool on = host->power == HostPower::On || host->power == HostPower::PoweringOn;
  co_return on ? Seen::Done : Seen::Todo;
}

Task<Result<void>> switchOn(StepContext& context) { co_return co_await context.bmc().reset(HostReset::On); }

void forgetWrites(StepContext& context) {
  for (const auto& entry : context.target().baseline.entries) {
    context.clearFact("written." + entry.id);
    context.clearFact("task." + entry.id);
  }
  for (const auto* fact : {"pending", "host_pending", "cycled_at", "cycle_asked_at", "restarted_at"})
    context.clearFact(fact);
}

Task<Result<Seen>> lookVersions(StepContext& context) {
  const auto versions = co_await context.bmc().firmware();
  if (!versions) co_return versions.error();
  const auto& baseline = context.target().baseline;
  const auto behind = firstBehind(baseline, *versions);
  auto& equal = context.scratch("equal_reads");
  auto& lastRead = context.scratch("last_read");
  if (!behind.empty()) {
    context.waitFor(behind);
    equal.clear();
    const bool settled = context.spent() >= kVersionsSettle;
    if (!settled) co_return Seen::Busy;
    forgetWrites(context);
    co_return Seen::Todo;
  }
  const bool wrote = std::any_of(baseline.entries.begin(), baseline.entries.end(), [&](const auto& entry) {
    return !context.fact("written." + entry.id).empty();
  });
  if (wrote) {
    if (lastRead.empty() || toMillis(context.now()) - number(lastRead) >= kBetweenReads.count()) {
      equal = std::to_string(number(equal) + 1);
      lastRead = millis(context.now());
    }
    context.waitFor(fmt::format("versions read back {} of {} times", equal, kEqualReads));
    if (number(equal) < kEqualReads) co_return Seen::Busy;
  }
  const auto& node = context.node();
  Evidence evidence{node.id,      context.run().id, "firmware", "", {fmt::format("serial:{}", node.serial)},
                    context.now()};
  Json shown = Json::object();
  for (const auto& entry : baseline.entries)
    for (const auto& wanted : entry.components)
      for (const auto& item : *versions)
        if (matches(wanted.match, item.id)) {
          shown[item.id] = item.version;
          evidence.dependsOn.push_back(fmt::format("fw:{}={}", item.id, item.version));
        }
  std::sort(evidence.dependsOn.begin(), evidence.dependsOn.end());
  evidence.value = shown.dump();
  context.leave(PutEvidence{std::move(evidence)});
  co_return Seen::Done;
}

}  // namespace

std::vector<Step> firmwareSteps() {
  return {
      {.id = "firmware.write",
       .title = "Write the baseline's firmware",
       .look = lookAllWritten,
       .act = writeOrRestart,
       .settle = 60s,
       .deadline = 3h,
       .needs = {.duringAct = Budget::Upload, .duringStep = Budget::Flash},
       .overdue = "firmware.not_applied",
       .spent = "firmware.rejected"},
      {.id = "firmware.off",
       .title = "Switch the host off for activation",
       .look = lookOff,
       .act = switchOff,
       .settle = 30s,
       .poll = 5s,
       .spent = "power.stuck"},
      {.id = "firmware.copied",
       .title = "Wait for the roots of trust to finish copying",
       .look = lookCopied,
       .overdue = "firmware.not_applied"},
      {.id = "firmware.aux_cycle",
       .title = "Cycle the tray's standby power",
       .look = lookCycled,
       .act = cycle,
       .effect = Effect::Transient,
       .settle = 60s,
       .deadline = 1h,
       .spent = "power.stuck"},
      {.id = "firmware.baseboard",
       .title = "Wait for the HGX baseboard",
       .look = lookBaseboard,
       .deadline = 20min,
       .overdue = "firmware.hgx_missing"},
      {.id = "firmware.on",
       .title = "Switch the host on",
       .look = lookOn,
       .act = switchOn,
       .settle = 30s,
       .poll = 5s,
       .spent = "power.stuck"},
      {.id = "firmware.verify",
       .title = "Read the versions back",
       .look = lookVersions,
       .poll = 15s,
       .deadline = 1h,
       .maxTries = 3,
       .spent = "firmware.not_applied",
       .again = "firmware.write"},
  };
}

}  // namespace zellige::workflows
