#include "drivers/redfish/known.hpp"

#include <algorithm>

namespace zellige::redfish {

std::shared_ptr<const Known> Ways::share(Known known) {
  if (const auto it = all_.find(known); it != all_.end()) return *it;
  if (all_.size() >= sweepAt_) {
    std::erase_if(all_, [](const auto& one) { return one.use_count() == 1; });
    sweepAt_ = std::max<std::size_t>(64, 2 * all_.size());
  }
  return *all_.insert(std::make_shared<const Known>(std::move(known))).first;
}

}  // namespace zellige::redfish
