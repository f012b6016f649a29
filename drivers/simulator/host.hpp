// The host of a tray: power, POST, what it boots. Internal.
#pragma once

#include "drivers/simulator/world.hpp"

namespace zellige::sim::host {

/// From now on, for a moment, the BMC goes on showing the host as it is: call it before what was asked for is done.
void showLate(World& w, Machine& m);
/// The host as its BMC shows it now.
const HostView& shown(const World& w, const Machine& m);
/// Off → POST; the boot override is consumed when POST ends.
void powerOn(World& w, Machine& m);
/// Takes a moment; until then PowerState says PoweringOff.
void powerOff(World& w, Machine& m, bool graceful);
/// Power cut and on again, at once.
void restart(World& w, Machine& m);
/// Off at once.
void cutPower(World& w, Machine& m);
/// BootProgress.LastState.
std::string_view progress(const HostView& host);
/// Everything that dies with the host's power: agent, a half-written image, a compute flash.
void losePower(World& w, Machine& m);

}  // namespace zellige::sim::host
