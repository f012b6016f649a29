// The end of qualifying: everything that the profile asks for is shown, and the node becomes available.
#include <fmt/format.h>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

// The agent's orders end here; an idle node reports seldom.
void letRest(StepContext& context) {
  if (context.target().profile.imageDigest.empty()) return;
  AgentOrder rest;
  rest.id = fmt::format("{}-rest", context.run().id.value);
  rest.reportEvery = kIdleReports;
  context.leave(PutOrder{context.node().id, std::move(rest)});
}

Task<Result<Seen>> lookAccepted(StepContext& context) {
  const auto& node = context.node();
  letRest(context);
  if (node.lifecycle != Lifecycle::Qualifying)
    co_return failure("act.rejected", fmt::format("the machine passed, but somebody made it {} meanwhile",
                                                  nameOf(node.lifecycle)));
  MoveLifecycle move{node.id, node.lifecycle, Lifecycle::Available, Actor::Engine, "qualified", {}};
  move.evidence = evidenceOf(context.target(), node.kind);
  context.leave(std::move(move));
  co_return Seen::Done;
}

}  // namespace

std::vector<std::string> evidenceOf(const Target& target, NodeKind kind) {
  std::vector<std::string> out{"inventory", "settings", "firmware"};
  if (kind == NodeKind::PowerShelf) out.emplace_back("feeding");
  if (!target.profile.imageDigest.empty()) out.emplace_back("image");
  for (const auto& test : target.plan.tests)
    if (!test.together) out.push_back("burnin/" + test.id);
  return out;
}

std::vector<Step> acceptSteps() {
  return {
      {.id = "qualify.accept",
       .title = "Accept the machine",
       .about =
           "Sends nothing. Checks that everything the profile asks for is shown by valid evidence; then the "
           "machine is available.",
       .look = lookAccepted}};
}

}  // namespace zellige::workflows
