#include "tests/include_rule/include_rule.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace zellige::include_rule {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kCheckedFolders[] = {"controller", "drivers", "workflows", "web", "images"};

std::map<std::string, std::string> sources() {
  const fs::path root = ZELLIGE_SOURCE_DIR;
  std::map<std::string, std::string> out;
  for (const auto* folder : kCheckedFolders) {
    if (!fs::exists(root / folder)) continue;
    for (auto it = fs::recursive_directory_iterator(root / folder); it != fs::recursive_directory_iterator();
         ++it) {
      if (it->is_directory() && it->path().filename() == "node_modules") it.disable_recursion_pending();
      if (it->path().extension() != ".cpp" && it->path().extension() != ".hpp") continue;
      std::ostringstream text;
      text << std::ifstream(it->path()).rdbuf();
      out[fs::relative(it->path(), root).generic_string()] = text.str();
    }
  }
  return out;
}

TEST(IncludeRule, HoldsInTheWholeTree) {
  const auto files = sources();
  ASSERT_GT(files.size(), 50u) << "the tree was not found";
  for (const auto& [file, text] : files)
    for (const auto& violation : violations(file, text)) ADD_FAILURE() << violation;
}

TEST(IncludeRule, GoesOneWay) {
  // The table is written from the bottom up: whoever may be included stands above whoever includes it. No cycles then.
  std::vector<std::string_view> seen;
  for (const auto& folder : folders()) {
    for (const auto below : folder.mayInclude)
      EXPECT_THAT(seen, ::testing::Contains(below)) << folder.name << " includes what stands below it";
    seen.push_back(folder.name);
  }
}

TEST(IncludeRule, SiblingsNeverIncludeEachOther) {
  EXPECT_THAT(violations("workflows/image.cpp", "\n#include \"drivers/redfish/client.hpp\"\n"),
              ElementsAre(HasSubstr("workflows/image.cpp:2: workflows may not include drivers/redfish")));
  EXPECT_THAT(violations("drivers/redfish/client.cpp", "#include \"workflows/steps.hpp\"\n"),
              testing::SizeIs(1));
  EXPECT_THAT(violations("web/api/nodes.cpp", "#include \"drivers/redfish/client.hpp\"\n"),
              testing::SizeIs(1));
}

TEST(IncludeRule, SimulatorKnowsNothingOfItsClient) {
  for (const auto* forbidden :
       {"drivers/redfish/client.hpp", "drivers/http/transport.hpp", "workflows/steps.hpp",
        "controller/model/node.hpp", "controller/bmc.hpp", "controller/engine/step.hpp"})
    EXPECT_THAT(violations("drivers/simulator/machine.cpp", "#include \"" + std::string(forbidden) + "\"\n"),
                testing::SizeIs(1))
        << forbidden;
  EXPECT_THAT(violations("drivers/simulator/machine.cpp", "#include \"controller/protocol/agent.hpp\"\n"),
              IsEmpty());
}

TEST(IncludeRule, LowerFoldersNeverIncludeHigherOnes) {
  EXPECT_THAT(violations("controller/base/json.hpp", "#include \"controller/model/node.hpp\""),
              testing::SizeIs(1));
  EXPECT_THAT(violations("controller/engine/turn.cpp", "#include \"controller/store/writer.hpp\""),
              testing::SizeIs(1));
  EXPECT_THAT(violations("controller/store/writer.cpp", "#include \"controller/engine/store.hpp\""),
              IsEmpty());
}

TEST(IncludeRule, LibrariesStayInTheirFolders) {
  EXPECT_THAT(
      violations("controller/engine/engine.cpp", "#include <boost/asio/post.hpp>"),
      ElementsAre(HasSubstr("<boost/asio/post.hpp> belongs to controller/listener, drivers/http alone")));
  EXPECT_THAT(violations("web/api/nodes.cpp", "#include <sqlite3.h>"), testing::SizeIs(1));
  EXPECT_THAT(violations("web/api/nodes.cpp", "#include <SQLiteCpp/Database.h>"), testing::SizeIs(1));
  EXPECT_THAT(violations("controller/commands/serve.cpp", "#include <yaml-cpp/yaml.h>"), testing::SizeIs(1));
  EXPECT_THAT(violations("drivers/redfish/client.cpp", "#include <curl/curl.h>"), testing::SizeIs(1));
  EXPECT_THAT(violations("controller/engine/engine.cpp", "#include <CLI/CLI.hpp>"), testing::SizeIs(1));
  EXPECT_THAT(violations("controller/main.cpp", "#include <CLI/CLI.hpp>"), IsEmpty());
  EXPECT_THAT(violations("controller/store/connection.cpp", "#include <sqlite3.h>"), IsEmpty());
}

TEST(IncludeRule, HeavyHeadersStayOutOfOurHeaders) {
  EXPECT_THAT(violations("controller/model/node.hpp", "#include <nlohmann/json.hpp>"),
              ElementsAre(HasSubstr("too heavy for a header")));
  EXPECT_THAT(violations("drivers/http/curl_transport.hpp", "#include <curl/curl.h>"), testing::SizeIs(1));
  EXPECT_THAT(violations("controller/model/node.hpp", "#include <nlohmann/json_fwd.hpp>"), IsEmpty());
  EXPECT_THAT(violations("controller/model/node.cpp", "#include <nlohmann/json.hpp>"), IsEmpty());
}

TEST(IncludeRule, PathsStartAtTheRoot) {
  EXPECT_THAT(violations("controller/base/log.cpp", "#include \"log.hpp\""), testing::SizeIs(1));
  EXPECT_THAT(violations("controller/base/log.cpp", "#include \"../base/log.hpp\""), testing::SizeIs(1));
}

TEST(IncludeRule, NewFolderMustBeInTheTable) {
  EXPECT_THAT(violations("controller/utils/string.hpp", ""), ElementsAre(HasSubstr("not in the table")));
  EXPECT_THAT(violations("controller/model/node.cpp", "#include \"controller/models/node.hpp\""),
              testing::SizeIs(1));
}

TEST(IncludeRule, ReadsIncludesAsTheCompilerDoes) {
  const auto includes = includesOf(
      "// #include \"a.hpp\"\n"
      "/* #include \"b.hpp\"\n"
      "#include \"c.hpp\"\n"
      "*/ #  include <vector>  // why\n"
      "\t#include \"d.hpp\"\r\n"
      "int x; /* one line */\n"
      "#include \"e.hpp\"");
  ASSERT_EQ(includes.size(), 3u);
  EXPECT_EQ(includes[0].path, "vector");
  EXPECT_FALSE(includes[0].quoted);
  EXPECT_EQ(includes[0].line, 4);
  EXPECT_EQ(includes[1].path, "d.hpp");
  EXPECT_TRUE(includes[1].quoted);
  EXPECT_EQ(includes[2].path, "e.hpp");
  EXPECT_EQ(includes[2].line, 7);
}

}  // namespace
}  // namespace zellige::include_rule
