// What is written to a machine: the exact resource, body and precondition, and how its answers are taken.
#include "tests/drivers/redfish/bench.hpp"
#include "tests/folder.hpp"

namespace zellige::redfish {
namespace {

constexpr const char* resetAction = "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset";
constexpr const char* push = "/redfish/v1/UpdateService/update-multipart";
constexpr const char* usb2 = "/redfish/v1/Managers/BMC_0/VirtualMedia/USB2";

class Operations : public ::testing::Test {
 protected:
  void SetUp() override { NEEDS_RECORDED_TREES(); }
  FakeBmc::Seen onlyWrite() {
    const auto writes = bench.writes();
    EXPECT_EQ(writes.size(), 1u);
    return writes.empty() ? FakeBmc::Seen{} : writes.back();
  }
  Bench bench;
};

TEST_F(Operations, ResetsAreSentByTheirStandardNames) {
  const std::vector<std::pair<HostReset, std::string>> names{
      {HostReset::On, "On"},
      {HostReset::ForceOff, "ForceOff"},
      {HostReset::GracefulShutdown, "GracefulShutdown"},
      {HostReset::ForceRestart, "ForceRestart"},
      {HostReset::PowerCycle, "PowerCycle"}};
  for (const auto& [how, name] : names) {
    ASSERT_TRUE(bench.run(bench.bmc().reset(how)));
    EXPECT_EQ(bench.writes().back().path(), resetAction);
    EXPECT_EQ(bench.writes().back().body(), Json({{"ResetType", name}}));
  }
}

TEST_F(Operations, AResetThatIsNotOfferedIsUnsupportedAndNotSent) {
  bench.machine.overlay(
      "/redfish/v1/Systems/System_0/ResetActionInfo",
      {{"Parameters", Json::array({Json{{"Name", "ResetType"}, {"AllowableValues", {"On"}}}})}});
  EXPECT_EQ(bench.run(bench.bmc().reset(HostReset::PowerCycle)).error().code, Errc::Unsupported);
  EXPECT_TRUE(bench.writes().empty());
}

TEST_F(Operations, ARefusalInTheAskedStateIsASuccess) {
  bench.machine.always("POST", resetAction, jsonReply(409, extendedInfo("IDRAC.PSU501", "already on")));
  EXPECT_TRUE(bench.run(bench.bmc().reset(HostReset::On)));
  EXPECT_EQ(bench.run(bench.bmc().reset(HostReset::ForceOff)).error().code, Errc::Conflict);
}

TEST_F(Operations, AuxCycleIsNotSentWhileTheHostIsOn) {
  const auto refused = bench.run(bench.bmc().auxPowerCycle());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Conflict);
  EXPECT_TRUE(bench.writes().empty());
  bench.machine.overlay(kSystem0, {{"PowerState", "Off"}});
  ASSERT_TRUE(bench.run(bench.bmc().auxPowerCycle()));
  EXPECT_EQ(onlyWrite().path(), "/redfish/v1/Chassis/BMC_0/Actions/Oem/NvidiaChassis.AuxPowerReset");
  EXPECT_EQ(onlyWrite().body(), Json({{"ResetType", "AuxPowerCycle"}}));
}

TEST_F(Operations, AuxCycleIsUnsupportedWhereThePlatformHasNone) {
  Bench hpe("hpe-dl385-gen10plus-v2-ilo5");
  EXPECT_EQ(hpe.run(hpe.bmc().auxPowerCycle()).error().code, Errc::Unsupported);
}

TEST_F(Operations, TheBmcIsResetThroughItsOwnManager) {
  ASSERT_TRUE(bench.run(bench.bmc().resetBmc()));
  EXPECT_EQ(onlyWrite().path(), "/redfish/v1/Managers/BMC_0/Actions/Manager.Reset");
  EXPECT_EQ(onlyWrite().body(), Json({{"ResetType", "GracefulRestart"}}));
}

TEST_F(Operations, BootOverrideIsWrittenToTheSettingsObjectThatHoldsBoot) {
  ASSERT_TRUE(bench.run(bench.bmc().setBootOverride({"Cd", true})));
  EXPECT_EQ(onlyWrite().path(), kSettings0);
  EXPECT_EQ(onlyWrite().body(),
            Json({{"Boot", {{"BootSourceOverrideTarget", "Cd"}, {"BootSourceOverrideEnabled", "Once"}}}}));
  const auto read = bench.run(bench.bmc().bootOverride());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->target, "Cd");
  EXPECT_TRUE(read->once);
  ASSERT_TRUE(bench.run(bench.bmc().setBootOverride({"None", false})));
  EXPECT_EQ(bench.run(bench.bmc().bootOverride())->target, "None");
}

