// Updates: what is accepted, what it takes, when it becomes active, and what happens to those who do it
// wrong.
#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

constexpr std::string_view kOldBmc = "GB200Nvl-24.12-8", kNewBmc = "GB200Nvl-26.01-1";

const ItemTruth& item(const GroundTruth& truth, std::string_view id) {
  for (const auto& i : truth.firmware)
    if (i.id == id) return i;
  throw std::out_of_range(std::string(id));
}

/// Signed in, factory firmware, host off.
struct Firmware : testing::Test {
  Firmware() : bmc(hall, 0) { bmc.takeOver(); }
  Hall hall;
  Bmc bmc;
};

TEST_F(Firmware, AnswersAPushWithATaskWhoseProgressJumps) {
  const auto d = bmc.pushBmcTray();
  EXPECT_EQ(d.reply.status, 202);
  EXPECT_EQ(readString(Json::parse(d.reply.body), "Id"), "0");
  EXPECT_EQ(d.reply.headers.get("Location"), "/redfish/v1/TaskService/Tasks/0/Monitor");
  std::vector<std::int64_t> seen;
  for (int i = 0; i < 110; ++i) {
    const auto percent = readInt(bmc.json(kTask + "0"), "PercentComplete").value_or(-1);
    if (seen.empty() || seen.back() != percent) seen.push_back(percent);
    hall.pass(6s);
  }
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 20, 40, 100}));
  EXPECT_EQ(bmc.taskState("0"), "Completed");
  EXPECT_EQ(bmc.get(kTask + "0/Monitor").reply.status, 200);
}

TEST_F(Firmware, TakesTheTimesOfTheRealMachine) {
  bmc.pushBmcTray();
  hall.pass(639s);
  EXPECT_EQ(bmc.taskState("0"), "Running");
  hall.pass(2s);
  EXPECT_EQ(bmc.taskState("0"), "Completed");
  bmc.pushCompute();
  hall.pass(589s);
  EXPECT_EQ(bmc.taskState("HGX_0"), "Running");
  hall.pass(2s);
  EXPECT_EQ(bmc.taskState("HGX_0"), "Completed");
}

TEST_F(Firmware, ActivatesTheBmcBundleAtABmcReset) {
  bmc.pushBmcTray();
  hall.pass(11min);
  EXPECT_EQ(bmc.version("FW_BMC_0"), kOldBmc) << "written is not active";
  EXPECT_EQ(item(bmc.truth(), "FW_BMC_0").pending, kNewBmc);
  const auto reset = bmc.resetBmc();
  ASSERT_EQ(reset.reply.status, 200);
  EXPECT_EQ(bmc.get("/redfish/v1").reply.status, 200) << "it goes on answering for a moment";
  hall.pass(3s);
  EXPECT_EQ(bmc.get("/redfish/v1").ending, Ending::Refuse);
  hall.pass(179s);
  EXPECT_EQ(bmc.get("/redfish/v1").ending, Ending::Refuse);
  hall.pass(2s);
  EXPECT_EQ(bmc.get(kManager).reply.status, 401) << "sessions are lost";
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.get(kTask + "0").reply.status, 404) << "tasks are lost";
  EXPECT_EQ(bmc.version("FW_BMC_0"), kNewBmc);
  EXPECT_EQ(bmc.version("FW_ERoT_BMC_0"), "01.04.0031.0000_n04");
  EXPECT_EQ(readString(bmc.json(kManager), "FirmwareVersion"), kNewBmc);
}

TEST_F(Firmware, ActivatesTheComputeBundleAtTheAuxCycleOnly) {
  bmc.pushCompute();
  hall.pass(10min);
  bmc.resetBmc();
  hall.pass(4min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.version("HGX_FW_GPU_0"), "97.00.6C.00.03");
  ASSERT_EQ(bmc.auxCycle().reply.status, 200);
  hall.pass(9min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.version("HGX_FW_GPU_0"), "97.00.B9.00.76");
  EXPECT_EQ(bmc.version("HGX_FW_ERoT_FPGA_1"), "01.04.0031.0000_n04");
  EXPECT_EQ(bmc.version("FW_BMC_0"), kOldBmc) << "the other bundle was not pushed";
  EXPECT_EQ(bmc.truth().flashes, 1);
  EXPECT_EQ(bmc.truth().interruptedFlashes, 0);
}

