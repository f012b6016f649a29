// What became of the act that was asked for last, by this run or by one that ended too early. It is looked at before
// anything else is: beside a write that runs, or a restart that is about to begin, nothing may be sent.
#pragma once

#include "workflows/firmware.hpp"

namespace zellige::workflows {

/// Of a restart or power cycle. Busy: it may still begin, or the tray is not back.
Task<Result<Seen>> lookRestarted(StepContext& context);

/// Of a write, as its task tells.
enum class Found {
  Over,           ///< none was asked for, or the facts say by now what became of it
  Busy,           ///< it runs, or has just failed, which is to be stored first
  Stuck,          ///< its task runs for longer than any write takes
  Lost,           ///< the BMC restarted since, and has forgotten its tasks
  Forgotten,      ///< the BMC lists no task, and it may have begun
  NeverBegan,     ///< it did not agree, and never listed a task though it was watched
  FailedPerhaps,  ///< a task without a name failed: it may be somebody else's
};
Task<Result<Found>> lookAtWrite(StepContext& context);
/// What the tasks leave open, the versions may tell. Done: it is known, or may be written again.
Seen judgeByVersions(StepContext& context, Found found, const Versions& versions);

/// "the BMC writes firmware: 40 %"
std::string progressOf(const BmcTask& task);
/// Also somebody else's: nobody sends a package, cuts power or restarts beneath it.
bool anyRuns(StepContext& context, const std::vector<BmcTask>& tasks);
Task<Result<bool>> lookWhetherAnyRuns(StepContext& context);
/// Busy while the write that was asked for may still run, or another does, whatever else is wanted.
Task<Result<Seen>> lookWhetherOneRuns(StepContext& context);

/// Where the BMC refused the power cycle, a person cycles the tray by hand: what is alive since waits for no other.
Task<Result<void>> lookCycledByHand(StepContext& context, const Versions& versions);

}  // namespace zellige::workflows
