#include "drivers/simulator/faults.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "controller/base/random.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige::sim {

namespace {

constexpr std::array kTransient{
    FaultKind::Busy503,           FaultKind::BusyPlainText,    FaultKind::FailingResource,
    FaultKind::StrayUnauthorized, FaultKind::PasswordXhtml,    FaultKind::SessionTableFull,
    FaultKind::LockedOut,         FaultKind::ClosedOnReuse,    FaultKind::AppliedThenClosed,
    FaultKind::CutShort,          FaultKind::SlowButApplied,   FaultKind::TaskLostDone,
    FaultKind::TaskLostNotDone,   FaultKind::TaskStuck,        FaultKind::CompletedCritical,
    FaultKind::PowerUnmoved,      FaultKind::OldUntilAuxCycle, FaultKind::HostOnAtAuxCycle,
    FaultKind::BmcSlowToReturn,   FaultKind::HgxLate};
// Of trays, which must end in quarantine.
constexpr std::array kDefects{FaultKind::OldForGood, FaultKind::HgxMissing, FaultKind::GpuMissing,
                              FaultKind::WeakGpu,    FaultKind::Leak,       FaultKind::LockedAtFirst};

// Figures of our own choice: what a bring-up of new hardware may look like on a bad day.
constexpr double kLightShare = 0.2;    // of machines that have one transient fault
constexpr double kHeavyShare = 0.8;    // of machines that have one to three
constexpr double kDefectShare = 0.03;  // of machines that must end in quarantine
constexpr double kPolicyShare = 0.05;  // of trays in racks with shelves: left to power up by themselves

/// It would never fire on another kind of machine.
bool isOfTraysOnly(FaultKind kind) {
  return kind == FaultKind::PowerUnmoved || kind == FaultKind::OldUntilAuxCycle ||
         kind == FaultKind::HostOnAtAuxCycle || kind == FaultKind::HgxLate ||
         std::find(kDefects.begin(), kDefects.end(), kind) != kDefects.end();
}

/// A machine that needs no firmware update never shows it.
bool isOfUpdates(FaultKind defect) {
  return defect == FaultKind::OldForGood || defect == FaultKind::HgxMissing;
}

// How many occasions pass before a fault fires: requests for those of the transport, acts for those of acts.
int occasions(FaultKind kind, Random& random) {
  switch (kind) {
    case FaultKind::Busy503:
    case FaultKind::BusyPlainText:
    case FaultKind::StrayUnauthorized:
    case FaultKind::CutShort:
    case FaultKind::ClosedOnReuse: return static_cast<int>(random.between(3, 60));
    case FaultKind::FailingResource: return static_cast<int>(random.between(3, 200));
    case FaultKind::AppliedThenClosed:
    case FaultKind::SlowButApplied: return static_cast<int>(random.between(0, 8));
    case FaultKind::PowerUnmoved: return static_cast<int>(random.between(0, 3));  // resets
    case FaultKind::TaskLostDone:
    case FaultKind::TaskLostNotDone:
    case FaultKind::TaskStuck:
    case FaultKind::CompletedCritical: return static_cast<int>(random.between(0, 1));
    case FaultKind::SessionTableFull:
    case FaultKind::LockedOut: return static_cast<int>(random.between(0, 3));  // sign-ins
    case FaultKind::PasswordXhtml:
    case FaultKind::LockedAtFirst:
    case FaultKind::OldUntilAuxCycle:
    case FaultKind::HostOnAtAuxCycle:
    case FaultKind::BmcSlowToReturn:
    case FaultKind::HgxLate:
    case FaultKind::OldForGood:
    case FaultKind::HgxMissing:
    case FaultKind::GpuMissing:
    case FaultKind::WeakGpu:
    case FaultKind::Leak:
    case FaultKind::PowersUpByItself:
    case FaultKind::DeadLink:
    case FaultKind::FabricNever: return 0;
  }
  return 0;
}

// How often it fires in all.
int repeats(FaultKind kind, Random& random) {
  if (kind == FaultKind::Busy503 || kind == FaultKind::BusyPlainText || kind == FaultKind::ClosedOnReuse)
    return static_cast<int>(random.between(1, 3));
  if (kind == FaultKind::PasswordXhtml || kind == FaultKind::HgxMissing) return 1'000'000;
  return 1;
}

}  // namespace

std::string_view expectedCause(FaultKind kind) {
  switch (kind) {
    case FaultKind::OldForGood: return "firmware.not_applied";
    case FaultKind::HgxMissing: return "firmware.hgx_missing";
    case FaultKind::GpuMissing: return "inventory.missing_part";
    case FaultKind::WeakGpu: return "burnin.failed";
    case FaultKind::Leak: return "cooling.leak";
    case FaultKind::LockedAtFirst: return "bmc.credentials";
    case FaultKind::DeadLink: return "domain.burnin";
    case FaultKind::Busy503:
    case FaultKind::BusyPlainText:
    case FaultKind::FailingResource:
    case FaultKind::StrayUnauthorized:
    case FaultKind::PasswordXhtml:
    case FaultKind::SessionTableFull:
    case FaultKind::LockedOut:
    case FaultKind::ClosedOnReuse:
    case FaultKind::AppliedThenClosed:
    case FaultKind::CutShort:
    case FaultKind::SlowButApplied:
    case FaultKind::TaskLostDone:
    case FaultKind::TaskLostNotDone:
    case FaultKind::TaskStuck:
    case FaultKind::CompletedCritical:  // once: it is written again
    case FaultKind::PowerUnmoved:       // once: it is asked for again
    case FaultKind::OldUntilAuxCycle:
    case FaultKind::HostOnAtAuxCycle:
    case FaultKind::BmcSlowToReturn:
    case FaultKind::HgxLate:
    case FaultKind::PowersUpByItself:
    case FaultKind::FabricNever: return "";
  }
  return "";
}

