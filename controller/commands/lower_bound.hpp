// The least time in which a fleet could have been brought up, from what the machines really took: the yardstick of the
// scheduler. It knows durations and capacities, nothing of how the scheduler works.
#pragma once

#include <string>
#include <vector>

#include "controller/base/time.hpp"

namespace zellige {

/// One node, alone in the world: its physics and the mandatory waits, one after the other.
struct NodeWork {
  Duration total{0};
  /// Its use of a budget: `head` passes before it can begin, `work` holds one unit, `tail` must follow.
  struct Use {
    std::string budget;
    Duration head{0}, work{0}, tail{0};
  };
  std::vector<Use> uses;
};

struct Capacity {
  std::string budget;
  int units = 0;
};

/// max(longest node; per budget: shortest head + all work / units + shortest tail).
Duration lowerBound(const std::vector<NodeWork>& nodes, const std::vector<Capacity>& capacities);

/// The value below which `share` (0…1) of the values lie; 0 for none.
double quantile(std::vector<double> values, double share);

}  // namespace zellige
