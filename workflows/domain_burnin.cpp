// Burn-in of an NVLink domain: the agents of all its hosts run, as one, those tests of the plan that are meant for all
// together. First each gets ready; when all are, all begin.
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "workflows/domain.hpp"
#include "workflows/hearing.hpp"
#include "workflows/judge.hpp"
#include "workflows/silence.hpp"
#include "workflows/steps.hpp"
#include "workflows/stress.hpp"

namespace zellige::workflows {

namespace {

constexpr Lifecycle kStressesIn[] = {Lifecycle::Available};
constexpr Duration kReadyTime = 1h;  // an idle agent reports every ten minutes
constexpr int kRounds = 3;           // a test that was void is run again

using Hosts = std::vector<const Node*>;

Tests testsOf(const StepContext& context) {
  Tests out;
  for (const auto& test : context.target().plan.tests)
    if (test.together) out.push_back(&test);
  return out;
}

Hosts hostsOf(const StepContext& context) {
  Hosts out;
  for (const auto& node : context.nodes())
    if (node.kind == NodeKind::ComputeTray) out.push_back(&node);
  std::sort(out.begin(), out.end(), [](const Node* a, const Node* b) { return a->place < b->place; });
  return out;
}

std::string domainOrder(const StepContext& context) {
  return fmt::format("{}-domain-{}", context.run().id.value, context.run().rounds);
}

bool isOrdered(StepContext& context, const Node& host, bool begin) {
  const auto order = context.store().order(host.id);
  return order && order->id == domainOrder(context) && order->together.begin >= begin;
}

bool allOrdered(StepContext& context, bool begin) {
  const auto hosts = hostsOf(context);
  return std::all_of(hosts.begin(), hosts.end(),
                     [&](const Node* host) { return isOrdered(context, *host, begin); });
}

// In one Change: all of them, or none.
void orderAll(StepContext& context, bool begin) {
  auto order = stressOrder(context, domainOrder(context), testsOf(context));
  const auto hosts = hostsOf(context);
  for (const auto* host : hosts) order.together.members.push_back(host->serial);
  order.together.begin = begin;
  for (const auto* host : hosts) context.leave(PutOrder{host->id, order});
}

Task<Result<void>> orderReady(StepContext& context) {
  orderAll(context, false);
  co_return Result<void>{};
}

Task<Result<void>> orderBegin(StepContext& context) {
  orderAll(context, true);
  co_return Result<void>{};
}

std::optional<Error> disarmed(StepContext& context) {
  if (context.store().armed(context.node().place)) return std::nullopt;
  return Error{Errc::NotArmed, "the tests are ordered; the agents are told so when the place is armed again"};
}

Error withoutAgents(StepContext& context, const Hosts& hosts, std::string_view why) {
  for (const auto* host : hosts) context.findOn(*host, "domain.no_agent", std::string(why));
  return failure("domain.no_agent", fmt::format("{} of the domain's hosts: {}; first {}", hosts.size(), why,
                                                hosts.front()->serial));
}

bool hasBegun(StepContext& context, const Node& host) {
  const auto stored = context.store().report(host.id);
  return stored && stored->report.burnIn.orderId == domainOrder(context) && stored->report.burnIn.begun;
}

// Whose agent has not said that it is ready, or has said nothing for long.
Hosts notReady(StepContext& context) {
  Hosts out;
  for (const auto* host : hostsOf(context)) {
    const auto head = context.store().reportHead(host->id);
    const bool isReady = head && head->burnInOrder == domainOrder(context) &&
                         context.now() - head->received < kCutOff;
    if (!isReady) out.push_back(host);
  }
  return out;
}

Task<Result<Seen>> awaitReady(StepContext& context, Hosts missing) {
  if (const auto error = disarmed(context)) co_return *error;
  const auto hosts = hostsOf(context).size();
  context.waitFor(fmt::format("{} of {} agents are ready; first missing: {}", hosts - missing.size(), hosts,
                              missing.front()->serial));
  if (context.spent() >= kReadyTime)
    co_return withoutAgents(context, missing, "its agent did not get ready in an hour");
  co_return co_await stillSilent(context, *missing.front());
}

Task<Result<Seen>> lookReady(StepContext& context) {
  if (testsOf(context).empty())
    co_return failure(
        "domain.burnin",
        fmt::format("plan {} has no test for all hosts as one (together: true): give it one, or "
                    "the rack a recipe without this stage",
                    context.target().plan.name));
  if (!allOrdered(context, false)) co_return Seen::Todo;
  auto missing = notReady(context);
  if (missing.empty()) co_return Seen::Done;
  co_return co_await awaitReady(context, std::move(missing));
}

Task<Result<Seen>> lookTests(StepContext& context) {
  const auto tests = testsOf(context);
  if (!allOrdered(context, true)) {
    auto missing = notReady(context);  // it may have waited for power since they were
    if (missing.empty()) co_return Seen::Todo;
    co_return co_await awaitReady(context, std::move(missing));
  }
  Hosts unfinished, silent, lost;
  Duration cut{0};
  const auto hosts = hostsOf(context);
  for (const auto* host : hosts) {
    const auto head = context.store().reportHead(host->id);
    const auto hearing = hear(context, *host, head, domainOrder(context));
    cut = std::max(cut, hearing.cut);  // who waited for one that was cut off is late as well
    if (head && head->burnInOrder == domainOrder(context) && head->burnInFinished) continue;
    unfinished.push_back(host);
    if (hearing.silence >= kCutOff) silent.push_back(host);
    if (hearing.silence >= kSilentAtMost) lost.push_back(host);
  }
  if (unfinished.empty()) co_return Seen::Done;
  if (const auto error = disarmed(context))  // who has begun goes on, and no other is let begin
    if (!std::all_of(unfinished.begin(), unfinished.end(),
                     [&](const Node* host) { return hasBegun(context, *host); }))
      co_return *error;
  const auto time = timeOf(tests, context.site().powerAt(context.node().place));
  context.waitFor(fmt::format("burn-in of the domain: {} tests, {} min; {} of {} hosts have finished",
                              tests.size(),
                              std::chrono::duration_cast<std::chrono::minutes>(time.planned).count(),
                              hosts.size() - unfinished.size(), hosts.size()));
  if (!lost.empty()) co_return withoutAgents(context, lost, "nothing was heard of its agent for four hours");
  if (silent.empty() && context.spent() - cut > time.atMost)
    co_return withoutAgents(context, unfinished, "it did not finish in time");
  co_return co_await stillSilent(context, silent.empty() ? *unfinished.front() : *silent.front());
}

Task<Result<Seen>> lookDomainStress(StepContext& context) {
  for (const auto* host : hostsOf(context))
    if (isStressed(context, *host, domainOrder(context))) co_return Seen::Busy;
  co_return Seen::Done;
}

/// What one host said of the tests.
struct Said {
  const Node* host = nullptr;
  AgentBurnIn burnIn;
  std::string wrong;    ///< empty: it passed
  bool isVoid = false;  ///< nothing can be said about it
};

bool isVoid(const AgentBurnIn& burnIn, const Plan::Test& test) {
  return std::any_of(burnIn.results.begin(), burnIn.results.end(), [&](const TestResult& result) {
    return result.test == test.id && result.outcome == TestOutcome::Void;
  });
}

Said verdictOn(StepContext& context, const Tests& tests, const Node& host) {
  const auto stored = context.store().report(host.id);
  const bool isThere = stored && stored->report.burnIn.orderId == domainOrder(context) &&
                       stored->report.burnIn.finished;
  if (!isThere) return {&host, {}, "its agent has restarted, and its results are lost", true};
  Said said{&host, stored->report.burnIn, {}, false};
  for (const auto* test : tests) {
    const auto verdict = judge(*test, said.burnIn.results);
    if (verdict.passed) continue;
    said.wrong += (said.wrong.empty() ? "" : "; ") + verdict.why;
    said.isVoid |= isVoid(said.burnIn, *test);
  }
  return said;
}

void leaveBurntIn(StepContext& context, const Tests& tests, const std::vector<Said>& all) {
  std::map<NodeId, Json> values;
  for (const auto& said : all)
    for (const auto& result : said.burnIn.results) values[said.host->id][result.test] = result.values;
  for (const auto& node : context.nodes()) {
    Evidence evidence{node.id, context.run().id, std::string(kDomainBurntIn), "", {}, context.now()};
    evidence.value = Json{{"hosts", all.size()}, {"values", values[node.id]}}.dump();
    evidence.dependsOn = restsOnMachine(context, node);
    for (const auto* test : tests) evidence.dependsOn.push_back(specOf(*test));
    std::sort(evidence.dependsOn.begin(), evidence.dependsOn.end());
    context.leave(PutEvidence{std::move(evidence)});
    for (const auto* cause :
         {"domain.burnin", "domain.host_off", "domain.no_agent", "rack.run_failed", "rack.kept_waiting"})
      context.leave(ResolveFindings{node.id, cause, "the domain passed its burn-in"});
  }
}

// A collective goes at the pace of its slowest member: where most fall short, nobody is to be blamed for it by these numbers.
Task<Result<Seen>> lookVerdict(StepContext& context) {
  const auto tests = testsOf(context);
  std::vector<Said> all;
  for (const auto* host : hostsOf(context)) all.push_back(verdictOn(context, tests, *host));
  if (const auto some = std::find_if(all.begin(), all.end(), [](const Said& said) { return said.isVoid; });
      some != all.end()) {
    context.waitFor(fmt::format("{} could not be judged: {}", some->host->serial, some->wrong));
    // The watts are given back: who has lost its results must not begin anew without them.
    orderAll(context, false);
    co_return Seen::Todo;
  }
  std::vector<const Said*> failed;
  for (const auto& said : all)
    if (!said.wrong.empty()) failed.push_back(&said);
  if (failed.empty()) {
    leaveBurntIn(context, tests, all);
    co_return Seen::Done;
  }
  if (failed.size() * 2 <= all.size())
    for (const auto* said : failed) context.findOn(*said->host, "domain.burnin", said->wrong);
  co_return failure("domain.burnin",
                    fmt::format("{} of {} hosts fell short; {}: {}", failed.size(), all.size(),
                                failed.front()->host->serial, failed.front()->wrong));
}

}  // namespace

const Workflow& burnInDomain() {
  static const std::vector<Step> steps{
      hostsOnStep("domain_burnin.hosts"),
      {.id = "domain_burnin.ready",
       .title = "The agents of all hosts are ready",
       .about = "Tells the agent of every host which tests it will run with whom, and waits until each says "
                "that it is ready.",
       .look = lookReady,
       .act = orderReady,
       .poll = 1min,  // each report nudges
       .deadline = 2 * kReadyTime,
       .overdue = "domain.no_agent"},
      {.id = "domain_burnin.run",
       .title = "Burn the domain in",
       .about = "Tells all agents to begin. The tests heat every tray of the rack to its full power for as "
                "long as the plan says; where power is limited, the rack waits for the watts of all its "
                "trays, and goes up and down slowly.",
       .look = lookTests,
       .act = orderBegin,
       .poll = 2min,  // its last report nudges
       .deadline = 24h * 30,
       .needs = {.duringAct = {}, .duringStep = Budget::Power},
       .overdue = "domain.no_agent",
       .stillRuns = lookDomainStress},
      {.id = "domain_burnin.verdict",
       .title = "Judge the domain's burn-in",
       .about = "Sends nothing. Holds the numbers of every host against the plan's limits, and leaves the "
                "result on every member. Where a member had left in the middle, the tests are void, and run "
                "again.",
       .look = lookVerdict,
       .maxTries = kRounds,
       .spent = "domain.no_agent",
       .again = "domain_burnin.ready"},
  };
  static const Workflow workflow{
      .name = "burn_in_domain",
      .about =
          "Burns an NVLink domain in: all hosts of a rack run those tests of their plan that are meant "
          "for all together. Only where every compute and switch tray is available.",
      .steps = steps,
      .together = kOfTheDomain,
      .follows = NodeKind::ComputeTray,
      .startsIn = kStressesIn,
      .shows = kDomainBurntIn};
  return workflow;
}

}  // namespace zellige::workflows