TEST_F(Operations, BootOverrideIsWrittenToTheSystemWhereThereIsNoSuchObject) {
  Bench hpe("hpe-dl385-gen10plus-v2-ilo5");
  ASSERT_TRUE(hpe.run(hpe.bmc().setBootOverride({"Cd", true})));
  ASSERT_EQ(hpe.writes().size(), 1u);
  EXPECT_EQ(hpe.writes()[0].path(), "/redfish/v1/Systems/1");
  EXPECT_EQ(hpe.writes()[0].body()["Boot"]["BootSourceOverrideTarget"], "Cd");
}

TEST_F(Operations, TheVirtualCdIsCalledWhatTheMachineCallsIt) {
  bench.machine.overlay(kSettings0,
                        {{"Boot",
                          {{"BootSourceOverrideMode", "Legacy"},
                           {"BootSourceOverrideTarget@Redfish.AllowableValues", {"None", "UsbCd"}}}}});
  ASSERT_TRUE(bench.run(bench.bmc().setBootOverride({"Cd", false})));
  EXPECT_EQ(onlyWrite().body(), Json({{"Boot",
                                       {{"BootSourceOverrideTarget", "UsbCd"},
                                        {"BootSourceOverrideEnabled", "Continuous"},
                                        {"BootSourceOverrideMode", "UEFI"}}}}));
  bench.machine.overlay(kSettings0,
                        {{"Boot", {{"BootSourceOverrideTarget@Redfish.AllowableValues", {"None"}}}}});
  EXPECT_EQ(bench.run(bench.bmc().setBootOverride({"Cd", true})).error().code, Errc::Unsupported);
}

// The URL of the boot media holds the node's token: no word that a BMC says about it may get further.
TEST_F(Operations, ARefusedMediaUrlIsNotQuoted) {
  const std::string url = "https://10.0.0.2:8444/boot/Canary-7f3a/media.iso";
  const auto action = std::string(usb2) + "/Actions/VirtualMedia.InsertMedia";
  auto elsewhere = jsonReply(307, Json::object());
  elsewhere.headers.add("Location", url);
  for (const auto& reply :
       {jsonReply(400, extendedInfo("Base.1.8.PropertyValueError", "The value " + url + " is not accepted")),
        jsonReply(500, extendedInfo("Base.1.8.InternalError", url)), elsewhere}) {
    bench.machine.always("POST", action, reply);
    const auto refused = bench.run(bench.bmc().insertMedia(url));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what.find("Canary"), std::string::npos) << refused.error().what;
    EXPECT_NE(refused.error().what.find(std::to_string(reply.status)), std::string::npos);
  }
  for (const auto& exchange : bench.bmc().client().exchanges())
    EXPECT_EQ((exchange.path + exchange.problem).find("Canary"), std::string::npos);
}

TEST_F(Operations, MediaGoesIntoTheFirstSlotOfTheCollection) {
  const auto empty = bench.run(bench.bmc().media());
  ASSERT_TRUE(empty) << empty.error().what;
  EXPECT_FALSE(empty->inserted);
  ASSERT_TRUE(bench.run(bench.bmc().insertMedia("http://10.0.0.2/boot.iso")));
  EXPECT_EQ(onlyWrite().path(), std::string(usb2) + "/Actions/VirtualMedia.InsertMedia");
  EXPECT_EQ(onlyWrite().body(),
            Json({{"Image", "http://10.0.0.2/boot.iso"}, {"Inserted", true}, {"WriteProtected", true}}));
  bench.machine.overlay(usb2, {{"Inserted", true}, {"Image", "http://10.0.0.2/boot.iso"}});
  EXPECT_EQ(bench.run(bench.bmc().media())->image, "http://10.0.0.2/boot.iso");
  ASSERT_TRUE(bench.run(bench.bmc().ejectMedia()));
  EXPECT_EQ(bench.writes().back().path(), std::string(usb2) + "/Actions/VirtualMedia.EjectMedia");
  EXPECT_EQ(bench.writes().back().request.body, "{}");
}

