// What kinds of machine differ in, as data: a row per platform, chosen by what the machine says it is (FACTS 1). An
// unknown machine gets `generic`, which lives on standard properties alone. Code asks the row, never the vendor.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controller/bmc.hpp"
#include "controller/model/inventory.hpp"

namespace zellige::redfish {

/// An id that contains `fragment` is a part of this kind; the first match decides.
struct KindByName {
  std::string_view fragment;
  ComponentKind kind;
};

enum class BootPlace { SettingsIfItHoldsBoot, System };
enum class DrivesIn { Chassis, Storage };
enum class PowerSuppliesIn { Nowhere, Chassis };
enum class BmcListedFrom { Managers, Chassis };
enum class Syslog { None, NvidiaRsyslog };
enum class Push { Multipart, Plain };  ///< to MultipartHttpPushUri, or the bare file to HttpPushUri

struct Platform {
  std::string_view name;

  // Recognised by: all that is not empty must be so. `system` is one of the ids of its Systems, `chassis` of its Chassis,
  // looked at once signed in; `noSystems`: it has none.
  std::string_view vendor, product, system, chassis;
  bool noSystems = false;

  // Which of its resources is which, by id. Empty: the first that is not the baseboard.
  std::string_view hostSystem, baseboardSystem;
  bool baseboardExpected = false;  ///< its absence means that the HMC is away, not that there is none
  std::string_view serialChassis;  ///< the machine's serial is this chassis's; empty: the system's
  std::string_view leakChassis;    ///< the only one with leak detectors; empty: look at all
  std::string_view shelfChassis;   ///< of a power shelf: the one that is switched; empty: this is none

  // Inventory
  std::span<const KindByName> chassisKinds;
  bool processorsOfBaseboardOnly = false;  ///< the host system lists the same CPUs again, with less
  bool gpuNeedsNvlink = false;             ///< a GPU without NVLink ports is not there (FACTS 9)
  bool processorHasOwnChassis = false;     ///< what its chassis says of health is about it alone
  bool absentIsSick = false;               ///< soldered: Absent is never an empty socket
  std::string_view partFirmwarePrefix;     ///< firmware "HGX_FW_GPU_0" speaks for part "GPU_0"
  DrivesIn drives = DrivesIn::Storage;
  PowerSuppliesIn powerSupplies = PowerSuppliesIn::Chassis;
  BmcListedFrom bmcs = BmcListedFrom::Managers;

  // Power. Names in order of preference, by HostReset; an empty list: not offered.
  struct ResetNames {
    HostReset how;
    std::array<std::string_view, 2> names;
  };
  std::span<const ResetNames> resets;
  std::array<std::string_view, 2> bmcResets;
  std::string_view auxAction,
      auxType;                   ///< OEM action of a chassis that cuts and restores all power; empty: none
  bool auxNeedsHostOff = false;  ///< 400 ChassisPowerStateOffRequired otherwise (FACTS 2)

  // Boot and media
  BootPlace boot = BootPlace::SettingsIfItHoldsBoot;
  std::span<const std::string_view> cdTargets;  ///< what the virtual CD is called as boot source, most likely first
  bool anyMatch = false;                        ///< PATCH wants `If-Match: *`

  // Firmware
  Push push = Push::Multipart;
  bool pushForceAlways = false;  ///< ForceUpdate is always sent
  bool pushApplyNow = false;     ///< @Redfish.OperationApplyTime: Immediate

  // Settings and account
  Syslog syslog = Syslog::None;
  std::string_view accountId;  ///< of the first account where Accounts may not be read yet; empty: the user's name
  bool expand = true;          ///< $expand is believed where the machine offers it
};

/// What a machine says about itself. `systems`: ids; empty until signed in.
struct SelfDescription {
  std::string vendor, product;
  std::vector<std::string> systems;
  std::vector<std::string> chassis;  ///< ids; empty: not looked at
  bool systemsRead = false;
};

std::span<const Platform> platforms();  ///< `generic` is the last
const Platform& platformFor(const SelfDescription& machine);
/// Which platform it is depends on its Chassis, which were not looked at yet.
bool dependsOnChassis(const SelfDescription& machine);

}  // namespace zellige::redfish
