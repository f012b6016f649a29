// The BMC of a switch tray: the recorded N5110, which says of itself what GH200 says too.
#include <algorithm>

#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

constexpr std::string_view kSwitchTree = "nvidia-nvlink-switch-tray-n5110";

TEST(SwitchTray, IsRecognisedByItsSwitchAsicsAndInventoried) {
  NEEDS_RECORDED_TREES();
  Bench bench(kSwitchTree);
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.run(bench.bmc().identify())->platform, "nvidia-nvlink-switch");
  const auto inventory = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(inventory) << inventory.error().what;
  EXPECT_EQ(inventory->serial, "MT2519600UDR");
  EXPECT_EQ(inventory->model, "N5110_LD");
  EXPECT_TRUE(inventory->incomplete.empty()) << inventory->incomplete;
  // Counted in the recorded files: Chassis named ERoT, NVSwitch, CPLD; Managers; members of FirmwareInventory.
  const std::map<ComponentKind, int> recorded{
      {ComponentKind::Rot, 5}, {ComponentKind::Switch, 2}, {ComponentKind::Cpld, 1}, {ComponentKind::Bmc, 1}};
  for (const auto& [kind, count] : recorded)
    EXPECT_EQ(std::count_if(inventory->components.begin(), inventory->components.end(),
                            [kind = kind](const auto& part) { return part.kind == kind && !part.sick; }),
              count)
        << nameOf(kind);
  EXPECT_EQ(inventory->firmware.size(), 11u);
  EXPECT_FALSE(*bench.run(bench.bmc().leakDetected()));
  EXPECT_EQ(bench.run(bench.bmc().feeds()).error().code, Errc::Unsupported);
  EXPECT_TRUE(bench.writes().empty());
}

TEST(SwitchTray, TheSameBoardWithoutThemIsNone) {
  NEEDS_RECORDED_TREES();
  Bench bench(kSwitchTree);
  bench.machine.overlay("/redfish/v1/Chassis",
                        {{"Members", Json::array({{{"@odata.id", "/redfish/v1/Chassis/BMC_eeprom"}}})}});
  ASSERT_TRUE(bench.run(bench.bmc().signIn()));
  EXPECT_EQ(bench.run(bench.bmc().identify())->platform, "generic");
}

}  // namespace
}  // namespace zellige::redfish
