#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/compare.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

Task<Result<Seen>> lookInventory(StepContext& context) {
  auto found = co_await context.bmc().inventory();
  if (!found) co_return found.error();
  const auto& node = context.node();
  const auto differences = compare(*found, context.target().sku, node);

  Evidence evidence{node.id, context.run().id, "inventory", "", restsOnParts(*found, node), context.now()};
  evidence.value = Json{{"serial", found->serial}, {"parts", found->components.size()},
                        {"memory_gib", found->memoryGiB}, {"sku", context.target().sku.name}}.dump();
  context.leave(PutInventory{node.id, std::move(*found)});
  if (differences.empty()) {
    context.leave(PutEvidence{std::move(evidence)});
    co_return Seen::Done;
  }
  for (const auto& d : differences) context.find(d.cause, d.detail);
  co_return failure(differences.front().cause, differences.front().detail);
}

Task<Result<Seen>> lookLeaks(StepContext& context) {
  const auto leak = co_await context.bmc().leakDetected();
  if (!leak) co_return leak.error();
  if (*leak) co_return failure("cooling.leak", "a leak detector of this tray is not OK");
  co_return Seen::Done;
}

}  // namespace

std::vector<Step> inspectSteps() {
  return {
      {.id = "inspect.inventory",
       .title = "Compare what is here with what was ordered",
       .look = lookInventory,
       .deadline = 30min},
      {.id = "inspect.leaks",
       .title = "Leak sensors are dry",
       .look = lookLeaks,
       .deadline = 30min,
       .reaches = Lifecycle::Qualifying},
  };
}

}  // namespace zellige::workflows
