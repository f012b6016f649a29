#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/tree.hpp"

namespace zellige::sim {

namespace {

/// One member of Chassis as the recorded tray has it. `serial`: the number's fixed beginning; "tray": the
/// tray's own; empty: the recorded one is empty; "-": it has none.
struct Part {
  std::string_view id, type, manufacturer, model, partNumber, serial, sku;
  bool rootOfTrust = false, manualBoot = false;
};

constexpr std::string_view kErotSku = "0x4D35368B";

constexpr std::array kParts{
    Part{"BMC_0", "Component", "NVIDIA", "GB200 NVL", "699-13809-0404-600", "15831", ""},
    Part{"CBC_0", "Component", "Nvidia", "1-SLOT GB CBC", "755-0098-000", "17829", ""},
    Part{"CBC_1", "Component", "Nvidia", "1-SLOT GB CBC", "755-0098-000", "17829", ""},
    Part{"CBC_2", "Component", "Nvidia", "1-SLOT GB CBC", "755-0098-000", "17829", ""},
    Part{"CBC_3", "Component", "Nvidia", "1-SLOT GB CBC", "755-0098-000", "17829", ""},
    Part{"CPLD_0", "Module", "Lattice", "BP", "999-0099-000", "0x", ""},
    Part{"CPLD_1", "Module", "Lattice", "BP", "999-0099-000", "0x", ""},
    Part{"CPLD_2", "Module", "Lattice", "IPEX", "999-0099-000", "0x", ""},
    Part{"CPLD_3", "Module", "Lattice", "IPEX", "999-0099-000", "0x", ""},
    Part{"Chassis_0", "Shelf", "NVIDIA", "GB200 NVL", "699-25859-0310-TS3", "tray", ""},
    Part{"ERoT_BMC_0", "Component", "NVIDIA", "", "", "", kErotSku, true},
    Part{"IO_Board_0", "Component", "NVIDIA", kNicModel, "699-24768-0000-TS3", "15831", ""},
    Part{"IO_Board_1", "Component", "NVIDIA", kNicModel, "699-24768-0000-TS3", "15829", ""},
    Part{"IRoT_CX7_0", "Component", "NVIDIA", "", "", "", ""},
    Part{"NVME_M2_0", "Component", "NVIDIA", "NVIDIA NVMe M.2 Backplane", "", "-", ""},
    Part{"PDB_0", "Component", "NVIDIA", "P5859 B01", "699-25859-0310-TS3", "tray", ""},
    Part{"Riser_Slot1_BlueField_3_DPU", "Component", "Nvidia", kDpuModel, "900-9D3B6-00CN-PA0", "MT2425X", ""},
    Part{"Riser_Slot2_BlueField_3_DPU", "Component", "Nvidia", kDpuModel, "900-9D3B6-00CN-PA0", "MT2425X", ""},
    Part{"StorageBackplane_0", "Component", "NVIDIA", "NVIDIA NVMe E1.S Backplane", "", "-", ""},
    Part{"StorageBackplane_1", "Component", "NVIDIA", "NVIDIA NVMe E1.S Backplane", "", "-", ""},
    Part{"HGX_BMC_0", "Component", "NVIDIA", "GB200 NVL", "699-24764-0001-TS3", "13331", "0xB3000010"},
    Part{"HGX_CPLD_0", "Component", "Intel", "MAX10 10M08", "115-3953-000", "NA", ""},
    Part{"HGX_CPU_0", "Component", "NVIDIA", kCpuModel, "699-2G548-0201-TS3", "cpu", "0x23000038"},
    Part{"HGX_CPU_1", "Component", "NVIDIA", kCpuModel, "699-2G548-0201-TS3", "cpu", "0x23000038"},
    Part{"HGX_Chassis_0", "Zone", "NVIDIA", "GB200 NVL", "N/A", "N/A", "N/A"},
    Part{"HGX_ERoT_BMC_0", "Component", "NVIDIA", "", "", "0x", kErotSku, true},
    Part{"HGX_ERoT_CPU_0", "Component", "NVIDIA", "", "", "0x", kErotSku, true, true},
    Part{"HGX_ERoT_CPU_1", "Component", "NVIDIA", "", "", "0x", kErotSku, true, true},
    Part{"HGX_ERoT_FPGA_0", "Component", "NVIDIA", "", "", "0x", kErotSku, true},
    Part{"HGX_ERoT_FPGA_1", "Component", "NVIDIA", "", "", "0x", kErotSku, true},
    Part{"HGX_FPGA_0", "Component", "NVIDIA", "NA", "115-3916-000", "NA", "0x00000050"},
    Part{"HGX_FPGA_1", "Component", "", "", "115-3916-000", "-", ""},
    Part{"HGX_GPU_0", "Component", "", "", "", "gpu", ""},
    Part{"HGX_GPU_1", "Component", "", "", "", "gpu", ""},
    Part{"HGX_GPU_2", "Component", "", "", "", "gpu", ""},
    Part{"HGX_GPU_3", "Component", "", "", "", "gpu", ""},
    Part{"HGX_IRoT_GPU_0", "Component", "NVIDIA", "", "", "0x", "", true},
    Part{"HGX_IRoT_GPU_1", "Component", "NVIDIA", "", "", "0x", "", true},
    Part{"HGX_IRoT_GPU_2", "Component", "NVIDIA", "", "", "0x", "", true},
    Part{"HGX_IRoT_GPU_3", "Component", "NVIDIA", "", "", "0x", "", true},
    Part{"HGX_ProcessorModule_0", "Module", "NVIDIA", "PG548", "699-2G548-0201-TS3", "16430", ""},
    Part{"HGX_ProcessorModule_1", "Module", "NVIDIA", "PG548", "699-2G548-0201-TS3", "16430", ""},
};

bool isHgx(std::string_view id) { return id.starts_with("HGX_"); }
bool hasAdapters(std::string_view id) { return id.starts_with("IO_Board_") || id.starts_with("Riser_"); }

std::string serialOf(const World& w, const Machine& m, const Part& part) {
  const auto identity = w.identity(m);
  if (part.serial == "tray") return identity.serial();
  if (part.serial == "cpu") return "0x" + identity.hex(part.id.substr(4), 32);
  if (part.serial == "0x") return "0x" + identity.hex(part.id, 16);
  if (part.serial == "MT2425X") return "MT2425X" + identity.hex(part.id, 5);
  if (part.serial.size() == 5) return identity.decimal(part.serial, part.id, 8);
  return std::string(part.serial);  // "", "NA", "N/A" as recorded
}

Json rootOfTrust(const Machine& m, const Part& part) {
  const bool copying = isHgx(part.id) ? m.computeCopying : m.trayCopying;
  Json out = {{"@odata.type", "#NvidiaChassis.v1_3_0.NvidiaRoTChassis"},
              {"AutomaticBackgroundCopyEnabled", true},
              {"BackgroundCopyStatus", copying ? "InProgress" : "Completed"}};
  if (part.manualBoot) out["ManualBootModeEnabled"] = false;
  return out;
}

void addGpu(const World& w, const Machine& m, int n, Json& out) {
  if (w.missingGpu(m) == n) return w.faults.showed(m.id, FaultKind::GpuMissing);
  out["Manufacturer"] = "NVIDIA";
  out["Model"] = kGpuModel;
  out["SerialNumber"] = w.gpuSerial(m, n);
}

Json chassis(const World& w, const Machine& m, const Part& part) {
  const auto own = fmt::format("Chassis/{}", part.id);
  const bool hgx = isHgx(part.id);
  auto out = link(own);
  out["@odata.type"] = "#Chassis.v1_22_0.Chassis";
  out["ChassisType"] = part.type;
  out["Id"] = part.id;
  out["Name"] = part.id;
  out["Links"] = {
      {"ComputerSystems", Json::array({link(hgx ? "Systems/HGX_Baseboard_0" : "Systems/System_0")})},
      {"ManagedBy", Json::array({link(hgx ? "Managers/HGX_BMC_0" : "Managers/BMC_0")})}};
  out["Status"] = healthy();
  if (!part.manufacturer.empty()) out["Manufacturer"] = part.manufacturer;
  if (!part.model.empty()) out["Model"] = part.model;
  if (!part.partNumber.empty()) out["PartNumber"] = part.partNumber;
  if (part.serial != "-" && part.serial != "gpu") out["SerialNumber"] = serialOf(w, m, part);
  if (!part.sku.empty()) out["SKU"] = part.sku;
  const bool trust = part.rootOfTrust || part.id == "IRoT_CX7_0";
  if (!trust) out["PowerState"] = m.hostOn() || !hgx ? "On" : "Off";
  if (!trust && !hgx) out["LocationIndicatorActive"] = m.locationLed && part.id == "Chassis_0";
  if (part.rootOfTrust) out["Oem"] = {{"Nvidia", rootOfTrust(m, part)}};
  if (part.serial == "gpu") addGpu(w, m, part.id.back() - '0', out);
  if (hasAdapters(part.id)) out["NetworkAdapters"] = link(own + "/NetworkAdapters");
  if (part.id == "Chassis_0") out["ThermalSubsystem"] = link(own + "/ThermalSubsystem");
  if (part.id == "BMC_0")
    out["Actions"] = {
        {"Oem",
         {{"#NvidiaChassis.AuxPowerReset",
           {{"@Redfish.ActionInfo", "/redfish/v1/Chassis/BMC_0/Oem/Nvidia/AuxPowerResetActionInfo"},
            {"target", "/redfish/v1/Chassis/BMC_0/Actions/Oem/NvidiaChassis.AuxPowerReset"}}}}}};
  return out;
}

std::vector<std::string> adaptersOf(std::string_view id) {
  if (id.starts_with("Riser_")) return {std::string(id)};
  return {fmt::format("{}_CX7_1", id), fmt::format("{}_CX7_0", id)};
}

std::optional<Json> adapters(const World& w, const Machine& m, const Path& p, const Part& part) {
  const auto own = fmt::format("Chassis/{}/NetworkAdapters", part.id);
  const auto members = adaptersOf(part.id);
  if (p.size() == 3)
    return collection(own, "NetworkAdapterCollection", "Network Adapter Collection", members);
  for (const auto& id : members) {
    if (p.size() != 4 || p[3] != id) continue;
    auto out = link(own + "/" + id);
    out["@odata.type"] = "#NetworkAdapter.v1_9_0.NetworkAdapter";
    out["Controllers"] = Json::array();
    out["Id"] = id;
    out["Manufacturer"] = part.manufacturer;
    out["Model"] = part.model;
    out["Name"] = id;
    out["PartNumber"] = part.partNumber;
    out["SerialNumber"] = serialOf(w, m, part);
    out["Status"] = {{"Conditions", Json::array()}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
    return out;
  }
  return std::nullopt;
}

Json leakDetector(const World& w, const Machine& m, const std::string& id) {
  const bool leaks = w.faults.has(m.id, FaultKind::Leak);
  if (leaks) w.faults.showed(m.id, FaultKind::Leak);
  auto out = link("Chassis/Chassis_0/ThermalSubsystem/LeakDetection/LeakDetectors/" + id);
  auto name = id;
  for (auto& c : name)
    if (c == '_') c = ' ';
  out["@odata.type"] = "#LeakDetector.v1_1_0.LeakDetector";
  out["DetectorState"] = leaks ? "Critical" : "OK";
  out["Id"] = id;
  out["LeakDetectorType"] = "Moisture";
  out["Name"] = name;
  out["Status"] = {{"Health", leaks ? "Critical" : "OK"}, {"State", "Enabled"}};
  return out;
}

std::optional<Json> thermal(const World& w, const Machine& m, const Path& p) {
  static const std::vector<std::string> detectors{
      "Chassis_0_LeakDetector_0_ColdPlate", "Chassis_0_LeakDetector_0_Manifold",
      "Chassis_0_LeakDetector_1_ColdPlate", "Chassis_0_LeakDetector_1_Manifold"};
  const std::string own = "Chassis/Chassis_0/ThermalSubsystem";
  const Json status = {{"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
  auto out = link(own);
  if (p.size() == 3) {
    out["@odata.type"] = "#ThermalSubsystem.v1_3_0.ThermalSubsystem";
    out["Id"] = "ThermalSubsystem";
    out["LeakDetection"] = link(own + "/LeakDetection");
    out["Name"] = "Thermal Subsystem";
    out["Status"] = status;
    return out;
  }
  if (p[3] != "LeakDetection") return std::nullopt;
  if (p.size() == 4) {
    out = link(own + "/LeakDetection");
    out["@odata.type"] = "#LeakDetection.v1_0_0.LeakDetection";
    out["Id"] = "LeakDetection";
    out["LeakDetectors"] = link(own + "/LeakDetection/LeakDetectors");
    out["Name"] = "Leak Detection Systems";
    out["Status"] = status;
    return out;
  }
  if (p[4] != "LeakDetectors") return std::nullopt;
  if (p.size() == 5)
    return collection(own + "/LeakDetection/LeakDetectors", "LeakDetectorCollection",
                      "Leak Detector Collection", detectors);
  for (const auto& id : detectors)
    if (p.size() == 6 && p[5] == id) return leakDetector(w, m, id);
  return std::nullopt;
}

}  // namespace

std::optional<Json> chassisBranch(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1) {
    std::vector<std::string> members;
    for (const auto& part : kParts)
      if (m.hgxUp || !isHgx(part.id)) members.emplace_back(part.id);
    return collection("Chassis", "ChassisCollection", "Chassis Collection", members);
  }
  for (const auto& part : kParts) {
    if (part.id != p[1]) continue;
    if (isHgx(part.id) && !m.hgxUp) return std::nullopt;
    if (p.size() == 2) return chassis(w, m, part);
    if (p[2] == "NetworkAdapters" && hasAdapters(part.id)) return adapters(w, m, p, part);
    if (p[2] == "ThermalSubsystem" && part.id == "Chassis_0") return thermal(w, m, p);
    if (part.id == "BMC_0" && p.size() == 5 && p[2] == "Oem" && p[3] == "Nvidia" &&
        p[4] == "AuxPowerResetActionInfo")
      return actionInfo("Chassis/BMC_0/Oem/Nvidia/AuxPowerResetActionInfo",
                        "Auxillary Power Reset Action Info", {"AuxPowerCycle"});
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace zellige::sim
