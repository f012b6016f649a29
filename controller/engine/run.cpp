#include "controller/engine/run.hpp"

#include <algorithm>

namespace zellige {

const Act& Run::actOf(std::string_view of) const {
  static const Act none;
  const auto it = std::find_if(acts.begin(), acts.end(), [&](const auto& entry) { return entry.first == of; });
  return it == acts.end() ? none : it->second;
}

}  // namespace zellige
