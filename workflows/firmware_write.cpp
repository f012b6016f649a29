#include <algorithm>
#include <fmt/format.h>

#include "workflows/firmware.hpp"
#include "workflows/firmware_outcome.hpp"
#include "workflows/firmware_record.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kBetweenPushes = 35s;  // FACTS 6: 30 s apart
constexpr Duration kSecondReading = 5s;   // between the two readings that a first write needs

constexpr const char* kStuckTask = "stuck";  // what the act is about, beside the entries' items

const Baseline::Entry& entryOfItem(const StepContext& context) {
  const std::string_view item = context.item();
  const auto id = item.substr(item.find('.') + 1);
  const auto& entries = context.target().baseline.entries;
  return *std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.id == id; });
}

PackageFile packageFile(StepContext& context, const StoredFile& file) {
  const auto token = context.site().token(context.node(), fmt::format("boot-{}", context.run().id.value));
  return {context.store().filePath(file.digest), file.name,
          fmt::format("{}/packages/{}/{}/{}", context.site().provisioningUrl, token, file.digest, file.name)};
}

// True: two readings, some seconds apart, say the same. One alone may be a BMC that is half awake, and a first write
// follows from it.
bool readTwice(StepContext& context, const std::string& behind) {
  auto& text = context.scratch("behind");
  auto& since = context.scratch("behind_since");
  const auto now = toMillis(context.now());
  if (text != behind) {
    text = behind;
    since = std::to_string(now);
  }
  if (now - std::stoll(since) >= kSecondReading.count()) return true;
  context.waitFor("a second reading: " + behind);
  return false;
}

Task<Result<Seen>> lookPush(StepContext& context, const Baseline::Entry& entry) {
  const auto tasks = co_await context.flasher().tasks();
  if (!tasks) co_return tasks.error();
  if (anyRuns(context, *tasks)) co_return Seen::Busy;
  const auto state = co_await context.flasher().state();
  if (!state) co_return state.error();
  if (!state->baseboardPresent) {
    // Its firmware is not listed now: that says nothing about versions.
    context.waitFor("the HGX baseboard to answer");
    co_return Seen::Busy;
  }
  if (!context.wasIntended() && pushedWithin(context, kBetweenPushes)) {
    context.waitFor("30 s between two packages");
    co_return Seen::Busy;
  }
  if (!context.store().file(entry.packageDigest)) {
    context.waitForPerson(fmt::format("package {} is not in the content store: import the site's files again",
                                      entry.packageDigest));
    co_return Seen::Busy;
  }
  intendWrite(context, packageKey(entry), *tasks, *state);
  co_return Seen::Todo;
}

Task<Result<Seen>> lookRestart(StepContext& context, const Baseline::Entry& entry) {
  const auto runs = co_await lookWhetherAnyRuns(context);
  if (!runs) co_return runs.error();
  if (*runs) co_return Seen::Busy;
  const auto state = co_await context.flasher().state();
  if (!state) co_return state.error();
  intendRestart(context, packageKey(entry), *state);
  co_return Seen::Todo;
}

// No write takes so long (fault 13). A restart of the BMC ends its task, and then the versions tell.
Task<Result<Seen>> lookStuck(StepContext& context) {
  const auto write = askedWrite(context);
  const auto tasks = co_await context.flasher().tasks();
  if (!tasks) co_return tasks.error();
  if (anyRuns(context, *tasks)) co_return Seen::Busy;  // somebody else's
  const auto state = co_await context.flasher().state();
  if (!state) co_return state.error();
  context.waitFor(fmt::format("the task {} runs for longer than any write takes", write->task));
  context.chooseItem(kStuckTask);
  intendRestart(context, write->package, *state);
  co_return Seen::Todo;
}

