#include "workflows/firmware_record.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

std::vector<Step> joined(std::initializer_list<std::vector<Step>> parts) {
  std::vector<Step> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace

const Workflow& qualify() {
  static const auto steps = joined(
      {discoverSteps(), inspectSteps(), settingsSteps(), firmwareSteps(), imageSteps(), burnInSteps()});
  // Not where somebody uses the machine, or has it apart; a quarantined one is released first.
  static constexpr Lifecycle startsIn[] = {Lifecycle::Planned, Lifecycle::Discovered, Lifecycle::Qualifying,
                                           Lifecycle::Available};
  static const Workflow workflow{
      .name = "qualify", .steps = steps, .startsIn = startsIn, .inherits = kFirmwareFacts};
  return workflow;
}

std::vector<const Workflow*> all() { return {&qualify(), &power()}; }

}  // namespace zellige::workflows
