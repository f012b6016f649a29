#include "drivers/simulator/burn_in.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zellige::sim {

namespace {

/// Between low and high: fixed for this part of this machine.
double own(const World& w, const Machine& m, std::string_view part, double low, double high) {
  const auto n = w.identity(m).number(fmt::format("burn-in {}", part)) % 10'000;
  return std::round((low + (high - low) * static_cast<double>(n) / 10'000.0) * 10.0) / 10.0;
}

void gemm(World& w, const Machine& m, TestResult& result) {
  double lowest = kGemmHigh;
  for (int gpu = 0; gpu < kGpus; ++gpu) {
    if (w.missingGpu(m) == gpu) continue;
    auto tflops = own(w, m, fmt::format("gemm {}", gpu), kGemmLow, kGemmHigh);
    if (w.weakGpu(m) == gpu) {
      tflops *= kWeak;
      w.faults.showed(m.id, FaultKind::WeakGpu);
    }
    result.values[fmt::format("gemm_tflops_gpu{}", gpu)] = tflops;
    lowest = std::min(lowest, tflops);
  }
  result.values["gemm_tflops_min"] = lowest;
}

void nvlink(World& w, const Machine& m, TestResult& result) {
  const bool weak = w.weakGpu(m) >= 0;
  if (weak) w.faults.showed(m.id, FaultKind::WeakGpu);
  const double slowest = weak ? kWeak : 1.0;  // a collective goes at the pace of its slowest member
  result.values["allreduce_gb_per_s"] = own(w, m, "allreduce", kAllReduce * 0.99, kAllReduce * 1.01) * slowest;
  result.values["link_gb_per_s_min"] = kLinkGbPerS;
  result.values["links_inactive"] = w.missingGpu(m) >= 0 ? kNvlinksPerGpu : 0;
}

// Over all GPUs of the rack, through its switch trays: what a tray's own four never use.
void nvlinkDomain(World& w, const Machine& m, TestResult& result) {
  const bool dead = w.faults.has(m.id, FaultKind::DeadLink);
  if (dead) w.faults.showed(m.id, FaultKind::DeadLink);
  result.values["allreduce_gb_per_s"] = kAllReduceOfRack;
  result.values["links_inactive"] = dead ? 1 : 0;
}

}  // namespace

TestResult runTest(World& w, const Machine& m, const std::string& test) {
  TestResult result{test, TestOutcome::Pass, {{"errors", 0}}, {}};
  if (test == "cpu") {
    result.values["gflops"] = own(w, m, test, 5'700, 5'900);  // est
  } else if (test == "memory") {
    result.values["copy_gb_per_s"] = own(w, m, test, 380, 400);  // est
  } else if (test == "disk") {
    result.values["read_gb_per_s"] = own(w, m, "disk read", 6.3, 6.9);    // est
    result.values["write_gb_per_s"] = own(w, m, "disk write", 2.7, 3.0);  // est
  } else if (test == "gpu_gemm") {
    gemm(w, m, result);
  } else if (test == "gpu_copy") {
    result.values["h2d_gb_per_s"] = own(w, m, "h2d", kH2d * 0.99, kH2d * 1.01);
    result.values["d2h_gb_per_s"] = own(w, m, "d2h", kD2h * 0.99, kD2h * 1.01);
  } else if (test == "nvlink") {
    nvlink(w, m, result);
  } else if (test == "nvlink_domain") {
    nvlinkDomain(w, m, result);
  } else {
    result = {test, TestOutcome::Skipped, {}, "this agent has no such test"};
  }
  return result;
}

}  // namespace zellige::sim
