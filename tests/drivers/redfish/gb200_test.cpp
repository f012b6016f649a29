// The recorded GB200 compute tray, read as the workflows read it. Counts are made here by walking the recorded files,
// never by the code under test.
#include <algorithm>
#include <gmock/gmock.h>

#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

namespace fs = std::filesystem;

const fs::path v1 = mockups / gb200Tree / "redfish" / "v1";

/// Resources directly in a collection's folder.
std::vector<Json> walk(const fs::path& folder) {
  std::vector<Json> out;
  for (const auto& entry : fs::directory_iterator(v1 / folder))
    if (entry.is_directory()) out.push_back(readFile(entry.path() / "index.json"));
  return out;
}

template <class Predicate>
std::size_t countIf(const std::vector<Json>& all, Predicate predicate) {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), predicate));
}

bool idHas(const Json& resource, std::string_view fragment) {
  return resource.value("Id", "").find(fragment) != std::string::npos;
}

std::size_t ofKind(const Inventory& inventory, ComponentKind kind) {
  return static_cast<std::size_t>(std::count_if(inventory.components.begin(), inventory.components.end(),
                                                [&](const auto& c) { return c.kind == kind; }));
}

const Component* named(const Inventory& inventory, std::string_view name) {
  for (const auto& c : inventory.components)
    if (c.name == name) return &c;
  return nullptr;
}

class Gb200 : public ::testing::Test {
 protected:
  void SetUp() override { NEEDS_RECORDED_TREES(); }
  Bench bench;
};

TEST_F(Gb200, TellsWhatItIsInOneAnonymousExchange) {
  const auto identity = bench.run(bench.bmc().identify());
  ASSERT_TRUE(identity) << identity.error().what;
  const auto root = readFile(v1 / "index.json");
  EXPECT_EQ(identity->vendor, root.at("Vendor"));
  EXPECT_EQ(identity->product, root.at("Product"));
  EXPECT_EQ(identity->uuid, root.at("UUID"));
  EXPECT_EQ(identity->platform, "nvidia-openbmc-gb200");
  ASSERT_EQ(bench.machine.seen.size(), 1u);
  EXPECT_FALSE(bench.machine.seen[0].request.headers.has("X-Auth-Token"));
}

TEST_F(Gb200, AskingWhoItIsForgetsNoWay) {
  const auto before = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(before) << before.error().what;
  const auto root = readFile(v1 / "index.json");
  const Json identity{{"Vendor", root.at("Vendor")}, {"Product", root.at("Product")}};
  bench.machine.once("GET", "/redfish/v1/", jsonReply(200, identity));
  ASSERT_TRUE(bench.run(bench.bmc().identify()));
  const auto after = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(after->components.size(), before->components.size());
}

TEST_F(Gb200, InventoryCountsWhatTheTreeHolds) {
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  const auto chassis = walk("Chassis");
  const auto processors = walk("Systems/HGX_Baseboard_0/Processors");
  EXPECT_EQ(read->serial, readFile(v1 / "Chassis/Chassis_0/index.json").at("SerialNumber"));
  EXPECT_EQ(read->serial, "1333024020524");
  EXPECT_EQ(read->memoryGiB, 960);
  EXPECT_EQ(ofKind(*read, ComponentKind::Gpu),
            countIf(processors, [](const Json& p) { return p.at("ProcessorType") == "GPU"; }));
  EXPECT_EQ(ofKind(*read, ComponentKind::Cpu),
            countIf(processors, [](const Json& p) { return p.at("ProcessorType") == "CPU"; }));
  EXPECT_EQ(ofKind(*read, ComponentKind::Rot),
            countIf(chassis, [](const Json& c) { return idHas(c, "ERoT") || idHas(c, "IRoT"); }));
  EXPECT_EQ(ofKind(*read, ComponentKind::Cpld),
            countIf(chassis, [](const Json& c) { return idHas(c, "CPLD"); }));
  EXPECT_EQ(ofKind(*read, ComponentKind::Dpu),
            countIf(chassis, [](const Json& c) { return idHas(c, "BlueField"); }));
  EXPECT_EQ(ofKind(*read, ComponentKind::Bmc), 2u);  // BMC_0 and HGX_BMC_0
  EXPECT_EQ(ofKind(*read, ComponentKind::Memory), walk("Systems/System_0/Memory").size());
  std::size_t adapters = 0, drives = 0;
  for (const auto& entry : fs::recursive_directory_iterator(v1 / "Chassis")) {
    const auto parent = entry.path().parent_path();
    if (!entry.is_directory() || parent.parent_path().parent_path() != v1 / "Chassis") continue;
    if (parent.filename() == "NetworkAdapters" &&
        parent.parent_path().filename().string().find("BlueField") == std::string::npos)
      ++adapters;
    if (parent.filename() == "Drives") ++drives;
  }
  EXPECT_EQ(ofKind(*read, ComponentKind::Nic), adapters);
  EXPECT_EQ(ofKind(*read, ComponentKind::Drive), drives);
  EXPECT_EQ(ofKind(*read, ComponentKind::Psu), 0u);
}

