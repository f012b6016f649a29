#include "drivers/simulator/resets.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/bmc.hpp"
#include "drivers/simulator/firmware.hpp"
#include "drivers/simulator/host.hpp"
#include "drivers/simulator/reply.hpp"

namespace zellige::sim::server {

namespace {

constexpr const char* kGoing = "an earlier request is being carried out";

HttpReply notInThisState(std::string_view type) {
  return errorReply(400, "ResourceInUse", fmt::format("{} is not possible in the current power state.", type));
}

// Fault 15, of a reset that would change something: no other is an occasion.
bool powerIsUnmoved(World& w, Machine& m, const std::string& type, bool changes) {
  if (!m.isTray() || !changes || !w.fires(m, FaultKind::PowerUnmoved)) return false;
  m.delivered.reset = w.strings.id(type);
  m.delivered.resetEnds = w.now() + w.times().powerUnmoved;
  firmware::addTask(m, {m.nextTask++, false, TaskOutcome::PowerUnmoved, w.now(), m.delivered.resetEnds});
  return true;
}

/// `why`: it is a duplicate even if no earlier one is under way; empty: it is none.
void recordReset(World& w, Machine& m, const std::string& type, std::string why) {
  if (w.now() < m.delivered.resetEnds && w.strings.text(m.delivered.reset) == type) why = kGoing;
  w.record(m, ActKind::Reset, type, {}, std::move(why));
}

HttpReply resetOff(World& w, Machine& m, const std::string& type) {
  const bool offAlready = !m.hostOn() || m.host.poweringOff;
  recordReset(w, m, type,
              offAlready && m.delivered.off ? "the host is off, or on its way, since an earlier request" : "");
  if (!m.hostOn()) return notInThisState(type);
  if (powerIsUnmoved(w, m, type, !offAlready)) return firmware::taskReply(w, m);
  m.delivered.off = true;
  m.delivered.on = m.delivered.restart = false;
  host::showLate(w, m);
  if (!m.host.poweringOff || type == "ForceOff") host::powerOff(w, m, type == "GracefulShutdown");
  return success();
}

HttpReply resetOn(World& w, Machine& m, const std::string& type) {
  const bool on = m.hostOn() && !m.host.poweringOff;
  recordReset(w, m, type, on && m.delivered.on ? "the host is on, or booting, since an earlier request" : "");
  if (m.hostOn()) return notInThisState(type);
  if (powerIsUnmoved(w, m, type, true)) return firmware::taskReply(w, m);
  host::showLate(w, m);
  host::powerOn(w, m);
  m.delivered.on = m.delivered.restart = true;
  return success();
}

/// Why a reset of the BMC is a duplicate; empty: it is none.
std::string whyAgain(World& w, Machine& m) {
  if (m.bmcGoing) return kGoing;
  if (!m.delivered.bmcReset || m.updateStuck) return {};
  if (!m.anyPending(Bundle::BmcTray) && !m.anyPending(Bundle::ShelfController))
    return "an earlier BMC reset took effect, no BMC firmware is pending and no task is stuck";
  if (!m.heldUntilAux) return {};
  if (std::exchange(m.delivered.resetWhileHeld, true))
    return "two BMC resets have not brought the BMC's firmware alive: it waits for an aux cycle";
  w.ledger.allowRepeat();
  return {};
}

}  // namespace

HttpReply resetSystem(World& w, Machine& m, const Json& body) {
  const auto type = readString(body, "ResetType").value_or("");
  if (type == "ForceOff" || type == "GracefulShutdown") return resetOff(w, m, type);
  if (type == "On" || type == "ForceOn") return resetOn(w, m, type);
  if (type == "Nmi") {
    w.record(m, ActKind::OtherWrite, type);
    return success();
  }
  if (type != "PowerCycle" && type != "GracefulRestart" && type != "ForceRestart")
    return badParameter("ResetType");
  const bool booting = m.host.phase == HostPhase::Post || m.host.phase == HostPhase::Booting;
  recordReset(w, m, type,
              booting && m.delivered.restart
                  ? "the host still boots from an earlier request, and nothing else has changed"
                  : "");
  if (!m.hostOn() || m.host.poweringOff) return notInThisState(type);
  if (powerIsUnmoved(w, m, type, true)) return firmware::taskReply(w, m);
  host::showLate(w, m);
  host::restart(w, m);
  m.delivered.on = m.delivered.restart = true;
  return success();
}

HttpReply resetManager(World& w, Machine& m, const Json& body, bool hgx) {
  const auto type = readString(body, "ResetType").value_or("");
  if (type != "GracefulRestart" && type != "ForceRestart") return badParameter("ResetType");
  if (hgx) {  // it answers only while HGX is up, and brings no firmware alive (FACTS 6)
    const bool again = std::exchange(m.delivered.hgxReset, true) && !m.updateStuck;
    w.record(m, ActKind::BmcReset, "HGX_BMC_0", {},
             again ? "an earlier reset of the HGX BMC took effect, and no task is stuck" : "");
    bmc::restartHgx(w, m);
    return success();
  }
  w.record(m, ActKind::BmcReset, "BMC_0", {}, whyAgain(w, m));
  m.delivered.bmcReset = true;
  bmc::restartSoon(w, m, bmc::Why::Asked);
  return success();
}

HttpReply auxPowerReset(World& w, Machine& m, const Json& body) {
  if (readString(body, "ResetType").value_or("") != "AuxPowerCycle") return badParameter("ResetType");
  if (!m.hostOn() && w.fires(m, FaultKind::HostOnAtAuxCycle)) {  // by its button
    host::showLate(w, m);
    host::powerOn(w, m);
  }
  if (m.hostOn())
    return errorReply(400, "ChassisPowerStateOffRequired",
                      "The Chassis with Id 'BMC_0' requires to be powered off.");
  const bool looksPending = std::exchange(m.fellBack, false);
  const bool needed = m.anyPending(Bundle::BmcTray) || m.anyPending(Bundle::Compute) || bmc::hgxOverdue(w, m);
  const bool repeated = m.delivered.auxCycle && !needed;
  if (repeated && looksPending && !m.bmcGoing) w.ledger.allowRepeat();
  w.record(m, ActKind::AuxCycle, "BMC_0", {},
           m.bmcGoing ? kGoing
           : repeated && !looksPending
               ? "an earlier aux cycle took effect, no firmware is pending, HGX is there"
               : "");
  m.delivered.auxCycle = true;
  bmc::restartSoon(w, m, bmc::Why::AuxCycle);
  return success();
}

HttpReply switchShelf(World& w, Machine& m, bool on) {
  const bool repeated = on ? m.hostOn() && m.delivered.on : !m.hostOn() && m.delivered.off;
  w.record(m, ActKind::Reset, on ? "On" : "ForceOff", {},
           repeated ? "the shelf is so since an earlier request" : std::string());
  if (m.hostOn() == on) return notInThisState(on ? "On" : "ForceOff");
  m.delivered.on = on;
  m.delivered.off = !on;
  host::showLate(w, m);
  m.host.phase = on ? HostPhase::Running : HostPhase::Off;
  m.host.since = m.host.progressSince = w.now();
  w.feed(m, on);
  return success();
}

}  // namespace zellige::sim::server
