// The API over a real store in virtual time, with an engine that knows toy workflows. Every exchange is recorded if
// ZELLIGE_RECORD_EXCHANGES says where.
#pragma once

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/store/fixture.hpp"
#include "web/api/api.hpp"
#include "web/api/provisioning.hpp"
#include "web/api/recorder.hpp"

namespace zellige::test {

/// "qualify" reaches qualifying; then its parameter says what happens: "" ends well, "wait" waits, "fail" fails.
/// "toy" does the same and reaches nothing, and so does "domain" with all trays of a rack together. None of them acts.
std::vector<const Workflow*> toyWorkflows();
/// How often toys have looked in this process.
int toyLooks();

/// No run of a toy talks to a machine.
class NoMachines final : public BmcDirectory {
 public:
  std::shared_ptr<Bmc> of(const Node&) override { throw std::logic_error("a toy asked for a machine"); }
  std::shared_ptr<SwitchOs> osOf(const Node& node) override {
    throw std::logic_error("no system of " + node.serial);
  }
  void rest(NodeId) override {}
};

/// Begins and stops as it is told, and asks nobody.
class PretendedScan final : public api::Scanning {
 public:
  Task<Result<void>> begin(api::ScanRequest request) override {
    if (now_ && !now_->ended) co_return Error{Errc::Conflict, "another scan is running"};
    now_.emplace();
    for (const auto& range : request.ranges) now_->ranges.push_back(range.text);
    now_->port = request.port;
    now_->by = request.by.actor;
    co_return Result<void>{};
  }
  bool stop() override {
    if (!now_ || now_->ended) return false;
    now_->ended = Time{};
    now_->stopped = true;
    return true;
  }
  std::optional<api::ScanState> state() const override { return now_; }

 private:
  std::optional<api::ScanState> now_;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

class ApiTest : public StoreTest {
 protected:
  void SetUp() override { openApi(3); }
  void TearDown() override {
    for (int i = 0; i < 100'000 && executor_ && executor_->spawnedCount() > 0 && time_.runOne(); ++i) {
    }
    closeApi();
  }

  virtual api::ApiOptions options() {
    api::ApiOptions options;
    options.working = api::Working::Inline;
    options.incoming = directory_.path() / "incoming";
    options.scanning = &scanning_;
    options.forgetBmc = [this](NodeId node) { forgotten_.push_back(node); };
    return options;
  }
  void openApi(int nodes) {
    openWithSite(nodes);
    serveStore();
  }
  /// Over the store as it was opened.
  void serveStore() {
    Surroundings site;
    site.provisioningUrl = "https://10.0.0.1:8444";
    site.token = [](const Node&, std::string_view) { return std::string("token"); };
    const auto toys = toyWorkflows();
    engine_ = std::make_unique<Engine>(*store_, machines_, *executor_, site, toys, EngineOptions{});
    engine_->resume();
    bringUp_ = std::make_unique<BringUp>(*store_, *engine_, *executor_);
    campaigns_ = std::make_unique<Campaigns>(*store_, *engine_, *executor_);
    engine_->onState([this](const std::vector<NodeId>& subject) { campaigns_->look(subject); });
    api_ = std::make_unique<api::Api>(*store_, *engine_, *bringUp_, *campaigns_, *executor_, options());
  }
  void closeApi() {
    api_.reset();
    campaigns_.reset();
    bringUp_.reset();
    engine_.reset();
    close();
  }

  /// A user of this name with this role there, if there is none, and a fresh token of theirs.
  std::string tokenOf(const std::string& user, const std::string& role, const std::string& place = "") {
    if (!queries_->user(user)) {
      User made;
      made.name = user;
      made.passwordHash = "none";
      made.grants = {{role, place}};
      EXPECT_TRUE(wait(store_->createUser(made, by_)));
    }
    auto secret = user + "-token-Canary-" + std::to_string(++tokens_);
    ApiToken token;
    token.user = user;
    token.name = "test";
    token.hash = hashToken(Secret{secret});
    EXPECT_TRUE(wait(store_->createToken(token, by_)));
    return secret;
  }
  /// Signs in as a user of that role for the requests to come; "" is nobody.
  void be(const std::string& role, const std::string& place = "") {
    token_ = role.empty() ? ""
                          : tokenOf(role + (place.empty() ? "" : "-" + std::string("somewhere")), role, place);
  }

  static HttpRequest requestOf(std::string method, std::string target, const std::optional<Json>& body,
                               HeaderList headers) {
    HttpRequest request{std::move(method), std::move(target), {}, {}};
    if (body) {
      request.headers.set("Content-Type", "application/json");
      request.body = body->dump();
    }
    for (auto& [name, value] : headers) request.headers.set(name, value);
    return request;
  }
  HttpReply send(HttpRequest request) {
    if (!token_.empty() && !request.headers.has("Authorization"))
      request.headers.set("Authorization", "Bearer " + token_);
    auto reply = wait(api_->handle(request, {"192.0.2.7"}));
    recorder_.note(api::operationOf(request), request, reply);
    replies_.push_back(reply.body);
    return reply;
  }
  HttpReply send(std::string method, std::string target, std::optional<Json> body = {},
                 HeaderList headers = {}) {
    return send(requestOf(std::move(method), std::move(target), body, std::move(headers)));
  }
  HttpReply get(std::string target, HeaderList headers = {}) {
    return send("GET", std::move(target), {}, std::move(headers));
  }
  HttpReply post(std::string target, Json body, HeaderList headers = {}) {
    return send("POST", std::move(target), std::move(body), std::move(headers));
  }
  static Json json(const HttpReply& reply) { return Json::parse(reply.body); }

  /// Starts a run through the API and lets the engine work until it waits or has ended.
  std::int64_t startRun(int n, const std::string& workflow, const std::string& parameter) {
    const auto reply = post("/api/v1/nodes/" + serial(n) + "/runs",
                            {{"workflow", workflow}, {"parameter", parameter}, {"reason", "a test"}});
    EXPECT_EQ(reply.status, 201) << reply.body;
    settle();
    return reply.status == 201 ? json(reply).at("id").get<std::int64_t>() : 0;
  }
  void settle(Duration atMost = 60s) {
    const auto until = time_.now() + atMost;
    while (time_.nextDue() && *time_.nextDue() <= until && time_.runOne()) {
    }
  }
  static std::string serial(int n) { return "SN" + std::to_string(1000 + n); }

  NoMachines machines_;
  PretendedScan scanning_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<BringUp> bringUp_;
  std::unique_ptr<Campaigns> campaigns_;
  std::unique_ptr<api::Api> api_;
  api::Recorder recorder_;
  std::string token_;
  std::vector<std::string> replies_;
  std::vector<NodeId> forgotten_;
  int tokens_ = 0;
};

}  // namespace zellige::test
