#include "drivers/simulator/site.hpp"

#include <fmt/format.h>
#include <fstream>

#include "controller/base/digest.hpp"
#include "controller/base/random.hpp"
#include "drivers/simulator/package.hpp"
#include "drivers/simulator/profile.hpp"

namespace zellige::sim {

namespace {

constexpr std::size_t kImageBytes = 1u << 20;
constexpr std::string_view kBmcPackage = "packages/bmc-tray-26.01-1.fwpkg";
constexpr std::string_view kComputePackage = "packages/compute-tray-26.01-1.fwpkg";
constexpr std::string_view kImage = "images/debian-sim.raw";

Result<void> write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return Error{Errc::Invalid, fmt::format("cannot write {}", file.string())};
  return {};
}

std::string manifest(const FleetOptions& fleet, const SiteOptions& site) {
  auto out = fmt::format("site: {}\nnodes:\n", site.site);
  for (int i = 0; i < fleet.trays; ++i) {
    const Identity identity(fleet.seed, i);
    const auto address = site.address(i);
    const auto password = fleet.asWanted ? fmt::format("password: \"{}\"", fleet.sitePassword)
                                         : fmt::format("factory_password: \"{}\"", identity.factoryPassword());
    out += fmt::format(
        "  - serial: \"{}\"\n    kind: compute_tray\n    place: {}\n    sku: gb200-nvl-compute\n    profile: "
        "gb200-sim\n"
        "    bmc: {{ mac: \"{}\", address: \"{}\", port: {}, user: root, {} }}\n",
        identity.traySerial(), placeOf(i, fleet.traysPerRack), identity.bmcMac(), address.host, address.port,
        password);
  }
  return out;
}

std::string sku() {
  return fmt::format(
      "sku: gb200-nvl-compute\nkind: compute_tray\nmemory_gib: {}\ncomponents:\n"
      "  - {{ kind: gpu, count: {}, model: \"{}\" }}\n  - {{ kind: cpu, count: {}, model: \"{}\" }}\n"
      "  - {{ kind: dpu, count: {}, model: \"{}\" }}\n  - {{ kind: nic, count: {}, model: \"{}\" }}\n",
      kMemoryGiB, kGpus, kGpuModel, kCpus, kCpuModel, kDpus, kDpuModel, kNics, kNicModel);
}

/// Every item that the bundle changes, HGX_FW_GPU_0 to 3 as HGX_FW_GPU_*.
std::string components(Bundle bundle) {
  std::string out, before;
  for (const auto& item : kFirmware) {
    if (bundleOf(item) != bundle || item.wanted == item.factory) continue;
    auto match = std::string(item.id);
    for (const std::string_view family : {"HGX_FW_ERoT_", "HGX_FW_CPU_", "HGX_FW_FPGA_", "HGX_FW_GPU_"})
      if (item.id.starts_with(family)) match = std::string(family) + "*";
    if (match == before) continue;
    before = match;
    out += fmt::format("      - {{ match: \"{}\", version: \"{}\" }}\n", match, item.wanted);
  }
  return out;
}

std::string baseline(const std::string& bmcDigest, const std::string& computeDigest) {
  return fmt::format(
      "baseline: {}\nentries:\n"
      "  - id: bmc_tray\n    package: {{ file: {}, sha256: {} }}\n    targets: []\n    components:\n{}"
      "    activation: bmc_reset\n"
      "  - id: compute_tray\n    package: {{ file: {}, sha256: {} }}\n"
      "    targets: [\"/redfish/v1/Chassis/HGX_Chassis_0\"]\n    components:\n{}    activation: aux_cycle\n",
      kBaselineName, kBmcPackage, bmcDigest, components(Bundle::BmcTray), kComputePackage, computeDigest,
      components(Bundle::Compute));
}

// 10 minutes. The GEMM limit is 10 % below the slowest healthy GPU's 2,826 TFLOP/s (gpu-fryer's rule,
// domain.md 3).
constexpr std::string_view kPlan = R"(plan: sim-10min
tests:
  - { id: cpu, minutes: 2, limits: { errors: { max: 0 } } }
  - { id: memory, minutes: 1, limits: { errors: { max: 0 } } }
  - { id: disk, minutes: 1, limits: { errors: { max: 0 }, read_gb_per_s: { min: 5 } } }
  - { id: gpu_gemm, minutes: 4, required: true, limits: { gemm_tflops_min: { min: 2540 }, errors: { max: 0 } } }
  - { id: nvlink, minutes: 2, required: true, limits: { allreduce_gb_per_s: { min: 600 }, links_inactive: { max: 0 } } }
)";

std::string profile(const std::string& imageDigest) {
  return fmt::format(
      "profile: gb200-sim\nsku: gb200-nvl-compute\nbaseline: {}\nplan: sim-10min\n"
      "image: {{ name: debian-sim, file: {}, sha256: {} }}\n"
      "settings: {{ ntp: [\"{}\", \"{}\"], syslog: {{ address: \"{}\", port: {} }}, power_restore_policy: "
      "AlwaysOff }}\n",
      kBaselineName, kImage, imageDigest, kNtpServers[0], kNtpServers[1], kSyslogAddress, kSyslogPort);
}

}  // namespace

std::string siteImage(std::uint64_t seed) {
  Random random(seed, "debian-sim.raw");
  std::string out;
  out.reserve(kImageBytes);
  while (out.size() < kImageBytes) {
    const auto n = random.next();
    out.append(reinterpret_cast<const char*>(&n), sizeof n);
  }
  return out;
}

std::string siteImageDigest(std::uint64_t seed) { return sha256Hex(siteImage(seed)); }

std::string placeOf(int index, int traysPerRack) {
  constexpr int kRacksPerHall = 160, kRacksPerRow = 16, kLowerTrays = 8, kSwitchTrays = 9;
  const int rack = index / traysPerRack, tray = index % traysPerRack;
  const int inHall = rack % kRacksPerHall;
  const int slot = 10 + tray + (tray < kLowerTrays ? 0 : kSwitchTrays);
  return fmt::format("H{}/R{:02}/RK{:03}/U{:02}", 1 + rack / kRacksPerHall, 1 + inHall / kRacksPerRow,
                     1 + inHall, slot);
}

Result<void> writeSite(const std::filesystem::path& directory, const FleetOptions& fleet,
                       const SiteOptions& site) {
  std::error_code failed;
  for (const auto* folder : {"packages", "images"}) {
    std::filesystem::create_directories(directory / folder, failed);
    if (failed)
      return Error{Errc::Invalid,
                   fmt::format("cannot make {}: {}", (directory / folder).string(), failed.message())};
  }
  const auto bmc = makePackage(bmcTrayBundle(fleet.seed)), compute = makePackage(computeBundle(fleet.seed));
  const auto image = siteImage(fleet.seed);
  const std::pair<std::string_view, std::string> files[] = {
      {"manifest.yaml", manifest(fleet, site)},
      {"sku.yaml", sku()},
      {"baseline.yaml", baseline(sha256Hex(bmc), sha256Hex(compute))},
      {"plan.yaml", std::string(kPlan)},
      {"profile.yaml", profile(sha256Hex(image))},
      {kBmcPackage, bmc},
      {kComputePackage, compute},
      {kImage, image},
  };
  for (const auto& [name, text] : files)
    if (auto written = write(directory / name, text); !written) return written;
  return {};
}

}  // namespace zellige::sim
