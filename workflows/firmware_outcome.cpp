#include "workflows/firmware_outcome.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "workflows/firmware_record.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kForgotten = 15min;   // FACTS 6: a task that is not listed may still run that long
constexpr Duration kWatchGap = 90s;      // shorter than any write
constexpr Duration kNoProgress = 45min;  // nearly twice the longest write (FACTS 11: DGX 24:38)
constexpr Duration kLongestWrite = 2h;   // FACTS 11: a whole update
constexpr Duration kUnmoved = 5min;      // FACTS 6: bmcweb's own patience with a task that does not move
constexpr Duration kSoonAfter = 40min;  // the upload alone has 30 (drivers/redfish), and its BMC may be silent at first

bool isOwn(const StepContext& context, const AskedWrite& write) {
  const auto entries = entriesOf(context.target().baseline, write.package);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto* entry) { return context.wasIntended(writeItem(*entry)); });
}

// Every entry of the package is at the version that is wanted.
bool isPackageAlive(const StepContext& context, const std::string& package, const Versions& versions) {
  const auto entries = entriesOf(context.target().baseline, package);
  return !entries.empty() && std::all_of(entries.begin(), entries.end(),
                                         [&](const auto* entry) { return isAlive(*entry, versions); });
}

Task<Result<std::optional<BmcTask>>> namedTask(StepContext& context, std::string uri) {
  auto task = co_await context.flasher().task(std::move(uri));
  if (task) co_return std::optional<BmcTask>(std::move(*task));
  if (task.error().code == Errc::NotFound) co_return std::optional<BmcTask>();
  co_return task.error();
}

// Of several that are new, the failed one may be somebody else's: a write too few is found out.
Task<Result<std::optional<BmcTask>>> newTask(StepContext& context, std::string before) {
  const auto tasks = co_await context.flasher().tasks();
  if (!tasks) co_return tasks.error();
  std::optional<BmcTask> found;
  for (const auto& task : *tasks) {
    if (before.find(task.uri + "\n") != std::string::npos) continue;
    if (!found || found->state == TaskState::Failed || task.state == TaskState::Running) found = task;
  }
  co_return found;
}

// Kept of the last push while this process lives.
std::string& remembered(StepContext& context, std::string_view what) {
  return context.scratch(fmt::format("{} {}", what, pushedAt(context)));
}

// Keeps watch: true while the tasks were read soon after the push and all the time since. A process that has just
// started has not watched.
bool keepWatch(StepContext& context) {
  auto& last = remembered(context, "watched");
  const bool unbroken = last.empty() ? pushedWithin(context, kWatchGap)
                                     : toMillis(context.now()) - std::stoll(last) < kWatchGap.count();
  last = unbroken ? std::to_string(toMillis(context.now())) : "0";
  return unbroken;
}

// Counts from the first reading without its task: true once it was not listed for `span`.
bool countUnlisted(StepContext& context, Duration span) {
  auto& since = remembered(context, "unlisted");
  const auto now = toMillis(context.now());
  if (since.empty()) since = std::to_string(now);
  return now - std::stoll(since) >= span.count();
}

bool isForgotten(StepContext& context) {
  const bool longUnlisted = countUnlisted(context, kForgotten) && !pushedWithin(context, kForgotten);
  return longUnlisted || !pushedWithin(context, kLongestWrite);
}

Found waitUntilListed(StepContext& context) {
  context.waitFor("the BMC to tell what became of a package that was sent to it");
  return Found::Busy;
}

// It has not moved for longer than any write takes without a sign, as long as this process has watched. One that has told
// no progress at all may be on a BMC that tells none: it has as long as the longest write.
bool isOverdue(StepContext& context, const BmcTask& task) {
  auto& told = remembered(context, "progress");
  auto& since = remembered(context, "progress_since");
  const auto now = toMillis(context.now());
  if (const auto tells = fmt::format("{} {}", task.uri, task.percent); told != tells) {
    told = tells;
    since = std::to_string(now);
  }
  const auto unmoved = now - std::stoll(since);
  if (!pushedWithin(context, kLongestWrite)) return unmoved >= kUnmoved.count();
  return task.percent > 0 && unmoved >= kNoProgress.count();
}

