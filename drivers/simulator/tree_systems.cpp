#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/host.hpp"
#include "drivers/simulator/tree.hpp"

namespace zellige::sim {

namespace {

/// "GPU_2" with prefix "GPU_" and 4 of them: 2. -1 otherwise.
int indexAfter(std::string_view id, std::string_view prefix, int count) {
  if (!id.starts_with(prefix)) return -1;
  id.remove_prefix(prefix.size());
  int n = -1;
  const auto [end, ec] = std::from_chars(id.data(), id.data() + id.size(), n);
  return ec == std::errc{} && end == id.data() + id.size() && n >= 0 && n < count &&
                 (id.size() == 1 || id[0] != '0')
             ? n
             : -1;
}

std::string_view powerState(const HostView& host) {
  return host.poweringOff ? "PoweringOff" : host.on() ? "On" : "Off";
}

const Json& bootTargets() {
  static const Json targets = {"None", "Pxe", "Hdd", "Cd", "Diags", "BiosSetup", "Usb"};
  return targets;
}

Json processorSummary() { return {{"CoreCount", 144}, {"Count", kCpus}, {"Model", "ARMv9"}}; }

Json hostSystem(const World& w, const Machine& m) {
  const auto& host = host::shown(w, m);
  auto out = link("Systems/System_0");
  out["@Redfish.Settings"] = {{"@odata.type", "#Settings.v1_3_5.Settings"},
                              {"SettingsObject", link("Systems/System_0/Settings")}};
  out["@odata.type"] = "#ComputerSystem.v1_22_0.ComputerSystem";
  out["Actions"] = {{"#ComputerSystem.Reset",
                     {{"@Redfish.ActionInfo", "/redfish/v1/Systems/System_0/ResetActionInfo"},
                      {"target", "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset"}}}};
  out["Boot"] = {{"BootSourceOverrideEnabled", nameOf(m.bootEnabled)},
                 {"BootSourceOverrideEnabled@Redfish.AllowableValues", {"Once", "Continuous", "Disabled"}},
                 {"BootSourceOverrideTarget", nameOf(m.bootTarget)},
                 {"BootSourceOverrideTarget@Redfish.AllowableValues", bootTargets()}};
  out["BootProgress"] = {{"LastState", host::progress(host)},
                         {"LastStateTime", redfishTime(host.progressSince)}};
  out["Description"] = "Computer System";
  out["Id"] = "System_0";
  out["LastResetTime"] = redfishTime(host.since);
  out["Links"] = {{"Chassis", Json::array({link("Chassis/BMC_0")})},
                  {"ManagedBy", Json::array({link("Managers/BMC_0")})}};
  out["LocationIndicatorActive"] = m.locationLed;
  out["MemorySummary"] = {{"TotalSystemMemoryGiB", kMemoryGiB}};
  out["Name"] = "System_0";
  out["PowerRestorePolicy"] = nameOf(m.restorePolicy);
  out["PowerState"] = powerState(host);
  out["ProcessorSummary"] = processorSummary();
  out["Processors"] = link("Systems/System_0/Processors");
  out["Status"] = {{"Conditions", Json::array()}, {"Health", "OK"}, {"State", "Enabled"}};
  out["SystemType"] = "Physical";
  out["UUID"] = w.identity(m).uuid("system");
  return out;
}

Json hostSettings(const Machine& m) {
  auto out = link("Systems/System_0/Settings");
  out["@odata.type"] = "#ComputerSystem.v1_17_0.ComputerSystem";
  out["Boot"] = {{"BootSourceOverrideEnabled", nameOf(m.bootEnabled)},
                 {"BootSourceOverrideTarget", nameOf(m.bootTarget)},
                 {"BootSourceOverrideTarget@Redfish.AllowableValues", bootTargets()}};
  out["Id"] = "Settings";
  out["Name"] = "System_0 Pending Settings";
  return out;
}

Json baseboard(const World& w, const Machine& m) {
  auto out = link("Systems/HGX_Baseboard_0");
  out["@odata.type"] = "#ComputerSystem.v1_22_0.ComputerSystem";
  out["Description"] = "Computer System";
  out["Id"] = "HGX_Baseboard_0";
  out["LastResetTime"] = "1970-01-01T00:00:00+00:00";
  out["Links"] = {{"Chassis", Json::array({link("Chassis/HGX_Chassis_0")})},
                  {"ManagedBy", Json::array({link("Managers/HGX_BMC_0")})}};
  out["Manufacturer"] = "NVIDIA";
  out["Memory"] = link("Systems/HGX_Baseboard_0/Memory");
  out["MemorySummary"] = {{"TotalSystemMemoryGiB", kMemoryGiB}};
  out["Model"] = "GB200 NVL";
  out["Name"] = "HGX_Baseboard_0";
  out["PartNumber"] = "699-2G548-0201-TS3";
  out["PowerState"] = m.hostOn() ? "On" : "Off";
  out["ProcessorSummary"] = processorSummary();
  out["Processors"] = link("Systems/HGX_Baseboard_0/Processors");
  out["SerialNumber"] = w.identity(m).decimal("16430", "HGX_ProcessorModule_0", 8);
  out["Status"] = healthy();
  out["SystemType"] = "Physical";
  return out;
}

Json cpu(const World& w, const Machine& m, std::string_view system, int n) {
  const bool hgx = system == "HGX_Baseboard_0";
  auto out = link(fmt::format("Systems/{}/Processors/CPU_{}", system, n));
  out["@odata.type"] = "#Processor.v1_20_0.Processor";
  out["Id"] = fmt::format("CPU_{}", n);
  out["Location"] = {{"PartLocation", {{"ServiceLabel", fmt::format("G1:{}.0", n)}}}};
  out["Manufacturer"] = "NVIDIA";
  out["MaxSpeedMHz"] = 4000;
  if (hgx) out["Model"] = kCpuModel;
  out["Name"] = "Processor";
  out["PartNumber"] = "699-2G548-0201-TS3";
  out["ProcessorType"] = "CPU";
  out["SerialNumber"] = "0x" + w.identity(m).hex(fmt::format("CPU_{}", n), 32);
  out["Socket"] = fmt::format("G1:{}.0", n);
  out["Status"] = {{"Conditions", Json::array()}, {"Health", "OK"}, {"State", "Enabled"}};
  out["TotalCores"] = 72;
  out["TotalThreads"] = 72;
  out["Version"] = kCpuModel;
  return out;
}

Json gpu(const World& w, const Machine& m, int n) {
  const auto own = fmt::format("Systems/HGX_Baseboard_0/Processors/GPU_{}", n);
  auto out = link(own);
  out["@odata.type"] = "#Processor.v1_20_0.Processor";
  out["Id"] = fmt::format("GPU_{}", n);
  out["Location"] = {
      {"PartLocation", {{"LocationType", "Embedded"}, {"ServiceLabel", fmt::format("GPU_{}", n)}}},
      {"PartLocationContext", fmt::format("HGX_Chassis_0/ProcessorModule_{}", n / 2)}};
  out["Name"] = "Processor";
  out["Ports"] = link(own + "/Ports");
  out["ProcessorType"] = "GPU";
  out["Replaceable"] = false;
  out["Status"] = healthy();  // also of a missing GPU (FACTS 9): count complete GPUs, do not trust Status
  if (w.missingGpu(m) == n) {
    w.faults.showed(m.id, FaultKind::GpuMissing);
    return out;
  }
  const auto item = m.profile->item(fmt::format("HGX_FW_GPU_{}", n));
  out["FirmwareVersion"] = w.versionText(m.active[static_cast<std::size_t>(item)]);
  out["Links"] = {{"Chassis", link(fmt::format("Chassis/HGX_GPU_{}", n))}};
  out["Manufacturer"] = "NVIDIA";
  out["Model"] = kGpuModel;
  out["PartNumber"] = "2G548-0201-TS3";
  out["SerialNumber"] = w.gpuSerial(m, n);
  out["UUID"] = w.identity(m).uuid(w.gpuSerial(m, n));
  return out;
}

Json nvlink(std::string_view own, int n) {
  auto out = link(fmt::format("{}/NVLink_{}", own, n));
  out["@odata.type"] = "#Port.v1_4_0.Port";
  out["CurrentSpeedGbps"] = 425;  // FACTS: 53,125 MB/s a link
  out["Id"] = fmt::format("NVLink_{}", n);
  out["LinkState"] = "Enabled";
  out["LinkStatus"] = "LinkUp";
  out["Name"] = fmt::format("NVLink_{} Resource", n);
  out["PortProtocol"] = "NVLink";
  out["PortType"] = "BidirectionalPort";
  out["Status"] = healthy();
  return out;
}

std::optional<Json> nvlinks(const World& w, const Machine& m, const Path& p, int gpuIndex) {
  const auto own = fmt::format("Systems/HGX_Baseboard_0/Processors/GPU_{}/Ports", gpuIndex);
  const bool missing = w.missingGpu(m) == gpuIndex;
  if (missing) w.faults.showed(m.id, FaultKind::GpuMissing);
  if (p.size() == 5) {
    std::vector<std::string> members;
    for (int n = 0; n < kNvlinksPerGpu && !missing; ++n) members.push_back(fmt::format("NVLink_{}", n));
    return collection(own, "PortCollection", "NVLink Port Collection", members);
  }
  const int n = p.size() == 6 && !missing ? indexAfter(p[5], "NVLink_", kNvlinksPerGpu) : -1;
  if (n < 0) return std::nullopt;
  return nvlink(own, n);
}

std::optional<Json> processors(const World& w, const Machine& m, const Path& p) {
  const bool hgx = p[1] == "HGX_Baseboard_0";
  if (p.size() == 3) {
    std::vector<std::string> members{"CPU_0", "CPU_1"};
    for (int n = 0; n < kGpus && hgx; ++n) members.push_back(fmt::format("GPU_{}", n));
    return collection(fmt::format("Systems/{}/Processors", p[1]), "ProcessorCollection",
                      "Processor Collection", members);
  }
  if (const int n = indexAfter(p[3], "CPU_", kCpus); n >= 0 && p.size() == 4) return cpu(w, m, p[1], n);
  const int n = hgx ? indexAfter(p[3], "GPU_", kGpus) : -1;
  if (n < 0) return std::nullopt;
  if (p.size() == 4) return gpu(w, m, n);
  if (p[4] == "Ports") return nvlinks(w, m, p, n);
  return std::nullopt;
}

Json systemMemory(const World& w, const Machine& m, int n) {
  const auto id = fmt::format("ProcessorModule_{}_Memory_0", n);
  auto out = link("Systems/HGX_Baseboard_0/Memory/" + id);
  out["@odata.type"] = "#Memory.v1_20_0.Memory";
  out["CapacityMiB"] = kMemoryGiB / kCpus * 1024;
  out["Id"] = id;
  out["Manufacturer"] = "NVIDIA";
  out["MemoryDeviceType"] = "LPDDR5_SDRAM";
  out["MemoryType"] = "DRAM";
  out["Name"] = "DIMM Slot";
  out["OperatingSpeedMhz"] = 6400;
  out["PartNumber"] = "699-2G548-0201-TS3";
  out["SerialNumber"] = w.identity(m).decimal("92233", id, 14);
  out["Status"] = healthy();
  return out;
}

std::optional<Json> memory(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 3)
    return collection("Systems/HGX_Baseboard_0/Memory", "MemoryCollection", "Memory Module Collection",
                      {"ProcessorModule_0_Memory_0", "ProcessorModule_1_Memory_0"});
  for (int n = 0; n < kCpus; ++n)
    if (p.size() == 4 && p[3] == fmt::format("ProcessorModule_{}_Memory_0", n)) return systemMemory(w, m, n);
  return std::nullopt;
}

}  // namespace

std::optional<Json> systemsBranch(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1) {
    std::vector<std::string> members{"System_0"};
    if (m.hgxUp) members.emplace_back("HGX_Baseboard_0");
    return collection("Systems", "ComputerSystemCollection", "Computer System Collection", members);
  }
  const bool hgx = p[1] == "HGX_Baseboard_0";
  if (hgx ? !m.hgxUp : p[1] != "System_0") return std::nullopt;
  if (p.size() == 2) return hgx ? baseboard(w, m) : hostSystem(w, m);
  if (p[2] == "Processors") return processors(w, m, p);
  if (hgx) return p[2] == "Memory" ? memory(w, m, p) : std::nullopt;
  if (p.size() != 3) return std::nullopt;
  if (p[2] == "Settings") return hostSettings(m);
  if (p[2] == "ResetActionInfo")
    return actionInfo("Systems/System_0/ResetActionInfo", "Reset Action Info",
                      {"ForceOff", "PowerCycle", "Nmi", "GracefulShutdown", "On", "ForceOn",
                       "GracefulRestart", "ForceRestart"});
  return std::nullopt;
}

}  // namespace zellige::sim
