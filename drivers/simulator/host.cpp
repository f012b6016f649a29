#include "drivers/simulator/host.hpp"

#include "drivers/simulator/agent.hpp"
#include "drivers/simulator/firmware.hpp"
#include "drivers/simulator/nvos.hpp"

namespace zellige::sim::host {

namespace {

constexpr int kMediaTries = 3;           // est: a BMC that cannot read the image tells the host so
constexpr Duration kMediaRetry{10'000};  // est

void setPhase(World& w, Machine& m, HostPhase phase) {
  m.host.phase = phase;
  m.host.progressSince = w.now();
}

void running(World& w, Machine& m) {
  setPhase(w, m, HostPhase::Running);
  m.delivered.restart = false;
  w.end(m, Work::Boot);
  if (m.agent) agent::start(w, m);
}

void stopped(World& w, Machine& m) {
  setPhase(w, m, HostPhase::Stopped);
  m.host.progressSince = m.host.since;  // nothing came after hardware initialisation
  m.delivered.restart = false;
  w.end(m, Work::Boot);
}

void bootFromDisk(World& w, Machine& m) {
  if (m.diskState != ImageState::Verified) return stopped(w, m);
  agent::load(w, m, AgentHome::Os, m.seed);
  setPhase(w, m, HostPhase::Booting);
  w.later(m, Track::Boot, w.spread(m, w.times().osBoot), running);
}

void bootFromMedia(World& w, Machine& m);

void mediaRead(World& w, Machine& m, const Result<HttpReply>& got) {
  if (got && got->status == 200 && agent::load(w, m, AgentHome::Ramdisk, got->body)) {
    setPhase(w, m, HostPhase::Booting);
    w.later(m, Track::Boot, w.spread(m, w.times().osBoot), running);
  } else {
    w.later(m, Track::Boot, kMediaRetry, bootFromMedia);
  }
}

void bootFromMedia(World& w, Machine& m) {
  const auto url = m.media[0].empty() ? m.media[1] : m.media[0];
  if (url.empty() || m.mediaTries++ == kMediaTries)
    return bootFromDisk(w, m);  // as UEFI does: the next entry
  w.later(m, Track::Boot, w.times().uplinkTimeout, bootFromMedia);
  if (!w.uplink) return;
  const auto epoch = m.epochs[static_cast<std::size_t>(Track::Boot)];
  w.uplink->send(url, HttpRequest{}, w.whileAlive([&w, id = m.id, epoch](Result<HttpReply> got) {
    auto& machine = w.machines[static_cast<std::size_t>(id)];
    if (machine.epochs[static_cast<std::size_t>(Track::Boot)] == epoch) mediaRead(w, machine, got);
  }));
}

void endOfPost(World& w, Machine& m) {
  if (m.kind() == MachineKind::SwitchTray) {  // its own system, always
    setPhase(w, m, HostPhase::Booting);
    return w.later(m, Track::Boot, w.spread(m, w.times().osBoot), running);
  }
  const auto target = m.bootEnabled == BootEnabled::Disabled ? BootTarget::None : m.bootTarget;
  if (m.bootEnabled == BootEnabled::Once) {
    m.bootEnabled = BootEnabled::Disabled;
    m.bootTarget = BootTarget::None;
  }
  switch (target) {
    case BootTarget::Cd:
    case BootTarget::Usb: m.mediaTries = 0; return bootFromMedia(w, m);
    case BootTarget::Diags:
    case BootTarget::BiosSetup: return stopped(w, m);
    case BootTarget::Pxe:  // no network boot server in this world: the next entry is the disk
    case BootTarget::Hdd:
    case BootTarget::None: return bootFromDisk(w, m);
  }
}

}  // namespace

void showLate(World& w, Machine& m) {
  if (w.now() >= m.hostShownFrom) m.hostBefore = m.host;
  m.hostShownFrom = w.now() + w.times().powerShown;
}

const HostView& shown(const World& w, const Machine& m) {
  return w.now() < m.hostShownFrom ? m.hostBefore : m.host;
}

void cutPower(World& w, Machine& m) {
  losePower(w, m);
  m.host.poweringOff = false;
  w.stop(m, Track::Boot);
  w.end(m, Work::Boot);
  setPhase(w, m, HostPhase::Off);
  m.delivered.on = m.delivered.restart = false;
}

void losePower(World& w, Machine& m) {
  if (m.nvos) nvos::interrupt(w, m);
  agent::stop(w, m);
  if (m.diskState == ImageState::Writing) {
    m.diskState = ImageState::None;
    m.diskDigest = 0;
  }
  if (m.flash.running && m.flash.hgx) firmware::interrupt(w, m);
}

void powerOn(World& w, Machine& m) {
  m.host.poweringOff = false;
  m.host.since = w.now();
  ++m.boots;
  m.delivered.off = false;
  setPhase(w, m, HostPhase::Post);
  w.stop(m, Track::Power);
  w.begin(m, Work::Boot);
  w.later(m, Track::Boot, w.spread(m, w.times().post), endOfPost);
}

void powerOff(World& w, Machine& m, bool graceful) {
  m.host.poweringOff = true;
  const auto& times = w.times();
  w.later(m, Track::Power, graceful ? times.powerOffGraceful : times.powerOffForced, cutPower);
}

void restart(World& w, Machine& m) {
  const auto delivered = m.delivered;
  cutPower(w, m);
  m.delivered = delivered;
  powerOn(w, m);
}

std::string_view progress(const HostView& host) {
  switch (host.phase) {
    case HostPhase::Off: return "None";
    case HostPhase::Post:
    case HostPhase::Stopped: return "SystemHardwareInitializationComplete";
    case HostPhase::Booting: return "OSBootStarted";
    case HostPhase::Running: return "OSRunning";
  }
  return "None";
}

}  // namespace zellige::sim::host
