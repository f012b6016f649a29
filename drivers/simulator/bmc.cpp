#include "drivers/simulator/bmc.hpp"

#include "drivers/simulator/firmware.hpp"
#include "drivers/simulator/host.hpp"

namespace zellige::sim::bmc {

namespace {

void hgxBack(World& w, Machine& m) {
  m.hgxUp = true;
  w.end(m, Work::Hgx);
}

void hgxDown(World& w, Machine& m, Duration until, Duration expected) {
  m.hgxUp = false;
  m.hgxOverdueAt = w.now() + expected;
  w.begin(m, Work::Hgx);
  w.later(m, Track::Hgx, until, hgxBack);
}

void back(World& w, Machine& m) {
  m.bmcUp = true;
  m.bmcSince = w.now();
  w.end(m, Work::Bmc);
}

/// `hgxGoesOn`: and with it the tasks that were forwarded to it (FACTS 6), but for one that is stuck (fault 13).
void forgetAll(Machine& m, bool hgxGoesOn) {
  m.sessions = {};
  m.wrongPasswords = 0;
  m.lockedUntil = {};
  std::erase_if(m.tasks, [hgxGoesOn](const UpdateTask& task) {
    return !hgxGoesOn || !task.hgx || task.outcome == TaskOutcome::Running;
  });
  m.nextTask = 0;
  if (!hgxGoesOn) m.nextHgxTask = 0;
  m.updateStuck = false;
  m.media = {};
}

void takeHgxThroughAuxCycle(World& w, Machine& m, Duration bmcDown) {
  const auto& times = w.times();
  auto until = bmcDown + w.between(m, times.hgxMin, times.hgxMax);
  if (w.fires(m, FaultKind::HgxMissing)) {
    hgxDown(w, m, until, until);
    w.stop(m, Track::Hgx);  // it never comes back, and is busy with nothing
    w.end(m, Work::Hgx);
    m.hgxGone = true;
    return;
  }
  if (w.fires(m, FaultKind::HgxLate)) until += w.between(m, times.hgxLateMin, times.hgxLateMax);
  hgxDown(w, m, until, bmcDown + times.hgxMax);
  m.hgxSince = w.now();
}

void restartAsAsked(World& w, Machine& m) { restart(w, m, Why::Asked); }

void loseStandbyPower(World& w, Machine& m) {
  if (m.hostOn()) host::cutPower(w, m);  // switched on after the cycle was agreed to
  restart(w, m, Why::AuxCycle);
}

}  // namespace

void restart(World& w, Machine& m, Why why) {
  const auto own = m.kind() == MachineKind::PowerShelf ? Bundle::ShelfController : Bundle::BmcTray;
  const auto& times = w.times();
  const bool hgxWasThere = !m.hgxGone && (m.hgxUp || w.now() < m.hgxOverdueAt);
  if (m.flash.running) {
    if (why == Why::Lost)
      firmware::lose(w, m);
    else
      firmware::interrupt(w, m);
  }
  bool activated = false;
  if (why == Why::AuxCycle) {
    if (m.trayCopying || m.computeCopying) ++m.copiesAtRisk;
    m.heldUntilAux = false;
    activated = firmware::activate(w, m, Bundle::BmcTray);
    activated = firmware::activate(w, m, Bundle::Compute) || activated;
  } else if (m.anyPending(own)) {
    if (!m.heldUntilAux && w.fires(m, FaultKind::OldUntilAuxCycle)) m.heldUntilAux = true;
    if (!m.heldUntilAux) activated = firmware::activate(w, m, own);
  }
  auto down = w.spread(m, times.bmcRestart);
  if (why == Why::AuxCycle) down += w.between(m, Duration{0}, times.bmcAfterAuxExtra);
  if (activated && w.fires(m, FaultKind::BmcSlowToReturn))
    down += w.between(m, times.bmcSlowExtraMin, times.bmcSlowExtraMax);

  forgetAll(m, why == Why::Asked);
  m.bmcUp = m.bmcGoing = false;
  w.begin(m, Work::Bmc);
  w.later(m, Track::Bmc, down, back);
  if (!m.isTray()) return;
  if (why == Why::AuxCycle) {
    if (m.restorePolicy == RestorePolicy::AlwaysOn) w.later(m, Track::Power, down, host::powerOn);
    takeHgxThroughAuxCycle(w, m, down);
  } else if (hgxWasThere) {
    hgxDown(w, m, down + times.hgxRediscover, down + times.hgxRediscover);
  }
}

void lose(World& w, Machine& m) {
  if (m.hostOn()) host::cutPower(w, m);
  if (m.flash.running) firmware::interrupt(w, m);
  forgetAll(m, false);
  m.bmcUp = m.bmcGoing = m.hgxUp = false;
  w.stop(m, Track::Bmc);
  w.stop(m, Track::Hgx);
  w.end(m, Work::Bmc);
  w.end(m, Work::Hgx);
}

void begin(World& w, Machine& m) {
  const auto& times = w.times();
  const auto down = w.spread(m, times.bmcRestart);
  m.starting = true;
  w.begin(m, Work::Bmc);
  w.later(m, Track::Bmc, down, back);
  if (m.isTray()) hgxDown(w, m, down + w.between(m, times.hgxMin, times.hgxMax), down + times.hgxMax);
  if (m.isTray() && m.restorePolicy == RestorePolicy::AlwaysOn) w.later(m, Track::Power, down, host::powerOn);
  if (m.kind() == MachineKind::SwitchTray) w.later(m, Track::Power, times.bmcResetDelay, host::powerOn);
}

void restartSoon(World& w, Machine& m, Why why) {
  if (m.bmcGoing) return;
  m.bmcGoing = true;
  w.later(m, Track::Bmc, w.times().bmcResetDelay, why == Why::AuxCycle ? loseStandbyPower : restartAsAsked);
}

void restartHgx(World& w, Machine& m) {
  const auto& times = w.times();
  if (m.flash.running && m.flash.hgx) firmware::interrupt(w, m);
  std::erase_if(m.tasks, [](const UpdateTask& task) { return task.hgx; });
  m.nextHgxTask = 0;
  if (m.flash.hgx) m.updateStuck = false;
  const auto down = w.between(m, times.hgxMin, times.hgxMax);
  hgxDown(w, m, down, times.hgxMax);
  m.hgxSince = w.now();
}

bool hgxOverdue(const World& w, const Machine& m) { return !m.hgxUp && w.now() >= m.hgxOverdueAt; }

}  // namespace zellige::sim::bmc
