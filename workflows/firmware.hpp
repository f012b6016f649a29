// Firmware by recipe: write every entry of the baseline in order (firmware_write.cpp), bring it alive as the entry says
// and believe only the version that is read back (firmware_activate.cpp). What was done and does not show yet is in
// firmware_record.hpp. What they share is here.
#pragma once

#include <string>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige::workflows {

using Versions = std::vector<FirmwareItem>;

inline constexpr Duration kVersionsSettle = 8min;  // FACTS 11: validate inventory within 8 min
inline constexpr Duration kTaskListed = 5min;  // FACTS 6: bmcweb gives up a task without progress after so long

/// The first listed component of `entry` that is at another version ("HGX_FW_BMC_0 is 1, wanted 2"); empty: none is.
std::string firstBehind(const Baseline::Entry& entry, const Versions& versions);
std::string firstBehind(const Baseline& baseline, const Versions& versions);
/// A component whose version cannot be read; empty: every one can. Right after a BMC restart HGX items are missing,
/// answer 404 or come without properties for a while (FACTS 9), which says nothing about their versions.
std::string firstUnlisted(const Baseline::Entry& entry, const Versions& versions);
std::string firstUnlisted(const Baseline& baseline, const Versions& versions);
/// Every component is listed, at the version that is wanted.
bool isAlive(const Baseline::Entry& entry, const Versions& versions);

/// What the acts of the write step are about.
inline std::string writeItem(const Baseline::Entry& entry) { return "write." + entry.id; }
inline std::string restartItem(const Baseline::Entry& entry) { return "restart." + entry.id; }
Task<Result<Seen>> lookAllWritten(StepContext& context);
Task<Result<void>> writeOrRestart(StepContext& context);

}  // namespace zellige::workflows
