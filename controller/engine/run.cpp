#include "controller/engine/run.hpp"

#include <algorithm>

namespace zellige {

const Act& Run::actOf(std::string_view of) const {
  static const Act none;
  const auto it = std::find_if(acts.begin(), acts.end(), [&](const auto& entry) { return entry.first == of; });
  return it == acts.end() ? none : it->second;
}

std::int64_t Target::countIn(const std::vector<Node>& nodes) const {
  return std::count_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.kind == sku.kind; });
}

}  // namespace zellige