// Done: it is alive, or written and waits for a power cycle.
Task<Result<Seen>> lookEntry(StepContext& context, const Baseline::Entry& entry, const Versions& versions) {
  const auto package = packageKey(entry);
  const auto written = writtenOf(context, package);
  const auto cycled = cycledOf(context, package);
  const auto behind = firstBehind(entry, versions);
  if (written == Written::No && !behind.empty()) {
    context.chooseItem(writeItem(entry));
    if (!context.wasIntended() && !readTwice(context, behind)) co_return Seen::Busy;
    co_return co_await lookPush(context, entry);
  }
  // A BMC restart brings entries with activation bmc_reset alive; so does the tray's power cycle, which may have been.
  const bool mayBeAlive = written == Written::No || cycled == Cycled::Yes || cycled == Cycled::Perhaps;
  if (entry.activation != Activation::BmcReset || mayBeAlive) co_return Seen::Done;
  if (written == Written::Yes) {
    context.chooseItem(restartItem(entry));
    co_return co_await lookRestart(context, entry);
  }
  if (written != Written::Restarted || behind.empty()) co_return Seen::Done;
  if (restartedWithin(context, kVersionsSettle)) {
    context.waitFor(fmt::format("the new version of {} after the BMC's restart", entry.id));
    co_return Seen::Busy;
  }
  setWritten(context, package, Written::Unmoved);
  co_return Seen::Done;
}

Task<Result<void>> endStuckTask(StepContext& context) {
  auto restarted = co_await context.flasher().resetBmc();
  restartAnswered(context, restarted);
  if (!restarted && restarted.error().code == Errc::Unsupported)
    co_return failure("firmware.not_applied",
                      fmt::format("a task runs for longer than any write takes, and {}: restart it by hand, "
                                  "then retry the run",
                                  restarted.error().what));
  co_return restarted;
}

}  // namespace

Task<Result<Seen>> lookAllWritten(StepContext& context) {
  const auto restarted = co_await lookRestarted(context);
  if (!restarted || *restarted == Seen::Busy) co_return restarted;
  const auto found = co_await lookAtWrite(context);
  if (!found) co_return found.error();
  if (*found == Found::Busy) co_return Seen::Busy;
  if (*found == Found::Stuck) co_return co_await lookStuck(context);
  const auto versions = co_await context.flasher().firmware();
  if (!versions) co_return versions.error();
  if (judgeByVersions(context, *found, *versions) == Seen::Busy) co_return Seen::Busy;
  const auto byHand = co_await lookCycledByHand(context, *versions);
  if (!byHand) co_return byHand.error();
  for (const auto& entry : context.target().baseline.entries) {
    if (const auto unlisted = firstUnlisted(entry, *versions); !unlisted.empty()) {
      context.waitFor(unlisted + " to be listed");
      co_return Seen::Busy;
    }
    const auto state = co_await lookEntry(context, entry, *versions);
    if (!state || *state != Seen::Done) co_return state;
  }
  if (awaitedPower(context) == Awaited::Nothing) co_return Seen::Done;
  const auto runs = co_await lookWhetherAnyRuns(context);
  if (!runs) co_return runs.error();
  co_return *runs ? Seen::Busy : Seen::Done;
}

Task<Result<void>> writeOrRestart(StepContext& context) {
  if (context.item() == kStuckTask) co_return co_await endStuckTask(context);
  const auto& entry = entryOfItem(context);
  if (context.item() == restartItem(entry)) {
    auto restarted = co_await context.flasher().resetBmc();
    restartAnswered(context, restarted);
    // The tray's cycle brings it alive as well.
    if (!restarted && restarted.error().code == Errc::Unsupported)
      setWritten(context, packageKey(entry), Written::Unmoved);
    co_return restarted;
  }
  Result<std::string> task = Error{Errc::Busy, "the package went from the content store"};
  if (const auto package = context.store().file(entry.packageDigest))
    task = co_await context.flasher().pushFirmware(packageFile(context, *package), entry.targets, entry.force);
  writeAnswered(context, task);
  if (!task) co_return task.error();
  co_return Result<void>{};
}

}  // namespace zellige::workflows
