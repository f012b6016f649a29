#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "workflows/firmware.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kBetweenPushes = 35s;  // FACTS 6: 30 s apart
constexpr Duration kAbsence = 10min;      // BMC gone 5 min and more after an update (FACTS 11, fault 19)
constexpr Duration kForgotten = 15min;    // FACTS 6: a task that is not listed may still run that long
constexpr Duration kTaskListed = 60s;     // the settle of this step: longer than the BMC's lag
constexpr Duration kSecondReading = 5s;   // between the two readings that a first write needs

bool isRead(const FirmwareItem& item) { return !item.absent && !item.version.empty(); }

std::string writeItem(const Baseline::Entry& entry) { return "write." + entry.id; }
std::string restartItem(const Baseline::Entry& entry) { return "restart." + entry.id; }

const Baseline::Entry* find(const Baseline& baseline, std::string_view id) {
  for (const auto& entry : baseline.entries)
    if (entry.id == id) return &entry;
  return nullptr;
}

std::string uris(const std::vector<BmcTask>& tasks) {
  std::string out;
  for (const auto& task : tasks) out += task.uri + "\n";
  return out;
}

std::string progress(const BmcTask& task) {
  return fmt::format("the BMC writes firmware{}",
                     task.percent >= 0 ? fmt::format(": {} %", task.percent) : "");
}

// A write that may have taken effect: of this run, or of one that ended before it was over.
struct Begun {
  bool accepted = false;
  std::string tasks, bmcReset;  // before it: what its look saw
};

std::optional<Begun> begun(const StepContext& context, const Baseline::Entry& entry) {
  const auto& act = context.run().actOf(writeItem(entry));
  if (act.mayHaveTakenEffect())
    return Begun{act.phase == ActPhase::Accepted, std::string(act.witness.get("tasks")),
                 std::string(act.witness.get("bmc_reset"))};
  const auto earlier = context.fact("begun." + packageKey(entry));
  if (earlier.empty()) return std::nullopt;
  return Begun{earlier == "accepted", context.fact("begun_tasks." + packageKey(entry)),
               context.fact("begun_reset." + packageKey(entry))};
}

// What became of it: its task tells, as long as the BMC remembers it.
struct WriteState {
  enum { Running, Written, Failed, Vanished } state = Vanished;
  std::string text;
};

WriteState writeState(const std::optional<Begun>& write, const std::string& known,
                      const std::vector<BmcTask>& tasks) {
  for (const auto& task : tasks)
    if (task.state == TaskState::Running) return {WriteState::Running, progress(task)};
  WriteState found;
  if (!write) return found;
  for (const auto& task : tasks) {
    const bool ours = known.empty() ? write->tasks.find(task.uri + "\n") == std::string::npos
                                    : task.uri == known;
    if (!ours) continue;
    // Of several new ones without a name, the failed one may be somebody else's: a write too few is found out.
    if (task.state == TaskState::Completed) return {WriteState::Written, task.message};
    found = {WriteState::Failed, task.message};
  }
  return found;
}

// True: two readings, some seconds apart, say the same. One alone may be a BMC that is half awake, and a first write
// follows from it.
bool readTwice(StepContext& context, const std::string& behind) {
  auto& text = context.scratch("behind");
  auto& since = context.scratch("behind_since");
  if (text != behind) {
    text = behind;
    since = millis(context.now());
  }
  if (toMillis(context.now()) - std::stoll(since) >= kSecondReading.count()) return true;
  context.waitFor("a second reading: " + behind);
  return false;
}

enum class EntryState { Settled, Busy, Todo };

// What is written waits for what this baseline says; another may have said something else when it was written.
void setPending(StepContext& context, const Baseline::Entry& entry) {
  if (!context.fact("cycled_at").empty()) return;
  if (entry.activation == Activation::AuxCycle) context.setFact("pending", "yes");
  if (entry.activation == Activation::HostCycle) context.setFact("host_pending", "yes");
}

void settleWritten(StepContext& context, const Baseline::Entry& entry) {
  context.setFact("written." + packageKey(entry), "yes");
  context.clearFact("cycled_at");  // an earlier run's cycle was before this write
  setPending(context, entry);
}

