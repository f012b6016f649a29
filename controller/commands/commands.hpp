// The program's own commands: each wires what it needs and returns the process's exit code. Commands for people and
// scripts that speak to a running controller are in controller/cli.
#pragma once

#include <cstdint>
#include <string>

namespace zellige::commands {

struct SimulateOptions {
  int trays = 18;
  int racks = 0;  ///< whole racks instead
  std::uint64_t seed = 1;
  std::string faults = "none";
  int stormMinutes = 0;  ///< 0: no crashes
  int downMinutes = 0;   ///< how long it is down then; 0: a supervisor restarts it at once
  std::int64_t watts = 0, wattsPerMinute = 0;  ///< of stress in the whole site; 0: not limited
  int hours = 48;                              ///< horizon of virtual time
  bool json = false;
};
int simulate(const SimulateOptions& options);

struct KillSweepOptions {
  std::string workflow;  ///< empty: every workflow
  int pairs = 0;         ///< random pairs of crash points on top of every single one
  std::uint64_t seed = 1;
  std::string mutate = "none";
  int every = 1;  ///< only every n-th point
  bool json = false;
};
int killSweep(const KillSweepOptions& options);

struct SimulatorOptions {
  int trays = 18;
  int racks = 0;  ///< whole racks instead
  double speed = 1;
  std::string faults = "none";
  std::uint64_t seed = 1;
  std::string mockup;  ///< serve this recorded tree instead, read-only
  std::string listen;  ///< "IP:PORT" of the recorded tree; empty: 127.1.0.1:8443. Without `mockup` it is refused
  std::string site;          ///< write the files to import into this directory
  bool nextRelease = false;  ///< a newer baseline among them, for a campaign
  std::string control;       ///< "127.0.0.1:0", simulator_control.hpp; empty: none
  std::int64_t origin = 0;
};
int simulator(const SimulatorOptions& options);

struct DemoOptions {
  int trays = 18;
  int racks = 0;  ///< whole racks instead
  double speed = 60;
  std::string faults = "none";
  std::uint64_t seed = 1;
  int kills = 0;  ///< kill -9 the controller this many times, over as many demos as needed
  bool headless = false, json = false;
};
int demo(const DemoOptions& options);

}  // namespace zellige::commands
