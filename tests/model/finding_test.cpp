// The table of causes, and that nothing names a cause which is not in it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "controller/model/catalog.hpp"
#include "controller/model/finding.hpp"

namespace zellige {
namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// What stands where a cause is named: failure("…"), find("…"), fail(context, "…"), .spent, .overdue, cause = "…",
// {"…", detail} of a Difference.
std::set<std::string> causesNamedIn(const std::filesystem::path& folder) {
  static const std::regex named(
      R"re((?:failure\(|find\(|fail\(context, |\.spent = |\.overdue = |overdue = |spent = |cause = |push_back\(\{)\s*"([a-z_]+\.[a-z_]+)")re");
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto text = read(entry.path());
    for (std::sregex_iterator it(text.begin(), text.end(), named), end; it != end; ++it) out.insert((*it)[1]);
  }
  return out;
}

TEST(Causes, EveryCauseThatEngineAndWorkflowsNameIsInTheTable) {
  const std::filesystem::path root = ZELLIGE_SOURCE_DIR;
  auto named = causesNamedIn(root / "controller/engine");
  named.merge(causesNamedIn(root / "workflows"));
  EXPECT_GT(named.size(), 15u) << "the scan finds too little to mean anything";
  for (const auto& cause : named) EXPECT_TRUE(findCause(cause)) << cause;
}

TEST(Causes, EachSaysWhatToDoInASentence) {
  std::set<std::string_view> codes;
  for (const auto& cause : causes()) {
    EXPECT_TRUE(codes.insert(cause.code).second) << cause.code;
    EXPECT_NE(cause.code.find('.'), std::string_view::npos) << cause.code;
    EXPECT_FALSE(cause.title.empty()) << cause.code;
    EXPECT_TRUE(cause.nextAction.ends_with('.')) << cause.code;
    EXPECT_TRUE(cause.nextAction.front() >= 'A' && cause.nextAction.front() <= 'Z') << cause.code;
  }
  EXPECT_FALSE(findCause("no.such_cause"));
}

TEST(Catalogue, AMatchIsAnIdOrAPrefix) {
  EXPECT_TRUE(matches("HGX_FW_GPU_*", "HGX_FW_GPU_3"));
  EXPECT_TRUE(matches("FW_BMC_0", "FW_BMC_0"));
  EXPECT_FALSE(matches("FW_BMC_0", "FW_BMC_01"));
  EXPECT_FALSE(matches("HGX_FW_GPU_*", "FW_BMC_0"));
  EXPECT_FALSE(matches("", "FW_BMC_0"));
}

TEST(Catalogue, VersionsAreEqualButForCaseAndSpace) {
  EXPECT_TRUE(sameVersion("GB200Nvl-24.12-8 ", "gb200nvl-24.12-8"));
  EXPECT_FALSE(sameVersion("24.12-8", "24.12-08"));
  EXPECT_FALSE(sameVersion("", "1"));
}

}  // namespace
}  // namespace zellige
