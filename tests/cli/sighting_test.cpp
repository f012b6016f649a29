// Unlisted devices and range scans at the command line.
#include "tests/cli/command_line.hpp"

namespace zellige::cli {
namespace {

using testing::HasSubstr;

Json scan(int asked, bool ended) {
  return {{"ranges", {"10.20.0.0/24"}},
          {"addresses", 254},
          {"asked", asked},
          {"nodes", 2},
          {"answered", 3},
          {"ended", ended ? Json("2026-11-23T01:39:00Z") : Json{}}};
}

TEST_F(CommandLine, ListsUnlistedDevicesWithWhatTheySay) {
  const Json device{{"mac", "3c:6d:66:00:00:01"},
                    {"address", "10.20.0.9"},
                    {"vendor", "NVIDIA"},
                    {"product", "GB200 NVL\033[2J"},
                    {"vendor_class", nullptr},
                    {"hostname", "bmc-9"},
                    {"circuit", "swp12"},
                    {"place_hint", nullptr},
                    {"first_seen", "2026-11-22T01:39:00Z"},
                    {"last_seen", "2026-11-23T01:39:00Z"}};
  server_.on("GET /api/v1/unlisted?limit=500", 200, {{"devices", {device}}, {"next", nullptr}, {"total", 1}});
  EXPECT_EQ(run({"node", "unlisted"}), 0) << err();
  EXPECT_THAT(out(), HasSubstr("3c:6d:66:00:00:01  10.20.0.9  NVIDIA GB200 NVL?[2J bmc-9  swp12"));
  EXPECT_THAT(out(), HasSubstr("2026-11-22T01:39:00Z  2026-11-23T01:39:00Z"));
  EXPECT_EQ(run({"node", "unlisted", "-o", "json"}), 0);
  EXPECT_EQ(Json::parse(out()), Json::array({device}));
}

TEST_F(CommandLine, AScanStaysUntilItIsOver) {
  server_.on("POST /api/v1/scan", 202, scan(0, false));
  server_.on("GET /api/v1/scan", 200, scan(100, false));
  server_.on("GET /api/v1/scan", 200, scan(252, true));
  EXPECT_EQ(run({"scan", "10.20.0.0/24", "10.20.1.7", "--reason", "a new rack"}), 0) << err();
  EXPECT_EQ(sent(0), (Json{{"ranges", {"10.20.0.0/24", "10.20.1.7"}},
                           {"port", 443},
                           {"public", false},
                           {"reason", "a new rack"}}));
  EXPECT_EQ(server_.requests.size(), 3u);
  EXPECT_THAT(out(), HasSubstr("252 addresses asked, 2 left out because nodes have them; 3 answered"));
  server_.on("DELETE /api/v1/scan", 204, nullptr);
  EXPECT_EQ(run({"scan", "--stop"}), 0) << err();
  EXPECT_EQ(run({"scan", "--stop", "10.20.0.0/24"}), 2);
  EXPECT_EQ(run({"scan", "10.20.0.0/24", "--port", "0"}), 2);
}

}  // namespace
}  // namespace zellige::cli
