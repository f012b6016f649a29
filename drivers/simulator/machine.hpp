// The state of one simulated machine: everything that cannot be computed from (seed, index). At most 4 KB with
// all it points to; the Redfish tree is generated from it on demand. Internal to the simulator.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controller/base/time.hpp"
#include "controller/protocol/agent.hpp"
#include "drivers/simulator/profile.hpp"

namespace zellige::sim {

struct Agent;
struct Nvos;

enum class HostPhase : std::uint8_t {
  Off,
  Post,
  Booting,  ///< firmware has handed over; the OS or ramdisk is on its way
  Running,
  Stopped,  ///< POST ended and there was nothing to boot
};

/// The host as its BMC shows it.
struct HostView {
  HostPhase phase = HostPhase::Off;
  bool poweringOff = false;
  Time since{}, progressSince{};
  bool on() const { return phase != HostPhase::Off; }
};

enum class BootTarget : std::uint8_t { None, Pxe, Hdd, Cd, Diags, BiosSetup, Usb };
enum class BootEnabled : std::uint8_t { Disabled, Once, Continuous };
enum class RestorePolicy : std::uint8_t { AlwaysOn, AlwaysOff, LastState };

/// Timers that replace one another: starting or stopping one makes what was due on it do nothing.
enum class Track : std::uint8_t { Power, Boot, Bmc, Hgx, Flash, TrayCopy, ComputeCopy, Password, OsPassword };
inline constexpr std::size_t kTracks = 9;

/// What can keep a machine busy (see Busy in fleet.hpp).
enum class Work : std::uint8_t { Flash, Bmc, Hgx, Boot, Write, BurnIn, TrayCopy, ComputeCopy };  // at most 8

struct Session {
  std::uint64_t token = 0;  ///< 0: free
  Time used{};
};
inline constexpr std::size_t kSessions = 8;  ///< FACTS 7: about 8 sessions

enum class TaskOutcome : std::uint8_t {
  Running,
  Completed,
  CompletedCritical,
  LowerStamp,
  NotRecognised,
  CutOff,
  PowerUnmoved,  ///< of a reset, not before its `end`
};

struct UpdateTask {
  std::uint16_t number = 0;
  bool hgx = false;  ///< forwarded: id "HGX_<number>"
  TaskOutcome outcome = TaskOutcome::Running;
  Time start{}, end{};
};

/// One kind of work, beside all that keeps the machine busy.
struct Spent {
  Time since{};
  Duration busyBefore{-1};  ///< busy time before the first of it; -1: there was none
  Duration work{0};
  Duration busyUntil{0};  ///< busy time up to the end of the last
};

/// The update being written.
struct Flash {
  bool running = false;
  TaskOutcome outcome = TaskOutcome::Completed;  ///< what it will end as
  std::uint16_t task = 0;
  bool hgx = false;
  std::uint32_t component = 0, digest = 0;                     ///< interned, for the ledger's rules
  std::vector<std::pair<std::uint8_t, std::uint16_t>> writes;  ///< item, version
};

/// What was delivered before, for the ledger's rules on duplicates.
struct Delivered {
  bool off = false;         ///< an off since the host was last on
  bool on = false;          ///< an on since the host was last off
  bool restart = false;     ///< a restart or on that still boots, with override and media unchanged since
  std::uint32_t reset = 0;  ///< interned type of one that was agreed to and is under way until `resetEnds`
  Time resetEnds{};
  bool bmcReset = false, hgxReset = false;
  bool resetWhileHeld = false;  ///< one more, after the first had left the firmware as it was
  bool auxCycle = false;
  std::uint64_t imageOrder = 0, burnInOrder = 0;  ///< hash of the last order's id
};

struct Machine {
  int id = 0;
  const Profile* profile = nullptr;
  std::uint8_t swaps = 0;                      ///< how often another one was put in its place
  std::array<std::uint8_t, kGpus> gpuSwaps{};  ///< the same of its GPUs