// Done or not, nobody can tell before the power cycle, not even where a BMC restart should have brought it alive (fault
// 16 after fault 11): flashing again might flash twice.
void settleUnknown(StepContext& context, const Baseline::Entry& entry) {
  context.setFact("written." + packageKey(entry), "maybe");
  context.setFact("pending", "yes");
}

// A BMC restart brings entries with activation bmc_reset alive.
Task<Result<EntryState>> lookRestart(StepContext& context, const Baseline::Entry& entry) {
  context.chooseItem(restartItem(entry));
  const auto state = co_await context.bmc().state();
  const auto since = millisOf(context, "restarted_at");
  const bool own = context.wasIntended();
  const auto of = "." + packageKey(entry);
  if (!state) {
    const bool asked = own || !context.fact("restart" + of).empty();
    if (asked && absentAsExpected(context, state.error(), since)) co_return EntryState::Busy;
    co_return state.error();
  }
  const auto earlier = own ? Restart::NotAsked
                           : earlierRestart(context, *state, "restart", of, "restarted_at");
  if (earlier == Restart::MayBegin) {
    context.waitFor("the restart of the BMC that an earlier run asked for");
    co_return EntryState::Busy;
  }
  // A BMC that does not say when it restarted is not asked again: the power cycle brings it alive as well.
  const bool untold = own && state->lastReset.empty();
  if (untold || earlier == Restart::Happened || earlier == Restart::Perhaps ||
      restartedSinceIntent(context, *state)) {
    // The new version may be listed late. If the old one stays, only the power cycle will do (fault 16).
    context.waitFor(fmt::format("the new version of {} after the BMC's restart", entry.id));
    if (toMillis(context.now()) - since < kVersionsSettle.count()) co_return EntryState::Busy;
    context.setFact("pending", "yes");
    context.setFact("written." + packageKey(entry), "restarted");
    co_return EntryState::Settled;
  }
  context.witness("bmc_reset", state->lastReset);
  // From the intent on the BMC's absence is expected.
  context.setFactWithIntent("restarted_at", millis(context.now()));
  co_return EntryState::Todo;
}

bool pushedWithin(const StepContext& context, Duration span) {
  const auto pushed = millisOf(context, "pushed_at");
  return pushed > 0 && toMillis(context.now()) - pushed < span.count();
}

// A write of an earlier run, of a package that nobody wants any more, whose task cannot be asked.
bool anotherMayRun(const StepContext& context, const std::string& package, const std::vector<BmcTask>& tasks) {
  if (!pushedWithin(context, kForgotten)) return false;
  constexpr std::string_view prefix = "begun.";
  for (const auto& [key, value] : context.facts()) {
    if (!key.starts_with(prefix) || key.substr(prefix.size()) == package) continue;
    const auto uri = context.fact("task." + std::string(key.substr(prefix.size())));
    const auto listed = [&](const BmcTask& task) { return task.uri == uri; };
    if (uri.empty() || std::none_of(tasks.begin(), tasks.end(), listed)) return true;
  }
  return false;
}

// The task is not listed any more. Its BMC may have restarted, or forgets quickly; or the push never reached it.
EntryState judgeVanished(StepContext& context, const Baseline::Entry& entry, const Begun& write,
                         const BmcState& state) {
  const bool dated = !write.bmcReset.empty() && !state.lastReset.empty();
  if (dated && write.bmcReset != state.lastReset) {
    settleUnknown(context, entry);
    return EntryState::Settled;
  }
  if (dated && !write.accepted) return EntryState::Todo;
  context.waitFor(fmt::format("the BMC lists no task for {} any more: it may still write", entry.id));
  if (pushedWithin(context, kForgotten)) return EntryState::Busy;
  settleUnknown(context, entry);
  return EntryState::Settled;
}

