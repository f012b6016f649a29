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
#include "workflows/stress.hpp"

namespace zellige::workflows {

namespace {

std::string subjectOf(const Plan::Test& test) { return "burnin/" + test.id; }

Tests testsToRun(StepContext& context) {
  Tests out;
  const auto valid = context.store().validEvidence(context.node().id);
  for (const auto& test : context.target().plan.tests) {
    if (test.together) continue;
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

Result<Seen> judgeAll(StepContext& context, const Tests& tests, const AgentBurnIn& burnIn) {
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
  const auto time = timeOf(tests, context.site().powerAt(context.node().place));
  const auto head = context.store().reportHead(id);
  if (head && head->burnInOrder == orderId(context) && head->burnInFinished)
    co_return judgeAll(context, tests, context.store().report(id)->report.burnIn);
  const bool begun = head && head->burnInOrder == orderId(context);
  if (!begun && !context.store().armed(context.node().place))
    co_return Error{Errc::NotArmed,
                    "the tests are ordered; the agent is told so when the place is armed again"};
  const auto hearing = hear(context, context.node(), head, orderId(context));
  auto still = co_await stillSilent(context, context.node());
  if (!still) co_return still;
  if (hearing.silence >= kSilentAtMost)
    co_return failure("burnin.failed",
                      "nothing was heard of the machine's agent for four hours: the host is off or hangs, or "
                      "the provisioning network does not let it through");
  if (hearing.silence < kCutOff && context.spent() - hearing.cut > time.atMost)
    co_return failure("burnin.failed", "the tests did not finish in time");
  context.waitFor(fmt::format("burn-in: {} tests, {} min", tests.size(),
                              std::chrono::duration_cast<std::chrono::minutes>(time.planned).count()));
  co_return still;
}

Task<Result<Seen>> lookStress(StepContext& context) {
  co_return isStressed(context, context.node(), orderId(context)) ? Seen::Busy : Seen::Done;
}

Task<Result<void>> orderBurnIn(StepContext& context) {
  context.leave(PutOrder{context.node().id, stressOrder(context, orderId(context), testsToRun(context))});
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
           "power is limited, it waits for its watts, and goes up and down slowly.",
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
