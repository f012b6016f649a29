// What a switch tray's system tells and does: components, firmware, the control plane of the domain.
#include <gmock/gmock.h>

#include "tests/drivers/nvos/bench.hpp"

namespace zellige::nvos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Nvos, ReadsItsComponentsAndTheImageThatRuns) {
  device.always["GET /nvue_v1/platform/firmware"] = ok(
      {{"BMC", {{"actual-firmware", "88.0002.1950"}}}, {"BIOS", {{"actual-firmware", 7}}}, {"FPGA", nullptr}});
  device.always["GET /nvue_v1/system/image"] = ok({{"current", "2"},
                                                   {"next", "1"},
                                                   {"partition1", {{"build-id", "nvos-new"}}},
                                                   {"partition2", {{"build-id", "nvos-old"}}}});
  const auto items = run(os->firmware());
  ASSERT_TRUE(items);
  std::map<std::string, std::string> versions;
  for (const auto& item : *items) versions[item.id] = item.version;
  EXPECT_EQ(versions, (std::map<std::string, std::string>{
                          {"BMC", "88.0002.1950"}, {"BIOS", ""}, {"FPGA", ""}, {"NVOS", "nvos-old"}}));
}

TEST_F(Nvos, FetchesThePackageThenInstallsIt) {
  device.always["POST /nvue_v1/platform/firmware/BMC"] = {201, {}, "\"4\""};
  device.once["GET /nvue_v1/action/4"].push_back(ok({{"state", "running"}}));
  device.always["GET /nvue_v1/action/4"] = ok(
      {{"state", "action_success"}, {"detail", "File fetched successfully"}});
  device.always["POST /nvue_v1/platform/firmware/BMC/files/a.fwpkg"] = {201, {}, "5"};
  const auto task = run(
      os->pushFirmware({"", "a.fwpkg", "https://10.0.0.1/packages/t/d/a.fwpkg"}, {"BMC"}, true));
  ASSERT_TRUE(task) << task.error().what;
  EXPECT_EQ(*task, "/nvue_v1/action/5");
  EXPECT_THAT(device.bodies.front(), HasSubstr("https://10.0.0.1/packages/t/d/a.fwpkg"));
  EXPECT_THAT(device.bodies.back(), HasSubstr("\"force\":true"));
  // What only fetched a file is no write.
  device.always["GET /nvue_v1/action"] = ok(
      {{"4", {{"state", "action_success"}}}, {"5", {{"state", "start"}}}});
  const auto tasks = run(os->tasks());
  ASSERT_EQ(tasks->size(), 1u);
  EXPECT_EQ(tasks->front().uri, "/nvue_v1/action/5");
  EXPECT_EQ(tasks->front().state, TaskState::Running);
}

TEST_F(Nvos, AFetchThatFailsSentNothing) {
  device.always["POST /nvue_v1/platform/firmware/BMC"] = {201, {}, "4"};
  device.always["GET /nvue_v1/action/4"] = ok({{"state", "action_error"}, {"detail", "no route to host"}});
  const auto task = run(os->pushFirmware({"", "a.fwpkg", "https://10.0.0.1/x"}, {"BMC"}, false));
  ASSERT_FALSE(task);
  EXPECT_FALSE(task.error().outcomeUnknown);
  EXPECT_THAT(task.error().what, HasSubstr("no route to host"));
  EXPECT_EQ(run(os->pushFirmware({"", "a", ""}, {}, false)).error().code, Errc::Unsupported);
}

TEST_F(Nvos, AnInstallWhoseReplyIsLostIsUnknown) {
  device.always["POST /nvue_v1/platform/firmware/BMC"] = {201, {}, "4"};
  device.always["GET /nvue_v1/action/4"] = ok({{"state", "action_success"}});
  device.once["POST /nvue_v1/platform/firmware/BMC/files/a"].push_back(lostReply());
  EXPECT_TRUE(run(os->pushFirmware({"", "a", "https://x/a"}, {"BMC"}, false)).error().outcomeUnknown);
}

TEST_F(Nvos, InObserveModeNothingButReadsLeave) {
  armed = false;
  EXPECT_TRUE(run(os->signIn()));
  EXPECT_EQ(run(os->changePassword()).error().code, Errc::NotArmed);
  EXPECT_EQ(run(os->auxPowerCycle()).error().code, Errc::NotArmed);
  EXPECT_EQ(run(os->pushFirmware({"", "a", ""}, {"BMC"}, false)).error().code, Errc::NotArmed);
  for (const auto& request : device.seen) EXPECT_TRUE(request.starts_with("GET ")) << request;
}

TEST_F(Nvos, ReadsTheControlPlaneOfTheDomain) {
  device.always["GET /nvue_v1/cluster"] = ok({{"state", "disabled"}});
  auto control = run(os->nvlinkControl());
  ASSERT_TRUE(control);
  EXPECT_FALSE(control->enabled || control->configured);
  device.always["GET /nvue_v1/cluster"] = ok({{"state", "enabled"}});
  device.always["GET /nvue_v1/cluster/apps/nmx-controller"] = ok(
      {{"status", "not ok"}, {"reason", "starting"}, {"additional-info", "CONTROL_PLANE_STATE_STANDBY"}});
  control = run(os->nvlinkControl());
  EXPECT_TRUE(control->enabled);
  EXPECT_FALSE(control->configured);
  EXPECT_EQ(control->detail, "CONTROL_PLANE_STATE_STANDBY: starting");
  device.always["GET /nvue_v1/cluster/apps/nmx-controller"] = ok(
      {{"status", "ok"}, {"reason", ""}, {"additional-info", "CONTROL_PLANE_STATE_CONFIGURED"}});
  EXPECT_TRUE(run(os->nvlinkControl())->configured);
}

TEST_F(Nvos, OnlyTheAppliedRevisionStartsTheControlPlane) {
  ASSERT_TRUE(run(os->startNvlinkControl()));
  EXPECT_THAT(device.seen, ElementsAre("POST /nvue_v1/revision", "PATCH /nvue_v1/cluster?rev=7",
                                       "PATCH /nvue_v1/revision/7"));
  EXPECT_EQ(device.bodies[1], R"({"state":"enabled"})");
  device.once["PATCH /nvue_v1/cluster?rev=7"].push_back(lostReply());
  EXPECT_FALSE(run(os->startNvlinkControl()).error().outcomeUnknown);
  device.once["PATCH /nvue_v1/revision/7"].push_back(lostReply());
  EXPECT_TRUE(run(os->startNvlinkControl()).error().outcomeUnknown);
  device.seen.clear();
  armed = false;
  EXPECT_EQ(run(os->startNvlinkControl()).error().code, Errc::NotArmed);
  EXPECT_TRUE(device.seen.empty());
}

TEST_F(Nvos, HostileAnswersAreRefusedOrCut) {
  device.always["GET /nvue_v1/platform"] = {200, {}, std::string(200'000, '[')};
  EXPECT_EQ(run(os->signIn()).error().code, Errc::BadReply);
  Json many = Json::object();
  for (int i = 0; i < 2'000; ++i) many[std::to_string(i)] = {{"state", std::string(5'000, 'x')}};
  device.always["GET /nvue_v1/action"] = ok(many);
  const auto tasks = run(os->tasks());
  EXPECT_TRUE(!tasks || tasks->size() <= 256u);
  EXPECT_EQ(run(os->task("/redfish/v1/x")).error().code, Errc::NotFound);
}

}  // namespace
}  // namespace zellige::nvos
