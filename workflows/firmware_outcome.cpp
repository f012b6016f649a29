#include "workflows/firmware_outcome.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "workflows/firmware_record.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kForgotten = 15min;  // FACTS 6: a task that is not listed may still run that long
constexpr Duration kWatchGap = 90s;     // shorter than any write
constexpr Duration kLongestWrite = 2h;  // FACTS 11: a whole update

bool isOwn(const StepContext& context, const AskedWrite& write) {
  const auto* entry = entryOf(context.target().baseline, write.package);
  return entry && context.wasIntended(writeItem(*entry));
}

Task<Result<std::optional<BmcTask>>> namedTask(StepContext& context, std::string uri) {
  auto task = co_await context.bmc().task(std::move(uri));
  if (task) co_return std::optional<BmcTask>(std::move(*task));
  if (task.error().code == Errc::NotFound) co_return std::optional<BmcTask>();
  co_return task.error();
}

// Of several that are new, the failed one may be somebody else's: a write too few is found out.
Task<Result<std::optional<BmcTask>>> newTask(StepContext& context, std::string before) {
  const auto tasks = co_await context.bmc().tasks();
  if (!tasks) co_return tasks.error();
  std::optional<BmcTask> found;
  for (const auto& task : *tasks) {
    if (before.find(task.uri + "\n") != std::string::npos) continue;
    if (!found || found->state == TaskState::Failed || task.state == TaskState::Running) found = task;
  }
  co_return found;
}

// ms, of the last push's task; kept while this process lives.
std::string& unlistedSince(StepContext& context) { return context.scratch("unlisted." + pushedAt(context)); }

Found judgeTask(StepContext& context, const AskedWrite& write, const BmcTask& task) {
  switch (task.state) {
    case TaskState::Running:
      foundTask(context, task.uri);
      unlistedSince(context).clear();
      context.waitFor(progressOf(task));
      return Found::Busy;
    case TaskState::Completed:
      // Without a name it may be an older one that was not listed before, and ours not listed yet.
      if (write.task.empty() && pushedWithin(context, kTaskListed)) {
        context.waitFor("the BMC to list its update task");
        return Found::Busy;
      }
      concludeWrite(context, Written::Yes);
      return Found::Over;
    case TaskState::Failed: break;
  }
  context.waitFor(task.message);
  if (write.task.empty()) return Found::FailedPerhaps;
  // Once it was seen to have failed, it has, also when the BMC forgets the task.
  concludeWrite(context, Written::No);
  return Found::Busy;
}

// The task list was read soon after the push and all the time since. A process that has just started has not watched.
bool wasWatched(StepContext& context) {
  auto& last = context.scratch("watched." + pushedAt(context));
  const bool unbroken = last.empty() ? pushedWithin(context, kWatchGap)
                                     : toMillis(context.now()) - std::stoll(last) < kWatchGap.count();
  last = unbroken ? std::to_string(toMillis(context.now())) : "0";
  return unbroken;
}

// It is not listed since a while, or its push was long ago.
bool isForgotten(StepContext& context) {
  auto& since = unlistedSince(context);
  const auto now = toMillis(context.now());
  if (since.empty()) since = std::to_string(now);
  return !pushedWithin(context, kLongestWrite) ||
         (!pushedWithin(context, kForgotten) && now - std::stoll(since) >= kForgotten.count());
}

Task<Result<Found>> lookWithoutTask(StepContext& context, AskedWrite write) {
  const bool watched = wasWatched(context);
  const auto state = co_await context.bmc().state();
  if (!state) co_return state.error();
  if (!state->baseboardPresent) {
    // Its firmware and its tasks are not listed now: that says nothing about them.
    context.waitFor("the HGX baseboard to answer");
    co_return Found::Busy;
  }
  const bool dated = !write.resetBefore.empty() && !state->lastReset.empty();
  if (dated && write.resetBefore != state->lastReset) co_return Found::Lost;
  const bool began = write.accepted || !watched || !dated;
  co_return began ? Found::Forgotten : Found::NeverBegan;
}

}  // namespace

std::string progressOf(const BmcTask& task) {
  return fmt::format("the BMC writes firmware{}",
                     task.percent >= 0 ? fmt::format(": {} %", task.percent) : "");
}

