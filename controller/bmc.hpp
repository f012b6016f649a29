// What the workflows need of a machine. RedfishBmc (drivers/redfish) and, later, a libvirt domain are behind it.
// Every function is at most a few exchanges; nothing here waits for a machine to get anywhere. Reading functions never
// change the machine (opening our own session counts as reading). Writing functions return Errc::NotArmed, with nothing
// sent, where the place is in observe mode. An Error with outcomeUnknown may have been applied: look again, never guess.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/result.hpp"
#include "controller/base/secret.hpp"
#include "controller/base/task.hpp"
#include "controller/base/time.hpp"
#include "controller/model/catalog.hpp"
#include "controller/model/inventory.hpp"

namespace zellige {

enum class HostPower { Off, On, PoweringOn, PoweringOff, Unknown };
ZELLIGE_NAMES(HostPower, {HostPower::Off, "off"}, {HostPower::On, "on"},
              {HostPower::PoweringOn, "powering_on"}, {HostPower::PoweringOff, "powering_off"},
              {HostPower::Unknown, "unknown"});

enum class HostReset { On, ForceOff, GracefulShutdown, ForceRestart, PowerCycle };
ZELLIGE_NAMES(HostReset, {HostReset::On, "on"}, {HostReset::ForceOff, "force_off"},
              {HostReset::GracefulShutdown, "graceful_shutdown"}, {HostReset::ForceRestart, "force_restart"},
              {HostReset::PowerCycle, "power_cycle"});

/// Without signing in.
struct BmcIdentity {
  std::string vendor, product, redfishVersion, uuid;
  std::string platform;  ///< behaviour chosen for it ("nvidia-openbmc-gb200", "generic")
  auto operator<=>(const BmcIdentity&) const = default;
};

struct HostState {
  HostPower power = HostPower::Unknown;
  std::string bootProgress;  ///< LastState ("OSRunning"), or empty where the platform has none
  std::string lastReset;     ///< LastResetTime as reported; empty: not reported
};

struct BmcState {
  std::string lastReset;         ///< Manager LastResetTime as reported: changes when the BMC restarts
  std::string firmware;          ///< its own running version
  bool baseboardPresent = true;  ///< the HGX baseboard's resources are there (true where the platform has none)
};

enum class TaskState { Running, Completed, Failed };
ZELLIGE_NAMES(TaskState, {TaskState::Running, "running"}, {TaskState::Completed, "completed"},
              {TaskState::Failed, "failed"});

/// A task of the BMC's task service. Completed with TaskStatus Critical is Failed (FACTS 6).
struct BmcTask {
  std::string uri;
  TaskState state = TaskState::Running;
  int percent = -1;  ///< -1: not told
  std::string message;
};

struct MediaState {
  bool inserted = false;
  std::string image;  ///< URL; empty when nothing is in
};

struct BootOverride {
  std::string target;  ///< "None", "Cd", "UsbCd", "Hdd", …; as reported
  bool once = false;
};

/// A package in the content store.
struct PackageFile {
  std::filesystem::path file;
  std::string name;  ///< as its maker calls it
  std::string url;   ///< where a machine that fetches it itself finds it
};

/// Who writes a machine's firmware: its BMC, or the system that a switch tray runs.
class FirmwareService {
 public:
  virtual ~FirmwareService() = default;

  // Reading
  virtual Task<Result<std::vector<FirmwareItem>>> firmware() = 0;  ///< one or a few exchanges
  virtual Task<Result<BmcState>> state() = 0;
  virtual Task<Result<std::vector<BmcTask>>> tasks() = 0;   ///< all that it still remembers
  virtual Task<Result<BmcTask>> task(std::string uri) = 0;  ///< NotFound: it forgot

  // Writing
  /// Sends the package, or has it fetched. Returns the task's URI, or empty if none was named.
  virtual Task<Result<std::string>> pushFirmware(PackageFile package, std::vector<std::string> targets,
                                                 bool force) = 0;
  virtual Task<Result<void>> auxPowerCycle() = 0;  ///< Unsupported where there is none
  virtual Task<Result<void>> resetBmc() = 0;
};

class Bmc : public FirmwareService {
 public:
  // Reading
  virtual Task<Result<BmcIdentity>> identify() = 0;  ///< one anonymous exchange
  /// Opens or confirms a session. Auth: refused (confirmed once); PasswordExpired: only changePassword works.
  virtual Task<Result<void>> signIn() = 0;
  virtual Task<Result<Inventory>> inventory() = 0;  ///< everything; tens of exchanges
  virtual Task<Result<HostState>> host() = 0;       ///< one exchange
  virtual Task<Result<BmcSettings>> settings() = 0;
  virtual Task<Result<MediaState>> media() = 0;  ///< of the slot that insertMedia would use
  virtual Task<Result<BootOverride>> bootOverride() = 0;
  virtual Task<Result<bool>> leakDetected() = 0;  ///< any detector not OK
  /// Every root of trust says its background copy is Completed (FACTS 6); true where there is none. A power cut or a
  /// new update before that risks the spare slot.
  virtual Task<Result<bool>> backgroundCopyDone() = 0;
  /// A power shelf feeds its busbar. Unsupported: this is none.
  virtual Task<Result<bool>> feeds() = 0;

  // Writing
  /// Two-phase with the credential store behind the driver: the new password is durable before it is sent.
  virtual Task<Result<void>> changePassword() = 0;
  virtual Task<Result<void>> setSettings(BmcSettings wanted) = 0;  ///< sends only what differs
  virtual Task<Result<void>> reset(HostReset how) = 0;
  virtual Task<Result<void>> insertMedia(std::string url) = 0;
  virtual Task<Result<void>> ejectMedia() = 0;
  virtual Task<Result<void>> setBootOverride(
      BootOverride wanted) = 0;  ///< target "Cd" or "None"; the driver maps it
  virtual Task<Result<void>> setLocateLed(bool on) = 0;
  /// Of a power shelf. There is no opposite: nothing that Zellige does switches a rack's power off.
  virtual Task<Result<void>> startFeeding() = 0;
};

}  // namespace zellige
