#include "workflows/silence.hpp"

#include <algorithm>

namespace zellige::workflows {

namespace {
constexpr Duration kSilence = 3min;  // agents with an order report every 30 s and more often
}

Task<Result<Seen>> stillSilent(StepContext& context, const Node& node) {
  auto heard = context.run().stepSince;
  if (const auto head = context.store().reportHead(node.id)) heard = std::max(heard, head->received);
  if (context.now() - heard < kSilence) co_return Seen::Busy;
  const auto host = co_await context.bmcOf(node).host();
  if (!host) co_return host.error();
  co_return Seen::Busy;
}

}  // namespace zellige::workflows