// The task of the write that was asked for: by name, or because it began right after it. Another's may begin later.
bool isOfWrite(const AskedWrite& write, const BmcTask& task) {
  return (write.task.empty() ? write.taskSeen : write.task) == task.uri;
}

bool isStuck(StepContext& context, const BmcTask& task) {
  const auto write = askedWrite(context);
  return write && isOfWrite(*write, task) && isOverdue(context, task);
}

// It runs, or something does under its name.
Found judgeRunning(StepContext& context, const BmcTask& task) {
  writeWasSeen(context, pushedWithin(context, kSoonAfter) ? task.uri : "");
  remembered(context, "unlisted").clear();
  context.waitFor(progressOf(task));
  return isStuck(context, task) ? Found::Stuck : Found::Busy;
}

Found judgeCompleted(StepContext& context, const AskedWrite& write) {
  // Without a name it may be an older one that was not listed before, and ours not listed yet.
  if (write.task.empty() && pushedWithin(context, kTaskListed)) return waitUntilListed(context);
  concludeWrite(context, Written::Yes);
  return Found::Over;
}

Found judgeFailed(StepContext& context, const AskedWrite& write, const BmcTask& task) {
  context.waitFor(task.message);
  if (write.task.empty()) return Found::FailedPerhaps;
  // Once it was seen to have failed, it has, also when the BMC forgets the task.
  concludeWrite(context, Written::No);
  return Found::Busy;
}

// It runs no more: it has failed, or is not listed.
Task<Result<Found>> lookWithoutTask(StepContext& context, AskedWrite write, std::optional<BmcTask> failed) {
  const bool watched = keepWatch(context);
  const auto state = co_await context.flasher().state();
  if (!state) co_return state.error();
  if (!state->baseboardPresent) {
    // Its firmware and its tasks are not listed now: that says nothing about them.
    context.waitFor("the HGX baseboard to answer");
    co_return Found::Busy;
  }
  if (restartedSincePush(context, *state)) {
    // Task numbers begin anew then, so a failed one may be another's. But perhaps only its clock was set.
    const auto span = datesRestartAfterPush(context, *state) ? kWatchGap : kForgotten;
    const bool settled = countUnlisted(context, span) && !pushedWithin(context, kTaskListed);
    co_return settled ? Found::Lost : waitUntilListed(context);
  }
  if (failed) co_return judgeFailed(context, write, *failed);
  const bool dated = !write.resetBefore.empty() && !state->lastReset.empty();
  const bool began = write.accepted || !watched || !dated;
  co_return began ? Found::Forgotten : Found::NeverBegan;
}

}  // namespace

std::string progressOf(const BmcTask& task) {
  return fmt::format("the BMC writes firmware{}",
                     task.percent >= 0 ? fmt::format(": {} %", task.percent) : "");
}

bool anyRuns(StepContext& context, const std::vector<BmcTask>& tasks) {
  const auto running = std::find_if(tasks.begin(), tasks.end(), [&](const BmcTask& task) {
    return task.state == TaskState::Running && !isStuck(context, task);
  });
  if (running == tasks.end()) return false;
  context.waitFor(progressOf(*running));
  return true;
}

Task<Result<bool>> lookWhetherAnyRuns(StepContext& context) {
  const auto tasks = co_await context.flasher().tasks();
  if (!tasks) co_return tasks.error();
  co_return anyRuns(context, *tasks);
}

// Bounded by what a write may take at most: a machine that is gone for good must not keep a slot for good.
Task<Result<Seen>> lookWhetherOneRuns(StepContext& context) {
  const bool mayStill = pushedWithin(context, kLongestWrite);
  const auto tasks = co_await context.flasher().tasks();
  if (tasks && anyRuns(context, *tasks)) co_return Seen::Busy;
  if (!mayStill) co_return Seen::Done;
  if (!tasks) co_return tasks.error();
  const auto found = co_await lookAtWrite(context);
  if (!found) co_return found.error();
  const bool hidden = *found == Found::Forgotten && !isForgotten(context);
  const bool another = *found == Found::FailedPerhaps && pushedWithin(context, kTaskListed);
  co_return *found == Found::Busy || hidden || another ? Seen::Busy : Seen::Done;
}

