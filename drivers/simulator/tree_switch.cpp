#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/host.hpp"
#include "drivers/simulator/tree.hpp"

namespace zellige::sim {

namespace {

/// One member of Chassis as recorded. `serial`: "tray": the tray's own; "0x": made up; else as recorded.
struct SwitchPart {
  std::string_view id, type, manufacturer, model, partNumber, serial, sku;
};

constexpr std::string_view kSwitchErotSku = "0x4D35368B", kAsicSku = "0x601100CF",
                           kTrayPart = "920-9K36F-00MV-GS0", kBmcPart = "692-13809-3404-000",
                           kTrayModel = "N5110_LD", kBmcModel = "P3809";

constexpr std::array kSwitchParts{
    SwitchPart{"BMC_eeprom", "Module", "NVIDIA", kBmcModel, kBmcPart, "bmc", ""},
    SwitchPart{"CPLD_0", "Module", "Lattice", "LCMXO3D-9400HC-5BG256C", "", "CPLDSerialNumber", ""},
    SwitchPart{"MGX_BMC_0", "Component", "NVIDIA", kBmcModel, kBmcPart, "bmc", ""},
    SwitchPart{"MGX_ERoT_BMC_0", "Component", "NVIDIA", "", "", "0x", kSwitchErotSku},
    SwitchPart{"MGX_ERoT_CPU_0", "Component", "NVIDIA", "", "", "0x", kSwitchErotSku},
    SwitchPart{"MGX_ERoT_FPGA_0", "Component", "NVIDIA", "", "", "0x", kSwitchErotSku},
    SwitchPart{"MGX_ERoT_NVSwitch_0", "Component", "NVIDIA", "", "", "0x", kSwitchErotSku},
    SwitchPart{"MGX_ERoT_NVSwitch_1", "Component", "NVIDIA", "", "", "0x", kSwitchErotSku},
    SwitchPart{"MGX_NVSwitch_0", "Component", "NVIDIA", kTrayModel, kTrayPart, "tray", kAsicSku},
    SwitchPart{"MGX_NVSwitch_1", "Component", "NVIDIA", kTrayModel, kTrayPart, "tray", kAsicSku},
    SwitchPart{"SYS_eeprom", "Module", "NVIDIA", kTrayModel, kTrayPart, "tray", ""},
    SwitchPart{"System_0", "Component", "NVIDIA", kTrayModel, kTrayPart, "tray", ""},
};

std::string switchSerial(const World& w, const Machine& m, const SwitchPart& part) {
  const auto identity = w.identity(m);
  if (part.serial == "tray") return identity.serial();
  if (part.serial == "bmc") return identity.decimal("1321", "bmc", 9);
  if (part.serial == "0x") return "0x" + identity.hex(part.id, 16);
  return std::string(part.serial);
}

Json switchChassis(const World& w, const Machine& m, const SwitchPart& part) {
  const auto own = fmt::format("Chassis/{}", part.id);
  auto out = link(own);
  out["@odata.type"] = "#Chassis.v1_22_0.Chassis";
  out["ChassisType"] = part.type;
  out["Id"] = part.id;
  out["Links"] = {{"ComputerSystems", Json::array({link("Systems/System_0")})},
                  {"ManagedBy", Json::array({link("Managers/BMC_0")})}};
  out["Manufacturer"] = part.manufacturer;
  out["Name"] = part.id;
  if (!part.model.empty()) out["Model"] = part.model;
  if (!part.partNumber.empty()) out["PartNumber"] = part.partNumber;
  out["SerialNumber"] = switchSerial(w, m, part);
  if (!part.sku.empty()) out["SKU"] = part.sku;
  out["Status"] = healthy();
  if (part.id == "MGX_BMC_0") out["ThermalSubsystem"] = link(own + "/ThermalSubsystem");
  return out;
}

Json detector(const std::string& id) {
  auto out = link("Chassis/MGX_BMC_0/ThermalSubsystem/LeakDetection/LeakDetectors/" + id);
  out["@odata.type"] = "#LeakDetector.v1_1_0.LeakDetector";
  out["DetectorState"] = "OK";
  out["Id"] = id;
  out["LeakDetectorType"] = "Moisture";
  out["Name"] = id;
  out["Status"] = {{"Health", "OK"}, {"State", "Enabled"}};
  return out;
}

std::optional<Json> thermal(const Path& p) {
  static const std::vector<std::string> detectors{"leakage1", "leakage2", "leakage3",    "leakage4",
                                                  "leakage5", "leakage6", "leakage_aggr"};
  const std::string own = "Chassis/MGX_BMC_0/ThermalSubsystem";
  auto out = link(own);
  if (p.size() == 3) {
    out["@odata.type"] = "#ThermalSubsystem.v1_3_0.ThermalSubsystem";
    out["Id"] = "ThermalSubsystem";
    out["LeakDetection"] = link(own + "/LeakDetection");
    out["Name"] = "Thermal Subsystem";
    out["Status"] = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
    return out;
  }
  if (p[3] != "LeakDetection") return std::nullopt;
  const auto detection = own + "/LeakDetection";
  if (p.size() == 4) {
    out = link(detection);
    out["@odata.type"] = "#LeakDetection.v1_0_0.LeakDetection";
    out["Id"] = "LeakDetection";
    out["LeakDetectors"] = link(detection + "/LeakDetectors");
    out["Name"] = "Leak Detection Systems";
    out["Status"] = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
    return out;
  }
  if (p[4] != "LeakDetectors") return std::nullopt;
  if (p.size() == 5)
    return collection(detection + "/LeakDetectors", "LeakDetectorCollection", "Leak Detector Collection",
                      detectors);
  for (const auto& id : detectors)
    if (p.size() == 6 && p[5] == id) return detector(id);
  return std::nullopt;
}

Json system(const World& w, const Machine& m) {
  const auto& host = host::shown(w, m);
  auto out = link("Systems/System_0");
  out["@odata.type"] = "#ComputerSystem.v1_22_0.ComputerSystem";
  out["Actions"] = {{"#ComputerSystem.Reset",
                     {{"@Redfish.ActionInfo", "/redfish/v1/Systems/System_0/ResetActionInfo"},
                      {"target", "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset"}}}};
  // The recorded one says None while its system runs.
  out["BootProgress"] = {{"LastState", "None"}, {"LastStateTime", "1970-01-01T00:00:00.000000+00:00"}};
  out["Description"] = "Computer System";
  out["Id"] = "System_0";
  out["LastResetTime"] = redfishTime(host.since);
  out["Links"] = {{"Chassis", Json::array({link("Chassis/BMC_eeprom")})},
                  {"ManagedBy", Json::array({link("Managers/BMC_0")})}};
  out["Manufacturer"] = "NVIDIA";
  out["MemorySummary"] = {{"TotalSystemMemoryGiB", 0}};
  out["Model"] = kTrayModel;
  out["Name"] = "System_0";
  out["PowerRestorePolicy"] = "AlwaysOn";
  out["PowerState"] = host.on() ? "On" : "Off";
  out["ProcessorSummary"] = {{"Count", 0}};
  out["SerialNumber"] = w.identity(m).serial();
  out["Status"] = {{"Conditions", Json::array()}, {"Health", "OK"}, {"State", "Enabled"}};
  out["SystemType"] = "Physical";
  return out;
}

}  // namespace

std::optional<Json> switchBranch(const World& w, const Machine& m, const Path& p) {
  if (p[0] == "Systems") {
    if (p.size() == 1)
      return collection("Systems", "ComputerSystemCollection", "Computer System Collection", {"System_0"});
    if (p[1] != "System_0") return std::nullopt;
    if (p.size() == 2) return system(w, m);
    if (p.size() == 3 && p[2] == "ResetActionInfo")
      return actionInfo(
          "Systems/System_0/ResetActionInfo", "Reset Action Info",
          {"ForceOff", "PowerCycle", "GracefulShutdown", "On", "ForceOn", "GracefulRestart", "ForceRestart"});
    return std::nullopt;
  }
  if (p[0] != "Chassis") return std::nullopt;
  if (p.size() == 1) {
    std::vector<std::string> members;
    for (const auto& part : kSwitchParts) members.emplace_back(part.id);
    return collection("Chassis", "ChassisCollection", "Chassis Collection", members);
  }
  for (const auto& part : kSwitchParts) {
    if (part.id != p[1]) continue;
    if (p.size() == 2) return switchChassis(w, m, part);
    if (part.id == "MGX_BMC_0" && p[2] == "ThermalSubsystem") return thermal(p);
  }
  return std::nullopt;
}

}  // namespace zellige::sim
