// Firmware by recipe: write every entry of the baseline in order (firmware_write.cpp), bring it alive as the entry says
// and believe only the version that is read back (firmware_activate.cpp). What they share is here.
//
// Facts kept in the run:
//   task.<entry>      URI of the update task, when the BMC named one
//   written.<entry>   "yes": its task completed; "restarted": the BMC was restarted for it; "maybe": what became of the
//                     task cannot be told, only the power cycle and the versions can (FACTS 6)
//   failed.<entry>    "yes": the last write's task failed; empty again with the next intent
//   begun.<entry>     "accepted" or "unknown": an earlier run wrote it and ended before the task was over
//                     (firmware_inherit.cpp); begun_tasks and begun_reset: what that run's look had seen before
//   pushed_at         ms: two pushes within 30 s exhaust the BMC's memory (FACTS 6)
//   pending           something waits for the aux power cycle
//   host_pending      something waits for the host to be switched off and on
//   restarted_at      ms: a BMC restart was asked for
//   cycle_asked_at    ms: the aux power cycle was asked for
//   cycle_reset       when the BMC had last restarted before the aux power cycle that an earlier run asked for
//   cycled_at         ms: the aux power cycle was seen
#pragma once

#include <string>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige::workflows {

using Versions = std::vector<FirmwareItem>;

inline constexpr std::string_view kCycleStep = "firmware.aux_cycle";
inline constexpr Duration kVersionsSettle = 8min;  // FACTS 11: validate inventory within 8 min

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
Facts inheritFirmware(const Run& last, const Target* was, const Target& is);
/// Whether what was taken over is alive by now. Busy: an earlier run's power cycle is about to begin.
Task<Result<Seen>> lookInherited(StepContext& context, const Versions& versions);

Task<Result<Seen>> lookAllWritten(StepContext& context);
Task<Result<void>> writeOrRestart(StepContext& context);

}  // namespace zellige::workflows
