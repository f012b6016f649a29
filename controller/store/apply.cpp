#include "controller/store/apply.hpp"

namespace zellige {

Result<Receipt> applyChange(Writing& writing, const Change& change) {
  Receipt receipt;
  receipt.ids.reserve(change.ops.size());
  for (const auto& op : change.ops) {
    const auto id = std::visit([&](const auto& o) { return apply(writing, o); }, op);
    if (!id) return id.error();
    receipt.ids.push_back(*id);
  }
  receipt.lastEvent = writing.chain.head().sequence;
  return receipt;
}

}  // namespace zellige
