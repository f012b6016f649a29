#include "web/api/gate.hpp"

#include "tests/web/api/fixture.hpp"
#include "web/api/routes.hpp"

namespace zellige::test {
namespace {

using api::Gate;

class GateTest : public ApiTest {
 protected:
  Gate::Verdict judge(std::string method, std::string target) {
    auto head = requestOf(std::move(method), std::move(target), std::nullopt, {});
    if (!token_.empty()) head.headers.set("Authorization", "Bearer " + token_);
    return Gate(*store_, *executor_).judge(head);
  }
  static constexpr std::size_t kForm = 64u << 10;
};

TEST_F(GateTest, TakesNoMoreThanAFormFromNobody) {
  for (const auto& route : api::routes()) {
    const auto verdict = judge(std::string(route.method), std::string(route.path));
    EXPECT_LE(verdict.bytes, kForm) << route.operation;
    EXPECT_EQ(verdict.otherwise, route.maxBytes > kForm ? 401 : 413) << route.operation;
  }
  EXPECT_EQ(judge("POST", "/nowhere").bytes, kForm);
  EXPECT_EQ(judge("POST", "/api/v1/session").bytes, 4096u) << "no more than the operation reads";
  token_ = "never issued";
  EXPECT_EQ(judge("POST", "/api/v1/import").otherwise, 401);
}

TEST_F(GateTest, TakesAnImportFromWhoMayImport) {
  be("viewer");
  EXPECT_EQ(judge("POST", "/api/v1/import?dry_run=true").bytes, kForm);
  EXPECT_EQ(judge("POST", "/api/v1/import").otherwise, 403);
  be("operator");
  EXPECT_EQ(judge("POST", "/api/v1/import?dry_run=true").bytes, 80u << 20);
  EXPECT_EQ(judge("PUT", "/api/v1/files/" + std::string(64, 'a')).bytes, 8u << 20);
  EXPECT_EQ(judge("POST", "/api/v1/site/arm").bytes, kForm);
  auto user = *queries_->user("operator");
  user.disabled = true;
  ASSERT_TRUE(wait(store_->changeUser(user, by_)));
  EXPECT_EQ(judge("POST", "/api/v1/import").otherwise, 401);
}

}  // namespace
}  // namespace zellige::test