TEST_F(Gb200, FirmwareListsEveryItemWithItsVersion) {
  const auto read = bench.run(bench.bmc().firmware());
  ASSERT_TRUE(read) << read.error().what;
  const auto items = walk("UpdateService/FirmwareInventory");
  EXPECT_EQ(read->size(), items.size());
  EXPECT_EQ(read->size(), 30u);
  for (const auto& json : items) {
    const auto it = std::find_if(read->begin(), read->end(),
                                 [&](const auto& f) { return f.id == json.at("Id"); });
    ASSERT_NE(it, read->end()) << json.at("Id");
    EXPECT_EQ(it->version, json.value("Version", ""));
    EXPECT_EQ(it->updateable, json.value("Updateable", false));
    EXPECT_EQ(it->absent, json.at("Status").value("State", "") == "Absent");
  }
}

TEST_F(Gb200, FindsAllFourGpusIncompleteAndSickWhateverTheirStatusSays) {
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  for (const auto* name : {"GPU_0", "GPU_1", "GPU_2", "GPU_3"}) {
    const auto* gpu = named(*read, name);
    ASSERT_NE(gpu, nullptr) << name;
    const auto json = readFile(v1 / "Systems/HGX_Baseboard_0/Processors" / name / "index.json");
    EXPECT_EQ(json.at("Status").at("Health"), "OK");  // which is what it says
    EXPECT_FALSE(gpu->complete);
    EXPECT_TRUE(gpu->sick);
    EXPECT_NE(gpu->why.find("no NVLink ports"), std::string::npos) << gpu->why;
    EXPECT_NE(gpu->why.find("HGX_FW_GPU"), std::string::npos) << gpu->why;
  }
}

TEST_F(Gb200, AHealthyGpuIsComplete) {
  const std::string gpu = "/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_2";
  bench.machine.overlay(gpu, {{"Model", "GB200"}, {"SerialNumber", " 1654 "}});
  bench.machine.overlay(gpu + "/Ports",
                        {{"Members", Json::array({Json{{"@odata.id", gpu + "/Ports/NVLink_0"}}})}});
  bench.machine.overlay("/redfish/v1/UpdateService/FirmwareInventory/HGX_FW_GPU_2",
                        {{"Status", {{"State", "Enabled"}, {"Health", "OK"}}}});
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  const auto* part = named(*read, "GPU_2");
  ASSERT_NE(part, nullptr);
  EXPECT_TRUE(part->complete) << part->why;
  EXPECT_FALSE(part->sick) << part->why;
  EXPECT_EQ(part->serial, "1654");
  EXPECT_FALSE(named(*read, "GPU_1")->complete);
}

TEST_F(Gb200, ACriticalChassisMakesItsProcessorSick) {
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(readFile(v1 / "Chassis/HGX_CPU_0/index.json").at("Status").at("Health"), "Critical");
  const auto* cpu = named(*read, "CPU_0");
  ASSERT_NE(cpu, nullptr);
  EXPECT_TRUE(cpu->sick);
  EXPECT_NE(cpu->why.find("HGX_CPU_0"), std::string::npos);
  EXPECT_EQ(named(*read, "HGX_CPU_0"), nullptr);  // the CPU's chassis is not another part
}

TEST_F(Gb200, HostAndBmcStateAreReadAsRecorded) {
  const auto host = bench.run(bench.bmc().host());
  ASSERT_TRUE(host) << host.error().what;
  EXPECT_EQ(host->power, HostPower::On);
  EXPECT_EQ(host->bootProgress, "OSRunning");
  EXPECT_EQ(host->lastReset, "2025-01-06T04:52:19+00:00");
  const auto state = bench.run(bench.bmc().state());
  ASSERT_TRUE(state) << state.error().what;
  EXPECT_EQ(state->firmware, "GB200Nvl-24.12-8");
  EXPECT_EQ(state->lastReset, "2024-12-21T02:59:45+00:00");
  EXPECT_TRUE(state->baseboardPresent);
}