Task<Result<Seen>> lookRestarted(StepContext& context) {
  const auto asked = askedRestart(context);
  if (!asked) co_return Seen::Done;
  const bool ofTray = asked->of == kTray;
  const auto state = co_await context.flasher().state();
  if (!state && !absentAsExpected(context, state.error(), asked->at)) co_return state.error();
  const auto became = state ? becameOf(context, *asked, *state) : Became::MayBegin;
  if (became == Became::MayBegin || !state->baseboardPresent) {
    context.waitFor(ofTray ? "the BMC and its baseboard: a power cycle was asked for"
                           : "the BMC and its baseboard: a restart of the BMC was asked for");
    co_return Seen::Busy;
  }
  if (became == Became::Nothing) co_return Seen::Done;
  concludeRestart(context);
  // What was stuck may be written: if so it is alive now, or waits for the tray's power cycle.
  if (const auto write = askedWrite(context); write && write->package == asked->of)
    concludeWrite(context, Written::Yes);
  if (!ofTray)
    bmcRestarted(context, asked->of, *state);
  else if (became != Became::LongAgo)
    trayCycled(context, *asked, became);
  co_return Seen::Done;
}

Task<Result<Found>> lookAtWrite(StepContext& context) {
  auto write = askedWrite(context);
  if (!write) co_return Found::Over;
  // Not with ?: g++ 12 destroys the result of a co_await in a conditional operator twice.
  Result<std::optional<BmcTask>> task = std::optional<BmcTask>();
  if (write->task.empty())
    task = co_await newTask(context, write->tasksBefore);
  else
    task = co_await namedTask(context, write->task);
  if (!task) co_return task.error();
  if (*task && (*task)->state == TaskState::Running) {
    const auto found = judgeRunning(context, **task);
    if (found == Found::Busy) co_return found;
    const auto state = co_await context.flasher().state();
    if (!state) co_return state.error();
    if (!restartedSincePush(context, *state)) co_return found;
    task = std::optional<BmcTask>();  // task numbers began anew: it is another's
  }
  if (*task && (*task)->state == TaskState::Completed) co_return judgeCompleted(context, *write);
  co_return co_await lookWithoutTask(context, std::move(*write), std::move(*task));
}

Seen judgeByVersions(StepContext& context, Found found, const Versions& versions) {
  const auto write = askedWrite(context);
  if (found == Found::Over || !write) return Seen::Done;
  const bool wanted = !entriesOf(context.target().baseline, write->package).empty();
  const bool alive = isPackageAlive(context, write->package, versions);
  const bool early = pushedWithin(context, kTaskListed) && (alive || !isOwn(context, *write));
  // Versions may be listed before the write that brings them is over.
  const bool maybeEarly = alive && found == Found::Forgotten && !countUnlisted(context, kTaskListed);
  if (early || maybeEarly) {
    waitUntilListed(context);
    return Seen::Busy;
  }
  if (alive) {
    // By a restart of the BMC, if it made one (fault 11): then it needs no other.
    concludeWrite(context, found == Found::Lost ? Written::Restarted : Written::Yes);
    return Seen::Done;
  }
  if (found == Found::Forgotten && !isForgotten(context)) {
    context.waitFor("the BMC lists no task for a package that was sent to it: it may still write");
    return Seen::Busy;
  }
  // Nobody can tell before the power cycle, not even where a BMC restart should have brought it alive (fault 16 after
  // fault 11): flashing again might flash twice.
  if (found == Found::Forgotten || found == Found::Lost)
    concludeWrite(context, found == Found::Forgotten && write->accepted ? Written::Forgotten : Written::Lost);
  else if (!wanted)
    concludeWrite(context, found == Found::FailedPerhaps ? Written::Lost : Written::No);
  return Seen::Done;
}

Task<Result<void>> lookCycledByHand(StepContext& context, const Versions& versions) {
  const auto asked = askedRestart(context);
  if (!asked || asked->of != kTray || asked->answer != Answer::Refused) co_return Result<void>{};
  const auto state = co_await context.flasher().state();
  if (!state) co_return state.error();
  if (!state->lastReset.empty() && !restartedSincePush(context, *state)) co_return Result<void>{};
  for (const auto& package : writtenPackages(context))
    if (isPackageAlive(context, package, versions)) setCycled(context, package, Cycled::Yes);
  co_return Result<void>{};
}

}  // namespace zellige::workflows