Task<Result<bool>> anyWriteRuns(StepContext& context) {
  const auto tasks = co_await context.bmc().tasks();
  if (!tasks) co_return tasks.error();
  for (const auto& task : *tasks) {
    if (task.state != TaskState::Running) continue;
    context.waitFor(progressOf(task));
    co_return true;
  }
  co_return false;
}

Task<Result<Seen>> lookRestarted(StepContext& context) {
  const auto asked = askedRestart(context);
  if (!asked) co_return Seen::Done;
  const bool ofTray = asked->of == kTray;
  const auto state = co_await context.bmc().state();
  if (!state && !absentAsExpected(context, state.error(), asked->at)) co_return state.error();
  const auto became = state ? becameOf(context, *asked, *state) : Became::MayBegin;
  if (became == Became::MayBegin || !state->baseboardPresent) {
    context.waitFor(ofTray ? "the power cycle that an earlier run asked for"
                           : "the BMC and its baseboard to come back from the BMC's restart");
    co_return Seen::Busy;
  }
  if (became == Became::Nothing) co_return Seen::Done;
  concludeRestart(context);
  // What an earlier run's cycle brought so long ago, is alive; what is not, waits for ours.
  if (ofTray && became != Became::LongAgo) trayCycled(context, *asked, became);
  if (!ofTray && writtenOf(context, asked->of) == Written::Yes)
    setWritten(context, asked->of, Written::Restarted);
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
  if (*task) co_return judgeTask(context, *write, **task);
  co_return co_await lookWithoutTask(context, std::move(*write));
}

Seen judgeByVersions(StepContext& context, Found found, const Versions& versions) {
  const auto write = askedWrite(context);
  if (found == Found::Over || !write) return Seen::Done;
  const auto* entry = entryOf(context.target().baseline, write->package);
  const bool alive = entry && isAlive(*entry, versions);
  if ((alive || !isOwn(context, *write)) && pushedWithin(context, kTaskListed)) {
    context.waitFor("the BMC to list its update task");
    return Seen::Busy;
  }
  if (alive) {
    concludeWrite(context, Written::Yes);
    return Seen::Done;
  }
  if (found == Found::Forgotten && !isForgotten(context)) {
    context.waitFor("the BMC lists no task for a package that was sent to it: it may still write");
    return Seen::Busy;
  }
  // Nobody can tell before the power cycle, not even where a BMC restart should have brought it alive (fault 16 after fault
  // 11): flashing again might flash twice.
  if (found == Found::Forgotten || found == Found::Lost)
    concludeWrite(context, found == Found::Forgotten && write->accepted ? Written::Forgotten : Written::Lost);
  else if (!entry)
    concludeWrite(context, found == Found::FailedPerhaps ? Written::Lost : Written::No);
  return Seen::Done;
}

Task<Result<void>> lookCycledByHand(StepContext& context, const Versions& versions) {
  const auto& acts = context.run().acts;
  if (std::any_of(acts.begin(), acts.end(), [](const auto& act) { return act.second.mayHaveTakenEffect(); }))
    co_return Result<void>{};
  std::vector<std::string> alive, untold;
  for (auto& package : writtenPackages(context)) {
    const auto* entry = entryOf(context.target().baseline, package);
    const bool perhaps = cycledOf(context, package) == Cycled::Perhaps;
    if (entry && isAlive(*entry, versions) && (perhaps || awaitedBy(context, package) != Awaited::Nothing))
      alive.push_back(std::move(package));
    else if (!entry && perhaps)
      untold.push_back(std::move(package));
  }
  if (alive.empty()) co_return Result<void>{};
  const auto state = co_await context.bmc().state();
  if (!state) co_return state.error();
  if (!mayHaveRestartedSincePush(context, *state)) co_return Result<void>{};
  for (const auto& package : alive) {
    const bool needed = entryOf(context.target().baseline, package)->activation == Activation::AuxCycle;
    // So the cycle that was a perhaps has been, for all that waited for it.
    if (needed && cycledOf(context, package) == Cycled::Perhaps)
      for (const auto& same : untold) setCycled(context, same, Cycled::Yes);
    setCycled(context, package, Cycled::Yes);
  }
  co_return Result<void>{};
}

}  // namespace zellige::workflows