TEST_F(Gb200, ALookAtTheHostCostsOneExchangeOnceTheWayIsKnown) {
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  ASSERT_TRUE(bench.run(bench.bmc().firmware()));
  ASSERT_TRUE(bench.run(bench.bmc().tasks()));
  ASSERT_TRUE(bench.run(bench.bmc().leakDetected()));
  const auto before = bench.machine.seen.size();
  ASSERT_TRUE(bench.run(bench.bmc().host()));
  EXPECT_EQ(bench.machine.seen.size(), before + 1);
  ASSERT_TRUE(bench.run(bench.bmc().firmware()));
  EXPECT_EQ(bench.machine.seen.size(), before + 2);
  ASSERT_TRUE(bench.run(bench.bmc().tasks()));
  EXPECT_EQ(bench.machine.seen.size(), before + 3);
  ASSERT_TRUE(bench.run(bench.bmc().leakDetected()));
  EXPECT_EQ(bench.machine.seen.size(), before + 4);
}

TEST_F(Gb200, AVanishedBaseboardIsSeenAndSeenAgainWhenItIsBack) {
  const std::string baseboard = "/redfish/v1/Systems/HGX_Baseboard_0";
  bench.machine.once("GET", baseboard, jsonReply(404, Json::object()));
  auto state = bench.run(bench.bmc().state());
  ASSERT_TRUE(state) << state.error().what;
  EXPECT_FALSE(state->baseboardPresent);
  bench.machine.once("GET", baseboard, jsonReply(200, {{"@odata.id", baseboard}, {"Id", "HGX_Baseboard_0"}}));
  EXPECT_FALSE(bench.run(bench.bmc().state())->baseboardPresent);  // bare properties
  EXPECT_TRUE(bench.run(bench.bmc().state())->baseboardPresent);
}

TEST_F(Gb200, ABaseboardThatIsNotListedIsLookedForAgain) {
  const Json alone = Json::array({Json{{"@odata.id", "/redfish/v1/Systems/System_0"}}});
  bench.machine.overlay("/redfish/v1/Systems", {{"Members", alone}});
  EXPECT_FALSE(bench.run(bench.bmc().state())->baseboardPresent);
  bench.machine.overlay("/redfish/v1/Systems",
                        {{"Members", readFile(v1 / "Systems/index.json").at("Members")}});
  EXPECT_TRUE(bench.run(bench.bmc().state())->baseboardPresent);
}

HttpReply text(int status, std::string body) { return HttpReply{status, {}, std::move(body)}; }

TEST_F(Gb200, AListedFirmwareItemThatDoesNotAnswerIsUnreadNotAnError) {
  bench.machine.expands = false;
  const std::string items = "/redfish/v1/UpdateService/FirmwareInventory/";
  bench.machine.always("GET", items + "HGX_FW_CPU_0", jsonReply(404, Json::object()));
  bench.machine.always("GET", items + "HGX_FW_CPU_1", text(500, "oops"));
  bench.machine.always("GET", items + "HGX_FW_BMC_0", text(200, "{\"Id\": \"HGX_FW"));
  const auto read = bench.run(bench.bmc().firmware());
  ASSERT_TRUE(read) << read.error().what;
  ASSERT_EQ(read->size(), 30u);
  std::size_t unread = 0;
  for (const auto& item : *read) {
    if (!item.unread) continue;
    ++unread;
    EXPECT_EQ(item.version, "") << item.id;
    EXPECT_EQ(item.absent, item.id == "HGX_FW_CPU_0") << "only a 404 says that it is not there";
  }
  EXPECT_EQ(unread, 3u);
}

TEST_F(Gb200, AnInventoryThatWasReadWholeSaysSo) {
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->incomplete, "");
}

TEST_F(Gb200, AMachineThatAnswersEachRequestLateIsNotReadForHours) {
  bench.machine.expands = false;
  bench.machine.latency = 50s;  // within the limit of every single request
  const auto began = bench.time.now();
  const auto inventory = bench.run(bench.bmc().inventory());
  ASSERT_FALSE(inventory);
  EXPECT_EQ(inventory.error().code, Errc::Timeout);
  EXPECT_THAT(inventory.error().what, ::testing::HasSubstr("20 min"));
  EXPECT_LT(bench.time.now() - began, 23min);
  bench.machine.latency = 50ms;
  EXPECT_TRUE(bench.run(bench.bmc().inventory())) << "and the limit is gone with the reading";
}