TEST_F(Firmware, GoesThroughAnAuxCycleInOrder) {
  bmc.patch(kSystem, R"({"PowerRestorePolicy":"AlwaysOff"})");
  bmc.insert(kMediaUrl);
  bmc.reset("On");
  hall.pass(1min);
  const auto refused = bmc.auxCycle();
  EXPECT_EQ(refused.reply.status, 400);
  EXPECT_NE(refused.reply.body.find("ChassisPowerStateOffRequired"), std::string::npos);
  bmc.reset("ForceOff");
  hall.pass(10s);
  ASSERT_EQ(bmc.auxCycle().reply.status, 200);
  hall.pass(179s);
  EXPECT_FALSE(bmc.truth().bmcUp) << "3 minutes at least";
  hall.pass(121s);
  EXPECT_TRUE(bmc.truth().bmcUp) << "5 at most";
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_FALSE(bmc.truth().hgxPresent);
  EXPECT_EQ(bmc.json("/redfish/v1/Systems")["Members"].size(), 1u);
  EXPECT_EQ(bmc.json("/redfish/v1/UpdateService/FirmwareInventory")["Members"].size(), 10u);
  EXPECT_EQ(bmc.get("/redfish/v1/Chassis/HGX_GPU_0").reply.status, 404);
  EXPECT_FALSE(bmc.truth().mediaInserted) << "virtual media does not survive its BMC";
  hall.pass(3min);
  EXPECT_EQ(bmc.json("/redfish/v1/UpdateService/FirmwareInventory")["Members"].size(), 30u);
  EXPECT_FALSE(bmc.truth().hostOn);
}

TEST_F(Firmware, PowersOnAfterAnAuxCycleIfThePolicySaysSo) {
  bmc.patch(kSystem, R"({"PowerRestorePolicy":"AlwaysOn"})");
  bmc.auxCycle();
  hall.pass(6min);
  EXPECT_TRUE(bmc.truth().hostOn);
}

TEST_F(Firmware, RefusesASecondUpdateWhileOneRuns) {
  bmc.pushBmcTray();
  hall.pass(31s);
  const auto d = bmc.pushCompute();
  EXPECT_EQ(d.reply.status, 503);
  EXPECT_EQ(d.reply.headers.get("Retry-After"), "30");
  hall.pass(11min);
  EXPECT_EQ(bmc.taskState("0"), "Completed");
  EXPECT_EQ(bmc.truth().memoryExhaustions, 0);
}

