// A fleet whose first machine has one fault.
#pragma once

#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {

inline FleetOptions with(FaultKind kind, int skip = 0, int times = 1) {
  FleetOptions options;
  options.scripted = {{0, kind, Duration{0}, skip, times}};
  return options;
}

inline bool fired(const Hall& hall, FaultKind kind) {
  const auto counts = hall.fleet.faultsFired();
  const auto it = counts.find(std::string(nameOf(kind)));
  return it != counts.end() && it->second == 1;
}

}  // namespace zellige::sim