FaultSchedule::FaultSchedule(const FleetOptions& fleet, Time start) : seed_(fleet.seed) {
  for (const auto& f : fleet.scripted) {
    const bool defect = std::find(kDefects.begin(), kDefects.end(), f.kind) != kDefects.end();
    const bool lasts = (defect && f.kind != FaultKind::LockedAtFirst) || f.kind == FaultKind::PasswordXhtml;
    const int times = lasts ? 1'000'000 : f.times;
    byMachine_[f.machine].push_back({f.kind, f.skip, times, start + f.after});
  }
  if (fleet.faults == FaultLevel::None) return;
  const bool heavy = fleet.faults == FaultLevel::Heavy;
  for (int machine = 0; machine < machinesOf(fleet); ++machine) {
    const bool tray = kindOf(fleet, machine) == MachineKind::ComputeTray;
    Random random(seed_, fmt::format("faults {}", machine));
    const bool some = random.chance(heavy ? kHeavyShare : kLightShare);
    const auto count = !some ? 0 : heavy ? random.between(1, 3) : 1;
    std::vector<FaultKind> kinds;
    while (static_cast<std::int64_t>(kinds.size()) < count) {
      const auto kind = kTransient[static_cast<std::size_t>(random.between(0, kTransient.size() - 1))];
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
    }
    if (!tray) std::erase_if(kinds, isOfTraysOnly);
    if (tray && heavy && random.chance(kDefectShare)) {
      const auto defect = kDefects[static_cast<std::size_t>(random.between(0, kDefects.size() - 1))];
      if (!(fleet.asWanted && isOfUpdates(defect))) kinds.push_back(defect);
    }
    // Of its own randomness: what else a machine has is the same with shelves and without.
    Random policy(seed_, fmt::format("power restore policy {}", machine));
    if (tray && heavy && fleet.shelvesPerRack > 0 && !fleet.asWanted && policy.chance(kPolicyShare))
      kinds.push_back(FaultKind::PowersUpByItself);
    for (const auto kind : kinds) {
      const int skip = occasions(kind, random);
      byMachine_[machine].push_back({kind, skip, repeats(kind, random), start});
    }
  }
}

bool FaultSchedule::fires(int machine, FaultKind kind, Time now) {
  const auto it = byMachine_.find(machine);
  if (it == byMachine_.end()) return false;
  for (auto& fault : it->second) {
    if (fault.kind != kind || fault.times == 0 || now < fault.armedAt) continue;
    if (fault.skip > 0) {
      --fault.skip;
      return false;
    }
    --fault.times;
    if (!fault.counted) ++fired_[kind];
    fault.counted = true;
    return true;
  }
  return false;
}

bool FaultSchedule::has(int machine, FaultKind kind) const {
  const auto it = byMachine_.find(machine);
  return it != byMachine_.end() &&
         std::any_of(it->second.begin(), it->second.end(), [&](const Fault& f) { return f.kind == kind; });
}

void FaultSchedule::showed(int machine, FaultKind kind) {
  const auto it = byMachine_.find(machine);
  if (it == byMachine_.end()) return;
  for (auto& fault : it->second) {
    if (fault.kind != kind || fault.counted) continue;
    fault.counted = true;
    ++fired_[kind];
  }
}

void FaultSchedule::mend(int machine, FaultKind kind) {
  if (const auto it = byMachine_.find(machine); it != byMachine_.end())
    std::erase_if(it->second, [&](const Fault& f) { return f.kind == kind; });
}

std::size_t FaultSchedule::partOf(int machine, std::string_view what, std::size_t parts) const {
  Random random(seed_, fmt::format("defect {} {}", what, machine));
  return static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(parts) - 1));
}

std::vector<Expectation> FaultSchedule::expectations() const {
  std::vector<Expectation> out;
  for (const auto& [machine, faults] : byMachine_)
    for (const auto& fault : faults)
      if (const auto cause = expectedCause(fault.kind); !cause.empty())
        out.push_back({machine, fault.kind, cause});
  return out;
}

std::map<std::string, int> FaultSchedule::fired() const {
  std::map<std::string, int> out;
  for (const auto kind : kTransient) out.emplace(nameOf(kind), 0);
  for (const auto kind : kDefects) out.emplace(nameOf(kind), 0);
  for (const auto& [machine, kind] : all()) out.emplace(nameOf(kind), 0);
  for (const auto& [kind, count] : fired_) out[std::string(nameOf(kind))] = count;
  return out;
}

std::vector<std::pair<int, FaultKind>> FaultSchedule::all() const {
  std::vector<std::pair<int, FaultKind>> out;
  for (const auto& [machine, faults] : byMachine_)
    for (const auto& fault : faults) out.emplace_back(machine, fault.kind);
  return out;
}

}  // namespace zellige::sim