  // BMC
  bool bmcUp = true, hgxUp = true;
  bool bmcGoing = false;      ///< agreed to restart or cycle, still answering
  bool hgxGone = false;       ///< fault 20: HGX never came back
  bool heldUntilAux = false;  ///< fault 16 holds the BMC bundle back
  Time bmcSince{}, hgxSince{};
  Time hgxOverdueAt{};  ///< when HGX ought to be back at the latest
  std::array<Session, kSessions> sessions{};
  std::uint32_t sessionsOpened = 0;
  std::uint16_t wrongPasswords = 0, lockedPasswords = 0;  ///< the latter: sent in this lockout, or the last
  bool passwordExpired = false;
  Time lockedUntil{}, lastWrongPassword{};
  std::string failingPath;  ///< fault 3, until `failsUntil`
  Time failsUntil{};
  std::string password, nextPassword;  ///< the latter was accepted and is being set

  // Firmware: versions are interned (World::versions); pending 0 is nothing.
  std::array<std::uint16_t, kItems> active{}, pending{};
  std::uint32_t bricked = 0;  ///< bit per item
  Flash flash;
  bool updateStuck = false;  ///< fault 13: it takes itself to be writing
  bool fellBack = false;     ///< fault 17: a component did, when it was last to come alive
  std::uint16_t fellBackFrom = 0, fallBacks = 0;  ///< from which version, and how often from that one
  Time lastPush = Time::min();
  std::vector<UpdateTask> tasks;
  std::uint16_t nextTask = 0, nextHgxTask = 0;
  bool trayCopying = false, computeCopying = false;
  std::uint16_t flashes = 0, interruptedFlashes = 0, copiesAtRisk = 0, memoryExhaustions = 0;

  // Host
  HostView host;
  HostView hostBefore;  ///< what the BMC shows until `hostShownFrom`
  Time hostShownFrom = Time::min();
  std::uint32_t boots = 0;
  BootTarget bootTarget = BootTarget::None;
  BootEnabled bootEnabled = BootEnabled::Disabled;
  RestorePolicy restorePolicy = RestorePolicy::LastState;
  bool locationLed = false;
  std::array<std::string, 2> media;  ///< Image URLs of USB1 and USB2; empty: nothing inserted
  Time mediaShownFrom = Time::min();
  std::uint8_t mediaTries = 0;

  // Settings
  std::vector<std::string> ntp;
  bool ntpEnabled = true, syslogEnabled = false, syslogUdp = false;
  std::string syslogAddress;
  std::uint16_t syslogPort = 0;

  // System disk
  ImageState diskState = ImageState::None;
  std::uint32_t diskDigest = 0;  ///< interned
  std::string seed;

  Delivered delivered;
  std::unique_ptr<Agent> agent;
  std::unique_ptr<Nvos> nvos;  ///< of a switch tray

  // Clockwork
  std::array<std::uint32_t, kTracks> epochs{};
  std::uint32_t exchanges = 0, draws = 0, calls = 0;  ///< calls: tokens of what the agent waits for
  std::uint8_t busy = 0;                              ///< bit per Work
  Time busySince{}, busyFirst{}, busyLast{};
  Duration busyTotal{0}, uploading{0};
  bool starting = false;  ///< its rack has got power, and it is not up yet
  Duration startTook{0};
  Spent flashing, writing;

  Machine();
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  MachineKind kind() const { return profile->kind; }
  bool isTray() const { return kind() == MachineKind::ComputeTray; }
  bool hostOn() const { return host.on(); }
  bool anyPending(Bundle bundle) const;
  bool mediaInserted() const { return !media[0].empty() || !media[1].empty(); }
};

}  // namespace zellige::sim

namespace zellige {
ZELLIGE_NAMES(sim::BootTarget, {sim::BootTarget::None, "None"}, {sim::BootTarget::Pxe, "Pxe"},
              {sim::BootTarget::Hdd, "Hdd"}, {sim::BootTarget::Cd, "Cd"}, {sim::BootTarget::Diags, "Diags"},
              {sim::BootTarget::BiosSetup, "BiosSetup"}, {sim::BootTarget::Usb, "Usb"});
ZELLIGE_NAMES(sim::BootEnabled, {sim::BootEnabled::Disabled, "Disabled"}, {sim::BootEnabled::Once, "Once"},
              {sim::BootEnabled::Continuous, "Continuous"});
ZELLIGE_NAMES(sim::RestorePolicy, {sim::RestorePolicy::AlwaysOn, "AlwaysOn"},
              {sim::RestorePolicy::AlwaysOff, "AlwaysOff"}, {sim::RestorePolicy::LastState, "LastState"});
}  // namespace zellige
