// What was done to a tray's firmware and does not show on it yet: few BMCs tell what is staged. Kept as facts of the
// run, and taken over by the next one if it ends too early (Workflow::inherits): nothing is flashed twice.
//
// By package, for the same one may stand in another baseline by another name:
//   fw.written.PACKAGE   Written, below
//   fw.cycled.PACKAGE    what has become of the power cycle it waits for: Cycled, below
// The write that was asked for last; there is never a second one beside it:
//   fw.write             its package, until it is known what became of it
//   fw.write_accepted    "yes": the BMC agreed, or a new task was seen running
//   fw.write_task        URI of its task, if the BMC named it
//   fw.write_seen        URI of the task that began right after it, if the BMC named none
//   fw.write_tasks       URIs of the tasks that were there before it
//   fw.pushed_at         ms: when it was intended, then when the upload was over; stays, as does
//   fw.write_reset       when the BMC had last restarted before it, or when we last saw it restart since
// The restart of the BMC, or the power cycle, that was asked for last, until it is known what became of it:
//   fw.restart           its package; "tray": the power cycle
//   fw.restart_answer    Answer, below; none: not known
//   fw.restart_reset     when the BMC had last restarted before it
//   fw.restart_asked_at  ms
//   fw.restarted_at      ms: it was back
// And:
//   fw.cycled_at         ms: a power cycle was seen
//   fw.host_off          "yes": the host is to be off for activation, and to be on again after it
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
  Unmoved,  ///< what should have brought it alive left the old version: only the tray's cycle will do (fault 16)
  // Written or not, only the power cycle and the versions can tell (FACTS 6):
  Forgotten,  ///< its task ran, and is not listed any more
  Lost,       ///< its task went with a BMC restart, or was never seen
};
enum class Cycled {
  No,
  Host,     ///< the host was off and on
  Perhaps,  ///< the tray's power cycle was asked for, and the BMC may have restarted for another reason
  Not,  ///< such a perhaps brought nothing alive: the next one that the BMC agrees to or restarts for is believed
  Yes,  ///< the tray's power cycle was seen, or the firmware is alive without
};
enum class Awaited { Nothing, HostCycle, TrayCycle };

Written writtenOf(const StepContext& context, const std::string& package);
void setWritten(StepContext& context, const std::string& package, Written written);
Cycled cycledOf(const StepContext& context, const std::string& package);
void setCycled(StepContext& context, const std::string& package, Cycled cycled);
/// Those that are written, or may be, and were not forgotten since.
std::vector<std::string> writtenPackages(const StepContext& context);
/// The entries of this baseline that it belongs to. None: nobody wants it any more, and no version would tell of it.
std::vector<const Baseline::Entry*> entriesOf(const Baseline& baseline, const std::string& package);
/// What must be switched off and on before it can be alive. What nobody wants any more waits for the tray.
Awaited awaitedBy(const StepContext& context, const std::string& package);
/// The same of all that is written.
Awaited awaitedPower(const StepContext& context);
void hostCycled(StepContext& context);
/// When a power cycle was seen last.
std::optional<Time> cycledAt(const StepContext& context);
/// None of the facts above is left.
void forgetFirmware(StepContext& context);

// The write

struct AskedWrite {
  std::string package;
  bool accepted = false;
  std::string task;         ///< empty: not known
  std::string taskSeen;     ///< that began right after it; empty: none was seen
  std::string tasksBefore;  ///< one a line
  std::string resetBefore;  ///< as BmcState::lastReset
};
std::optional<AskedWrite> askedWrite(const StepContext& context);
/// To be stored with the intent.
void intendWrite(StepContext& context, const std::string& package, const std::vector<BmcTask>& tasks,
                 const BmcState& state);
/// After the act: the URI of its task, or the error.
void writeAnswered(StepContext& context, const Result<std::string>& task);
/// A task that must be its was seen running; `task`: and began right after it.
void writeWasSeen(StepContext& context, std::string_view task);
/// It is known what became of it. Written::No: nothing.
void concludeWrite(StepContext& context, Written written);
/// When something was pushed last, for telling one push from another; empty: never.
std::string pushedAt(const StepContext& context);
/// The BMC says that it has restarted since the last write.
bool restartedSincePush(const StepContext& context, const BmcState& state);
/// And it was after the push, by the BMC's own clock: no clock was merely set.
bool datesRestartAfterPush(const StepContext& context, const BmcState& state);
bool pushedWithin(const StepContext& context, Duration span);

// The restart

enum class Answer {
  None,
  Accepted,
  Refused,
  ByHand,  ///< the BMC cannot, so a person was told to
};
struct AskedRestart {
  std::string of;  ///< a package, or kTray
  Answer answer = Answer::None;
  std::string resetBefore;
  Time at{};
};
inline constexpr std::string_view kTray = "tray";
std::optional<AskedRestart> askedRestart(const StepContext& context);
void intendRestart(StepContext& context, std::string_view of, const BmcState& state);
void restartAnswered(StepContext& context, const Result<void>& answer);
/// It is known what became of it, or will not be.
void concludeRestart(StepContext& context);
bool restartedWithin(const StepContext& context, Duration span);
/// `error` is the absence of a BMC that was restarted at `since`.
bool absentAsExpected(const StepContext& context, const Error& error, Time since);
enum class Became {
  MayBegin,   ///< any moment
  Happened,   ///< the BMC agreed, and restarted
  Restarted,  ///< it restarted, but has not agreed
  Untold,     ///< it does not tell
  LongAgo,    ///< it restarted, but not then
  Nothing,
};
Became becameOf(const StepContext& context, const AskedRestart& asked, const BmcState& state);
/// The BMC was restarted for this package: no restart until now says that the tray was cycled.
void bmcRestarted(StepContext& context, const std::string& package, const BmcState& state);
/// The tray's power was off and on since everything was written, for certain or perhaps.
void trayCycled(StepContext& context, const AskedRestart& asked, Became became);

// The host

void hostIsOff(StepContext& context);
bool hostWasSwitchedOff(const StepContext& context);
void hostIsOnAgain(StepContext& context);

}  // namespace zellige::workflows
