// The YAML in docs/operations.md is read by the program's own readers.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "controller/site/configuration.hpp"
#include "controller/site/site_file.hpp"
#include "tests/docs/documents.hpp"

namespace zellige::documents {
namespace {

std::vector<std::string> yamlBlocks() {
  std::ostringstream text;
  text << std::ifstream(std::filesystem::path(ZELLIGE_SOURCE_DIR) / "docs/operations.md").rdbuf();
  return blocksIn(text.str(), "yaml");
}

template <class T>
std::string problemsOf(const Reading<T>& reading) {
  std::string out;
  if (const auto* problems = std::get_if<std::vector<Problem>>(&reading))
    for (const auto& problem : *problems) out += describe(problem) + "\n";
  return out;
}

TEST(OperationsExamples, ConfigurationShowsTheDefaults) {
  const auto blocks = yamlBlocks();
  ASSERT_FALSE(blocks.empty());
  const auto read = readConfiguration("docs/operations.md", blocks.front());
  ASSERT_EQ(problemsOf(read), "");
  const auto& shown = std::get<Configuration>(read);
  const Configuration defaults;
  EXPECT_EQ(shown.dataDir, defaults.dataDir);
  EXPECT_EQ(shown.api.listen, defaults.api.listen);
  EXPECT_EQ(shown.provisioning.listen, defaults.provisioning.listen);
  EXPECT_EQ(shown.logLevel, defaults.logLevel);
  EXPECT_EQ(shown.limits.uploads, defaults.limits.uploads);
  EXPECT_EQ(shown.limits.flashesPerRack, defaults.limits.flashesPerRack);
  EXPECT_EQ(shown.limits.siteFlashes, defaults.limits.siteFlashes);
  EXPECT_EQ(shown.limits.imageStreams, defaults.limits.imageStreams);
  EXPECT_EQ(shown.limits.bmcConnections, defaults.limits.bmcConnections);
  EXPECT_TRUE(shown.limits.power.empty());
  EXPECT_EQ(shown.engine.patrol, defaults.engine.patrol);
  EXPECT_EQ(shown.retention.events, defaults.retention.events);
  EXPECT_EQ(shown.retention.unlisted, defaults.retention.unlisted);
  EXPECT_EQ(shown.leases, defaults.leases);
  EXPECT_EQ(shown.circuits, defaults.circuits);
}

TEST(OperationsExamples, PowerIsLimitedByPlace) {
  const auto blocks = yamlBlocks();
  ASSERT_GT(blocks.size(), 1u);
  const auto read = readConfiguration("docs/operations.md", blocks[1]);
  ASSERT_EQ(problemsOf(read), "");
  const auto& power = std::get<Configuration>(read).limits.power;
  ASSERT_EQ(power.size(), 2u);
  EXPECT_EQ(power[1].place, "H1/R01");
  EXPECT_EQ(power[1].wattsPerMinute, 400'000);
}

TEST(OperationsExamples, SiteFilesAreRead) {
  const auto blocks = yamlBlocks();
  ASSERT_EQ(blocks.size(), 8u)
      << "the configuration and its power limits, then manifest, SKU, baseline, plan, profile and recipe";
  for (std::size_t i = 2; i < blocks.size(); ++i)
    EXPECT_EQ(problemsOf(readSiteFile("docs/operations.md", blocks[i])), "") << blocks[i];
}

}  // namespace
}  // namespace zellige::documents
