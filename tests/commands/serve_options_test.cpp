#include "controller/commands/serve_options.hpp"

#include <gtest/gtest.h>

namespace zellige::commands {
namespace {

Configuration withLimits() {
  Configuration configuration;
  configuration.limits = {1, 2, 3, 4, 5};
  return configuration;
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
