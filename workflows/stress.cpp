#include "workflows/stress.hpp"

#include <fmt/format.h>

namespace zellige::workflows {

namespace {
constexpr Duration kGrace = 30min;  // agent restarts, slow reports
constexpr int kPauses = 3;          // for which nobody had renewed the lease
}  // namespace

std::string specOf(const Plan::Test& test) {
  auto spec = fmt::format("test:{} {} s{}", test.id, test.duration.count() / 1000,
                          test.required ? " required" : "");
  for (const auto kind : test.of) spec += fmt::format(" of {}", nameOf(kind));
  for (const auto& [name, limit] : test.limits) {
    if (limit.min) spec += fmt::format(" {}>={:g}", name, *limit.min);
    if (limit.max) spec += fmt::format(" {}<={:g}", name, *limit.max);
  }
  return spec;
}

StressTime timeOf(const Tests& tests, const PowerTerms& terms) {
  StressTime out;
  out.planned = 2 * terms.ramp;
  for (const auto* test : tests) out.planned += test->duration;
  out.atMost = out.planned + kPauses * 2 * terms.ramp + kGrace;
  return out;
}

AgentOrder stressOrder(const StepContext& context, std::string id, const Tests& tests) {
  AgentOrder order;
  order.id = std::move(id);
  order.kind = OrderKind::BurnIn;
  order.reportEvery = 30s;  // what changes is reported at once
  for (const auto* test : tests) order.tests.push_back({test->id, test->duration});
  const auto terms = context.site().powerAt(context.node().place);
  order.stress = {context.target().sku.stressWatts, terms.ramp, terms.lease};
  return order;
}

bool isStressed(StepContext& context, const Node& node, const std::string& orderId) {
  const auto head = context.store().reportHead(node.id);
  if (head && head->burnInOrder == orderId && head->burnInFinished) return false;
  const auto order = context.store().order(node.id);
  if (!order || order->id != orderId || !order->mayBegin()) return false;  // it was never given
  // As the machine was told, whatever the configuration says today.
  auto most = order->stress.lease;
  if (most == Duration{0})  // nobody limited it: nothing stops it before its tests are over
    for (const auto& test : order->tests) most += test.duration;
  const auto ended = context.run().ended.value_or(context.now());
  return context.now() < ended + most + order->stress.ramp;
}

}  // namespace zellige::workflows