TEST_F(Operations, LocalOnlySlotsAndFloppiesAreSkipped) {
  bench.machine.overlay(usb2, {{"Actions", {{"#VirtualMedia.InsertMedia", nullptr}}}});  // local only
  ASSERT_TRUE(bench.run(bench.bmc().insertMedia("http://x/y.iso")));
  EXPECT_NE(onlyWrite().path().find("/VirtualMedia/USB1/"), std::string::npos);
  Bench hpe("hpe-dl385-gen10plus-v2-ilo5");  // 1 is a floppy or USB stick, 2 the CD
  ASSERT_TRUE(hpe.run(hpe.bmc().insertMedia("http://x/y.iso")));
  EXPECT_NE(hpe.writes().back().path().find("/VirtualMedia/2/"), std::string::npos);
  Bench dgx("nvidia-dgx-h100");  // an empty collection
  EXPECT_EQ(dgx.run(dgx.bmc().media()).error().code, Errc::Unsupported);
}

TEST_F(Operations, AFormOfInsertThatIsRefusedIsFollowedByAShorterOne) {
  const auto target = std::string(usb2) + "/Actions/VirtualMedia.InsertMedia";
  bench.machine.once("POST", target,
                     jsonReply(400, extendedInfo("Base.1.8.ActionParameterUnknown", "Inserted")));
  ASSERT_TRUE(bench.run(bench.bmc().insertMedia("http://x/y.iso")));
  EXPECT_EQ(bench.writes().back().body(), Json({{"Image", "http://x/y.iso"}}));
}

TEST_F(Operations, AnUnknownOutcomeOfInsertIsNotFollowedByAnother) {
  const auto target = std::string(usb2) + "/Actions/VirtualMedia.InsertMedia";
  bench.machine.once("POST", target, Error{Errc::Timeout, "no reply"});
  EXPECT_TRUE(bench.run(bench.bmc().insertMedia("http://x/y.iso")).error().outcomeUnknown);
  EXPECT_EQ(bench.writes().size(), 1u);
}

TEST_F(Operations, EjectingFromAnEmptySlotIsASuccessEvenWhereItIsRefused) {
  const auto target = std::string(usb2) + "/Actions/VirtualMedia.EjectMedia";
  bench.machine.always("POST", target, jsonReply(400, extendedInfo("Base.1.8.X", "nothing is in")));
  EXPECT_TRUE(bench.run(bench.bmc().ejectMedia()));
  bench.machine.overlay(usb2, {{"Inserted", true}});
  EXPECT_EQ(bench.run(bench.bmc().ejectMedia()).error().code, Errc::Rejected);
}

// Fault 3: one URI answers 500. What is there cannot be told without it.
TEST_F(Operations, WhatDoesNotAnswerIsNotTakenForMissing) {
  bench.machine.expands = false;
  bench.machine.overlay(kSystem0, {{"PowerState", "Off"}});
  const auto broken = jsonReply(500, extendedInfo("Base.1.8.InternalError", "internal"));
  bench.machine.always("GET", "/redfish/v1/Chassis/BMC_0", broken);
  EXPECT_EQ(bench.run(bench.bmc().auxPowerCycle()).error().code, Errc::Busy) << "it may offer the cycle";
  EXPECT_EQ(bench.run(bench.bmc().backgroundCopyDone()).error().code, Errc::Busy) << "it may still copy";
  bench.machine.always("GET", usb2, broken);
  EXPECT_EQ(bench.run(bench.bmc().media()).error().code, Errc::Busy) << "it may have media in it";
  bench.machine.always("GET", kSettings0, broken);
  EXPECT_EQ(bench.run(bench.bmc().bootOverride()).error().code, Errc::Busy) << "it may hold Boot";
  bench.machine.overlay("/redfish/v1/TaskService/Tasks",
                        {{"Members", Json::array({Json{{"@odata.id", "/redfish/v1/TaskService/Tasks/7"}}})}});
  bench.machine.always("GET", "/redfish/v1/TaskService/Tasks/7", broken);
  EXPECT_EQ(bench.run(bench.bmc().tasks()).error().code, Errc::Busy) << "it may run";
  EXPECT_TRUE(bench.writes().empty());
}

