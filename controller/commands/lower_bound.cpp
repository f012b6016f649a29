#include "controller/commands/lower_bound.hpp"

#include <algorithm>
#include <cmath>

namespace zellige {

Duration lowerBound(const std::vector<NodeWork>& nodes, const std::vector<Capacity>& capacities) {
  Duration bound{0};
  for (const auto& node : nodes) bound = std::max(bound, node.total);
  for (const auto& capacity : capacities) {
    Duration work{0}, head = Duration::max(), tail = Duration::max();
    for (const auto& node : nodes)
      for (const auto& use : node.uses) {
        if (use.budget != capacity.budget) continue;
        work += use.work;
        head = std::min(head, use.head);
        tail = std::min(tail, use.tail);
      }
    if (work > Duration{0} && capacity.units > 0)
      bound = std::max(bound, head + work / capacity.units + tail);
  }
  return bound;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto index = std::min(values.size() - 1, rank == 0 ? 0 : rank - 1);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index), values.end());
  return values[index];
}

}  // namespace zellige
