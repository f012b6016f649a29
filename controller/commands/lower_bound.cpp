#include "controller/commands/lower_bound.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

namespace zellige {

Duration lowerBound(const std::vector<NodeWork>& nodes, const std::vector<Capacity>& capacities) {
  struct Sum {
    Duration work{0}, head = Duration::max(), tail = Duration::max();
  };
  std::map<std::string_view, Sum> sums;
  Duration bound{0};
  for (const auto& node : nodes) {
    bound = std::max(bound, node.total);
    for (const auto& use : node.uses) {
      if (use.work <= Duration{0}) continue;
      auto& sum = sums[use.budget];
      sum.work += use.work;
      sum.head = std::min(sum.head, use.head);
      sum.tail = std::min(sum.tail, use.tail);
    }
  }
  for (const auto& capacity : capacities)
    if (const auto it = sums.find(capacity.budget); it != sums.end() && capacity.units > 0)
      bound = std::max(bound, it->second.head + it->second.work / capacity.units + it->second.tail);
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