TEST_F(Operations, SettingsSendOnlyWhatDiffers) {
  BmcSettings wanted;
  wanted.ntp = {"10.0.0.9"};
  wanted.syslogAddress = "10.0.0.10";
  wanted.syslogPort = 514;
  wanted.powerRestorePolicy = "LastState";  // as it is
  ASSERT_TRUE(bench.run(bench.bmc().setSettings(wanted)));
  EXPECT_EQ(onlyWrite().path(), "/redfish/v1/Managers/BMC_0/NetworkProtocol");
  EXPECT_EQ(
      onlyWrite().body(),
      Json({{"NTP", {{"NTPServers", {"10.0.0.9"}}, {"ProtocolEnabled", true}}},
            {"Oem",
             {{"Nvidia", {{"Rsyslog", {{"State", "Enabled"}, {"Address", "10.0.0.10"}, {"Port", 514}}}}}}}}));
  EXPECT_EQ(bench.run(bench.bmc().settings()).operator*(), wanted);
  ASSERT_TRUE(bench.run(bench.bmc().setSettings(wanted)));
  EXPECT_EQ(bench.writes().size(), 1u);  // nothing differs any more
  wanted.powerRestorePolicy = "AlwaysOff";
  ASSERT_TRUE(bench.run(bench.bmc().setSettings(wanted)));
  EXPECT_EQ(bench.writes().back().path(), kSystem0);
  EXPECT_EQ(bench.writes().back().body(), Json({{"PowerRestorePolicy", "AlwaysOff"}}));
}

TEST_F(Operations, WhatTheWishLeavesEmptyIsNotTouched) {
  ASSERT_TRUE(bench.run(bench.bmc().setSettings({})));
  EXPECT_TRUE(bench.writes().empty());
}

TEST_F(Operations, TheLocateLightIsSetByTheNewProperty) {
  ASSERT_TRUE(bench.run(bench.bmc().setLocateLed(true)));
  EXPECT_EQ(onlyWrite().path(), kSystem0);
  EXPECT_EQ(onlyWrite().body(), Json({{"LocationIndicatorActive", true}}));
}

class Push : public Operations {
 protected:
  void SetUp() override {
    Operations::SetUp();
    package = folder.write("bundle.fwpkg", "firmware");
  }
  Result<std::string> send(std::vector<std::string> targets = {}, bool force = false) {
    return bench.run(bench.bmc().pushFirmware({package, "bundle.fwpkg", {}}, std::move(targets), force));
  }
  Folder folder;
  std::filesystem::path package;
};

TEST_F(Push, StreamsThePackageWithItsTargets) {
  ASSERT_TRUE(send({"/redfish/v1/Chassis/HGX_Chassis_0"}, true));
  const auto sent = onlyWrite();
  EXPECT_EQ(sent.path(), push);
  ASSERT_TRUE(sent.options.upload);
  EXPECT_EQ(sent.options.upload->file, package);
  EXPECT_EQ(sent.options.upload->fileName, "bundle.fwpkg");
  EXPECT_EQ(Json::parse(sent.options.upload->parameters),
            Json({{"Targets", {"/redfish/v1/Chassis/HGX_Chassis_0"}}, {"ForceUpdate", true}}));
  EXPECT_TRUE(sent.request.body.empty());
  EXPECT_GT(sent.options.timeout, 10min);
}

TEST_F(Push, NoTargetsMeansTheWholeTrayAndIsSaidSo) {
  ASSERT_TRUE(send());
  EXPECT_EQ(Json::parse(onlyWrite().options.upload->parameters),
            Json({{"Targets", Json::array()}, {"ForceUpdate", false}}));
}

TEST_F(Push, ATooLargePackageIsNotSent) {
  bench.machine.overlay("/redfish/v1/UpdateService", {{"MaxImageSizeBytes", 7}});
  const auto result = send();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Rejected);
  EXPECT_TRUE(bench.writes().empty());
}

