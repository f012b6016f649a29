// What the burn-in tests of a simulated tray measure. Figures: facts/domain.md section 3 (public GB200
// numbers); est marks what has no source. Internal.
#pragma once

#include "drivers/simulator/world.hpp"

namespace zellige::sim {

inline constexpr double kGemmLow = 2826, kGemmHigh = 2907;  ///< FP8 TFLOP/s of one healthy GPU
inline constexpr double kAllReduce = 679.6;                 ///< GB/s, NCCL over the 4 GPUs of a tray
inline constexpr double kAllReduceOfRack = 640;             ///< est: GB/s, NCCL over the 72 GPUs of a rack
inline constexpr double kLinkGbPerS = 53.125;               ///< one NVLink
inline constexpr double kH2d = 201, kD2h = 193;             ///< GB/s
inline constexpr double kWeak = 0.7;                        ///< what a weak GPU still gives

/// A healthy GPU gives about the same every time: its place in the range is its own. Unknown tests are
/// Skipped.
TestResult runTest(World& w, const Machine& m, const std::string& test);

}  // namespace zellige::sim
