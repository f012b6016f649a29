#include "tests/docs/documents.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "controller/model/finding.hpp"

namespace zellige::documents {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const fs::path kRoot = ZELLIGE_SOURCE_DIR;

std::string read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<fs::path> documents() {
  std::vector<fs::path> out{kRoot / "README.md", kRoot / "CONTRIBUTING.md"};
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "docs"))
    if (entry.path().extension() == ".md") out.push_back(entry.path());
  return out;
}

std::set<std::string> allLogCodes() {
  std::set<std::string> codes;
  for (const auto* folder : {"controller", "drivers", "workflows", "web", "images"}) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
      if (entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp")
        codes.merge(logCodesIn(read(entry.path())));
  }
  return codes;
}

bool isCause(const std::string& entry) { return entry.find('.') != std::string::npos; }

TEST(Operations, HaveAnEntryForEveryCause) {
  const auto entries = entriesIn(read(kRoot / "docs/operations.md"));
  ASSERT_FALSE(causes().empty());
  for (const auto& cause : causes()) EXPECT_THAT(entries, Contains(std::string(cause.code)));
}

TEST(Operations, HaveAnEntryForEveryLogCode) {
  const auto entries = entriesIn(read(kRoot / "docs/operations.md"));
  const auto codes = allLogCodes();
  ASSERT_FALSE(codes.empty());
  for (const auto& code : codes) EXPECT_THAT(entries, Contains(code));
}

TEST(Operations, DescribeNothingThatDoesNotExist) {
  const auto codes = allLogCodes();
  for (const auto& entry : entriesIn(read(kRoot / "docs/operations.md"))) {
    if (isCause(entry))
      EXPECT_NE(findCause(entry), nullptr) << entry << " is no cause";
    else
      EXPECT_THAT(codes, Contains(entry)) << "nothing logs it";
  }
}

TEST(Readme, CommandsNameExistingFiles) {
  const auto commands = commandsIn(read(kRoot / "README.md"));
  EXPECT_THAT(commands, Contains(::testing::StartsWith("./demo.sh")));
  EXPECT_THAT(commands, Contains(::testing::StartsWith("./test.sh")));
  for (const auto& command : commands)
    for (const auto& file : filesNamedBy(command)) EXPECT_TRUE(fs::exists(kRoot / file)) << command;
}

TEST(Documents, LinksLeadSomewhere) {
  for (const auto& document : documents())
    for (const auto& link : linksIn(read(document)))
      EXPECT_TRUE(fs::exists(document.parent_path() / link)) << document << " links to " << link;
}

TEST(Documents, DecisionsAreAtMostAPage) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kRoot / "docs/decisions")) {
    std::istringstream lines(read(entry.path()));
    int length = 0;
    for (std::string line; std::getline(lines, line);) ++length;
    EXPECT_LE(length, 60) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 0);
}

TEST(DocumentReader, FindsEntriesAndOnlyEntries) {
  EXPECT_THAT(entriesIn("- **`a.b`** What.\n- `c.d` no\nsee **`e.f`**\n- **`LOG_CODE`** x\n"),
              ElementsAre("LOG_CODE", "a.b"));
}

TEST(DocumentReader, FindsLogCodesOverLineBreaks) {
  EXPECT_THAT(
      logCodesIn("log::warn(\"A_B\", {});\n zellige::log::info(\n    \"C_D\", {{\"k\", v}});\nlog(\"NO\");"),
      ElementsAre("A_B", "C_D"));
}

TEST(DocumentReader, ReadsCommandsOfShellBlocksOnly) {
  const auto* text =
      "text\n```sh\n./a.sh x\n\n```\n./no\n```yaml\nb: 1\n```\n1. x\n   ```sh\n   ls docs/\n   ```\n";
  EXPECT_THAT(commandsIn(text), ElementsAre("./a.sh x", "ls docs/"));
  EXPECT_THAT(blocksIn(text, "yaml"), ElementsAre("b: 1\n"));
}

TEST(DocumentReader, KnowsWhichWordsAreFilesOfOurs) {
  EXPECT_THAT(filesNamedBy("./demo.sh -- --json  # not docs/this"), ElementsAre("./demo.sh"));
  EXPECT_THAT(filesNamedBy("less docs/operations.md controller/x.cpp"),
              ElementsAre("docs/operations.md", "controller/x.cpp"));
  EXPECT_THAT(filesNamedBy("build/release/bin/zellige serve --config /etc/zellige.yaml"), IsEmpty());
}

TEST(DocumentReader, TakesPathsOutOfLinks) {
  EXPECT_THAT(linksIn("[a](docs/x.md#part) [b](https://example.org/) [c](#here) [d](../y.md)"),
              ElementsAre("../y.md", "docs/x.md"));
}

}  // namespace
}  // namespace zellige::documents
