#include "drivers/simulator/site.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>

#include "controller/base/digest.hpp"
#include "controller/base/random.hpp"
#include "drivers/simulator/package.hpp"
#include "drivers/simulator/profile.hpp"

namespace zellige::sim {

namespace {

constexpr std::size_t kImageBytes = 1u << 20;
constexpr std::string_view kImage = "images/debian-sim.raw";

using Packages = std::map<std::string, std::string, std::less<>>;  ///< by file

Result<void> write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return Error{Errc::Invalid, fmt::format("cannot write {}", file.string())};
  return {};
}

std::string node(const FleetOptions& fleet, const SiteOptions& site, int machine, int swaps = 0) {
  const auto& profile = profileOf(kindOf(fleet, machine));
  const Identity identity(fleet.seed, machine, profile.kind, swaps);
  const auto address = site.address(machine);
  const bool known = fleet.asWanted && swaps == 0;
  const auto password = known ? fmt::format("password: \"{}\"", fleet.sitePassword)
                              : fmt::format("factory_password: \"{}\"", identity.factoryPassword());
  auto out = fmt::format(
      "  - serial: \"{}\"\n    kind: {}\n    place: {}\n    sku: {}\n    profile: {}\n"
      "    bmc: {{ mac: \"{}\", address: \"{}\", port: {}, user: root, {} }}\n",
      identity.serial(), profile.name, placeOf(fleet, machine), profile.sku, profile.profile,
      identity.bmcMac(), address.host, address.port, password);
  if (profile.kind != MachineKind::SwitchTray) return out;
  const auto os = site.nvosAddress(machine);
  return out + fmt::format("    nvos: {{ address: \"{}\", port: {}, user: admin, {} }}\n", os.host, os.port,
                           known ? fmt::format("password: \"{}\"", fleet.sitePassword)
                                 : fmt::format("factory_password: \"{}\"", identity.nvosPassword()));
}

/// Machines of all three kinds come up as racks, others one by one.
bool hasWholeRacks(const FleetOptions& fleet) {
  return fleet.trays > 0 && fleet.switchesPerRack > 0 && fleet.shelvesPerRack > 0;
}

std::string manifest(const FleetOptions& fleet, const SiteOptions& site) {
  auto out = fmt::format("site: {}\nnodes:\n", site.site);
  for (int i = 0; i < machinesOf(fleet); ++i) out += node(fleet, site, i);
  if (!hasWholeRacks(fleet)) return out;
  out += "racks:\n";
  for (int rack = 0; rack < racksOf(fleet); ++rack)
    out += fmt::format("  - {{ place: {}, recipe: sim-rack }}\n", rackPlaceOf(rack));
  return out;
}

// Compute trays take longest, so they are first in the queue for a flash slot. Shelves are redundant. A tray that leaks is
// that tray's trouble and stays out; where several do, it is the manifold's, and nothing of the rack gets power.
std::string recipe(const FleetOptions& fleet) {
  constexpr int kShelvesThatSuffice = 4, kMostThatLeak = 3;
  return fmt::format(
      R"(recipe: sim-rack
members: {{ compute_tray: {}, switch_tray: {}, power_shelf: {} }}
stages:
  - {{ id: shelves, workflow: qualify_shelf, of: [power_shelf], at_least: {} }}
  - {{ id: leaks, workflow: check_leaks, of: [compute_tray, switch_tray], after: [shelves], at_least: {} }}
  - {{ id: trays, workflow: qualify, of: [compute_tray], after: [leaks] }}
  - {{ id: switches, workflow: qualify_switch, of: [switch_tray], after: [leaks] }}
  - {{ id: domain, workflow: qualify_domain, of: [compute_tray, switch_tray], after: [switches, trays] }}
  - {{ id: burnin, workflow: burn_in_domain, of: [compute_tray, switch_tray], after: [domain] }}
)",
      std::min(fleet.trays, fleet.traysPerRack), fleet.switchesPerRack, fleet.shelvesPerRack,
      std::min(fleet.shelvesPerRack, kShelvesThatSuffice),
      std::max(1, std::min(fleet.trays, fleet.traysPerRack) + fleet.switchesPerRack - kMostThatLeak));
}

