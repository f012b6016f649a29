// What is done to nodes, one file per concern; a workflow concatenates them (qualify.cpp). A step knows the Bmc
// interface and the engine's StepContext; never Redfish, SQL or HTTP. Every look reads the world, so with an empty
// database and a machine already as wanted, every step of a file is Done without an act.
#pragma once

#include <vector>

#include "controller/engine/step.hpp"

namespace zellige::workflows {

std::vector<Step> discoverSteps();  ///< contact, access
Step inventoryStep();               ///< against SKU and place
Step leaksStep();
std::vector<Step> shelfSteps();                ///< the busbar is fed
std::vector<Step> switchOsSteps();             ///< contact, own password
std::vector<Step> settingsSteps();             ///< own password, NTP, syslog, PowerRestorePolicy
std::vector<Step> firmwareSteps();             ///< write by recipe, activate, verify
std::vector<Step> firmwareWithoutHostSteps();  ///< of a machine that is nothing but its BMC
std::vector<Step> firmwareBySwitchOsSteps();   ///< whose reboot is the tray's power cycle
std::vector<Step> imageSteps();                ///< virtual media, write, boot, call home
std::vector<Step> burnInSteps();               ///< tests against the plan's limits
std::vector<Step> acceptSteps();               ///< all evidence is there

// Planned → available, by kind of node. Skip what the machine and valid evidence already show.
const Workflow& qualify();
const Workflow& qualifySwitch();
const Workflow& qualifyShelf();
// What a rack's members go through beside that; evidence of these subjects is left on each.
inline constexpr std::string_view kLeaksShown = "leaks", kDomainShown = "domain";
const Workflow& checkLeaks();
const Workflow& qualifyDomain();  ///< subject: the compute and switch trays of a rack, all together
/// Parameter "on", "off" or "restart".
const Workflow& power();

std::vector<const Workflow*> all();

}  // namespace zellige::workflows
