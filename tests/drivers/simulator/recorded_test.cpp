// The generated tree against the recorded GB200 tray: every property exists there with the same JSON type, or
// is in the table of exceptions with the line of FACTS.md (or the other recorded machine) that it comes from.
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

const std::filesystem::path kMockups = recordedMachines();
const std::string kTray = "nvidia-gb200-nvl-compute-tray";

/// Resources that the recorded tray does not have at that place: where their shape comes from.
struct Stand {
  std::string_view prefix, suffix;  ///< of the generated path
  std::string_view machine, path;   ///< recorded resource that has its shape
  std::string_view facts;
};
constexpr Stand kStands[] = {
    {"/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_", "/Ports/NVLink_", "nvidia-dgx-h100",
     "/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_SXM_1/Ports/NVLink_0",
     "FACTS 9: NVLink: GPU Ports/NVLink_n (18); the recorded tray is sick and has none"},
    {"/redfish/v1/TaskService/Tasks/", "", "nvidia-dgx-h100", "/redfish/v1/TaskService/Tasks/1",
     "FACTS 6: Task in body: ids `0` (BMC) or `HGX_0` (forwarded); no task ran when the tray was recorded"},
    {"/redfish/v1/SessionService/Sessions/", "", "nvidia-gb200-nvl-compute-tray",
     "/redfish/v1/SessionService/Sessions/X1JfsSvfPq", "session ids are made up by the BMC"},
};

/// Properties that the recorded resource lacks.
struct Exception {
  std::string_view path;      ///< prefix of the generated path
  std::string_view property;  ///< pointer inside the resource
  Json::value_t type;
  std::string_view facts;
};
constexpr auto kText = Json::value_t::string;
constexpr auto kNumber = Json::value_t::number_unsigned;
constexpr auto kObject = Json::value_t::object;
constexpr std::string_view kHealthyGpu =
    "FACTS 9: the recorded tray's GPUs are dead: no Model, Serial or Ports; healthy ones in "
    "supermicro-gb300-partial-gpu";
constexpr std::string_view kGpuPath = "/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_";
const Exception kExceptions[] = {
    {kGpuPath, "/Manufacturer", kText, kHealthyGpu},
    {kGpuPath, "/Model", kText, kHealthyGpu},
    {kGpuPath, "/SerialNumber", kText, kHealthyGpu},
    {kGpuPath, "/FirmwareVersion", kText, kHealthyGpu},
    {kGpuPath, "/PartNumber", kText, kHealthyGpu},
    {kGpuPath, "/UUID", kText, kHealthyGpu},
    {kGpuPath, "/Links", kObject, kHealthyGpu},
    {kGpuPath, "/Members/*", kObject, "FACTS 9: NVLink: GPU Ports/NVLink_n (18)"},
    {"/redfish/v1/Chassis/HGX_GPU_", "/Manufacturer", kText, kHealthyGpu},
    {"/redfish/v1/Chassis/HGX_GPU_", "/Model", kText, kHealthyGpu},
    {"/redfish/v1/Chassis/HGX_GPU_", "/SerialNumber", kText, kHealthyGpu},
    {"/redfish/v1/Managers/BMC_0/VirtualMedia/USB", "/Image", kText, "FACTS 5: insert, verify Image"},
    {"/redfish/v1/Managers/BMC_0/VirtualMedia/USB", "/ImageName", kText,
     "FACTS 5; no media was in when recorded"},
    {"/redfish/v1/Managers/BMC_0/NetworkProtocol", "/NTP/NTPServers/*", kText, "the recorded list is empty"},
    {"/redfish/v1/TaskService/Tasks", "/Members/*", kObject,
     "FACTS 6: OpenBMC keeps tasks in RAM; none was recorded"},
    {"/redfish/v1/TaskService/Tasks/", "/PercentComplete", kNumber,
     "FACTS 6: progress on GB200 jumps 20, 40, 100"},
    {"/redfish/v1/TaskService/Tasks/", "/TaskMonitor", kText, "FACTS 6: OpenBMC Location may end in /Monitor"},
};

std::string kind(const Json& json) { return json.is_number() ? "number" : json.type_name(); }

std::optional<Json> recorded(const std::filesystem::path& machine, std::string_view path) {
  std::ifstream in(machine / std::string(path.substr(1)) / "index.json");
  if (!in) return std::nullopt;
  return Json::parse(in, nullptr, false);
}

/// The recorded resource that `path` is compared with.
std::optional<Json> counterpart(const std::string& path) {
  for (const auto& stand : kStands)
    if (path.starts_with(stand.prefix) && path.find(stand.suffix, stand.prefix.size()) != std::string::npos)
      return recorded(kMockups / stand.machine, stand.path);
  return recorded(kMockups / kTray, path);
}

bool excepted(const std::string& path, const std::string& property, const Json& value) {
  for (const auto& e : kExceptions)
    if (path.starts_with(e.path) && property == e.property && kind(value) == kind(Json(e.type))) return true;
  return false;
}