std::string sku(const Profile& profile) {
  auto out = fmt::format("sku: {}\nkind: {}\n", profile.sku, profile.name);
  switch (profile.kind) {
    case MachineKind::ComputeTray:
      return out + fmt::format(
                       "memory_gib: {}\nstress_watts: {}\ncomponents:\n"
                       "  - {{ kind: gpu, count: {}, model: \"{}\" }}\n"
                       "  - {{ kind: cpu, count: {}, model: \"{}\" }}\n"
                       "  - {{ kind: dpu, count: {}, model: \"{}\" }}\n"
                       "  - {{ kind: nic, count: {}, model: \"{}\" }}\n",
                       kMemoryGiB, kStressWatts, kGpus, kGpuModel, kCpus, kCpuModel, kDpus, kDpuModel, kNics,
                       kNicModel);
    case MachineKind::SwitchTray: return out + "components:\n  - { kind: rot, count: 5 }\n";
    case MachineKind::PowerShelf:
      return out + fmt::format("components:\n  - {{ kind: psu, count: {}, model: \"{}\" }}\n", kSupplies,
                               kSupplyModel);
  }
  return out;
}

std::string fileOf(const BundlePackage& package, const Release& release) {
  return release.suffix.empty() ? std::string(package.file) : fmt::format("next/{}", package.file);
}

/// Every item that the package changes, HGX_FW_GPU_0 to 3 as HGX_FW_GPU_*.
std::string components(const Profile& profile, const BundlePackage& package, const Release& release) {
  std::string out, before;
  if (profile.kind == MachineKind::SwitchTray)  // as NVOS names them
    for (const auto& item : profile.firmware)
      if (item.bundle == package.bundle && (item.listed == (package.bundle != Bundle::SwitchOs)))
        return fmt::format("      - {{ match: \"{}\", version: \"{}{}\" }}\n", package.target, item.wanted,
                           release.suffix);
  for (const auto& item : profile.firmware) {
    if (item.bundle != package.bundle || item.wanted == item.factory) continue;
    auto match = std::string(item.id);
    for (const std::string_view family : {"HGX_FW_ERoT_", "HGX_FW_CPU_", "HGX_FW_FPGA_", "HGX_FW_GPU_",
                                          "MGX_FW_ERoT_", "MGX_FW_NVSwitch_", "PSU_"})
      if (item.id.starts_with(family)) match = std::string(family) + "*";
    if (match == before) continue;
    before = match;
    out += fmt::format("      - {{ match: \"{}\", version: \"{}{}\" }}\n", match, item.wanted, release.suffix);
  }
  return out;
}

std::string baseline(const Profile& profile, const Release& release, const Packages& packages, bool mayGoBack) {
  auto out = fmt::format("baseline: {}\nentries:\n", profile.baselineOf(release));
  for (const auto& package : profile.packages) {
    const auto file = fileOf(package, release);
    out += fmt::format(
        "  - id: {}\n    package: {{ file: {}, sha256: {} }}\n    targets: [{}]\n    components:\n{}"
        "    activation: {}\n{}",
        package.entry, file, sha256Hex(packages.find(file)->second),
        package.target.empty() ? "" : fmt::format("\"{}\"", package.target),
        components(profile, package, release), package.activation, mayGoBack ? "    force: true\n" : "");
  }
  return out;
}

// 10 minutes, and of a whole rack 5 more. The GEMM limit is 10 % below the slowest healthy GPU's 2,826 TFLOP/s (gpu-fryer's rule,
// domain.md 3).
constexpr std::string_view kPlan = R"(plan: sim-10min
tests:
  - { id: cpu, minutes: 2, of: [cpu], limits: { errors: { max: 0 } } }
  - { id: memory, minutes: 1, of: [cpu, memory], limits: { errors: { max: 0 } } }
  - { id: disk, minutes: 1, of: [drive], limits: { errors: { max: 0 }, read_gb_per_s: { min: 5 } } }
  - { id: gpu_gemm, minutes: 4, required: true, of: [gpu], limits: { gemm_tflops_min: { min: 2540 }, errors: { max: 0 } } }
  - { id: nvlink, minutes: 2, required: true, of: [gpu], limits: { allreduce_gb_per_s: { min: 600 }, links_inactive: { max: 0 } } }
  - { id: nvlink_domain, minutes: 5, required: true, together: true, of: [gpu], limits: { allreduce_gb_per_s: { min: 600 }, links_inactive: { max: 0 } } }
)";

