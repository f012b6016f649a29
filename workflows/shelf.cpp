// A power shelf: it feeds its busbar before anything else in the rack can live. Nothing here switches one off.
#include <nlohmann/json.hpp>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

Task<Result<Seen>> lookFeeding(StepContext& context) {
  const auto feeds = co_await context.bmc().feeds();
  if (!feeds) co_return feeds.error();
  if (!*feeds) co_return Seen::Todo;
  const auto& node = context.node();
  Evidence evidence{node.id, context.run().id, "feeding", "", {}, context.now()};
  evidence.value = Json{{"feeding", true}}.dump();
  evidence.dependsOn = {"place:" + node.place.path, "serial:" + node.serial};
  context.leave(PutEvidence{std::move(evidence)});
  co_return Seen::Done;
}

Task<Result<void>> startFeeding(StepContext& context) { co_return co_await context.bmc().startFeeding(); }

}  // namespace

std::vector<Step> shelfSteps() {
  return {
      {.id = "shelf.feed",
       .title = "Feed the busbar",
       .about = "Looks whether the shelf feeds its busbar, and switches its output on if not. No step ever "
                "switches a shelf off.",
       .look = lookFeeding,
       .act = startFeeding,
       .settle = 20s,
       .poll = 5s,
       .deadline = 30min,
       .spent = "power.stuck",
       .reaches = Lifecycle::Qualifying},
  };
}

}  // namespace zellige::workflows