TEST_F(Firmware, RunsOutOfMemoryOnTwoPushesWithin30Seconds) {
  bmc.pushBmcTray();
  hall.pass(29s);
  EXPECT_EQ(bmc.pushCompute().ending, Ending::CloseBeforeReply);
  EXPECT_EQ(bmc.get("/redfish/v1").ending, Ending::Refuse);
  hall.pass(4min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  const auto truth = bmc.truth();
  EXPECT_EQ(truth.memoryExhaustions, 1);
  EXPECT_EQ(truth.flashes, 0);
  EXPECT_EQ(item(truth, "FW_BMC_0").pending, "") << "the flash is lost";
  EXPECT_EQ(truth.interruptedFlashes, 0) << "and its slot is not damaged";
  hall.pass(1h);
  EXPECT_EQ(bmc.version("FW_BMC_0").empty() ? bmc.loginAgain() : 201, 201);
  EXPECT_EQ(bmc.version("FW_BMC_0"), kOldBmc);
}

TEST(FirmwareOfAFleet, RemembersTheMostAtATime) {
  FleetOptions options;
  options.trays = 3;
  options.traysPerRack = 2;
  Hall hall(options);
  Bmc one(hall, 0), two(hall, 1), elsewhere(hall, 2);
  for (auto* bmc : {&one, &two, &elsewhere}) bmc->takeOver();
  one.pushBmcTray();
  hall.pass(10s);
  elsewhere.pushBmcTray();
  hall.pass(11min);
  auto peak = hall.fleet.peak();
  EXPECT_EQ(peak.uploads, 1);
  EXPECT_EQ(peak.flashes, 2);
  EXPECT_EQ(peak.flashesInARack, 1);
  one.pushCompute();
  two.pushCompute();
  hall.pass(10min);
  elsewhere.pushCompute();
  peak = hall.fleet.peak();
  EXPECT_EQ(peak.uploads, 2);
  EXPECT_EQ(peak.flashes, 2);
  EXPECT_EQ(peak.flashesInARack, 2);
  EXPECT_EQ(peak.imageWrites, 0);
}

TEST_F(Firmware, RefusesALowerComparisonStampUnlessForced) {
  const auto older = makePackage(bmcTrayBundle(1, kFactoryStamp - 1));
  EXPECT_EQ(bmc.push(older, "[]").reply.status, 202);
  hall.pass(1min);
  EXPECT_EQ(bmc.taskState("0"), "Exception");
  EXPECT_NE(bmc.get(kTask + "0").reply.body.find("comparison stamp is lower"), std::string::npos);
  EXPECT_EQ(bmc.push(older, "[]", true).reply.status, 202);
  hall.pass(11min);
  EXPECT_EQ(bmc.taskState("1"), "Completed");
  EXPECT_EQ(bmc.truth().flashes, 1);
}

TEST_F(Firmware, DoesNotRecogniseWhatIsNotForIt) {
  EXPECT_EQ(bmc.push("not a package", "[]").reply.status, 202);
  hall.pass(51s);
  EXPECT_EQ(bmc.taskState("0"), "Exception");
  EXPECT_EQ(readString(bmc.json(kTask + "0"), "TaskStatus"), "Critical");
  EXPECT_EQ(bmc.push(makePackage(computeBundle(1)), "[]").reply.status, 202) << "wrong bundle for the target";
  hall.pass(51s);
  EXPECT_EQ(bmc.taskState("1"), "Exception");
  EXPECT_EQ(bmc.push(makePackage(bmcTrayBundle(1)), R"(["/redfish/v1/Chassis/CPLD_0"])").reply.status, 404);
  EXPECT_EQ(bmc.truth().flashes, 0);
}

TEST_F(Firmware, RefusesBodiesThatAreNoForm) {
  const std::string push = "/redfish/v1/UpdateService/update-multipart";
  EXPECT_EQ(bmc.post(push, "plain").reply.status, 400);
  Headers headers;
  headers.add("Content-Type", "multipart/form-data; boundary=x");
  EXPECT_EQ(
      bmc.send("POST", push, "--x\r\nContent-Disposition: form-data; name=\"UpdateFile\"\r\n\r\nabc", headers)
          .reply.status,
      400);
  EXPECT_EQ(
      bmc.send("POST", push,
               "--x\r\nContent-Disposition: form-data; name=\"UpdateFile\"\r\n\r\nabc\r\n--x--\r\n", headers)
          .reply.status,
      400)
      << "UpdateParameters is missing";
  EXPECT_EQ(bmc.send("POST", push, std::string(210u << 20, 'a'), headers).reply.status, 413);
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::FirmwareStart), 0u);
}

TEST_F(Firmware, UpdatesASingleItem) {
  EXPECT_EQ(bmc.push(makePackage(bmcTrayBundle(1)), "[\"" + kInventory + "FW_ERoT_BMC_0\"]").reply.status,
            202);
  hall.pass(141s);
  EXPECT_EQ(item(bmc.truth(), "FW_ERoT_BMC_0").pending, "01.04.0031.0000_n04");
  EXPECT_EQ(item(bmc.truth(), "FW_BMC_0").pending, "");
}

