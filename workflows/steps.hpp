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

/// What must be shown of such a node before it is available.
std::vector<std::string> evidenceOf(const Target& target, NodeKind kind);
/// "fw:HGX_FW_GPU_0=97.00…": versions in the valid evidence of its firmware; empty: there is none.
std::vector<std::string> shownFirmware(StepContext& context, const Node& node);
/// What a result of the whole machine rests on, sorted: its place, its parts, and the firmware that was shown of it.
/// `of`: of its parts only these kinds; empty: all.
std::vector<std::string> restsOnMachine(StepContext& context, const Node& node,
                                        const std::vector<ComponentKind>& of = {});

// Planned → available, by kind of node. Skip what the machine and valid evidence already show.
const Workflow& qualify();
const Workflow& qualifySwitch();
const Workflow& qualifyShelf();
// What a rack's members go through beside that; evidence of these subjects is left on each.
inline constexpr std::string_view kLeaksShown = "leaks", kDomainShown = "domain",
                                  kDomainBurntIn = "domain_burnin";
const Workflow& checkLeaks();
// Subject: the compute and switch trays of a rack, all together.
const Workflow& qualifyDomain();
const Workflow& burnInDomain();
/// Parameter "on", "off" or "restart".
const Workflow& power();

std::vector<const Workflow*> all();

}  // namespace zellige::workflows
