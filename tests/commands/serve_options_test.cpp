#include "controller/commands/serve_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/folder.hpp"

namespace zellige::commands {
namespace {

using testing::HasSubstr;

Configuration withLimits() {
  Configuration configuration;
  configuration.limits = {1, 2, 3, 4, 5};
  return configuration;
}

TEST(ServePlan, IsReadFromAFileOfModestSize) {
  const Folder folder;
  const auto read = [](const std::string& file) {
    ServeOptions options;
    options.configuration = file;
    options.apiListen = "127.0.0.1:0";
    return configurationOf(options);
  };
  const auto good = read(folder.write("good", "data_dir: here\n"));
  ASSERT_TRUE(good) << good.error().what;
  EXPECT_EQ(good->dataDir, "here");
  EXPECT_EQ(good->api.listen, "127.0.0.1:0") << "the command line comes last";
  EXPECT_TRUE(read(folder.write("full", "{}" + std::string((1u << 20) - 2, '\n'))));
  EXPECT_THAT(read(folder.write("larger", std::string((1u << 20) + 1, '#'))).error().what,
              HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(read("/dev/zero").error().what, HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(read(folder.path()).error().what, HasSubstr("cannot read"));
  EXPECT_THAT(read(folder.path() / "none").error().what, HasSubstr("cannot read"));
}

TEST(ServePlan, TellsMachinesNoAddressAtWhichTheyFindNobody) {
  ServeOptions options;
  for (const auto* nowhere : {"0.0.0.0:8480", "127.0.0.1:0"}) {
    options.provisioningListen = nowhere;
    const auto read = configurationOf(options);
    ASSERT_FALSE(read) << nowhere;
    EXPECT_THAT(read.error().what, HasSubstr(std::string("--provisioning ") + nowhere));
  }
  options.provisioningListen = "127.0.0.1:8480";
  EXPECT_TRUE(configurationOf(options));
}

TEST(ServePlan, KeepsNoMoreConnectionsThanConfigured) {
  for (const int most : {1, 5, 64, 100, 4096}) {
    Configuration configuration;
    configuration.limits.bmcConnections = most;
    const auto curl = curlOptions(configuration);
    EXPECT_GE(curl.maxConnectionsPerShard, 1u) << most;
    EXPECT_LE(curl.shards * curl.maxConnectionsPerShard, static_cast<std::size_t>(most));
    EXPECT_GT(curl.shards * (curl.maxConnectionsPerShard + 1), static_cast<std::size_t>(most));
  }
}

TEST(ServePlan, ARehearsalKeepsTheLimitsOfItsFile) {
  ServeOptions options;
  const auto same = [](const BudgetLimits& limits) {
    return limits.uploads == 1 && limits.flashesPerRack == 2 && limits.flashes == 3 &&
           limits.imageStreams == 4;
  };
  options.configuration = "zellige.yaml";
  EXPECT_TRUE(same(planeOptions(withLimits(), options).engine.budgets));
  options.speed = 60;
  const auto fast = planeOptions(withLimits(), options);
  EXPECT_TRUE(same(fast.engine.budgets));
  EXPECT_EQ(fast.engine.minSettle, 120s) << "2 s of wall time";
  options.configuration.clear();
  const BudgetLimits wide;
  EXPECT_EQ(planeOptions(Configuration{}, options).engine.budgets.flashesPerRack, wide.flashesPerRack);
}

}  // namespace
}  // namespace zellige::commands