TEST_F(Firmware, DamagesTheSlotOfAFlashThatLosesPower) {
  bmc.pushCompute();
  hall.pass(5min);
  ASSERT_EQ(bmc.auxCycle().reply.status, 200);
  hall.pass(9min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  const auto truth = bmc.truth();
  EXPECT_EQ(truth.interruptedFlashes, 1);
  EXPECT_TRUE(item(truth, "HGX_FW_GPU_2").bricked);
  EXPECT_EQ(item(truth, "HGX_FW_GPU_2").active, "97.00.6C.00.03");
  EXPECT_FALSE(item(truth, "FW_BMC_0").bricked);
  bmc.pushCompute();
  hall.pass(10min);
  EXPECT_FALSE(item(bmc.truth(), "HGX_FW_GPU_2").bricked) << "a whole flash repairs the slot";
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST_F(Firmware, ABmcResetAndAHostPowerCutInterruptTheirFlashes) {
  bmc.pushBmcTray();
  hall.pass(1min);
  bmc.resetBmc();
  hall.pass(4min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.truth().interruptedFlashes, 1);
  bmc.reset("On");
  hall.pass(6min);
  bmc.pushCompute();
  hall.pass(1min);
  bmc.reset("ForceOff");
  hall.pass(10s);
  EXPECT_EQ(bmc.truth().interruptedFlashes, 2);
  EXPECT_EQ(bmc.taskState("HGX_0"), "Exception");
}

TEST_F(Firmware, ForwardedTasksOutliveARestartOfTheBmcButNotOfTheHgxBmc) {
  bmc.pushCompute();
  hall.pass(10min);
  bmc.pushBmcTray();
  hall.pass(11min);
  EXPECT_EQ(bmc.taskState("0"), "Completed");
  bmc.resetBmc();
  hall.pass(4min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.get(kTask + "0").reply.status, 404);
  EXPECT_EQ(bmc.taskState("HGX_0"), "Completed");
  bmc.post("/redfish/v1/Managers/HGX_BMC_0/Actions/Manager.Reset", R"({"ResetType":"ForceRestart"})");
  hall.pass(4min);
  EXPECT_TRUE(bmc.truth().hgxPresent);
  EXPECT_EQ(bmc.get(kTask + "HGX_0").reply.status, 404);
}

TEST_F(Firmware, CopiesToTheSpareSlotAfterActivation) {
  const auto status = [&](const std::string& erot) {
    return readString(bmc.json("/redfish/v1/Chassis/" + erot), "Oem/Nvidia/BackgroundCopyStatus")
        .value_or("");
  };
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.resetBmc();
  hall.pass(3min + 4s);
  bmc.loginAgain();
  EXPECT_EQ(status("ERoT_BMC_0"), "InProgress");
  hall.pass(1min);
  EXPECT_EQ(status("HGX_ERoT_CPU_0"), "Completed");
  bmc.auxCycle();
  hall.pass(4s);
  EXPECT_EQ(bmc.truth().copiesAtRisk, 1) << "power was cut before the copy was done";
  hall.pass(9min);
  bmc.loginAgain();
  EXPECT_EQ(status("ERoT_BMC_0"), "Completed");
}

TEST_F(Firmware, HgxBmcRestartTakesHgxAwayForAMoment) {
  ASSERT_EQ(bmc.post("/redfish/v1/Managers/HGX_BMC_0/Actions/Manager.Reset", R"({"ResetType":"ForceRestart"})")
                .reply.status,
            200);
  EXPECT_FALSE(bmc.truth().hgxPresent);
  EXPECT_EQ(bmc.pushCompute().reply.status, 404);
  hall.pass(3min);
  EXPECT_TRUE(bmc.truth().hgxPresent);
  EXPECT_EQ(bmc.get(kManager).reply.status, 200) << "the host BMC was there all the time";
}

TEST_F(Firmware, CountsBusyTimeOnce) {
  const auto start = hall.time.now();
  bmc.pushBmcTray();
  bmc.reset("On");  // POST runs inside the flash
  hall.pass(11min);
  const auto busy = hall.fleet.busyUnion(bmc.id());
  EXPECT_EQ(busy.first, start);
  EXPECT_EQ(busy.total, 640s);
  EXPECT_EQ(busy.last, start + 640s);
  hall.pass(1min);
  bmc.reset("ForceRestart");
  hall.pass(1min);
  EXPECT_EQ(hall.fleet.busyUnion(bmc.id()).total, 700s) << "counting while it is busy";
  hall.pass(1h);
  EXPECT_EQ(hall.fleet.busyUnion(bmc.id()).total, 640s + 300s);
}

}  // namespace
}  // namespace zellige::sim
