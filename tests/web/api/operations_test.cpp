// What holds for every operation, taken from the table of routes: who may call it, what it refuses.
#include "controller/protocol/version.hpp"
#include "tests/web/api/fixture.hpp"
#include "web/api/openapi.hpp"
#include "web/api/routes.hpp"

namespace zellige::test {
namespace {

using api::Level;
using api::Route;
using testing::HasSubstr;

constexpr std::string_view kRoles[] = {"viewer",         "technician", "shift_lead", "operator",
                                       "firmware_owner", "admin",      "auditor"};

class Operations : public ApiTest {
 protected:
  /// The route's path with values that name what is there.
  static std::string target(const Route& route) {
    std::string out{route.path};
    const auto put = [&](std::string_view name, const std::string& value) {
      if (const auto at = out.find(name); at != std::string::npos) out.replace(at, name.size(), value);
    };
    put("{serial}", serial(0));
    put("{id}", "1");
    put("{digest}", std::string(64, 'a'));
    return out;
  }
  static HttpRequest request(const Route& route, std::string body = "{\"nonsense\": 1}") {
    HttpRequest out{std::string(route.method), target(route), {}, {}};
    if (route.takes == api::Takes::Nothing) return out;
    out.headers.set("Content-Type",
                    route.takes == api::Takes::Json ? "application/json" : "application/octet-stream");
    out.body = std::move(body);
    return out;
  }
  static std::string label(const Route& route) { return std::string(route.operation); }
};

TEST_F(Operations, WithoutATokenOnlyOpenOnesAnswer) {
  for (const auto& route : api::routes()) {
    const auto status = send(request(route)).status;
    EXPECT_EQ(status == 401, route.needs != Level::Anyone) << label(route);
  }
}

TEST_F(Operations, AWrongTokenIsNobody) {
  token_ = "never-issued";
  for (const auto& route : api::routes()) {
    if (route.needs == Level::Anyone) continue;
    EXPECT_EQ(send(request(route)).status, 401) << label(route);
  }
}

TEST_F(Operations, EachRoleMayWhatTheTableSays) {
  for (const auto role : kRoles)
    for (const auto& route : api::routes()) {
      be(std::string(role));
      const auto status = send(request(route)).status;
      EXPECT_NE(status, 401) << role << " " << label(route);
      EXPECT_EQ(status == 403, api::levelOf(role) < route.needs)
          << role << " " << label(route) << " " << status;
    }
}

TEST_F(Operations, UnknownParametersAreRefusedByName) {
  for (const auto& route : api::routes()) {
    be("admin");
    auto asked = request(route);
    asked.target += "?colour=blue";
    const auto reply = send(asked);
    EXPECT_EQ(reply.status, 400) << label(route);
    EXPECT_THAT(reply.body, HasSubstr("colour")) << label(route);
  }
}

TEST_F(Operations, OnlyWhatIsGivenCanBeAccepted) {
  for (const auto& route : api::routes()) {
    be("admin");
    auto asked = request(route);
    asked.headers.set("Accept", "image/png");
    EXPECT_EQ(send(asked).status, 406) << label(route);
  }
}

TEST_F(Operations, BodiesMustBeOfTheirTypeAndSizeAndShape) {
  for (const auto& route : api::routes()) {
    if (route.takes == api::Takes::Nothing) continue;
    be("admin");
    auto mistyped = request(route);
    mistyped.headers.set("Content-Type", "text/plain");
    EXPECT_EQ(send(mistyped).status, 415) << label(route);
    EXPECT_EQ(send(request(route, std::string(route.maxBytes + 1, ' '))).status, 413) << label(route);
    if (route.takes != api::Takes::Json) continue;
    EXPECT_EQ(send(request(route, "{\"a\": ")).status, 400) << label(route);
    EXPECT_EQ(send(request(route, std::string(100, '[') + std::string(100, ']'))).status, 400) << label(route);
    EXPECT_EQ(send(request(route, "[]")).status, 422) << label(route);
  }
}

TEST_F(Operations, UnknownMembersAreRefusedByName) {
  for (const auto& route : api::routes()) {
    if (route.takes != api::Takes::Json || route.path.find("/{id}/") != std::string_view::npos) continue;
    be("admin");
    const auto reply = send(request(route));
    EXPECT_EQ(reply.status, 422) << label(route);
    EXPECT_THAT(reply.body, HasSubstr("/nonsense")) << label(route);
  }
}

TEST_F(Operations, RepliesCarrySecurityHeadersAndAllowNoOtherOrigin) {
  const auto reply = send("GET", "/api/v1/version", {}, {{"Origin", "https://elsewhere.example"}});
  EXPECT_EQ(reply.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(reply.headers.get("Cache-Control"), "no-store");
  EXPECT_THAT(std::string(reply.headers.get("Content-Security-Policy")), HasSubstr("default-src 'none'"));
  EXPECT_FALSE(reply.headers.has("Access-Control-Allow-Origin"));
}

TEST_F(Operations, WrongMethodsNameTheRightOnes) {
  be("viewer");
  const auto reply = send("DELETE", "/api/v1/nodes");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.get("Allow"), "GET, HEAD");
  EXPECT_EQ(send("OPTIONS", "/api/v1/nodes").status, 405);
  EXPECT_EQ(get("/api/v1/nowhere").status, 404);
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/api/v1/nodes/%zz").status, 404);
}

TEST_F(Operations, HeadAnswersWhereGetDoes) {
  be("viewer");
  const auto reply = send("HEAD", "/api/v1/nodes");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.body.empty()) << "the listener sends its length";
}

TEST_F(Operations, AQueryMustBeReadable) {
  be("viewer");
  EXPECT_EQ(get("/api/v1/nodes?q=%z1").status, 400);
  EXPECT_EQ(get("/api/v1/nodes?q=a&q=b").status, 400);
  EXPECT_EQ(get("/api/v1/nodes?q=" + std::string(1001, 'a')).status, 400);
  EXPECT_EQ(get("/api/v1/nodes?limit=501").status, 400);
  EXPECT_EQ(get("/api/v1/nodes?limit=0").status, 400);
  EXPECT_EQ(get("/api/v1/nodes?limit=many").status, 400);
}

TEST_F(Operations, ReadsTakeNoBody) {
  be("viewer");
  EXPECT_EQ(send("GET", "/api/v1/site", Json::object()).status, 400);
}

TEST_F(Operations, TheProgramHoldsItsOwnDescription) {
  const auto reply = get("/api/v1/openapi.yaml");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, api::openapiText());
  EXPECT_THAT(reply.body, testing::StartsWith("openapi: 3.1"));
  for (const auto& route : api::routes())
    EXPECT_THAT(reply.body, HasSubstr("operationId: " + std::string(route.operation) + "\n"));
}

TEST_F(Operations, TheVersionIsThatOfTheBuild) {
  std::ifstream in(ZELLIGE_SOURCE_DIR "/CMakeLists.txt");
  const std::string cmake{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(cmake, HasSubstr("project(zellige VERSION " + std::string(kVersion) + " "));
  EXPECT_EQ(json(get("/api/v1/version")).at("version"), kVersion);
}

TEST_F(Operations, MetricsCountNodesRunsAndEvents) {
  be("viewer");
  const auto text = get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("zellige_nodes{lifecycle=\"planned\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("zellige_runs_unfinished 0\n"));
  EXPECT_THAT(text, HasSubstr("zellige_events_total " + std::to_string(queries_->lastEvent()) + "\n"));
}

}  // namespace
}  // namespace zellige::test
