// Every other recorded machine through the generic behaviour: nothing about them is known but the standard.
#include <algorithm>

#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

// Counted in the recorded files by hand: processors by ProcessorType in every system, Absent ones left out, a serial
// that two systems list counted once; the serial of the (first) System, or of the first Chassis that has one.
struct Tree {
  const char* name;
  const char* serial;
  int gpus, cpus;
};
void PrintTo(const Tree& tree, std::ostream* out) { *out << tree.name; }

class RecordedTree : public ::testing::TestWithParam<Tree> {};

TEST_P(RecordedTree, IsIdentifiedAndInventoriedByTheGenericBehaviour) {
  NEEDS_RECORDED_TREES();
  Bench bench(GetParam().name);
  const auto identity = bench.run(bench.bmc().identify());
  ASSERT_TRUE(identity) << identity.error().what;
  EXPECT_EQ(identity->platform, "generic");
  const auto inventory = bench.run(bench.bmc().inventory());
  ASSERT_TRUE(inventory) << inventory.error().what;
  EXPECT_EQ(inventory->serial, GetParam().serial);
  const auto count = [&](ComponentKind kind) {
    return std::count_if(inventory->components.begin(), inventory->components.end(),
                         [&](const auto& c) { return c.kind == kind; });
  };
  EXPECT_EQ(count(ComponentKind::Gpu), GetParam().gpus);
  EXPECT_EQ(count(ComponentKind::Cpu), GetParam().cpus);
  const auto listed = readFile(mockups / GetParam().name /
                               "redfish/v1/UpdateService/FirmwareInventory/index.json");
  if (listed.is_object()) {
    EXPECT_EQ(inventory->firmware.size(), listed.at("Members").size());
  }
  EXPECT_TRUE(bench.writes().empty());
}

INSTANTIATE_TEST_SUITE_P(All, RecordedTree,
                         ::testing::Values(Tree{"dell-poweredge-r750-idrac9-6.00", "CNIVC0014M0388", 1, 2},
                                           Tree{"dmtf-public-rackmount1", "437XR1138R2", 0, 1},
                                           Tree{"hpe-cray-cmm-chassis", "HX21070007", 0, 0},
                                           Tree{"hpe-cray-ex235n-a100", "DP20300012", 8, 2},
                                           Tree{"hpe-dl385-gen10plus-v2-ilo5", "MXQ302099S", 0, 2},
                                           Tree{"lenovo-sr670v2-8gpu-xcc", "J105958B", 8, 2},
                                           Tree{"nvidia-bluefield3-dpu", "MT2423600ANG", 0, 0},
                                           Tree{"nvidia-dgx-h100", "1662923610124", 8, 2},
                                           Tree{"nvidia-nvlink-switch-tray-n5110", "MT2519600UDR", 0, 0},
                                           Tree{"openbmc-stock", "", 0, 0},
                                           Tree{"powershelf-liteon", "REDACTED", 0, 0},
                                           Tree{"supermicro-gb300-partial-gpu", "S123456", 4, 2},
                                           Tree{"supermicro-sys-821ge-tnhr-h100", "S889914X3710910", 0, 2}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (auto& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

}  // namespace
}  // namespace zellige::redfish
