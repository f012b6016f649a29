// Kill at every point: record the crash points that a run passes, then execute it afresh once per point, dying there.
// Judged by the simulator's ledger and ground truth. A mutated engine must be caught, or the sweep proves nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controller/commands/commands.hpp"

namespace zellige {

struct KillSweep {
  /// Crash points of the executions without a crash, all workflows together. Of a small rack commits and what is not a read.
  std::uint64_t points = 0;
  int runs = 0, duplicates = 0, wrongEndStates = 0;
  std::vector<std::string> examples;  ///< the first ten executions that went wrong, with their points
};

/// Throws std::invalid_argument: no such workflow or mutation.
KillSweep sweepCrashPoints(const commands::KillSweepOptions& options);

}  // namespace zellige
