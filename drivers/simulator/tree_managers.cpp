#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/tree.hpp"

namespace zellige::sim {

namespace {

Json manager(const World& w, const Machine& m, bool hgx) {
  const std::string id = hgx ? "HGX_BMC_0" : "BMC_0";
  const auto own = "Managers/" + id;
  const auto item = static_cast<std::size_t>(m.profile->item(hgx          ? "HGX_FW_BMC_0"
                                                             : m.isTray() ? "FW_BMC_0"
                                                                          : "MGX_FW_BMC_0"));
  const auto since = hgx ? m.hgxSince : m.bmcSince;
  const auto software = fmt::format("UpdateService/FirmwareInventory/{}", m.profile->firmware[item].id);
  auto out = link(own);
  out["@odata.type"] = "#Manager.v1_14_0.Manager";
  out["Actions"] = {{"#Manager.Reset",
                     {{"@Redfish.ActionInfo", "/redfish/v1/" + own + "/ResetActionInfo"},
                      {"target", "/redfish/v1/" + own + "/Actions/Manager.Reset"}}}};
  out["DateTime"] = redfishTime(w.now());
  out["DateTimeLocalOffset"] = "+00:00";
  out["Description"] = "Baseboard Management Controller";
  out["FirmwareVersion"] = w.versionText(m.active[item]);
  out["Id"] = id;
  out["LastResetTime"] = redfishTime(since);
  out["Links"] = {
      {"ActiveSoftwareImage", link(software)},
      {"ManagerForServers", Json::array({link(hgx ? "Systems/HGX_Baseboard_0" : "Systems/System_0")})},
      {"ManagerForServers@odata.count", 1},
      {"SoftwareImages", Json::array({link(software)})},
      {"SoftwareImages@odata.count", 1}};
  out["ManagerType"] = "BMC";
  out["Model"] = "OpenBmc";
  out["Name"] = "OpenBmc Manager";
  out["Oem"] = {{"Nvidia",
                 {{"@odata.type", "#NvidiaManager.v1_4_0.NvidiaManager"},
                  {"UptimeSeconds", static_cast<double>((w.now() - since).count()) / 1000.0}}}};
  out["PowerState"] = "On";
  out["Status"] = healthy();
  out["UUID"] = w.identity(m).uuid(id);
  if (!hgx) {
    out["EthernetInterfaces"] = link(own + "/EthernetInterfaces");
    out["NetworkProtocol"] = link(own + "/NetworkProtocol");
    if (m.isTray()) out["VirtualMedia"] = link(own + "/VirtualMedia");
  }
  return out;
}

Json networkProtocol(const World& w, const Machine& m) {
  const auto host = "bmc-" + w.identity(m).serial();
  auto out = link("Managers/BMC_0/NetworkProtocol");
  out["@odata.type"] = "#ManagerNetworkProtocol.v1_5_0.ManagerNetworkProtocol";
  out["Description"] = "Manager Network Service";
  out["FQDN"] = host;
  out["HTTP"] = {{"Port", nullptr}, {"ProtocolEnabled", false}};
  out["HTTPS"] = {{"Port", 443}, {"ProtocolEnabled", true}};
  out["HostName"] = host;
  out["Id"] = "NetworkProtocol";
  out["NTP"] = {{"NTPServers", m.ntp}, {"ProtocolEnabled", m.ntpEnabled}};
  out["Name"] = "Manager Network Protocol";
  out["Oem"] = {{"Nvidia",
                 {{"@odata.type", "#NvidiaNetworkProtocol.v1_0_0.NetworkProtocol"},
                  {"Rsyslog",
                   {{"Address", m.syslogAddress},
                    {"Filter", {{"Facilities", Json::array()}, {"LowestSeverity", "Error"}}},
                    {"Port", m.syslogPort},
                    {"State", m.syslogEnabled ? "Enabled" : "Disabled"},
                    {"TLS", "Disabled"},
                    {"TransportProtocol", m.syslogUdp ? "UDP" : "TCP"}}}}}};
  out["Status"] = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
  return out;
}

Json virtualMedia(const World& w, const Machine& m, std::size_t slot) {
  const auto id = fmt::format("USB{}", slot + 1);
  const auto own = "Managers/BMC_0/VirtualMedia/" + id;
  const auto url = w.now() < m.mediaShownFrom ? std::string() : m.media[slot];
  auto out = link(own);
  out["@odata.type"] = "#VirtualMedia.v1_3_0.VirtualMedia";
  for (const auto* action : {"EjectMedia", "InsertMedia"})
    out["Actions"][fmt::format("#VirtualMedia.{}", action)] = {
        {"target", fmt::format("/redfish/v1/{}/Actions/VirtualMedia.{}", own, action)}};
  out["ConnectedVia"] = url.empty() ? "NotConnected" : "URI";
  out["Id"] = id;
  out["Inserted"] = !url.empty();
  out["MediaTypes"] = {"CD", "USBStick"};
  out["Name"] = "Virtual Removable Media";
  out["TransferMethod"] = "Stream";
  out["WriteProtected"] = true;
  if (!url.empty()) {
    out["Image"] = url;
    out["ImageName"] = url.substr(url.rfind('/') + 1);
  }
  return out;
}

Json ethernet(const World& w, const Machine& m) {
  auto out = link("Managers/BMC_0/EthernetInterfaces/eth0");
  out["@odata.type"] = "#EthernetInterface.v1_9_0.EthernetInterface";
  out["Description"] = "Management Network Interface";
  out["EthernetInterfaceType"] = "Physical";
  out["Id"] = "eth0";
  out["InterfaceEnabled"] = true;
  out["LinkStatus"] = "LinkUp";
  out["MACAddress"] = w.identity(m).bmcMac();
  out["MTUSize"] = 1500;
  out["Name"] = "Manager Ethernet Interface";
  out["SpeedMbps"] = 1000;
  out["Status"] = {{"State", "Enabled"}};
  return out;
}

}  // namespace

std::optional<Json> managersBranch(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1) {
    std::vector<std::string> members{"BMC_0"};
    if (m.hgxUp) members.emplace_back("HGX_BMC_0");
    return collection("Managers", "ManagerCollection", "Manager Collection", members);
  }
  const bool hgx = p[1] == "HGX_BMC_0";
  if (hgx ? !m.hgxUp : p[1] != "BMC_0") return std::nullopt;
  if (p.size() == 2) return manager(w, m, hgx);
  if (p[2] == "ResetActionInfo" && p.size() == 3)
    return actionInfo(fmt::format("Managers/{}/ResetActionInfo", p[1]), "Reset Action Info",
                      {"GracefulRestart", "ForceRestart", "GracefulShutdown"});
  if (hgx) return std::nullopt;
  if (p[2] == "NetworkProtocol" && p.size() == 3) return networkProtocol(w, m);
  if (p[2] == "VirtualMedia" && m.isTray()) {
    if (p.size() == 3)
      return collection("Managers/BMC_0/VirtualMedia", "VirtualMediaCollection", "Virtual Media Services",
                        {"USB2", "USB1"});
    if (p.size() == 4 && p[3] == "USB1") return virtualMedia(w, m, 0);
    if (p.size() == 4 && p[3] == "USB2") return virtualMedia(w, m, 1);
  }
  if (p[2] == "EthernetInterfaces") {
    if (p.size() == 3)
      return collection("Managers/BMC_0/EthernetInterfaces", "EthernetInterfaceCollection",
                        "Ethernet Network Interface Collection", {"eth0"});
    if (p.size() == 4 && p[3] == "eth0") return ethernet(w, m);
  }
  return std::nullopt;
}

}  // namespace zellige::sim
