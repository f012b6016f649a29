// A fleet brought up in virtual time, to its end or its horizon: what became of it, and what it cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controller/commands/commands.hpp"
#include "controller/commands/outcome.hpp"

namespace zellige {

/// The waits that no scheduler can shorten: firmware versions are read back three times, 30 s apart (FACTS 11).
inline constexpr Duration kMandatoryWaits = 60s;

struct Simulation {
  FleetOutcome end;
  int kills = 0;
  std::uint64_t sendsAfterDeath = 0, exchanges = 0;
  std::int64_t transitions = 0;
  Duration makespan{0}, lowerBound{0};       ///< virtual
  Duration accepted{0};                      ///< until the last rack was; 0: none was
  double oracleP50 = 0, oracleP99 = 0;       ///< of time taken / the node's own oracle
  double wallSeconds = 0, cpuMsPerNode = 0;  ///< of the controller's callbacks, without the simulator's calls
  std::string eventHash;
  bool chainHolds = false;  ///< the hash chain over the events
  std::vector<std::string> story;  ///< of the first machine with a duplicate: what it was sent, what was written down

  bool good() const { return end.good() && sendsAfterDeath == 0 && chainHolds; }
};

Simulation simulateFleet(const commands::SimulateOptions& options);

}  // namespace zellige
