// Burn-in: the installed system's agent runs the plan's tests; the controller judges the numbers. A test whose evidence
// is valid (same parts, same firmware, same plan) is not run again.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/hearing.hpp"
#include "workflows/host.hpp"
#include "workflows/judge.hpp"
#include "workflows/silence.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kGrace = 30min;  // beyond the plan's own duration: agent restarts, slow reports
constexpr int kPauses = 3;          // for which nobody had renewed the lease
constexpr Duration kSilentAtMost = 4h;

std::string subjectOf(const Plan::Test& test) { return "burnin/" + test.id; }

/// What the test demands, as evidence rests on it: another duration or limit under the same name is another test.
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

std::vector<const Plan::Test*> testsToRun(StepContext& context) {
  std::vector<const Plan::Test*> out;
  const auto valid = context.store().validEvidence(context.node().id);
  for (const auto& test : context.target().plan.tests) {
    const bool shown = std::any_of(valid.begin(), valid.end(), [&](const Evidence& e) {
      return e.subject == subjectOf(test) &&
             std::find(e.dependsOn.begin(), e.dependsOn.end(), specOf(test)) != e.dependsOn.end();
    });
    if (!shown) out.push_back(&test);
  }
  return out;
}

std::string orderId(const StepContext& context) {
  return fmt::format("{}-burnin-{}", context.run().id.value, context.tries());
}

void leaveEvidence(StepContext& context, const Plan::Test& test, const AgentBurnIn& burnIn) {
  const auto& node = context.node();
  Evidence evidence{node.id, context.run().id, subjectOf(test), "", {}, context.now()};
  const auto it = std::find_if(burnIn.results.begin(), burnIn.results.end(),
                               [&](const auto& r) { return r.test == test.id; });
  evidence.value = Json{{"outcome", nameOf(it->outcome)}, {"values", it->values}}.dump();
  evidence.dependsOn = restsOnMachine(context, node, test.of);
  evidence.dependsOn.push_back(specOf(test));
  std::sort(evidence.dependsOn.begin(), evidence.dependsOn.end());
  context.leave(PutEvidence{std::move(evidence)});
}

Result<Seen> judgeAll(StepContext& context, const std::vector<const Plan::Test*>& tests,
                      const AgentBurnIn& burnIn) {
  std::string failures;
  for (const auto* test : tests) {
    const auto verdict = judge(*test, burnIn.results);
    if (!verdict.passed) failures += (failures.empty() ? "" : "; ") + verdict.why;
  }
  if (!failures.empty()) return failure("burnin.failed", failures);
  for (const auto* test : tests) leaveEvidence(context, *test, burnIn);
  return Seen::Done;
}

Task<Result<Seen>> lookBurnIn(StepContext& context) {
  const auto tests = testsToRun(context);
  if (tests.empty()) co_return Seen::Done;
  const auto id = context.node().id;
  const bool ordered = context.wasIntended() && context.store().orderId(id) == orderId(context);
  if (!ordered) co_return Seen::Todo;
  Duration planned{0};
  for (const auto* test : tests) planned += test->duration;
  const auto ramp = context.site().powerAt(context.node().place).ramp;
  planned += 2 * ramp;
  const auto head = context.store().reportHead(id);
  if (head && head->burnInOrder == orderId(context) && head->burnInFinished)
    co_return judgeAll(context, tests, context.store().report(id)->report.burnIn);
  const bool begun = head && head->burnInOrder == orderId(context);
  if (!begun && !context.store().armed(context.node().place))
    co_return Error{Errc::NotArmed,
                    "the tests are ordered; the agent is told so when the place is armed again"};
  const auto hearing = hear(context, head, orderId(context));
  auto still = co_await stillSilent(context);
  if (!still) co_return still;
  if (hearing.silence >= kSilentAtMost)
    co_return failure("burnin.failed",
                      "nothing was heard of the machine's agent for four hours: the host is off or hangs, or "
                      "the provisioning network does not let it through");
  if (hearing.silence < kCutOff && context.spent() - hearing.cut > planned + kPauses * 2 * ramp + kGrace)
    co_return failure("burnin.failed", "the tests did not finish in time");
  context.waitFor(fmt::format("burn-in: {} tests, {} min", tests.size(),
                              std::chrono::duration_cast<std::chrono::minutes>(planned).count()));
  co_return still;
}

// The run is over, and its order is not repeated any more: at the latest when its last lease has run out, and the machine
// has gone back to idle, it draws nothing.
Task<Result<Seen>> lookStress(StepContext& context) {
  const auto head = context.store().reportHead(context.node().id);
  if (head && head->burnInOrder == orderId(context) && head->burnInFinished) co_return Seen::Done;
  const auto order = context.store().order(context.node().id);
  if (!order || order->id != orderId(context)) co_return Seen::Done;  // it was never given
  // As the machine was told, whatever the configuration says today.
  auto most = order->stress.lease;
  if (most == Duration{0})  // nobody limited it: nothing stops it before its tests are over
    for (const auto& test : order->tests) most += test.duration;
  const auto ended = context.run().ended.value_or(context.now());
  co_return context.now() < ended + most + order->stress.ramp ? Seen::Busy : Seen::Done;
}

Task<Result<void>> orderBurnIn(StepContext& context) {
  AgentOrder order;
  order.id = orderId(context);
  order.kind = OrderKind::BurnIn;
  order.reportEvery = 30s;  // what changes is reported at once
  for (const auto* test : testsToRun(context)) order.tests.push_back({test->id, test->duration});
  const auto terms = context.site().powerAt(context.node().place);
  order.stress = {context.target().sku.stressWatts, terms.ramp, terms.lease};
  context.leave(PutOrder{context.node().id, std::move(order)});
  co_return Result<void>{};
}

}  // namespace

std::vector<Step> burnInSteps() {
  return {
      {.id = "burnin.host",
       .title = "Switch the host on",
       .about = "Switches the host on if it is off: somebody may have worked on the machine, and its image "
                "is still right.",
       .look = lookHostOn,
       .act = switchHostOn,
       .settle = 30s,
       .poll = 5s,
       .spent = "power.stuck"},
      {.id = "burnin.run",
       .title = "Burn the machine in",
       .about =
           "Tells the installed system's agent to run the plan's tests, and judges its numbers against the "
           "plan's limits. A test whose evidence still holds (same parts, same firmware, same limits) is not "
           "run again. The tests heat the machine to its full power for as long as the plan says; where "
           "power is "
           "limited, it waits for its watts, and goes up and down slowly.",
       .look = lookBurnIn,
       .act = orderBurnIn,
       .settle = 60s,
       .poll = 2min,  // its last report nudges
       .deadline = 24h * 30,
       .needs = {.duringAct = {}, .duringStep = Budget::Power},
       .spent = "burnin.failed",
       .stillRuns = lookStress},
  };
}

}  // namespace zellige::workflows