Task<Result<EntryState>> lookWrite(StepContext& context, const Baseline::Entry& entry) {
  context.chooseItem(writeItem(entry));
  const auto tasks = co_await context.bmc().tasks();
  if (!tasks) co_return tasks.error();
  const auto state = co_await context.bmc().state();
  if (!state) co_return state.error();
  if (!state->baseboardPresent) {
    // Its firmware is not listed now: that says nothing about versions.
    context.waitFor("the HGX baseboard to answer");
    co_return EntryState::Busy;
  }
  const auto write = begun(context, entry);
  auto now = writeState(write, context.fact("task." + packageKey(entry)), *tasks);
  if (now.state == WriteState::Running) {
    context.waitFor(now.text);
    co_return EntryState::Busy;
  }
  // Once its own task was seen to have failed, the write has, also when the BMC forgets the task.
  const auto failed = "failed." + packageKey(entry);
  const bool named = !context.fact("task." + packageKey(entry)).empty();
  if (now.state == WriteState::Failed && named && context.fact(failed).empty()) {
    context.waitFor(now.text);
    context.setFact(failed, "yes");
    co_return EntryState::Busy;
  }
  if (!context.fact(failed).empty()) now.state = WriteState::Failed;
  if (!write && anotherMayRun(context, packageKey(entry), *tasks)) {
    context.waitFor(
        "a package that an earlier run wrote, and whose task is not listed: it may still be written");
    co_return EntryState::Busy;
  }
  if (write) {
    if (now.state == WriteState::Written) {
      settleWritten(context, entry);
      co_return EntryState::Settled;
    }
    if (now.state == WriteState::Vanished) {
      const auto judged = judgeVanished(context, entry, *write, *state);
      if (judged != EntryState::Todo) co_return judged;
    } else {
      context.waitFor(now.text);
    }
  }
  if (!context.wasIntended() && pushedWithin(context, write ? kTaskListed : kBetweenPushes)) {
    context.waitFor("30 s between two packages");
    co_return EntryState::Busy;
  }
  if (!context.store().file(entry.packageDigest)) {
    context.waitForPerson(fmt::format("package {} is not in the content store: import the site's files again",
                                      entry.packageDigest));
    co_return EntryState::Busy;
  }
  context.witness("tasks", uris(*tasks));
  context.witness("bmc_reset", state->lastReset);
  context.setFactWithIntent("pushed_at", millis(context.now()));
  context.setFactWithIntent("task." + packageKey(entry), "");
  if (!context.fact(failed).empty()) context.setFactWithIntent(failed, "");
  co_return EntryState::Todo;
}

// While the task of our write runs, it alone is asked: one exchange. False: everything must be looked at.
Task<Result<bool>> ourTaskRuns(StepContext& context) {
  const auto& item = context.run().item;
  constexpr std::string_view prefix = "write.";
  if (!item.starts_with(prefix) || !context.wasIntended(item)) co_return false;
  const auto* entry = find(context.target().baseline, item.substr(prefix.size()));
  auto uri = entry ? context.fact("task." + packageKey(*entry)) : std::string{};
  if (uri.empty()) co_return false;
  const auto task = co_await context.bmc().task(std::move(uri));
  if (!task && task.error().code == Errc::NotFound) co_return false;
  if (!task) co_return task.error();
  if (task->state != TaskState::Running) co_return false;
  context.waitFor(progress(*task));
  co_return true;
}

// After a BMC restart, whether it and its baseboard are back: asked before the inventory, which would be long and half
// empty.
Task<Result<bool>> stillRestarting(StepContext& context) {
  const auto& item = context.run().item;
  if (!item.starts_with("restart.") || !context.wasIntended(item)) co_return false;
  const auto state = co_await context.bmc().state();
  context.waitFor("the BMC and its baseboard to come back");
  if (state) co_return !state->baseboardPresent;
  if (absentAsExpected(context, state.error(), millisOf(context, "restarted_at"))) co_return true;
  co_return state.error();
}

// Versions may be listed before the write that brings them is over.
Task<Result<bool>> stillWrites(StepContext& context, const Baseline::Entry& entry) {
  const auto write = begun(context, entry);
  if (!write || !context.fact("written." + packageKey(entry)).empty()) co_return false;
  const auto tasks = co_await context.bmc().tasks();
  if (!tasks) co_return tasks.error();
  const auto now = writeState(write, context.fact("task." + packageKey(entry)), *tasks);
  if (now.state == WriteState::Running) {
    context.waitFor(now.text);
    co_return true;
  }
  if (now.state == WriteState::Vanished && pushedWithin(context, kTaskListed)) {
    context.waitFor("the BMC to list its update task");
    co_return true;
  }
  context.setFact("written." + packageKey(entry), "yes");
  co_return false;
}

}  // namespace

std::string packageKey(const Baseline::Entry& entry) {
  auto key = entry.packageDigest.substr(0, 12);
  for (const auto& target : entry.targets) key += target.substr(target.find_last_of('/') + 1);
  return key;
}

