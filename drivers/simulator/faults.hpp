// What goes wrong, when, and what must come of it: a seeded schedule over FACTS section 12. A fault counts as
// fired only when it changed a reply or physics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/time.hpp"

namespace zellige::sim {

enum class FaultLevel { None, Light, Heavy };

/// The number is the one in FACTS section 12.
enum class FaultKind : std::uint8_t {
  Busy503,            ///< 1: 503 + Retry-After to a request that was not applied
  BusyPlainText,      ///< 2: the same 503 as plain text, and no word of when to come again
  FailingResource,    ///< 3: one URI answers 500 for minutes, all others answer
  StrayUnauthorized,  ///< 4: 401 once with good credentials
  PasswordXhtml,      ///< 5: the 403 of the forced password change has an XHTML body
  SessionTableFull,   ///< 6: others have left so many sessions open that none is free
  LockedOut,          ///< 7: others have guessed passwords until the account was locked
  LockedAtFirst,  ///< 7, before we ever were let in: nobody can tell it from a wrong pull tag, and a person must look
  ClosedOnReuse,      ///< 8: a kept-alive connection is closed before anything is applied
  AppliedThenClosed,  ///< 8: the act is applied, the connection closed without a reply
  CutShort,           ///< 9: the body of a reply to a read stops half-way
  SlowButApplied,     ///< 10: the act is applied, the reply comes later than any client waits
  TaskLostDone,       ///< 11: the BMC restarts at the end of a flash: task gone, update done
  TaskLostNotDone,    ///< 12: the BMC restarts in the middle of a flash: task gone, update lost
  TaskStuck,  ///< 13: a write is over, its task runs until the BMC restarts, and no other write is taken
  CompletedCritical,  ///< 14: a task ends Completed at 100 % and is Critical: nothing was written
  PowerUnmoved,       ///< 15: a reset is agreed to; its task ends: the power state did not change
  OldUntilAuxCycle,   ///< 16: BMC firmware stays the old one until an aux cycle
  OldForGood,         ///< 17: one component keeps its old version, even after the aux cycle
  HostOnAtAuxCycle,   ///< 18: somebody has switched the host on again, and the aux cycle is refused
  BmcSlowToReturn,    ///< 19: the BMC is gone more than 5 minutes longer after an update
  HgxLate,            ///< 20: HGX_* missing for minutes after the aux cycle
  HgxMissing,         ///< 20, for good
  GpuMissing,         ///< 31: inventory Absent/Critical while the Processor says Enabled/OK
  WeakGpu,            ///< one GPU gives 30 % less
  Leak,               ///< 32: a leak detector says Critical
  PowersUpByItself,  ///< 38: delivered with AlwaysOn, so the host starts with the rack's power; of whole racks
  DeadLink,          ///< one NVLink of a tray fails when the whole rack is under load; only ever scripted
  /// On this switch tray the NVLink control plane never configures the fabric. Only ever scripted: whether its rack can be
  /// accepted depends on which of its switch trays a controller chooses to lead, so no expectation can be written by hand.
  FabricNever,
};

struct ScriptedFault {
  int machine = 0;
  FaultKind kind = FaultKind::Busy503;
  Duration after{0};  ///< armed this long after the start of the fleet
  int skip = 0;       ///< occasions that pass before it fires
  int times = 1;      ///< how often it fires
};

/// What a machine with this fault must end as. Written by hand, from FACTS and DESIGN, never from a
/// controller. Empty: it survives and becomes available. Else: quarantined with this cause code.
std::string_view expectedCause(FaultKind kind);

/// (machine, cause) that must end in quarantine.
struct Expectation {
  int machine = 0;
  FaultKind kind = FaultKind::GpuMissing;
  std::string_view cause;
};

struct FleetOptions;

class FaultSchedule {
 public:
  FaultSchedule(const FleetOptions& fleet, Time start);

  /// An occasion for `kind` on `machine`: true if it fires now, and is then counted as fired.
  bool fires(int machine, FaultKind kind, Time now);
  /// A defect that is always there: present, without counting.
  bool has(int machine, FaultKind kind) const;
  /// The defect showed: counted once.
  void showed(int machine, FaultKind kind);
  /// On which of so many parts ("gpu") a defect sits.
  std::size_t partOf(int machine, std::string_view what, std::size_t parts) const;

  /// It is gone with the part that had it, or all of them with the machine: nothing is expected of them any more.
  void mend(int machine, FaultKind kind);
  void mendAll(int machine) { byMachine_.erase(machine); }

  std::vector<Expectation> expectations() const;
  /// By name: every kind that a seed may bring, and what was scripted, also if it never fired.
  std::map<std::string, int> fired() const;
  /// Every (machine, kind) in the schedule, fired or not.
  std::vector<std::pair<int, FaultKind>> all() const;

 private:
  struct Fault {
    FaultKind kind;
    int skip, times;
    Time armedAt;
    bool counted = false;
  };
  std::uint64_t seed_;
  std::map<int, std::vector<Fault>> byMachine_;
  std::map<FaultKind, int> fired_;
};

}  // namespace zellige::sim

namespace zellige {
ZELLIGE_NAMES(sim::FaultKind, {sim::FaultKind::Busy503, "f01_busy_503"},
              {sim::FaultKind::BusyPlainText, "f02_busy_plain_text"},
              {sim::FaultKind::FailingResource, "f03_failing_resource"},
              {sim::FaultKind::StrayUnauthorized, "f04_stray_unauthorized"},
              {sim::FaultKind::PasswordXhtml, "f05_password_change_xhtml"},
              {sim::FaultKind::SessionTableFull, "f06_session_table_full"},
              {sim::FaultKind::LockedOut, "f07_locked_out"},
              {sim::FaultKind::LockedAtFirst, "f07_locked_at_first_contact"},
              {sim::FaultKind::ClosedOnReuse, "f08_closed_on_reuse"},
              {sim::FaultKind::AppliedThenClosed, "f08_applied_then_closed"},
              {sim::FaultKind::CutShort, "f09_cut_short"},
              {sim::FaultKind::SlowButApplied, "f10_slow_but_applied"},
              {sim::FaultKind::TaskLostDone, "f11_task_lost_update_done"},
              {sim::FaultKind::TaskLostNotDone, "f12_task_lost_update_not_done"},
              {sim::FaultKind::TaskStuck, "f13_task_stuck"},
              {sim::FaultKind::CompletedCritical, "f14_completed_critical"},
              {sim::FaultKind::PowerUnmoved, "f15_power_unmoved"},
              {sim::FaultKind::OldUntilAuxCycle, "f16_old_until_aux_cycle"},
              {sim::FaultKind::OldForGood, "f17_old_for_good"},
              {sim::FaultKind::HostOnAtAuxCycle, "f18_host_on_at_aux_cycle"},
              {sim::FaultKind::BmcSlowToReturn, "f19_bmc_slow_to_return"},
              {sim::FaultKind::HgxLate, "f20_hgx_late"}, {sim::FaultKind::HgxMissing, "f20_hgx_missing"},
              {sim::FaultKind::GpuMissing, "defect_gpu_missing"},
              {sim::FaultKind::WeakGpu, "defect_weak_gpu"}, {sim::FaultKind::Leak, "f32_leak"},
              {sim::FaultKind::PowersUpByItself, "f38_powers_up_by_itself"},
              {sim::FaultKind::DeadLink, "defect_dead_link"},
              {sim::FaultKind::FabricNever, "defect_fabric_never"});
}  // namespace zellige