std::string profileText(const Profile& profile, const std::string& imageDigest) {
  auto out = fmt::format("profile: {}\nsku: {}\nbaseline: {}\n", profile.profile, profile.sku,
                         profile.baselineOf(kWantedRelease));
  if (profile.kind != MachineKind::ComputeTray)
    return out + fmt::format("settings: {{ ntp: [\"{}\", \"{}\"] }}\n", kNtpServers[0], kNtpServers[1]);
  return out + fmt::format(
                   "plan: sim-10min\nimage: {{ name: debian-sim, file: {}, sha256: {} }}\n"
                   "settings: {{ ntp: [\"{}\", \"{}\"], syslog: {{ address: \"{}\", port: {} }}, "
                   "power_restore_policy: AlwaysOff }}\n",
                   kImage, imageDigest, kNtpServers[0], kNtpServers[1], kSyslogAddress, kSyslogPort);
}

bool isThere(const FleetOptions& fleet, MachineKind kind) {
  switch (kind) {
    case MachineKind::ComputeTray: return true;
    case MachineKind::SwitchTray: return fleet.switchesPerRack > 0;
    case MachineKind::PowerShelf: return fleet.shelvesPerRack > 0;
  }
  return false;
}

/// The files of one kind of machine, by name.
using Files = std::map<std::string, std::string, std::less<>>;
void addBaseline(Files& files, const std::string& file, const Profile& profile, const Release& release,
                 const FleetOptions& fleet) {
  Packages packages;
  for (const auto& package : profile.packages)
    packages.try_emplace(fileOf(package, release),
                         makePackage(bundleOf(profile, package, fleet.seed, release)));
  files[file] = baseline(profile, release, packages, fleet.nextRelease);
  files.merge(packages);
}

void addKind(Files& files, const Profile& profile, const FleetOptions& fleet, const std::string& imageDigest) {
  const auto at = [&](std::string_view what) { return fmt::format("{}/{}.yaml", profile.name, what); };
  files[at("sku")] = sku(profile);
  files[at("profile")] = profileText(profile, imageDigest);
  addBaseline(files, at("baseline"), profile, kWantedRelease, fleet);
  if (fleet.nextRelease) addBaseline(files, at("baseline-next"), profile, kNextRelease, fleet);
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

std::string manifestOf(const FleetOptions& fleet, int machine, int swaps, const SiteOptions& site) {
  return fmt::format("site: {}\nnodes:\n", site.site) + node(fleet, site, machine, swaps);
}

std::string rackPlaceOf(int rack) {
  constexpr int kRacksPerHall = 160, kRacksPerRow = 16;
  const int inHall = rack % kRacksPerHall;
  return fmt::format("H{}/R{:02}/RK{:03}", 1 + rack / kRacksPerHall, 1 + inHall / kRacksPerRow, 1 + inHall);
}

std::string placeOf(const FleetOptions& fleet, int machine) {
  constexpr int kLowerShelves = 4, kLowerTrays = 8, kSwitchTrays = 9;
  const int slot = slotOf(fleet, machine);
  int unit = 0;
  switch (kindOf(fleet, machine)) {
    case MachineKind::ComputeTray: unit = 10 + slot + (slot < kLowerTrays ? 0 : kSwitchTrays); break;
    case MachineKind::SwitchTray: unit = 10 + kLowerTrays + slot; break;
    case MachineKind::PowerShelf: unit = slot < kLowerShelves ? 4 + slot : 39 + slot - kLowerShelves; break;
  }
  return fmt::format("{}/U{:02}", rackPlaceOf(rackOf(fleet, machine)), unit);
}

Result<void> writeSite(const std::filesystem::path& directory, const FleetOptions& fleet,
                       const SiteOptions& site) {
  const auto image = siteImage(fleet.seed);
  Files files{{"manifest.yaml", manifest(fleet, site)},
              {"plan.yaml", std::string(kPlan)},
              {std::string(kImage), image}};
  if (hasWholeRacks(fleet)) files["recipe.yaml"] = recipe(fleet);
  for (const auto kind : machineKinds())
    if (isThere(fleet, kind)) addKind(files, profileOf(kind), fleet, sha256Hex(image));
  for (const auto& [name, text] : files) {
    const auto file = directory / name;
    std::error_code failed;
    std::filesystem::create_directories(file.parent_path(), failed);
    if (failed)
      return Error{Errc::Invalid,
                   fmt::format("cannot make {}: {}", file.parent_path().string(), failed.message())};
    if (auto written = write(file, text); !written) return written;
  }
  return {};
}

}  // namespace zellige::sim