/// Compares what was generated with all recorded values that stand at the same place.
void compare(const std::string& path, const std::string& where, const Json& generated,
             const std::vector<const Json*>& known, std::vector<std::string>& wrong) {
  if (known.empty()) {
    if (!excepted(path, where, generated))
      wrong.push_back(fmt::format("{}{} ({}) is not recorded", path, where, kind(generated)));
    return;
  }
  if (std::none_of(known.begin(), known.end(), [&](const Json* k) { return kind(*k) == kind(generated); }))
    return wrong.push_back(
        fmt::format("{}{} is {}, recorded {}", path, where, kind(generated), kind(*known[0])));
  if (generated.is_object()) {
    for (const auto& [key, value] : generated.items()) {
      std::vector<const Json*> below;
      for (const auto* k : known)
        if (k->is_object() && k->contains(key)) below.push_back(&(*k)[key]);
      compare(path, fmt::format("{}/{}", where, key), value, below, wrong);
    }
  } else if (generated.is_array()) {
    std::vector<const Json*> below;
    for (const auto* k : known)
      for (const auto& element : *k) below.push_back(&element);
    for (const auto& element : generated) compare(path, where + "/*", element, below, wrong);
  }
}

void collectLinks(const Json& json, std::set<std::string>& links) {
  if (json.is_object())
    for (const auto& [key, value] : json.items()) {
      if ((key == "@odata.id" || key == "@Redfish.ActionInfo" || key == "TaskMonitor") && value.is_string())
        links.insert(value.get<std::string>());
      collectLinks(value, links);
    }
  if (json.is_array())
    for (const auto& value : json) collectLinks(value, links);
}

/// Every resource that can be reached from the root.
std::map<std::string, Json> crawl(Bmc& bmc) {
  std::map<std::string, Json> out;
  std::set<std::string> todo{"/redfish/v1"};
  while (!todo.empty()) {
    const auto path = *todo.begin();
    todo.erase(todo.begin());
    if (out.contains(path)) continue;
    const auto d = bmc.get(path);
    EXPECT_LT(d.reply.status, 300) << "a link leads to " << path;
    auto& json = out[path] = Json::parse(d.reply.body, nullptr, false);
    std::set<std::string> links;
    collectLinks(json, links);
    for (const auto& link : links)
      if (!out.contains(link)) todo.insert(link);
  }
  return out;
}

/// With media in, settings set, a task there: as much as a tray can show.
void makeBusy(Bmc& bmc) {
  bmc.insert(kMediaUrl);
  bmc.patch(kManager + "/NetworkProtocol", R"({"NTP":{"NTPServers":["10.0.0.1"]}})");
  bmc.pushCompute();
}

TEST(Recorded, EveryPropertyIsThatOfTheRecordedMachine) {
  if (!std::filesystem::exists(kMockups / kTray)) {
    if (std::getenv("CI") != nullptr) FAIL() << kMockups << " is missing, and CI is set";
    std::cout << "[ NOT RUN  ] no recorded machines at " << kMockups << "\n";
    GTEST_SKIP();
  }
  FleetOptions options;
  options.scripted = {{1, FaultKind::GpuMissing, {}, 0, 1}};
  Hall hall(options);
  for (int machine = 0; machine < 2; ++machine) {
    Bmc bmc(hall, machine);
    bmc.takeOver();
    makeBusy(bmc);
    const auto resources = crawl(bmc);
    EXPECT_GT(resources.size(), machine == 0 ? 200u : 180u);
    std::vector<std::string> wrong;
    for (const auto& [path, json] : resources) {
      if (path.ends_with("/Monitor")) continue;  // the task itself, under another name
      const auto known = counterpart(path);
      if (!known)
        wrong.push_back(path + " is not recorded");
      else
        compare(path, "", json, {&*known}, wrong);
    }
    EXPECT_TRUE(wrong.empty()) << wrong.size() << " deviations: " << fmt::format("{}", fmt::join(wrong, "\n"));
    hall.pass(1min);
  }
}

TEST(Recorded, TheTrayHasTheSameFirmwareItemsAndChassis) {
  if (!std::filesystem::exists(kMockups / kTray)) GTEST_SKIP() << "no recorded machines at " << kMockups;
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  for (const std::string path :
       {"/redfish/v1/UpdateService/FirmwareInventory", "/redfish/v1/Chassis", "/redfish/v1/Managers",
        "/redfish/v1/Systems", "/redfish/v1/Systems/HGX_Baseboard_0/Processors"})
    EXPECT_EQ(bmc.json(path)["Members"], (*counterpart(path))["Members"]) << path;
  const auto items = bmc.json("/redfish/v1/UpdateService/FirmwareInventory");
  for (const auto& member : items["Members"]) {
    const auto path = member["@odata.id"].get<std::string>();
    const auto known = *counterpart(path);
    const auto json = bmc.json(path);
    EXPECT_EQ(json.value("SoftwareId", ""), known.value("SoftwareId", "")) << path;
    EXPECT_EQ(json["Updateable"], known["Updateable"]) << path;
    if (path.ends_with("HGX_FW_GPU_1")) continue;  // the recorded GPUs differ from one another
    EXPECT_EQ(json["Version"], known["Version"]) << path;
  }
}

TEST(Recorded, EveryLinkOfAHealthyTrayLeadsSomewhere) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  makeBusy(bmc);
  EXPECT_GT(crawl(bmc).size(), 200u);  // crawl expects a good answer to each
}

}  // namespace
}  // namespace zellige::sim