// Each resource in turn answers as a BMC does that is busy, cut short or half awake.
TEST_F(Gb200, AnInventoryThatWasReadHalfWayNamesWhatIsMissing) {
  const std::string v1Path = "/redfish/v1/";
  for (const std::string uri :
       {"UpdateService/FirmwareInventory", "UpdateService/FirmwareInventory/HGX_FW_CPU_0", "Chassis",
        "Chassis/Chassis_0", "Systems/System_0", "Systems/System_0/Memory",
        "Systems/HGX_Baseboard_0/Processors", "Systems/HGX_Baseboard_0/Processors/GPU_0",
        "Systems/HGX_Baseboard_0/Processors/GPU_1/Ports"}) {
    for (const auto& reply : {text(500, "oops"), text(200, "[1, 2"), text(200, "[]")}) {
      Bench half;
      half.machine.expands = false;
      half.machine.always("GET", v1Path + uri, reply);
      const auto read = half.run(half.bmc().inventory());
      ASSERT_TRUE(read) << uri << ": " << read.error().what;
      EXPECT_NE(read->incomplete.find(v1Path + uri), std::string::npos)
          << uri << ", " << reply.status << ' ' << reply.body << ": " << read->incomplete;
    }
  }
  const auto processors = v1Path + "Systems/HGX_Baseboard_0/Processors";
  bench.machine.expands = false;
  for (int i = 0; i < 2; ++i)  // once expanded, once not
    bench.machine.once("GET", processors, Error{Errc::BadReply, "10.0.0.1: the reply was cut short"});
  const auto cut = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(cut) << cut.error().what;
  EXPECT_EQ(cut->incomplete, processors + ": 10.0.0.1: the reply was cut short");
}

TEST_F(Gb200, ABaseboardWithBarePropertiesIsNotReadYet) {
  bench.machine.overlay("/redfish/v1/Systems/HGX_Baseboard_0", {{"Processors", nullptr}});
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->incomplete, "/redfish/v1/Systems/HGX_Baseboard_0: listed with bare properties");
}

// A GPU that is listed and answers 404 is an incomplete part, not an inventory to be read again.
TEST_F(Gb200, ANotFoundIsAnAnswer) {
  bench.machine.expands = false;
  bench.machine.always("GET", "/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_0",
                       jsonReply(404, Json::object()));
  const auto read = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->incomplete, "");
  ASSERT_NE(named(*read, "GPU_0"), nullptr);
  EXPECT_FALSE(named(*read, "GPU_0")->complete);
}

TEST_F(Gb200, LeakDetectorsAreReadOfTheOneChassisThatHasThem) {
  const std::string coldPlate =
      "/redfish/v1/Chassis/Chassis_0/ThermalSubsystem/LeakDetection/LeakDetectors/"
      "Chassis_0_LeakDetector_1_ColdPlate";
  const auto wet = bench.run(bench.bmc().leakDetected());
  ASSERT_TRUE(wet) << wet.error().what;
  EXPECT_TRUE(*wet);  // this very detector was recorded Critical
  bench.machine.overlay(coldPlate, {{"DetectorState", "OK"}});
  EXPECT_FALSE(*bench.run(bench.bmc().leakDetected()));
  bench.machine.overlay(coldPlate, {{"DetectorState", "Warning"}});
  EXPECT_TRUE(*bench.run(bench.bmc().leakDetected()));
}

TEST_F(Gb200, ALeakDetectorThatTellsNothingVouchesForNothing) {
  const std::string detectors = "/redfish/v1/Chassis/Chassis_0/ThermalSubsystem/LeakDetection/LeakDetectors";
  bench.machine.overlay(detectors + "/Chassis_0_LeakDetector_1_ColdPlate", {{"DetectorState", nullptr}});
  const auto wet = bench.run(bench.bmc().leakDetected());
  ASSERT_FALSE(wet);
  EXPECT_EQ(wet.error().code, Errc::BadReply);
}

TEST_F(Gb200, SettingsAreReadWithDisabledSyslogAsNone) {
  const auto settings = bench.run(bench.bmc().settings());
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->powerRestorePolicy, "LastState");
  EXPECT_TRUE(settings->ntp.empty());
  EXPECT_EQ(settings->syslogAddress, "");
}

}  // namespace
}  // namespace zellige::redfish