std::string firstBehind(const Baseline::Entry& entry, const Versions& versions) {
  for (const auto& wanted : entry.components)
    for (const auto& item : versions)
      if (isRead(item) && matches(wanted.match, item.id) && !sameVersion(item.version, wanted.version))
        return fmt::format("{} is {}, wanted {}", item.id, item.version, wanted.version);
  return {};
}

std::string firstUnlisted(const Baseline::Entry& entry, const Versions& versions) {
  for (const auto& wanted : entry.components) {
    bool any = false;
    for (const auto& item : versions) {
      if (!matches(wanted.match, item.id)) continue;
      if (!isRead(item)) return item.id;
      any = true;
    }
    if (!any) return wanted.match;
  }
  return {};
}

std::string firstBehind(const Baseline& baseline, const Versions& versions) {
  for (const auto& entry : baseline.entries)
    if (auto behind = firstBehind(entry, versions); !behind.empty()) return behind;
  return {};
}

std::string firstUnlisted(const Baseline& baseline, const Versions& versions) {
  for (const auto& entry : baseline.entries)
    if (auto unlisted = firstUnlisted(entry, versions); !unlisted.empty()) return unlisted;
  return {};
}

std::int64_t millisOf(const StepContext& context, const std::string& fact) {
  const auto& text = context.fact(fact);
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::string millis(Time t) { return std::to_string(toMillis(t)); }

bool absentAsExpected(const StepContext& context, const Error& error, std::int64_t since) {
  const bool contact = error.code == Errc::Unreachable || error.code == Errc::Timeout ||
                       error.code == Errc::Busy;
  return contact && since > 0 && toMillis(context.now()) - since < kAbsence.count();
}

bool restartedSinceIntent(const StepContext& context, const BmcState& state) {
  if (state.lastReset.empty()) return context.wasAccepted();
  const auto before = context.intended("bmc_reset");
  return before && *before != state.lastReset;
}

Task<Result<Seen>> lookAllWritten(StepContext& context) {
  const auto running = co_await ourTaskRuns(context);
  if (!running) co_return running.error();
  if (*running) co_return Seen::Busy;
  const auto away = co_await stillRestarting(context);
  if (!away) co_return away.error();
  if (*away) co_return Seen::Busy;
  const auto versions = co_await context.bmc().firmware();
  if (!versions) co_return versions.error();
  const auto inherited = co_await lookInherited(context, *versions);
  if (!inherited || *inherited == Seen::Busy) co_return inherited;
  for (const auto& entry : context.target().baseline.entries) {
    if (const auto unlisted = firstUnlisted(entry, *versions); !unlisted.empty()) {
      context.waitFor(unlisted + " to be listed");
      co_return Seen::Busy;
    }
    const auto behind = firstBehind(entry, *versions);
    if (behind.empty()) {
      const auto writes = co_await stillWrites(context, entry);
      if (!writes) co_return writes.error();
      if (*writes) co_return Seen::Busy;
      continue;
    }
    const auto& written = context.fact("written." + packageKey(entry));
    const bool needsRestart = written == "yes" && entry.activation == Activation::BmcReset;
    if (written == "yes") setPending(context, entry);
    if (!written.empty() && !needsRestart) continue;
    if (written.empty() && !context.wasIntended(writeItem(entry)) && !readTwice(context, behind))
      co_return Seen::Busy;
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
    if (context.fact("written." + packageKey(entry)) == "yes" && entry.activation == Activation::BmcReset)
      co_return Seen::Busy;
  }
  co_return Seen::Done;
}

Task<Result<void>> writeOrRestart(StepContext& context) {
  const auto item = context.item();
  if (item.starts_with("restart.")) co_return co_await context.bmc().resetBmc();
  const auto* entry = find(context.target().baseline, item.substr(std::string_view("write.").size()));
  const auto package = context.store().file(entry->packageDigest);
  if (!package) co_return Error{Errc::Busy, "the package went from the content store"};
  auto task = co_await context.bmc().pushFirmware(context.store().filePath(entry->packageDigest),
                                                  package->name, entry->targets, entry->force);
  if (!task) co_return task.error();
  if (!task->empty()) context.setFact("task." + packageKey(*entry), *task);
  co_return Result<void>{};
}

}  // namespace zellige::workflows
