// Recorded trees, served read-only.
#include <filesystem>
#include <fstream>

#include "drivers/simulator/mockup.hpp"
#include "tests/drivers/simulator/client.hpp"
#include "tests/folder.hpp"

namespace zellige::sim {
namespace {

namespace fs = std::filesystem;

/// A tree of our own, so that these tests run where no recorded machines are.
struct Tree : testing::Test {
  Tree() {
    put("tree/redfish/v1/index.json", R"({"Id":"RootService"})");
    put("tree/redfish/v1/Systems/1/index.json", R"({"Id":"1"})");
    put("tree/redfish/v1/Locked/custom.json", R"({"status":403,"body":"no"})");
    put("secret/index.json", R"({"Id":"secret"})");
    put("tree-sibling/index.json", R"({"Id":"sibling"})");
    fs::create_directory_symlink(root / "secret", root / "tree/redfish/v1/Escape");
  }
  void put(const std::string& name, std::string_view text) const {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }
  static HttpReply send(Mockup& mockup, std::string method, std::string target) {
    return mockup.exchange({{std::move(method), std::move(target), {}, "{}"}, 1, false}).reply;
  }
  Folder folder;
  const fs::path root = folder.path();
};

TEST_F(Tree, ServesItsFilesAndIgnoresQueries) {
  auto mockup = Mockup::open(root / "tree");
  ASSERT_TRUE(mockup);
  EXPECT_EQ(send(*mockup, "GET", "/redfish/v1/").status, 200);
  EXPECT_EQ(send(*mockup, "GET", "/redfish/v1/Systems/1?$expand=.").body, R"({"Id":"1"})");
  EXPECT_EQ(send(*mockup, "GET", "/redfish/v1/systems/1/").body, R"({"Id":"1"})")
      << "URIs of some machines mix case";
  EXPECT_EQ(send(*mockup, "GET", "/redfish/v1/Systems/2").status, 404);
  EXPECT_EQ(send(*mockup, "GET", "/redfish/v1/Locked").status, 403);
  EXPECT_EQ(send(*mockup, "GET", "/redfish/v1/Locked").body, "no");
  EXPECT_FALSE(Mockup::open(root / "secret"));
}

TEST_F(Tree, NothingOutsideCanBeReached) {
  auto mockup = Mockup::open(root / "tree");
  ASSERT_TRUE(mockup);
  for (const auto* path :
       {"/../secret", "/redfish/v1/../../../secret", "/redfish/v1/%2e%2e/%2e%2e/%2e%2e/secret",
        "/redfish/v1/..%2f..%2f..%2fsecret", "/redfish/v1/Escape", "/redfish/v1/Systems\\..\\1",
        "/redfish/v1/%00", "/redfish/v1/%zz", "//etc", "/../tree-sibling"})
    EXPECT_EQ(send(*mockup, "GET", path).status, 404) << path;
}

TEST_F(Tree, RefusesWritesButCountsSessions) {
  auto mockup = Mockup::open(root / "tree");
  ASSERT_TRUE(mockup);
  EXPECT_EQ(send(*mockup, "PATCH", "/redfish/v1/Systems/1").status, 405);
  EXPECT_EQ(send(*mockup, "POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset").status, 405);
  EXPECT_EQ(send(*mockup, "DELETE", "/redfish/v1/Systems/1").status, 405);
  const auto opened = send(*mockup, "POST", "/redfish/v1/SessionService/Sessions");
  EXPECT_EQ(opened.status, 201);
  EXPECT_FALSE(opened.headers.get("X-Auth-Token").empty());
  EXPECT_EQ(send(*mockup, "DELETE", std::string(opened.headers.get("Location"))).status, 204);
  EXPECT_EQ(mockup->sessionsOpened(), 1u);
  EXPECT_EQ(mockup->sessionsClosed(), 1u);
}

TEST(MockupOfRecordedMachines, ServesEveryRoot) {
  const auto machines = recordedMachines();
  if (!fs::exists(machines)) {
    if (std::getenv("CI") != nullptr) FAIL() << machines << " is missing, and CI is set";
    GTEST_SKIP() << "no recorded machines at " << machines;
  }
  int served = 0;
  for (const auto& entry : fs::directory_iterator(machines)) {
    if (!entry.is_directory()) continue;
    auto mockup = Mockup::open(entry.path());
    ASSERT_TRUE(mockup) << entry.path();
    const auto reply = mockup->exchange({{"GET", "/redfish/v1", {}, {}}, 1, false}).reply;
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(parseJson(reply.body)) << entry.path();
    ++served;
  }
  EXPECT_GE(served, 15);
}

}  // namespace
}  // namespace zellige::sim
