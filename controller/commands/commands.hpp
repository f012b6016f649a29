// The program's own commands: each wires what it needs and returns the process's exit code. Commands for people and
// scripts that speak to a running controller are in controller/cli.
#pragma once

#include <cstdint>
#include <string>

namespace zellige::commands {

struct SimulateOptions {
  int trays = 18;
  std::uint64_t seed = 1;
  std::string faults = "none";
  int stormMinutes = 0;  ///< 0: no crashes
  int hours = 48;        ///< horizon of virtual time
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

}  // namespace zellige::commands
