// Racks that do not exist: GB200 compute trays, NVLink switch trays and power shelves that behave. `exchange` is a BMC's HTTP server without the
// sockets; what a request sets off (a boot, a flash, a restart) happens later, on timers of `world`. Two
// front doors are wired over it by others: HTTPS on loopback and, in virtual time, plain calls.
// Single-threaded: everything runs on `world`.
//
// The same (options, seed) and the same requests at the same times give the same replies, always.
//
// This folder knows base and protocol only. It must never learn what its clients (drivers/redfish, workflows)
// do: profiles come from the recorded tree and FACTS.md, so that a simulated machine cannot be shaped to its
// client.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/base/http_message.hpp"
#include "controller/base/result.hpp"
#include "drivers/simulator/faults.hpp"
#include "drivers/simulator/ledger.hpp"
#include "drivers/simulator/power_meter.hpp"
#include "drivers/simulator/times.hpp"

namespace zellige::sim {

enum class MachineKind : std::uint8_t { ComputeTray, SwitchTray, PowerShelf };

/// Machines are numbered: all compute trays, then all switch trays, then all shelves, each rack by rack.
struct FleetOptions {
  int trays = 18;
  int traysPerRack = 18;
  int switchesPerRack = 0, shelvesPerRack = 0;
  std::uint64_t seed = 1;
  FaultLevel faults = FaultLevel::None;
  std::vector<ScriptedFault> scripted;
  bool asWanted = false;  ///< at the baseline, site password and settings set, OS image on disk and running
  bool nextRelease = false;  ///< the site has a newer baseline as well, and both allow a downgrade: for campaigns
  bool startPoweredOn = false;  ///< delivered trays are off; true: in UEFI, without a boot device
  double timeSigma = 0.0;       ///< lognormal spread of step times; 0: exactly `times`
  std::string sitePassword = "Zellige-Sim-1";  ///< what asWanted machines have; 8 to 20 characters (FACTS 7)
  Times times;
};

/// Whole NVL72 racks: 18 compute trays, 9 switch trays, 8 shelves each.
void fillRacks(FleetOptions& fleet, int racks);
/// How many racks these trays fill; at least one.
int racksOf(const FleetOptions& fleet);
int machinesOf(const FleetOptions& fleet);
MachineKind kindOf(const FleetOptions& fleet, int machine);
/// From 0.
int rackOf(const FleetOptions& fleet, int machine);
/// Its number among those of its kind in its rack, from 0.
int slotOf(const FleetOptions& fleet, int machine);

struct MachineId {
  int value = 0;
  auto operator<=>(const MachineId&) const = default;
};

struct BmcAddress {
  std::string host;  ///< 127.1.0.1 and up: loopback, so that real sockets work without any set-up
  std::uint16_t port = 8443;
};

/// Of the index-th machine.
BmcAddress bmcAddress(int index);
/// Of a switch tray's own system.
BmcAddress nvosAddress(int index);

/// Which of a machine's HTTP servers.
enum class Door { Bmc, Nvos };

/// How an exchange ends on the wire.
enum class Ending {
  Complete,
  Refuse,            ///< nobody listens: the BMC is down
  CloseBeforeReply,  ///< the connection breaks; whether the request was applied shows only later
  CloseAfterReply,   ///< the reply arrives whole, then the connection closes
  CutShort,          ///< the body stops half-way
  Never,             ///< the connection is held past any client's timeout
};

struct Delivery {
  HttpReply reply;
  Ending ending = Ending::Complete;
  Duration latency{0};  ///< of the world's clock, from arrival to the reply
};

struct Arrival {
  HttpRequest request;
  std::uint64_t connection = 0;
  bool reused = false;  ///< not the first request on that connection
};

/// How a host's firmware and agent reach the provisioning listener; given by the door.
class Uplink {
 public:
  virtual ~Uplink() = default;
  /// `url` is absolute. `done` is called on the world's executor; never called: the request got lost.
  virtual void send(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) = 0;
};

struct ItemTruth {
  std::string id;  ///< of the FirmwareInventory member
  std::string active;
  std::string pending;   ///< written, waits for its activation; empty: nothing
  bool bricked = false;  ///< its slot was cut off while being written, and not written since
};

/// What is really so, whatever the BMC says.
struct GroundTruth {
  MachineKind kind = MachineKind::ComputeTray;
  std::string serial;
  bool hostOn = false;     ///< of a shelf: it feeds the busbar
  bool osRunning = false;  ///< the host has booted (ramdisk or OS)
  bool bmcUp = false;
  bool nvosUp = false;         ///< a switch tray's own system answers
  bool nvlinkControl = false;  ///< and runs the domain's control plane
  bool hgxPresent = false;
  bool flashing = false;
  std::vector<ItemTruth> firmware;
  std::string diskDigest;  ///< of the image on the system disk, complete and verified; empty: none
  bool diskWriting = false;
  std::string password;
  bool passwordIsFactorys = false;
  std::string powerRestorePolicy;
  std::vector<std::string> ntp;
  std::string syslogAddress;
  int syslogPort = 0;
  bool mediaInserted = false;
  int flashes = 0;             ///< packages written to the end
  int interruptedFlashes = 0;  ///< cut off by a power cut, an aux cycle or a BMC reset
  int copiesAtRisk = 0;        ///< updates or aux cycles while a background copy was not Completed
  int memoryExhaustions = 0;
  int boots = 0;
};

/// The union of the times in which physics or a mandatory device time was busy: flash, BMC and HGX restart,
/// background copy, POST and boot, image write, burn-in. The basis of a scheduling oracle.
struct Busy {
  Duration total{0};
  Time first{};  ///< start of the first such time
  Time last{};   ///< end of the last; of the present moment if it is busy now
};

/// What a machine really used of something that a scheduler may have to share out: `work`, and how much of its busy time
/// (Busy) lay before the first of it and after the last.
struct Use {
  Duration head{0}, work{0}, tail{0};
};

/// The most that ever went on at one time.
struct Peak {
  int uploads = 0;  ///< of packages, refused ones as well
  int flashes = 0;
  int flashesInARack = 0;  ///< in whichever rack it was most
  int imageWrites = 0;
  int racksFlashing = 0;  ///< in which a machine was written
};

class Fleet {
 public:
  Fleet(Executor& world, FleetOptions options);
  ~Fleet();
  Fleet(const Fleet&) = delete;

