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

Workflow qualifies(NodeKind kind, std::string_view name, std::string_view about, std::span<const Step> steps) {
  return {.name = name,
          .about = about,
          .steps = steps,
          .kind = kind,
          .qualifies = true,
          .startsIn = kStartsIn,
          .inherits = kFirmwareFacts,
          .leaves = evidenceOf};
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
  static const auto workflow = qualifies(
      NodeKind::ComputeTray, "qualify",
      "Takes a compute tray from planned to available: reached, compared with what was ordered, its BMC "
      "set up, its firmware brought to the baseline, the image written, burnt in. On a machine that "
      "already is as wanted it changes nothing.",
      steps);
  return workflow;
}

const Workflow& qualifySwitch() {
  static const auto steps = joined({discoverSteps(),
                                    {inventoryStep(), leaksStep()},
                                    settingsSteps(),
                                    switchOsSteps(),
                                    firmwareBySwitchOsSteps(),
                                    acceptSteps()});
  static const auto workflow = qualifies(
      NodeKind::SwitchTray, "qualify_switch",
      "Takes an NVLink switch tray from planned to available: its BMC and the system that it runs are set "
      "up, and its firmware is brought to the baseline through that system. It has no image and no burn-in "
      "of its own.",
      steps);
  return workflow;
}

const Workflow& qualifyShelf() {
  static const auto steps = joined({discoverSteps(),
                                    {inventoryStep()},
                                    shelfSteps(),
                                    settingsSteps(),
                                    firmwareWithoutHostSteps(),
                                    acceptSteps()});
  static const auto workflow = qualifies(
      NodeKind::PowerShelf, "qualify_shelf",
      "Takes a power shelf from planned to available: its output is switched on, its BMC set up, its "
      "firmware brought to the baseline. It is never switched off.",
      steps);
  return workflow;
}

std::vector<const Workflow*> all() {
  return {&qualify(),       &qualifySwitch(), &qualifyShelf(), &checkLeaks(),
          &qualifyDomain(), &burnInDomain(),  &power()};
}

}  // namespace zellige::workflows
