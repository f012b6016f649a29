// What each kind of node goes through from planned to available: the order is here, the steps in a file per concern.
#include "workflows/firmware_record.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

// Not where somebody uses the machine, or has it apart; a quarantined one is released first.
constexpr Lifecycle kStartsIn[] = {Lifecycle::Planned, Lifecycle::Discovered, Lifecycle::Qualifying,
                                   Lifecycle::Available};

std::vector<Step> joined(std::initializer_list<std::vector<Step>> parts) {
  std::vector<Step> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Workflow qualifies(NodeKind kind, std::string_view name, std::span<const Step> steps) {
  return {.name = name,
          .steps = steps,
          .kind = kind,
          .qualifies = true,
          .startsIn = kStartsIn,
          .inherits = kFirmwareFacts};
}

}  // namespace

const Workflow& qualify() {
  static const auto steps = joined({discoverSteps(),
                                    {inventoryStep(), leaksStep()},
                                    settingsSteps(),
                                    firmwareSteps(),
                                    imageSteps(),
                                    burnInSteps(),
                                    acceptSteps()});
  static const auto workflow = qualifies(NodeKind::ComputeTray, "qualify", steps);
  return workflow;
}

const Workflow& qualifySwitch() {
  static const auto steps = joined({discoverSteps(),
                                    {inventoryStep(), leaksStep()},
                                    settingsSteps(),
                                    switchOsSteps(),
                                    firmwareBySwitchOsSteps(),
                                    acceptSteps()});
  static const auto workflow = qualifies(NodeKind::SwitchTray, "qualify_switch", steps);
  return workflow;
}

const Workflow& qualifyShelf() {
  static const auto steps = joined({discoverSteps(),
                                    {inventoryStep()},
                                    shelfSteps(),
                                    settingsSteps(),
                                    firmwareWithoutHostSteps(),
                                    acceptSteps()});
  static const auto workflow = qualifies(NodeKind::PowerShelf, "qualify_shelf", steps);
  return workflow;
}

std::vector<const Workflow*> all() {
  return {&qualify(), &qualifySwitch(), &qualifyShelf(), &checkLeaks(), &qualifyDomain(), &power()};
}

}  // namespace zellige::workflows
