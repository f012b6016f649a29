// A machine's BMC: restarts, the aux cycle that takes a whole tray through one, and the rack's power. Internal.
#pragma once

#include "drivers/simulator/world.hpp"

namespace zellige::sim::bmc {

enum class Why {
  Asked,       ///< Manager.Reset: activates the BMC bundle, cuts off a flash
  AuxCycle,    ///< power is gone for a moment: activates everything
  AfterFlash,  ///< by itself at the end of a flash (fault 11): as asked, nothing is cut off
  Lost,  ///< by itself in the middle of one (fault 12, memory exhausted): the flash is lost, its slot is not
};

/// A moment from now; until then the BMC answers as if nothing had been asked. The first to ask wins.
void restartSoon(World& w, Machine& m, Why why);
/// Down from now on; up again after the time that `why` takes. Sessions, tasks and virtual media are gone; where it was
/// asked for, the HGX BMC goes on, and with it the tasks that were forwarded to it, unless one hung.
void restart(World& w, Machine& m, Why why);
/// The busbar is dead: everything in the machine is off at once.
void lose(World& w, Machine& m);
/// The busbar lives again.
void begin(World& w, Machine& m);
/// Manager.Reset of HGX_BMC_0: HGX_* vanish for 1-3 minutes, their tasks for good.
void restartHgx(World& w, Machine& m);
/// HGX_* are missing although they ought to be back by now.
bool hgxOverdue(const World& w, const Machine& m);

}  // namespace zellige::sim::bmc
