// What was done to a tray's firmware and does not show on it yet: no BMC lists a version before it is alive. Kept as facts of
// the run, and taken over by the next one if it ends too early (Workflow::inherits): nothing is flashed twice.
//
// By package, for the same one may stand in another baseline by another name:
//   fw.written.PACKAGE   Written, below
//   fw.cycled.PACKAGE    what has become of the power cycle it waits for: Cycled, below
// The write that was asked for last; there is never a second one beside it:
//   fw.write             its package, until it is known what became of it
//   fw.write_accepted    "yes": the BMC agreed, or its task was seen
//   fw.write_task        URI of its task, once that is known
//   fw.write_tasks       URIs of the tasks that were there before it
//   fw.write_reset       when the BMC had last restarted before it; stays, as does
//   fw.pushed_at         ms
// The restart of the BMC, or the power cycle, that was asked for last, until it is known what became of it:
//   fw.restart           its package; "tray": the power cycle
//   fw.restart_answer    "accepted" or "refused"; none: not known
//   fw.restart_reset     when the BMC had last restarted before it
//   fw.restart_asked_at  ms
//   fw.restarted_at      ms: it was back
// And:
//   fw.cycled_at         ms: a power cycle was seen
//   fw.host_off          "yes": the host was switched off for activation, and is to be on again
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige::workflows {

/// What facts of this folder begin with.
inline constexpr std::string_view kFirmwareFacts = "fw.";

/// Under what an entry's facts are kept: its package and targets, in whatever order they stand.
std::string packageKey(const Baseline::Entry& entry);

// Packages

enum class Written {
  No,
  Yes,        ///< its task completed
  Restarted,  ///< the BMC was restarted for it since
  // Written or not, only the power cycle and the versions can tell (FACTS 6):
  Forgotten,  ///< its task ran, and is not listed any more
  Lost,       ///< its task went with a BMC restart, or was never seen
};
enum class Cycled {
  No,
  Host,     ///< the host was off and on
  Perhaps,  ///< the tray's power cycle was asked for, and the BMC may have restarted for another reason
  Not,      ///< such a perhaps brought nothing alive: the next one that the BMC agrees to is believed
  Yes,      ///< the tray's power cycle was seen, or the firmware is alive without
};
enum class Awaited { Nothing, HostCycle, TrayCycle };

Written writtenOf(const StepContext& context, const std::string& package);
void setWritten(StepContext& context, const std::string& package, Written written);
Cycled cycledOf(const StepContext& context, const std::string& package);
void setCycled(StepContext& context, const std::string& package, Cycled cycled);
/// Those that are written, or may be, and were not forgotten since.
std::vector<std::string> writtenPackages(const StepContext& context);
/// The entry of this baseline that it belongs to; nullptr: none.
const Baseline::Entry* entryOf(const Baseline& baseline, const std::string& package);
/// What must be switched off and on before it can be alive. A package that is not of this baseline waits for the tray.
Awaited awaitedBy(const StepContext& context, const std::string& package);
/// The same of all that is written.
Awaited awaitedPower(const StepContext& context);
void hostCycled(StepContext& context);
/// When a power cycle was seen last.
std::optional<Time> cycledAt(const StepContext& context);
/// After a last reading: none of the facts above is left.
void forgetFirmware(StepContext& context);

// The write

struct AskedWrite {
  std::string package;
  bool accepted = false;
  std::string task;         ///< empty: not known
  std::string tasksBefore;  ///< one a line
  std::string resetBefore;  ///< as BmcState::lastReset
};
std::optional<AskedWrite> askedWrite(const StepContext& context);
/// To be stored with the intent.
void intendWrite(StepContext& context, const std::string& package, const std::vector<BmcTask>& tasks,
                 const BmcState& state);
/// After the act.
void answered(StepContext& context, const Result<std::string>& task);
/// Its task was seen.
void foundTask(StepContext& context, const std::string& uri);
/// It is known what became of it. Written::No: nothing.
void concludeWrite(StepContext& context, Written written);
/// When something was pushed last, for telling one push from another; empty: never.
std::string pushedAt(const StepContext& context);
/// The BMC has restarted since the last write, or does not tell.
bool mayHaveRestartedSincePush(const StepContext& context, const BmcState& state);
bool pushedWithin(const StepContext& context, Duration span);

// The restart

struct AskedRestart {
  std::string of;  ///< a package, or kTray
  bool accepted = false, refused = false;
  std::string resetBefore;
  Time at{};
};
inline constexpr std::string_view kTray = "tray";
std::optional<AskedRestart> askedRestart(const StepContext& context);
void intendRestart(StepContext& context, std::string_view of, const BmcState& state);
void answered(StepContext& context, const Result<void>& restart);
/// It is known what became of it, or will not be.
void concludeRestart(StepContext& context);
bool restartedWithin(const StepContext& context, Duration span);
/// `error` is the absence of a BMC that was restarted at `since`.
bool absentAsExpected(const StepContext& context, const Error& error, Time since);
enum class Became {
  MayBegin,  ///< any moment
  Happened,  ///< the BMC agreed, and restarted
  Perhaps,   ///< it restarted, or does not tell, but has not agreed
  LongAgo,  ///< the same, or it agreed, but so long ago that somebody may have restarted it for another reason
  Nothing,
};
Became becameOf(const StepContext& context, const AskedRestart& asked, const BmcState& state);
/// The tray's power was off and on since everything was written, for certain or perhaps. Of a package that is not of this
/// baseline no version would tell: it is believed if the BMC agreed or restarted.
void trayCycled(StepContext& context, const AskedRestart& asked, Became became);

// The host

void hostIsOff(StepContext& context);
bool hostWasSwitchedOff(const StepContext& context);
void hostIsOnAgain(StepContext& context);

}  // namespace zellige::workflows