TEST_F(Push, TheTaskIsFoundWhereverTheMachineNamesIt) {
  const std::string task = "/redfish/v1/TaskService/Tasks/HGX_0";
  auto located = jsonReply(202, Json::object());
  located.headers.add("Location", "https://10.0.0.1" + task + "/Monitor");
  bench.machine.once("POST", push, located);
  EXPECT_EQ(*send(), task);
  bench.machine.once("POST", push,
                     jsonReply(202, {{"@odata.id", task}, {"@odata.type", "#Task.v1_4_3.Task"}}));
  EXPECT_EQ(*send(), task);
  Json message;
  message["MessageArgs"] = Json::array({"x", task});
  bench.machine.once(
      "POST", push,
      jsonReply(202, {{"@odata.id", "/redfish/v1/UpdateService"}, {"Messages", Json::array({message})}}));
  EXPECT_EQ(*send(), task);
  bench.machine.overlay("/redfish/v1/TaskService/Tasks",
                        {{"Members", Json::array({Json{{"@odata.id", task}}})}});
  bench.machine.once("POST", push, jsonReply(202, {{"Id", "HGX_0"}, {"TaskState", "Running"}}));
  EXPECT_EQ(*send(), task);
  bench.machine.once("POST", push, jsonReply(202, {{"weather", "fine"}}));
  EXPECT_EQ(*send(), "");
}

TEST_F(Push, AnUploadIsNeverRepeatedByTheClient) {
  auto busy = jsonReply(503, extendedInfo("Base.1.8.ServiceTemporarilyUnavailable", "an update is running"));
  busy.headers.add("Retry-After", "30");
  bench.machine.once("POST", push, busy);
  const auto refused = send();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Busy);
  EXPECT_EQ(refused.error().retryAfter, Seconds{30});
  EXPECT_FALSE(refused.error().outcomeUnknown);
  bench.machine.once("POST", push, Error{Errc::Timeout, "no reply"});
  EXPECT_TRUE(send().error().outcomeUnknown);
  EXPECT_EQ(bench.writes().size(), 2u);
}

// The session had ended, so nothing was applied; but hundreds of MiB are not sent twice without being asked to.
TEST_F(Push, AnUploadIsNotRepeatedAfterASessionThatHadEnded) {
  bench.machine.once("POST", push, jsonReply(401, Json::object()));
  const auto refused = send();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Busy);
  EXPECT_FALSE(refused.error().outcomeUnknown);
  EXPECT_EQ(bench.writes().size(), 1u);
  EXPECT_TRUE(send()) << "the new session is in use";
  EXPECT_EQ(bench.writes().size(), 2u);
}

TEST_F(Operations, TaskWordsAreMappedAndAForgottenTaskIsNotFound) {
  const auto read = [](Json json) { return readTask(View{json, nullptr}).state; };
  for (const auto* word :
       {"New", "Starting", "Running", "Pending", "Suspended", "Stopping", "Service", "Scheduled", ""})
    EXPECT_EQ(read({{"TaskState", word}}), TaskState::Running) << word;
  for (const auto* word : {"Exception", "Killed", "Cancelled", "Failed"})
    EXPECT_EQ(read({{"TaskState", word}}), TaskState::Failed) << word;
  EXPECT_EQ(read({{"TaskState", "Completed"}, {"TaskStatus", "OK"}}), TaskState::Completed);
  EXPECT_EQ(read({{"TaskState", "Completed"}, {"TaskStatus", "Warning"}}), TaskState::Completed);
  EXPECT_EQ(read({{"TaskState", "Completed"}, {"TaskStatus", "Critical"}}), TaskState::Failed);
  EXPECT_EQ(read(Json::object()), TaskState::Running);
  EXPECT_EQ(bench.run(bench.bmc().task("/redfish/v1/TaskService/Tasks/9")).error().code, Errc::NotFound);
}

TEST_F(Operations, RecordedTasksAreReadWithTheirFailures) {
  Bench dgx("nvidia-dgx-h100");
  const auto tasks = dgx.run(dgx.bmc().tasks());
  ASSERT_TRUE(tasks) << tasks.error().what;
  std::size_t listed = 0, failed = 0;
  const auto folder = mockups / "nvidia-dgx-h100/redfish/v1/TaskService/Tasks";
  const auto collection = readFile(folder / "index.json");
  for (const auto& link : collection.at("Members")) {
    const auto id = link.at("@odata.id").get<std::string>();
    const auto json = readFile(folder / id.substr(id.rfind('/') + 1) / "index.json");
    if (!json.is_object()) continue;
    ++listed;
    failed += json.at("TaskState") == "Exception" ? 1u : 0u;
  }
  EXPECT_GT(listed, 0u);
  EXPECT_EQ(tasks->size(), listed);
  EXPECT_EQ(
      std::count_if(tasks->begin(), tasks->end(), [](const auto& t) { return t.state == TaskState::Failed; }),
      static_cast<std::ptrdiff_t>(failed));
}

}  // namespace
}  // namespace zellige::redfish
