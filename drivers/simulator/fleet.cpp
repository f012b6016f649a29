#include "drivers/simulator/fleet.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "drivers/simulator/agent.hpp"
#include "drivers/simulator/nvos.hpp"
#include "drivers/simulator/server.hpp"
#include "drivers/simulator/site.hpp"
#include "drivers/simulator/world.hpp"

namespace zellige::sim {

namespace {

Machine& machineAt(World& w, MachineId id) { return w.machines.at(static_cast<std::size_t>(id.value)); }

Duration replyLatency(const World& w, Machine& m) {
  Random random(w.options.seed ^ (static_cast<std::uint64_t>(m.id) << 32), "latency");
  Random own(random.next() + m.exchanges++);
  return Duration{own.between(w.times().replyMin.count(), w.times().replyMax.count())};
}

bool isRead(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

// The same troubles of transport as its BMC's.
Delivery askNvos(World& w, Machine& m, const Arrival& arrival) {
  if (!m.nvos || m.host.phase != HostPhase::Running) return {{}, Ending::Refuse, Duration{0}};
  const bool read = isRead(arrival.request);
  if (read)
    w.ledger.countRead();
  else
    w.ledger.countWrite(false);
  auto answer = nvos::answer(w, m, arrival.request);
  const auto latency = replyLatency(w, m) + answer.latency;
  Delivery out{std::move(answer.reply), Ending::Complete, latency};
  if (!read && out.reply.status < 300) {
    if (w.fires(m, FaultKind::AppliedThenClosed))
      out = {{}, Ending::CloseBeforeReply, latency};
    else if (w.fires(m, FaultKind::SlowButApplied))
      out = {{}, Ending::Never, latency};
  }
  if (read && out.reply.status == 200 && w.fires(m, FaultKind::CutShort)) out.ending = Ending::CutShort;
  return out;
}

}  // namespace

Fleet::Fleet(Executor& world, FleetOptions options)
    : world_(std::make_unique<World>(world, std::move(options))) {}
Fleet::~Fleet() = default;

Delivery Fleet::exchange(MachineId machine, const Arrival& arrival, Door door) {
  auto& w = *world_;
  auto& m = machineAt(w, machine);
  if (door == Door::Nvos) return askNvos(w, m, arrival);
  if (!m.bmcUp) return {{}, Ending::Refuse, Duration{0}};
  if (!isRead(arrival.request)) w.ledger.countWrite(server::concernsSession(arrival.request));
  const auto latency = replyLatency(w, m);
  if (arrival.reused && w.fires(m, FaultKind::ClosedOnReuse)) return {{}, Ending::CloseBeforeReply, latency};
  auto answer = server::answer(w, m, arrival.request);
  Delivery out{std::move(answer.reply), Ending::Complete, latency + answer.latency};
  if (out.reply.status == 0)
    out.ending = Ending::CloseBeforeReply;
  else if (!m.bmcUp)
    out.ending = Ending::CloseAfterReply;  // its last words
  if (answer.acted && !isRead(arrival.request)) {
    if (w.fires(m, FaultKind::AppliedThenClosed))
      out = {{}, Ending::CloseBeforeReply, out.latency};
    else if (w.fires(m, FaultKind::SlowButApplied))
      out = {{}, Ending::Never, out.latency};
  }
  if (isRead(arrival.request) && out.reply.status == 200 && w.fires(m, FaultKind::CutShort))
    out.ending = Ending::CutShort;
  return out;
}

void Fleet::setUplink(Uplink* uplink) { world_->uplink = uplink; }

void Fleet::setAgentSeed(MachineId machine, std::string seed) {
  auto& m = machineAt(*world_, machine);
  m.seed = std::move(seed);
  if (m.host.phase != HostPhase::Running || m.agent) return;
  if (agent::load(*world_, m, AgentHome::Os, m.seed)) agent::start(*world_, m);
}

int Fleet::size() const { return static_cast<int>(world_->machines.size()); }

std::vector<MachineId> Fleet::machines() const {
  std::vector<MachineId> out;
  out.reserve(world_->machines.size());
  for (int i = 0; i < size(); ++i) out.push_back({i});
  return out;
}

BmcAddress Fleet::address(MachineId machine) const { return bmcAddress(machine.value); }
std::optional<BmcAddress> Fleet::nvosAddress(MachineId machine) const {
  if (kind(machine) != MachineKind::SwitchTray) return std::nullopt;
  return sim::nvosAddress(machine.value);
}

std::string Fleet::serial(MachineId machine) const {
  return world_->identity(machineAt(*world_, machine)).serial();
}

std::string Fleet::place(MachineId machine) const { return placeOf(world_->options, machine.value); }

static_assert(Fleet::kGpusOfATray == kGpus);

std::string Fleet::manifest(MachineId machine) const {
  return manifestOf(world_->options, machine.value, machineAt(*world_, machine).swaps);
}

void Fleet::swap(MachineId machine) { world_->swap(machineAt(*world_, machine)); }
void Fleet::swapGpu(MachineId machine, int gpu) { world_->swapGpu(machineAt(*world_, machine), gpu); }

MachineKind Fleet::kind(MachineId machine) const { return machineAt(*world_, machine).kind(); }
int Fleet::racks() const { return racksOf(world_->options); }
int Fleet::rack(MachineId machine) const { return rackOf(world_->options, machine.value); }

const Ledger& Fleet::ledger() const { return world_->ledger; }

namespace {

// Of a switch tray as its own system names the components.
std::string nameInBaseline(const Profile& profile, const FirmwareItem& item) {
  if (profile.kind != MachineKind::SwitchTray) return std::string(item.id);
  if (item.bundle == Bundle::SwitchOs && item.listed) return "ASIC";
  return std::string(profile.package(item.bundle)->target);
}

}  // namespace

GroundTruth Fleet::groundTruth(MachineId machine) const {
  const auto& w = *world_;
  const auto& m = machineAt(*world_, machine);
  GroundTruth out;
  out.kind = m.kind();
  out.serial = serial(machine);
  out.hostOn = m.hostOn();
  out.osRunning = m.host.phase == HostPhase::Running;
  out.bmcUp = m.bmcUp;
  out.nvosUp = m.nvos && m.host.phase == HostPhase::Running;
  out.nvlinkControl = m.nvos && m.nvos->cluster;
  out.hgxPresent = m.hgxUp;
  out.flashing = m.flash.running;
  for (std::size_t i = 0; i < m.profile->firmware.size(); ++i)
    out.firmware.push_back({nameInBaseline(*m.profile, m.profile->firmware[i]),
                            std::string(w.versionText(m.active[i])), std::string(w.versionText(m.pending[i])),
                            (m.bricked >> i & 1u) != 0});
  if (m.diskState == ImageState::Verified) out.diskDigest = w.strings.text(m.diskDigest);
  out.diskWriting = m.diskState == ImageState::Writing;
  out.password = m.password;
  out.passwordIsFactorys = m.password == w.identity(m).factoryPassword();
  out.powerRestorePolicy = nameOf(m.restorePolicy);
  out.ntp = m.ntp;
  out.syslogAddress = m.syslogAddress;
  out.syslogPort = m.syslogPort;
  out.mediaInserted = m.mediaInserted();
  out.flashes = m.flashes;
  out.interruptedFlashes = m.interruptedFlashes;
  out.copiesAtRisk = m.copiesAtRisk;
  out.memoryExhaustions = m.memoryExhaustions;
  out.boots = static_cast<int>(m.boots);
  return out;
}

Busy Fleet::busyUnion(MachineId machine) const {
  const auto& m = machineAt(*world_, machine);
  if (m.busy == 0) return {m.busyTotal, m.busyFirst, m.busyLast};
  return {m.busyTotal + (world_->now() - m.busySince), m.busyFirst, world_->now()};
}

Duration Fleet::start(MachineId machine) const { return machineAt(*world_, machine).startTook; }

namespace {

Use useOf(const Spent& spent, Duration busy) {
  if (spent.busyBefore < Duration{0}) return {};
  return {spent.busyBefore, spent.work, busy - spent.busyUntil};
}

}  // namespace

Use Fleet::flashing(MachineId machine) const {
  return useOf(machineAt(*world_, machine).flashing, busyUnion(machine).total);
}
Use Fleet::imageWriting(MachineId machine) const {
  return useOf(machineAt(*world_, machine).writing, busyUnion(machine).total);
}
Use Fleet::uploading(MachineId machine) const {
  auto use = flashing(machine);
  use.work = machineAt(*world_, machine).uploading;
  return use;
}

Peak Fleet::peak() const { return world_->peak; }
PowerPeak Fleet::power(const std::string& place) const { return world_->power.peak(place); }
void Fleet::measurePeaksAnew() {
  world_->peak = {};
  world_->power.measureAnew();
}

std::vector<Expectation> Fleet::expectations() const { return world_->faults.expectations(); }
std::map<std::string, int> Fleet::faultsFired() const { return world_->faults.fired(); }
std::vector<std::pair<int, FaultKind>> Fleet::faultsScheduled() const { return world_->faults.all(); }

void fillRacks(FleetOptions& fleet, int racks) {
  fleet.trays = 18 * racks;
  fleet.traysPerRack = 18;
  fleet.switchesPerRack = 9;
  fleet.shelvesPerRack = 8;
}

int racksOf(const FleetOptions& fleet) {
  return std::max(1, (fleet.trays + fleet.traysPerRack - 1) / fleet.traysPerRack);
}

int machinesOf(const FleetOptions& fleet) {
  return fleet.trays + racksOf(fleet) * (fleet.switchesPerRack + fleet.shelvesPerRack);
}

namespace {

/// Where in its rack a machine stands, counted among its kind.
struct Standing {
  MachineKind kind;
  int rack, slot;
};

Standing standingOf(const FleetOptions& fleet, int machine) {
  if (machine < fleet.trays)
    return {MachineKind::ComputeTray, machine / fleet.traysPerRack, machine % fleet.traysPerRack};
  machine -= fleet.trays;
  if (const int switches = racksOf(fleet) * fleet.switchesPerRack; machine < switches)
    return {MachineKind::SwitchTray, machine / fleet.switchesPerRack, machine % fleet.switchesPerRack};
  else
    machine -= switches;
  return {MachineKind::PowerShelf, machine / fleet.shelvesPerRack, machine % fleet.shelvesPerRack};
}

}  // namespace

MachineKind kindOf(const FleetOptions& fleet, int machine) { return standingOf(fleet, machine).kind; }
int rackOf(const FleetOptions& fleet, int machine) { return standingOf(fleet, machine).rack; }
int slotOf(const FleetOptions& fleet, int machine) { return standingOf(fleet, machine).slot; }

BmcAddress bmcAddress(int index) {
  const int n = index + 1;
  return {fmt::format("127.{}.{}.{}", 1 + (n >> 16), (n >> 8) & 255, n & 255), 8443};
}

BmcAddress nvosAddress(int index) {
  const int n = index + 1;
  return {fmt::format("127.{}.{}.{}", 101 + (n >> 16), (n >> 8) & 255, n & 255), 8443};
}

}  // namespace zellige::sim
