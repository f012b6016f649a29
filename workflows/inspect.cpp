#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>

#include "workflows/compare.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

// A BMC that is busy or half awake lists parts late: what differs must be read three times, 30 s apart (FACTS 11).
constexpr int kEqualInventories = 3;
constexpr Duration kBetweenInventories = 30s;

// Without its HGX baseboard a tray lists no GPU. After its power came, that is a matter of minutes and no finding.
constexpr Duration kBaseboardStarts = 20min;

Task<Result<bool>> baseboardStarts(StepContext& context) {
  if (context.spent() >= kBaseboardStarts) co_return false;
  const auto state = co_await context.bmc().state();
  if (!state) co_return state.error();
  context.waitFor("the HGX baseboard to answer");
  co_return !state->baseboardPresent;
}

// True: these differences were read often enough to be believed.
bool confirmed(StepContext& context, const std::vector<Difference>& differences) {
  std::string text;
  for (const auto& d : differences) text += d.cause + ": " + d.detail + "\n";
  auto& seen = context.scratch("differences");
  auto& count = context.scratch("equal_reads");
  auto& last = context.scratch("last_read");
  if (seen != text) {
    seen = text;
    count.clear();
    last.clear();
  }
  const auto now = toMillis(context.now());
  if (last.empty() || now - std::stoll(last) >= kBetweenInventories.count()) {
    count += '|';
    last = std::to_string(now);
  }
  context.waitFor(fmt::format("reading the parts again ({} of {}): {}", count.size(), kEqualInventories,
                              differences.front().detail));
  return count.size() >= static_cast<std::size_t>(kEqualInventories);
}

Task<Result<Seen>> lookInventory(StepContext& context) {
  auto found = co_await context.bmc().inventory();
  if (!found) co_return found.error();
  const auto& node = context.node();
  const auto differences = compare(*found, context.target().sku, node);
  if (differences.empty() && !found->incomplete.empty()) {
    context.waitFor("a BMC that lists all its parts; now " + found->incomplete);
    co_return Seen::Busy;
  }
  const bool missing = std::any_of(differences.begin(), differences.end(),
                                   [](const auto& d) { return d.cause == "inventory.missing_part"; });
  if (missing) {
    const auto starts = co_await baseboardStarts(context);
    if (!starts) co_return starts.error();
    if (*starts) co_return Seen::Busy;
  }

  Evidence evidence{node.id, context.run().id, "inventory", "", restsOnParts(*found, node), context.now()};
  evidence.value = Json{{"serial", found->serial},
                        {"parts", found->components.size()},
                        {"memory_gib", found->memoryGiB},
                        {"sku", context.target().sku.name}}
                       .dump();
  if (!differences.empty() && !confirmed(context, differences)) co_return Seen::Busy;
  context.leave(PutInventory{node.id, std::move(*found)});
  const bool sick = std::any_of(differences.begin(), differences.end(),
                                [](const auto& d) { return d.cause == "inventory.sick_part"; });
  context.leave(SetHealth{node.id, sick                  ? Health::Failed
                                   : differences.empty() ? Health::Ok
                                                         : Health::Degraded});
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

Step inventoryStep() {
  return {
      .id = "inspect.inventory",
      .title = "Compare what is here with what was ordered",
      .about =
          "Reads every part and compares serial, model, parts and memory with the manifest and the SKU. What "
          "differs is read three times, 30 s apart, before it becomes a finding.",
      .look = lookInventory,
      .deadline = 30min};
}

Step leaksStep() {
  return {
      .id = "inspect.leaks",
      .title = "Leak sensors are dry",
      .about = "Reads the leak detectors. One that is not OK ends the run, before anything is switched on.",
      .look = lookLeaks,
      .deadline = 30min,
      .reaches = Lifecycle::Qualifying};
}

}  // namespace zellige::workflows
