#include "drivers/simulator/world.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>

#include "controller/base/digest.hpp"
#include "drivers/simulator/agent.hpp"
#include "drivers/simulator/bmc.hpp"
#include "drivers/simulator/nvos.hpp"
#include "drivers/simulator/site.hpp"

namespace zellige::sim {

Machine::Machine() = default;
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

bool Machine::anyPending(Bundle bundle) const {
  for (std::size_t i = 0; i < profile->firmware.size(); ++i)
    if (pending[i] != 0 && profile->firmware[i].bundle == bundle) return true;
  return false;
}

bool ImageStore::matches(const std::string& sha256, const std::string& bytes) {
  if (const auto it = chunks_.find(sha256); it != chunks_.end() && it->second == bytes) return true;
  if (sha256Hex(bytes) != sha256) return false;
  if (kept_ + bytes.size() <= kKeep && chunks_.emplace(sha256, bytes).second) kept_ += bytes.size();
  return true;
}

bool ImageStore::proven(const ImageManifest& manifest) const {
  const auto it = proven_.find(manifest.digest);
  return it != proven_.end() && it->second == manifest.chunkDigests;
}

void ImageStore::prove(const ImageManifest& manifest) { proven_[manifest.digest] = manifest.chunkDigests; }

std::shared_ptr<const ImageManifest> ImageStore::share(ImageManifest manifest) {
  auto& known = shared_[manifest.digest];
  if (!known || known->chunkDigests != manifest.chunkDigests || known->size != manifest.size ||
      known->chunkSize != manifest.chunkSize)
    known = std::make_shared<const ImageManifest>(std::move(manifest));
  return known;
}

const PackageStore::Opened& PackageStore::open(std::string_view bytes) {
  for (const auto& known : opened_)
    if (known->bytes == bytes) return *known;
  if (opened_.size() == kKeep) opened_.erase(opened_.begin());
  opened_.push_back(std::make_unique<Opened>(Opened{std::string(bytes), sha256Hex(bytes), readPackage(bytes)}));
  return *opened_.back();
}

World::World(Executor& worldExecutor, FleetOptions fleetOptions)
    : executor(worldExecutor), options(std::move(fleetOptions)), faults(options, worldExecutor.now()),
      machines(static_cast<std::size_t>(machinesOf(options))),
      flashesIn_(static_cast<std::size_t>(racksOf(options))), feeding_(flashesIn_.size()) {
  int id = 0;
  for (auto& m : machines) {
    make(m, id++);
    options.asWanted ? makeAsWanted(m) : makeAsDelivered(m);
  }
}

void World::make(Machine& m, int id) {
  m.id = id;
  m.profile = &profileOf(kindOf(options, id));
  m.hgxUp = m.isTray();
  if (m.kind() == MachineKind::SwitchTray) m.nvos = std::make_unique<Nvos>();
  m.bmcSince = m.hgxSince = m.host.since = m.host.progressSince = now();
  for (std::size_t i = 0; i < m.profile->firmware.size(); ++i) {
    const auto& item = m.profile->firmware[i];
    version(item.factory, kFactoryStamp);  // known, so that a downgrade to it is seen as one
    m.active[i] = options.asWanted && m.swaps == 0 ? version(item.wanted, kWantedStamp)
                                                   : version(item.factory, 0);
  }
}

void World::makeAsDelivered(Machine& m) {
  m.password = identity(m).factoryPassword();
  m.passwordExpired = true;
  m.bmcUp = isFed(m);
  m.hgxUp = m.bmcUp && m.isTray();
  if (m.nvos) m.nvos->password = identity(m).nvosPassword();
  if (faults.fires(m.id, FaultKind::PowersUpByItself, now())) m.restorePolicy = RestorePolicy::AlwaysOn;
  // A switch tray starts with the rack's power.
  if (m.bmcUp && m.kind() == MachineKind::SwitchTray) m.host.phase = HostPhase::Running;
  if (options.startPoweredOn && m.isTray()) m.host.phase = HostPhase::Stopped;
}

void World::swap(Machine& m) {
  if (m.kind() == MachineKind::PowerShelf && m.hostOn()) feed(m, false);
  bmc::lose(*this, m);
  for (const auto work :
       {Work::Flash, Work::Boot, Work::Write, Work::BurnIn, Work::TrayCopy, Work::ComputeCopy})
    end(m, work);
  Machine another;
  another.swaps = static_cast<std::uint8_t>(m.swaps + 1);
  another.epochs = m.epochs;  // what was due on the one before does nothing any more
  for (auto& epoch : another.epochs) ++epoch;
  another.draws = m.draws;
  another.calls = m.calls;
  make(another, m.id);
  m = std::move(another);
  makeAsDelivered(m);
  faults.mendAll(m.id);
  if (m.kind() == MachineKind::PowerShelf || !isFed(m)) return;
  m.bmcUp = m.hgxUp = false;
  m.host.phase = HostPhase::Off;
  bmc::begin(*this, m);
}

void World::swapGpu(Machine& m, int gpu) {
  bmc::lose(*this, m);
  ++m.gpuSwaps[static_cast<std::size_t>(gpu)];
  for (const auto defect : {FaultKind::GpuMissing, FaultKind::WeakGpu})
    if (faults.has(m.id, defect) && faults.partOf(m.id, "gpu", kGpus) == static_cast<std::size_t>(gpu))
      faults.mend(m.id, defect);
  if (isFed(m)) bmc::begin(*this, m);
}

void World::makeAsWanted(Machine& m) {
  m.password = options.sitePassword;
  m.ntp.assign(kNtpServers.begin(), kNtpServers.end());
  m.host.phase = HostPhase::Running;
  if (m.kind() == MachineKind::PowerShelf) ++feeding_[static_cast<std::size_t>(rackOf(options, m.id))];
  if (m.nvos) m.nvos->password = options.sitePassword;
  if (!m.isTray()) return;
  m.syslogAddress = kSyslogAddress;
  m.syslogPort = kSyslogPort;
  m.syslogEnabled = true;
  m.restorePolicy = RestorePolicy::AlwaysOff;
  m.diskState = ImageState::Verified;
  m.diskDigest = strings.id(siteImageDigest(options.seed));
  m.boots = 1;
}

World::~World() = default;

std::uint16_t World::version(std::string_view text, std::uint32_t stamp) {
  const auto id = versions.id(text);
  if (id >= stamps.size()) stamps.resize(id + 1, stamp);
  return static_cast<std::uint16_t>(id);
}

void World::later(Machine& m, Track track, Duration d, Step step) {
  const auto index = static_cast<std::size_t>(track);
  const auto epoch = ++m.epochs[index];
  after(d, [this, id = m.id, index, epoch, step] {
    auto& machine = machines[static_cast<std::size_t>(id)];
    if (machine.epochs[index] == epoch) step(*this, machine);
  });
}

Duration World::spread(Machine& m, Duration base) {
  if (options.timeSigma <= 0) return base;
  Random random(options.seed, fmt::format("time {} {}", m.id, m.draws++));
  return Duration{std::llround(static_cast<double>(base.count()) * random.lognormal(options.timeSigma))};
}

Duration World::between(Machine& m, Duration low, Duration high) {
  Random random(options.seed, fmt::format("time {} {}", m.id, m.draws++));
  return Duration{random.between(low.count(), high.count())};
}

namespace {

Spent* spentOn(Machine& m, Work work) {
  return work == Work::Flash ? &m.flashing : work == Work::Write ? &m.writing : nullptr;
}

}  // namespace

void World::count(const Machine& m, Work work, int change) {
  const auto add = [](int& now, int by, int& most) { most = std::max(most, now += by); };
  if (work == Work::Write) add(imageWrites_, change, peak.imageWrites);
  if (work != Work::Flash) return;
  add(flashes_, change, peak.flashes);
  auto& inRack = flashesIn_[static_cast<std::size_t>(rackOf(options, m.id))];
  const bool was = inRack > 0;
  add(inRack, change, peak.flashesInARack);
  add(racksFlashing_, int{inRack > 0} - int{was}, peak.racksFlashing);
}

bool World::isFed(const Machine& m) const {
  return m.kind() == MachineKind::PowerShelf || options.shelvesPerRack == 0 ||
         feeding_[static_cast<std::size_t>(rackOf(options, m.id))] > 0;
}

void World::feed(const Machine& shelf, bool on) {
  const int rack = rackOf(options, shelf.id);
  auto& feeding = feeding_[static_cast<std::size_t>(rack)];
  const bool was = feeding > 0;
  feeding += on ? 1 : -1;
  if (was == (feeding > 0)) return;
  for (auto& m : machines)
    if (m.kind() != MachineKind::PowerShelf && rackOf(options, m.id) == rack)
      on ? bmc::begin(*this, m) : bmc::lose(*this, m);
}

// Nobody asks between two uploads, so those that are over are dropped at the next.
void World::beginUpload() {
  while (!uploadEnds_.empty() && uploadEnds_.front() <= now()) uploadEnds_.pop();
  uploadEnds_.push(now() + times().upload);
  peak.uploads = std::max(peak.uploads, static_cast<int>(uploadEnds_.size()));
}

void World::begin(Machine& m, Work work) {
  if (m.busy == 0) {
    m.busySince = now();
    if (m.busyFirst == Time{}) m.busyFirst = now();
  }
  const auto bit = 1u << static_cast<unsigned>(work);
  auto* spent = spentOn(m, work);
  if (spent && (m.busy & bit) == 0) {
    count(m, work, 1);
    spent->since = now();
    if (spent->busyBefore < Duration{0}) spent->busyBefore = m.busyTotal + (now() - m.busySince);
  }
  m.busy = static_cast<std::uint8_t>(m.busy | bit);
}

void World::end(Machine& m, Work work) {
  const auto bit = 1u << static_cast<unsigned>(work);
  if ((m.busy & bit) == 0) return;
  if (auto* spent = spentOn(m, work)) {
    count(m, work, -1);
    spent->work += now() - spent->since;
    spent->busyUntil = m.busyTotal + (now() - m.busySince);
  }
  m.busy = static_cast<std::uint8_t>(m.busy & ~bit);
  if (m.busy != 0) return;
  m.busyTotal += now() - m.busySince;
  m.busyLast = now();
  if (std::exchange(m.starting, false)) m.startTook = now() - m.busySince;
}

int World::missingGpu(const Machine& m) const {
  return faults.has(m.id, FaultKind::GpuMissing) ? static_cast<int>(faults.partOf(m.id, "gpu", kGpus)) : -1;
}

int World::weakGpu(const Machine& m) const {
  return faults.has(m.id, FaultKind::WeakGpu) ? static_cast<int>(faults.partOf(m.id, "gpu", kGpus)) : -1;
}

int World::stubbornItem(const Machine& m) const {
  if (!faults.has(m.id, FaultKind::OldForGood)) return -1;
  std::vector<int> updated;
  for (const auto& item : m.profile->firmware)
    if (item.bundle == Bundle::Compute && item.factory != item.wanted)
      updated.push_back(m.profile->item(item.id));
  return updated.empty() ? -1 : updated[faults.partOf(m.id, "firmware", updated.size())];
}

}  // namespace zellige::sim