  /// The state changes now, at arrival; the door delivers the reply after `latency`.
  Delivery exchange(MachineId machine, const Arrival& arrival, Door door = Door::Bmc);

  /// Without one, whatever a host asks for is lost.
  void setUplink(Uplink* uplink);
  /// A BootMedia for the agent of the installed OS, put on the disk as if the image had been written with it;
  /// a running OS without an agent starts it at once. For asWanted fleets.
  void setAgentSeed(MachineId machine, std::string seed);

  int size() const;
  MachineKind kind(MachineId machine) const;
  int racks() const;
  int rack(MachineId machine) const;
  std::vector<MachineId> machines() const;
  BmcAddress address(MachineId machine) const;
  /// nullopt: it has no system of its own.
  std::optional<BmcAddress> nvosAddress(MachineId machine) const;
  std::string serial(MachineId machine) const;
  std::string place(MachineId machine) const;
  /// A manifest with it alone, from its pull tag, for whoever has put it in another's place.
  std::string manifest(MachineId machine) const;

  /// Somebody puts another machine of its kind in its place, as delivered, at the same addresses.
  void swap(MachineId machine);
  static constexpr int kGpusOfATray = 4;
  /// Somebody puts another GPU (from 0) in its slot; the tray is without power for a moment. What was wrong with the old
  /// one is over.
  void swapGpu(MachineId machine, int gpu);

  const Ledger& ledger() const;
  GroundTruth groundTruth(MachineId machine) const;
  Busy busyUnion(MachineId machine) const;
  /// Of its busy time, the start after its rack got power; 0: it had power from the beginning.
  Duration start(MachineId machine) const;
  Use flashing(MachineId machine) const;
  Use imageWriting(MachineId machine) const;
  /// Uploads happen inside the time of `flashing`: head and tail are those.
  Use uploading(MachineId machine) const;
  Peak peak() const;
  /// What machines drew above idle in this place ("" is the fleet), where their orders limited it.
  PowerPeak power(const std::string& place) const;
  /// From now on.
  void measurePeaksAnew();
  /// Who must end in quarantine, and why; everybody else must become available.
  std::vector<Expectation> expectations() const;
  /// By name, how many machines each kind fired on; every kind there is, 0 where it did not.
  std::map<std::string, int> faultsFired() const;
  std::vector<std::pair<int, FaultKind>> faultsScheduled() const;

 private:
  std::unique_ptr<class World> world_;
};

}  // namespace zellige::sim
