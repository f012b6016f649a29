#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/tree.hpp"

namespace zellige::sim {

namespace {

// Two chassis that are the same shelf, as recorded.
constexpr std::array<std::string_view, 2> kChassis{"PowerShelf_0", "powershelf"};

Json shelfChassis(const World& w, const Machine& m, std::string_view id) {
  const auto own = fmt::format("Chassis/{}", id);
  auto out = link(own);
  out["@odata.type"] = "#Chassis.v1_22_0.Chassis";
  for (const auto* action : {"ForceOff", "On", "Reset"})
    out["Actions"][fmt::format("#Chassis.{}", action)] = {
        {"@Redfish.ActionInfo", fmt::format("/redfish/v1/{}/{}ActionInfo", own, action)},
        {"target", fmt::format("/redfish/v1/{}/Actions/Chassis.{}", own, action)}};
  out["ChassisType"] = "Shelf";
  out["HardwareVersion"] = "X1";
  out["Id"] = id;
  out["IndicatorLED"] = m.locationLed ? "Blinking" : "Off";
  out["InputSourceNum"] = 1;
  out["Links"] = {{"Chassis", Json::array({link("Chassis/powershelf")})},
                  {"ManagedBy", Json::array({link("Managers/bmc")})}};
  out["Manufacturer"] = kShelfMaker;
  out["MaxPowerWatts"] = kSupplies * kSupplyWatts;
  out["Model"] = kShelfModel;
  out["Name"] = id;
  out["PartNumber"] = kShelfModel;
  out["PowerState"] = m.hostOn() ? "On" : "Off";
  out["PowerSubsystem"] = link(own + "/PowerSubsystem");
  out["SerialNumber"] = w.identity(m).serial();
  out["Status"] = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", m.hostOn() ? "Enabled" : "Standby"}};
  return out;
}

// CapacityWatts as a text, PowerState as a bool (FACTS 9).
Json supply(const World& w, const Machine& m, std::string_view own, int n) {
  const auto item = m.profile->item(fmt::format("PSU_{}", n));
  auto out = link(fmt::format("{}/{}", own, n));
  out["@odata.type"] = "#PowerSupply.v1_5_0.PowerSupply";
  out["CapacityWatts"] = std::to_string(kSupplyWatts);
  out["FirmwareVersion"] = w.versionText(m.active[static_cast<std::size_t>(item)]);
  out["HardwareVersion"] = "X1";
  out["HotPluggable"] = true;
  out["Id"] = std::to_string(n);
  out["InputSourceNum"] = 1;
  out["Location"] = {
      {"LocationOrdinalValue", n}, {"LocationType", "Bay"}, {"ServiceLabel", fmt::format("PSU {}", n)}};
  out["Manufacturer"] = kShelfMaker;
  out["Model"] = kSupplyModel;
  out["Name"] = fmt::format("Power Supply {}", n);
  out["PowerState"] = m.hostOn();
  out["SerialNumber"] = "SP" + w.identity(m).hex(fmt::format("supply {}", n), 10);
  out["Status"] = {{"Health", "OK"}, {"State", m.hostOn() ? "Enabled" : "Standby"}};
  return out;
}

std::optional<Json> powerSubsystem(const World& w, const Machine& m, const Path& p) {
  const auto own = fmt::format("Chassis/{}/PowerSubsystem", p[1]);
  const auto supplies = own + "/PowerSupplies";
  if (p.size() == 3) {
    auto out = link(own);
    out["@odata.type"] = "#PowerSubsystem.v1_1_0.PowerSubsystem";
    out["Id"] = "PowerSubsystem";
    out["Name"] = "Power Subsystem";
    out["PowerSupplies"] = link(supplies);
    out["Status"] = {{"Health", "OK"}, {"State", "Enabled"}};
    return out;
  }
  if (p[3] != "PowerSupplies") return std::nullopt;
  if (p.size() == 4) {
    std::vector<std::string> members;
    for (int n = 0; n < kSupplies; ++n) members.push_back(std::to_string(n));
    return collection(supplies, "PowerSupplyCollection", "Power Supply Collection", members);
  }
  for (int n = 0; n < kSupplies; ++n)
    if (p.size() == 5 && p[4] == std::to_string(n)) return supply(w, m, supplies, n);
  return std::nullopt;
}

std::optional<Json> shelfChassis(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1)
    return collection("Chassis", "ChassisCollection", "Chassis Collection",
                      {kChassis.begin(), kChassis.end()});
  if (std::find(kChassis.begin(), kChassis.end(), p[1]) == kChassis.end()) return std::nullopt;
  if (p.size() == 2) return shelfChassis(w, m, p[1]);
  if (p[2] == "PowerSubsystem") return powerSubsystem(w, m, p);
  for (const std::string_view action : {"ForceOff", "On"})
    if (p.size() == 3 && p[2] == fmt::format("{}ActionInfo", action))
      return actionInfo(fmt::format("Chassis/{}/{}ActionInfo", p[1], action), "Action Info", {action});
  if (p.size() == 3 && p[2] == "ResetActionInfo")
    return actionInfo(fmt::format("Chassis/{}/ResetActionInfo", p[1]), "Reset Action Info", {"PowerCycle"});
  return std::nullopt;
}

// Like stock OpenBMC's: the shelf's own was not recorded.
Json manager(const World& w, const Machine& m) {
  auto out = link("Managers/bmc");
  out["@odata.type"] = "#Manager.v1_14_0.Manager";
  out["Actions"] = {{"#Manager.Reset",
                     {{"@Redfish.ActionInfo", "/redfish/v1/Managers/bmc/ResetActionInfo"},
                      {"target", "/redfish/v1/Managers/bmc/Actions/Manager.Reset"}}}};
  out["DateTime"] = redfishTime(w.now());
  out["DateTimeLocalOffset"] = "+00:00";
  out["Description"] = "Baseboard Management Controller";
  out["FirmwareVersion"] = w.versionText(m.active[static_cast<std::size_t>(m.profile->item("PMC"))]);
  out["Id"] = "bmc";
  out["LastResetTime"] = redfishTime(m.bmcSince);
  out["Links"] = {{"ManagerForChassis", Json::array({link("Chassis/powershelf")})},
                  {"ManagerForChassis@odata.count", 1}};
  out["ManagerType"] = "BMC";
  out["Model"] = "OpenBmc";
  out["Name"] = "OpenBmc Manager";
  out["NetworkProtocol"] = link("Managers/bmc/NetworkProtocol");
  out["PowerState"] = "On";
  out["Status"] = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
  out["UUID"] = w.identity(m).uuid("bmc");
  return out;
}

Json shelfProtocol(const World& w, const Machine& m) {
  auto out = link("Managers/bmc/NetworkProtocol");
  out["@odata.type"] = "#ManagerNetworkProtocol.v1_5_0.ManagerNetworkProtocol";
  out["Description"] = "Manager Network Service";
  out["HTTPS"] = {{"Port", 443}, {"ProtocolEnabled", true}};
  out["HostName"] = "pmc-" + w.identity(m).serial();
  out["Id"] = "NetworkProtocol";
  out["NTP"] = {{"NTPServers", m.ntp}, {"ProtocolEnabled", m.ntpEnabled}};
  out["Name"] = "Manager Network Protocol";
  out["Status"] = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
  return out;
}

}  // namespace

std::optional<Json> shelfBranch(const World& w, const Machine& m, const Path& p) {
  if (p[0] == "Chassis") return shelfChassis(w, m, p);
  if (p[0] != "Managers") return std::nullopt;
  if (p.size() == 1) return collection("Managers", "ManagerCollection", "Manager Collection", {"bmc"});
  if (p[1] != "bmc") return std::nullopt;
  if (p.size() == 2) return manager(w, m);
  if (p.size() == 3 && p[2] == "NetworkProtocol") return shelfProtocol(w, m);
  if (p.size() == 3 && p[2] == "ResetActionInfo")
    return actionInfo("Managers/bmc/ResetActionInfo", "Reset Action Info",
                      {"GracefulRestart", "ForceRestart"});
  return std::nullopt;
}

}  // namespace zellige::sim
