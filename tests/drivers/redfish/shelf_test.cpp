// A power shelf: the recorded LiteOn, whose root names neither its maker nor a System.
#include <algorithm>
#include <fstream>

#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

constexpr std::string_view kShelfTree = "powershelf-liteon";

TEST(PowerShelf, IsRecognisedByItsChassisAndInventoried) {
  NEEDS_RECORDED_TREES();
  Bench bench(kShelfTree);
  const auto inventory = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(inventory) << inventory.error().what;
  EXPECT_EQ(bench.run(bench.bmc().identify())->platform, "liteon-power-shelf");
  EXPECT_EQ(inventory->model, "PF-1333-7RB");
  EXPECT_EQ(inventory->manufacturer, "LITE-ON TECHNOLOGY CORP.");
  const auto supplies = std::count_if(
      inventory->components.begin(), inventory->components.end(), [](const auto& part) {
        return part.kind == ComponentKind::Psu && part.model == "SP-2552-6RB" && !part.sick;
      });
  // Counted in the recorded collection; both of its chassis are the one shelf.
  EXPECT_EQ(supplies, 6);
  EXPECT_TRUE(bench.writes().empty());
}

TEST(PowerShelf, TellsWhetherItFeedsAndIsSwitchedOnByItsOwnAction) {
  NEEDS_RECORDED_TREES();
  Bench bench(kShelfTree);
  EXPECT_TRUE(*bench.run(bench.bmc().feeds()));
  bench.machine.overlay("/redfish/v1/Chassis/powershelf", {{"PowerState", "Off"}});
  EXPECT_FALSE(*bench.run(bench.bmc().feeds()));
  const std::string on = "/redfish/v1/Chassis/powershelf/Actions/Chassis.On";
  bench.machine.once("POST", on, jsonReply(200, Json::object()));
  EXPECT_TRUE(bench.run(bench.bmc().startFeeding()));
  EXPECT_EQ(bench.machine.count("POST", on), 1u);
  bench.armed = false;
  EXPECT_EQ(bench.run(bench.bmc().startFeeding()).error().code, Errc::NotArmed);
  EXPECT_EQ(bench.machine.count("POST", on), 1u);
}

TEST(PowerShelf, ATrayIsNone) {
  NEEDS_RECORDED_TREES();
  Bench bench;
  EXPECT_EQ(bench.run(bench.bmc().feeds()).error().code, Errc::Unsupported);
  EXPECT_EQ(bench.run(bench.bmc().startFeeding()).error().code, Errc::Unsupported);
  EXPECT_TRUE(bench.writes().empty());
}

TEST(PowerShelf, TakesFirmwareAsABareFile) {
  NEEDS_RECORDED_TREES();
  Bench bench(kShelfTree);
  bench.machine.overlay("/redfish/v1/UpdateService", {{"@odata.id", "/redfish/v1/UpdateService"},
                                                      {"HttpPushUri", "/redfish/v1/UpdateService/update"}});
  const auto file = std::filesystem::temp_directory_path() / "zellige-shelf-package";
  std::ofstream(file) << "tar";
  EXPECT_EQ(
      bench.run(bench.bmc().pushFirmware({file, "pmc.tar", {}}, {"/redfish/v1/Chassis/powershelf"}, false))
          .error()
          .code,
      Errc::Unsupported);
  bench.machine.once(
      "POST", "/redfish/v1/UpdateService/update",
      jsonReply(202, {{"@odata.id", "/redfish/v1/TaskService/Tasks/0"}, {"TaskState", "Running"}}));
  const auto task = bench.run(bench.bmc().pushFirmware({file, "pmc.tar", {}}, {}, false));
  std::filesystem::remove(file);
  ASSERT_TRUE(task) << task.error().what;
  EXPECT_EQ(*task, "/redfish/v1/TaskService/Tasks/0");
  const auto sent = bench.machine.sent("POST");
  const auto push = std::find_if(sent.begin(), sent.end(),
                                 [](const auto& s) { return s.options.upload.has_value(); });
  ASSERT_NE(push, sent.end());
  EXPECT_TRUE(push->options.upload->parameters.empty());
}

}  // namespace
}  // namespace zellige::redfish
