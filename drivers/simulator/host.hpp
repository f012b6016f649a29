// The host of a tray: power, POST, what it boots. Internal.
#pragma once

#include "drivers/simulator/world.hpp"

namespace zellige::sim::host {

/// Off → POST; the boot override is consumed when POST ends.
void powerOn(World& w, Machine& m);
/// Takes a moment; until then PowerState says PoweringOff.
void powerOff(World& w, Machine& m, bool graceful);
/// Power cut and on again, at once.
void restart(World& w, Machine& m);
/// BootProgress.LastState.
std::string_view progress(const Machine& m);
/// Everything that dies with the host's power: agent, a half-written image, a compute flash.
void losePower(World& w, Machine& m);

}  // namespace zellige::sim::host
