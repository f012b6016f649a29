#include "workflows/firmware_record.hpp"

#include <algorithm>
#include <charconv>

#include "controller/base/digest.hpp"

namespace zellige {
using workflows::Answer;
using workflows::Cycled;
using workflows::Written;
ZELLIGE_NAMES(Answer, {Answer::None, ""}, {Answer::Accepted, "accepted"}, {Answer::Refused, "refused"},
              {Answer::ByHand, "by hand"});
ZELLIGE_NAMES(Written, {Written::No, ""}, {Written::Yes, "yes"}, {Written::Restarted, "restarted"},
              {Written::Unmoved, "unmoved"}, {Written::Forgotten, "forgotten"}, {Written::Lost, "lost"});
ZELLIGE_NAMES(Cycled, {Cycled::No, ""}, {Cycled::Host, "host"}, {Cycled::Perhaps, "perhaps"},
              {Cycled::Not, "not"}, {Cycled::Yes, "yes"});
}  // namespace zellige

namespace zellige::workflows {

namespace {

constexpr Duration kAbsence = 10min;  // BMC gone 5 min and more after an update (FACTS 11, fault 19)
constexpr Duration kBegins = 2min;    // by then a restart that a BMC agreed to has begun
constexpr Duration kSoon = 20min;     // later, somebody may have restarted it for another reason
constexpr Duration kJitter = 30s;     // no BMC restarts twice within it

const std::string kWritten = "fw.written.", kCycled = "fw.cycled.";
const std::string kWrite = "fw.write", kWriteAccepted = "fw.write_accepted", kWriteTask = "fw.write_task",
                  kWriteSeen = "fw.write_seen", kWriteTasks = "fw.write_tasks",
                  kWriteReset = "fw.write_reset", kPushedAt = "fw.pushed_at";
const std::string kRestart = "fw.restart", kRestartAnswer = "fw.restart_answer",
                  kRestartReset = "fw.restart_reset", kRestartAskedAt = "fw.restart_asked_at",
                  kRestartedAt = "fw.restarted_at";
const std::string kCycledAt = "fw.cycled_at", kHostOff = "fw.host_off";

std::optional<Time> timeOf(const StepContext& context, const std::string& fact) {
  const auto text = context.fact(fact);
  std::int64_t ms = 0;
  std::from_chars(text.data(), text.data() + text.size(), ms);
  if (ms == 0) return std::nullopt;
  return fromMillis(ms);
}

bool within(const StepContext& context, const std::string& fact, Duration span) {
  const auto at = timeOf(context, fact);
  return at && context.now() - *at < span;
}

std::string text(Time t) { return std::to_string(toMillis(t)); }

// Both are known and differ. OpenBMC computes the time from its uptime at each reading, a second off now and then.
bool hasRestarted(const std::string& before, const std::string& now) {
  if (before.empty() || now.empty() || before == now) return false;
  const auto was = readIso8601(before), is = readIso8601(now);
  return !was || !is || std::chrono::abs(*is - *was) > kJitter;
}

template <class Named>
Named named(const StepContext& context, const std::string& fact) {
  return fromName<Named>(context.fact(fact)).value_or(Named{});
}

}  // namespace

std::string packageKey(const Baseline::Entry& entry) {
  auto key = entry.packageDigest.substr(0, 12);
  if (entry.targets.empty()) return key;
  auto targets = entry.targets;
  std::sort(targets.begin(), targets.end());
  std::string lines;
  for (const auto& target : targets) lines += target + "\n";
  return key + "-" + sha256Hex(lines).substr(0, 8);
}

std::vector<const Baseline::Entry*> entriesOf(const Baseline& baseline, const std::string& package) {
  std::vector<const Baseline::Entry*> out;
  for (const auto& entry : baseline.entries)
    if (packageKey(entry) == package) out.push_back(&entry);
  return out;
}

Written writtenOf(const StepContext& context, const std::string& package) {
  return named<Written>(context, kWritten + package);
}

void setWritten(StepContext& context, const std::string& package, Written written) {
  context.setFact(kWritten + package, nameOf(written));
}

Cycled cycledOf(const StepContext& context, const std::string& package) {
  return named<Cycled>(context, kCycled + package);
}

void setCycled(StepContext& context, const std::string& package, Cycled cycled) {
  if (cycled == Cycled::No)
    context.clearFact(kCycled + package);
  else
    context.setFact(kCycled + package, nameOf(cycled));
}

std::vector<std::string> writtenPackages(const StepContext& context) {
  std::vector<std::string> out;
  for (const auto& [key, value] : context.facts())
    if (key.starts_with(kWritten)) out.emplace_back(key.substr(kWritten.size()));
  return out;
}

Awaited awaitedBy(const StepContext& context, const std::string& package) {
  const auto cycled = cycledOf(context, package);
  if (cycled == Cycled::Yes) return Awaited::Nothing;
  const auto entries = entriesOf(context.target().baseline, package);
  if (entries.empty()) return Awaited::TrayCycle;
  if (cycled == Cycled::Perhaps) return Awaited::Nothing;
  const auto written = writtenOf(context, package);
  if (written != Written::Yes && written != Written::Restarted) return Awaited::TrayCycle;
  auto most = Awaited::Nothing;
  for (const auto* entry : entries) {
    if (entry->activation == Activation::AuxCycle) return Awaited::TrayCycle;
    if (entry->activation == Activation::HostCycle && cycled != Cycled::Host) most = Awaited::HostCycle;
  }
  return most;
}

Awaited awaitedPower(const StepContext& context) {
  auto most = Awaited::Nothing;
  for (const auto& package : writtenPackages(context)) most = std::max(most, awaitedBy(context, package));
  return most;
}

void hostCycled(StepContext& context) {
  for (const auto& package : writtenPackages(context))
    if (const auto before = cycledOf(context, package); before == Cycled::No || before == Cycled::Not)
      setCycled(context, package, Cycled::Host);
}

std::optional<Time> cycledAt(const StepContext& context) { return timeOf(context, kCycledAt); }

void forgetFirmware(StepContext& context) {
  std::vector<std::string> gone;
  for (const auto& [key, value] : context.facts())
    if (key.starts_with(kFirmwareFacts)) gone.emplace_back(key);
  for (const auto& key : gone) context.clearFact(key);
}

std::optional<AskedWrite> askedWrite(const StepContext& context) {
  auto package = context.fact(kWrite);
  if (package.empty()) return std::nullopt;
  return AskedWrite{std::move(package),        !context.fact(kWriteAccepted).empty(),
                    context.fact(kWriteTask),  context.fact(kWriteSeen),
                    context.fact(kWriteTasks), context.fact(kWriteReset)};
}

void intendWrite(StepContext& context, const std::string& package, const std::vector<BmcTask>& tasks,
                 const BmcState& state) {
  std::string uris;
  for (const auto& task : tasks) uris += task.uri + "\n";
  context.setFactWithIntent(kWrite, package);
  context.setFactWithIntent(kWriteAccepted, "");
  context.setFactWithIntent(kWriteTask, "");
  context.setFactWithIntent(kWriteSeen, "");
  context.setFactWithIntent(kWriteTasks, uris);
  context.setFactWithIntent(kWriteReset, state.lastReset);
  context.setFactWithIntent(kPushedAt, text(context.now()));
  context.setFactWithIntent(kRestart, "");  // an earlier one is judged by now
}

void writeAnswered(StepContext& context, const Result<std::string>& task) {
  context.setFact(kPushedAt, text(context.now()));
  if (task) {
    context.setFact(kWriteAccepted, "yes");
    if (!task->empty()) context.setFact(kWriteTask, *task);
  } else if (!task.error().outcomeUnknown) {
    concludeWrite(context, Written::No);
  }
}

void writeWasSeen(StepContext& context, std::string_view task) {
  context.setFact(kWriteAccepted, "yes");
  const bool known = !context.fact(kWriteTask).empty() || !context.fact(kWriteSeen).empty();
  if (!known && !task.empty()) context.setFact(kWriteSeen, task);  // a later one is somebody else's
}

void concludeWrite(StepContext& context, Written written) {
  const auto package = context.fact(kWrite);
  if (written != Written::No) {
    setWritten(context, package, written);
    setCycled(context, package, Cycled::No);
  }
  for (const auto& fact : {kWrite, kWriteAccepted, kWriteTask, kWriteSeen, kWriteTasks})
    context.clearFact(fact);
}

std::string pushedAt(const StepContext& context) { return context.fact(kPushedAt); }
bool restartedSincePush(const StepContext& context, const BmcState& state) {
  return hasRestarted(context.fact(kWriteReset), state.lastReset);
}

bool datesRestartAfterPush(const StepContext& context, const BmcState& state) {
  const auto pushed = timeOf(context, kPushedAt);
  const auto reset = readIso8601(state.lastReset);
  return pushed && reset && *reset > *pushed && *reset < context.now() + kJitter;
}

bool pushedWithin(const StepContext& context, Duration span) { return within(context, kPushedAt, span); }

std::optional<AskedRestart> askedRestart(const StepContext& context) {
  auto of = context.fact(kRestart);
  const auto at = timeOf(context, kRestartAskedAt);
  if (of.empty() || !at) return std::nullopt;
  return AskedRestart{std::move(of), named<Answer>(context, kRestartAnswer), context.fact(kRestartReset), *at};
}

void intendRestart(StepContext& context, std::string_view of, const BmcState& state) {
  context.setFactWithIntent(kRestart, of);
  context.setFactWithIntent(kRestartAnswer, "");
  context.setFactWithIntent(kRestartReset, state.lastReset);
  context.setFactWithIntent(kRestartAskedAt, text(context.now()));
}

void restartAnswered(StepContext& context, const Result<void>& answer) {
  if (!answer && answer.error().outcomeUnknown) return;
  const bool byHand = !answer && answer.error().code == Errc::Unsupported && context.fact(kRestart) == kTray;
  const auto no = byHand ? Answer::ByHand : Answer::Refused;
  context.setFact(kRestartAnswer, nameOf(answer ? Answer::Accepted : no));
}

void concludeRestart(StepContext& context) {
  for (const auto& fact : {kRestart, kRestartAnswer, kRestartReset, kRestartAskedAt}) context.clearFact(fact);
  context.setFact(kRestartedAt, text(context.now()));
}

bool restartedWithin(const StepContext& context, Duration span) {
  return within(context, kRestartedAt, span);
}

bool absentAsExpected(const StepContext& context, const Error& error, Time since) {
  const bool contact = error.code == Errc::Unreachable || error.code == Errc::Timeout ||
                       error.code == Errc::Busy;
  return contact && context.now() - since < kAbsence;
}

Became becameOf(const StepContext& context, const AskedRestart& asked, const BmcState& state) {
  const auto ago = context.now() - asked.at;
  const bool dated = !asked.resetBefore.empty() && !state.lastReset.empty();
  const bool restarted = hasRestarted(asked.resetBefore, state.lastReset);
  if (asked.answer == Answer::ByHand)
    return restarted ? Became::Restarted : dated ? Became::Nothing : Became::Untold;
  if (asked.answer == Answer::Refused) return Became::Nothing;
  const auto reset = readIso8601(state.lastReset);
  const bool then = reset && *reset > asked.at - kBegins && *reset < asked.at + kSoon;  // by its own clock
  if (restarted && then) return asked.answer == Answer::Accepted ? Became::Happened : Became::Restarted;
  if (ago < kBegins) return Became::MayBegin;  // else its clock may just have been set
  if (restarted && ago >= kSoon) return Became::LongAgo;
  if (restarted) return asked.answer == Answer::Accepted ? Became::Happened : Became::Restarted;
  if (dated) return Became::Nothing;
  // A BMC that has told when it restarted, and now does not, is half awake.
  const bool halfAwake = !asked.resetBefore.empty() && ago < kSoon;
  return halfAwake ? Became::MayBegin : Became::Untold;
}

void bmcRestarted(StepContext& context, const std::string& package, const BmcState& state) {
  context.setFact(kWriteReset, state.lastReset);
  if (writtenOf(context, package) == Written::Yes) setWritten(context, package, Written::Restarted);
}

namespace {

// A first perhaps is left to the versions. After one that brought nothing alive, the next is believed of whoever said that
// it would be: the BMC by its word or by its restart, a person who was told twice.
bool isBelieved(const AskedRestart& asked, Became became, Cycled before) {
  const bool said = asked.answer == Answer::Accepted || asked.answer == Answer::ByHand;
  return before == Cycled::Not && (said || became == Became::Restarted);
}

// What nobody wants any more shows by no version that it is alive.
bool isBelievedUnseen(const AskedRestart& asked, Cycled before) {
  return asked.answer == Answer::Accepted || asked.answer == Answer::ByHand || before == Cycled::Perhaps;
}

}  // namespace

void trayCycled(StepContext& context, const AskedRestart& asked, Became became) {
  context.setFact(kCycledAt, text(context.now()));
  for (const auto& package : writtenPackages(context)) {
    const auto before = cycledOf(context, package);
    if (before == Cycled::Yes) continue;
    const bool wanted = !entriesOf(context.target().baseline, package).empty();
    const bool believed = became == Became::Happened ||
                          (wanted ? isBelieved(asked, became, before) : isBelievedUnseen(asked, before));
    setCycled(context, package, believed ? Cycled::Yes : Cycled::Perhaps);
  }
}

void hostIsOff(StepContext& context) { context.setFact(kHostOff, "yes"); }
bool hostWasSwitchedOff(const StepContext& context) { return !context.fact(kHostOff).empty(); }
void hostIsOnAgain(StepContext& context) { context.clearFact(kHostOff); }

}  // namespace zellige::workflows
