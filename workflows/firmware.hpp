// Firmware by recipe: write every entry of the baseline in order (firmware_write.cpp), bring it alive as the entry says
// and believe only the version that is read back (firmware_activate.cpp). What they share is here.
//
// Facts kept in the run, and taken over by the next one if it ends too early (firmware_inherit.cpp). PACKAGE is packageKey():
//   task.PACKAGE      URI of the update task, when the BMC named one
//   written.PACKAGE   "yes": its task completed; "restarted": the BMC was restarted for it; "maybe": what became of the
//                     task cannot be told, only the power cycle and the versions can (FACTS 6)
//   failed.PACKAGE    "yes": the last write's task failed; empty again with the next intent
//   pushed_at         ms: two pushes within 30 s exhaust the BMC's memory (FACTS 6)
//   pending           something waits for the aux power cycle
//   host_pending      something waits for the host to be switched off and on
//   restarted_at      ms: a BMC restart was asked for
//   cycle_asked_at    ms: the aux power cycle was asked for
//   cycled_at         ms: the aux power cycle was seen
// What an earlier run had asked for when it ended; …_reset is when the BMC had last restarted before:
//   begun.PACKAGE     "accepted" or "unknown": a write; begun_reset.PACKAGE, begun_tasks.PACKAGE: the tasks before it
//   restart.PACKAGE   "accepted" or "unknown": a BMC restart for it; restart_reset.PACKAGE
//   cycle             "accepted" or "unknown": the aux power cycle; cycle_reset
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige::workflows {

using Versions = std::vector<FirmwareItem>;

inline constexpr std::string_view kWriteStep = "firmware.write", kCycleStep = "firmware.aux_cycle",
                                  kOnStep = "firmware.on";
inline constexpr Duration kVersionsSettle = 8min;  // FACTS 11: validate inventory within 8 min

/// What the entry's facts are kept under: of its package, for the same package may stand in another baseline by another
/// name.
std::string packageKey(const Baseline::Entry& entry);

/// The first listed component of `entry` that is at another version ("HGX_FW_BMC_0 is 1, wanted 2"); empty: none is.
std::string firstBehind(const Baseline::Entry& entry, const Versions& versions);
std::string firstBehind(const Baseline& baseline, const Versions& versions);
/// A component whose version cannot be read; empty: every one can. Right after a BMC restart HGX items are missing, answer
/// 404 or come without properties for a while (FACTS 9), which says nothing about their versions.
std::string firstUnlisted(const Baseline::Entry& entry, const Versions& versions);
std::string firstUnlisted(const Baseline& baseline, const Versions& versions);

/// Milliseconds kept as a fact; 0 where there is none.
std::int64_t millisOf(const StepContext& context, const std::string& fact);
std::string millis(Time t);

/// `error` is the BMC's absence after a restart that was asked for at `since` (ms; 0: never).
bool absentAsExpected(const StepContext& context, const Error& error, std::int64_t since);
/// The BMC restarted since the intent of the current item. Where it does not say when it restarted, our own record that
/// it agreed must do.
bool restartedSinceIntent(const StepContext& context, const BmcState& state);

/// What a run takes over from one that ended too early: as Workflow::inherits.
Facts inheritFirmware(const Run& last, const Target& target);
/// Whether what was taken over is alive by now. Busy: an earlier run's power cycle may be about to begin.
Task<Result<Seen>> lookInherited(StepContext& context, const Versions& versions);
/// A restart that an earlier run asked for: facts `asked` + `of` and `asked` + "_reset" + `of`, and when, fact `at`.
/// Perhaps: the BMC restarted since, but it never agreed to, or that is long ago.
enum class Restart { NotAsked, MayBegin, Happened, Perhaps, DidNotHappen };
Restart earlierRestart(const StepContext& context, const BmcState& state, const std::string& asked,
                       const std::string& of, const std::string& at);
/// Every fact above but pushed_at, also of packages that are not wanted any more.
void forgetFirmware(StepContext& context);

Task<Result<Seen>> lookAllWritten(StepContext& context);
Task<Result<void>> writeOrRestart(StepContext& context);

}  // namespace zellige::workflows
