#include "tests/drivers/redfish/read_list.hpp"

#include "tests/drivers/redfish/bench.hpp"

namespace zellige::redfish {
namespace {

// Everything that reads, on the recorded GB200 tray.
ReadList readEverything(std::string_view tree) {
  ReadList list;
  ClientOptions options;
  options.readLog = &list;
  Bench bench(tree, options);
  auto& bmc = bench.bmc();
  EXPECT_TRUE(bench.run(bmc.identify()));
  EXPECT_TRUE(bench.run(bmc.signIn()));
  EXPECT_TRUE(bench.run(bmc.inventory()));
  EXPECT_TRUE(bench.run(bmc.firmware()));
  EXPECT_TRUE(bench.run(bmc.host()));
  EXPECT_TRUE(bench.run(bmc.state()));
  EXPECT_TRUE(bench.run(bmc.settings()));
  EXPECT_TRUE(bench.run(bmc.tasks()));
  EXPECT_TRUE(bench.run(bmc.media()));
  EXPECT_TRUE(bench.run(bmc.bootOverride()));
  EXPECT_TRUE(bench.run(bmc.leakDetected()));
  EXPECT_TRUE(bench.run(bmc.reset(HostReset::ForceOff)));
  EXPECT_TRUE(bench.run(bmc.resetBmc()));
  EXPECT_TRUE(bench.run(bmc.setBootOverride({"Cd", true})));
  EXPECT_TRUE(bench.run(bmc.changePassword()));
  return list;
}

TEST(ReadListTest, KnowsWhatTheClientReadsAndOfWhichType) {
  NEEDS_RECORDED_TREES();
  const auto list = readEverything(gb200Tree);
  const auto typeOf = [&](const char* type, const char* path) {
    const auto it = list.found().find({type, path});
    return it == list.found().end() ? std::set<std::string>{} : it->second;
  };
  EXPECT_EQ(typeOf("Processor", "SerialNumber"), (std::set<std::string>{"string"}));
  EXPECT_EQ(typeOf("SoftwareInventory", "Updateable"), (std::set<std::string>{"boolean"}));
  EXPECT_EQ(typeOf("ComputerSystem", "BootProgress/LastState"), (std::set<std::string>{"string"}));
  EXPECT_EQ(typeOf("ActionInfo", "Parameters[]/AllowableValues"), (std::set<std::string>{"array"}));
  EXPECT_EQ(typeOf("ManagerNetworkProtocol", "Oem/Nvidia/Rsyslog/State"), (std::set<std::string>{"string"}));
  for (const auto& [property, types] : list.found())
    EXPECT_EQ(types.size(), 1u) << property.first << property.second;
}

TEST(ReadListTest, WhatTheRecordedTrayDoesNotHaveIsKnownAndExplained) {
  NEEDS_RECORDED_TREES();
  const std::set<ReadList::Property> optional{
      // GB200 puts the allowed values behind @Redfish.ActionInfo (FACTS 2).
      {"ComputerSystem", "Actions/#ComputerSystem.Reset/ResetType@Redfish.AllowableValues"},
      {"Manager", "Actions/#Manager.Reset/ResetType@Redfish.AllowableValues"},
      {"ComputerSystem", "Boot/BootSourceOverrideMode"},  // may be missing (FACTS 3)
      // System_0 tells neither: the tray's identity is Chassis_0's (FACTS 1).
      {"ComputerSystem", "Manufacturer"},
      {"ComputerSystem", "Model"},
      {"ComputerSystem", "SerialNumber"},
      // Read leniently: properties go missing (FACTS 12, 33), and other machines have these.
      {"Drive", "Status/Health"},
      {"Memory", "Model"},
      {"NetworkAdapter", "Status/Health"},
  };
  auto missing = readEverything(gb200Tree).neverFound();
  std::erase_if(missing,
                [](const auto& property) {  // of the protocol, not of the machine (FACTS 3: DGX has no ETags)
                  return property.second == "@odata.etag" || property.second == "Members@odata.nextLink";
                });
  for (const auto& property : missing)
    EXPECT_TRUE(optional.contains(property)) << property.first << " " << property.second;
  for (const auto& property : optional)
    EXPECT_TRUE(missing.contains(property)) << property.first << " " << property.second;
}

}  // namespace
}  // namespace zellige::redfish
