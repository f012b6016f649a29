// The driver of a switch tray's system, against a switch that takes scripted answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/base/virtual_time.hpp"
#include "drivers/nvos/nvos_switch.hpp"

namespace zellige::nvos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FakeSwitch final : public http::Transport {
 public:
  explicit FakeSwitch(Executor& executor) : executor_(executor) {}

  Task<Result<http::Received>> send(http::Peer peer, HttpRequest request, http::SendOptions) override {
    co_await sleepFor(executor_, 50ms);
    const auto key = request.method + " " + request.target;
    seen.push_back(key);
    if (onSeen) onSeen(key);
    bodies.push_back(request.body);
    if (!peer.pin.empty() && peer.pin != "pin-a") co_return Error{Errc::Rejected, "another certificate"};
    if (auto& scripted = once[key]; !scripted.empty()) {
      auto answer = std::move(scripted.front());
      scripted.pop_front();
      if (!answer) co_return answer.error();
      co_return http::Received{std::move(*answer), "pin-a"};
    }
    if (request.headers.get("Authorization") != "Basic " + toBase64("admin:" + password)) {
      ++refused;
      co_return http::Received{{401, {}, "{}"}, "pin-a"};
    }
    if (key.starts_with("PATCH /nvue_v1/system/aaa/user/admin?rev="))
      staged = Json::parse(request.body).at("password").get<std::string>();
    if (key.starts_with("PATCH /nvue_v1/revision/") && !staged.empty()) password = std::exchange(staged, {});
    const auto it = always.find(key);
    co_return http::Received{it == always.end() ? HttpReply{200, {}, "{}"} : it->second, "pin-a"};
  }

  std::map<std::string, std::deque<Result<HttpReply>>> once;
  std::map<std::string, HttpReply> always;
  std::vector<std::string> seen, bodies;
  std::function<void(const std::string&)> onSeen;
  std::string password = "factory-secret", staged;
  int refused = 0;  ///< passwords

 private:
  Executor& executor_;
};

class Access final : public AccessStore {
 public:
  Result<BmcAccess> loadAccess(AccessKey key) override {
    EXPECT_EQ(key.endpoint, Endpoint::Os);
    return stored;
  }
  Task<Result<void>> saveAccess(AccessKey, BmcAccess access) override {
    if (access.version != stored.version) co_return Error{Errc::Conflict, "changed"};
    stored = std::move(access);
    ++stored.version;
    co_return Result<void>{};
  }
  BmcAccess stored;
};

template <class T>
Task<void> into(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await task);
}

Task<Result<void>> waitFor(Executor& executor, Duration d) {
  co_await sleepFor(executor, d);
  co_return Result<void>{};
}

Error lostReply() {
  Error error{Errc::Timeout, "no reply"};
  error.left = true;
  return error;
}

HttpReply ok(const Json& body) { return {200, {}, body.dump()}; }

class Nvos : public testing::Test {
 protected:
  Nvos() {
    access.stored.user = "admin";
    access.stored.password = Secret("factory-secret");
    access.stored.mustChange = true;
    http::Peer peer;
    peer.address = "127.101.0.1";
    os = std::make_unique<NvosSwitch>(wiring, NodeId{1}, peer, [this] { return armed; });
    device.always["GET /nvue_v1/platform"] = ok({{"serial-number", "MT1"}, {"product-name", "N5110_LD"}});
    device.always["POST /nvue_v1/revision"] = {201, {}, R"({"7":{"state":"pending"}})"};
  }
  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    executor.spawn(into(std::move(task), out));
    while (!out && time.runOne()) {
    }
    return std::move(*out);
  }

  /// And the old one has let us in since.
  void sentBeforeACrash() {
    access.stored.nextPassword = Secret("sent-before-the-crash");
    access.stored.guessCurrent = true;
  }

  VirtualTime time;
  VirtualExecutor executor{time};
  FakeSwitch device{executor};
  Access access;
  Wiring wiring{device, access, executor, {}};
  bool armed = true;
  std::unique_ptr<NvosSwitch> os;
};

TEST_F(Nvos, SignsInPinsAndConfirmsARefusalOnce) {
  device.once["GET /nvue_v1/platform"].push_back(HttpReply{401, {}, "{}"});
  const auto identity = run(os->signIn());
  ASSERT_TRUE(identity) << identity.error().what;
  EXPECT_EQ(identity->serial, "MT1");
  EXPECT_EQ(access.stored.pin, "pin-a");
  device.password = "somebody changed it";
  device.seen.clear();
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Unreachable) << "others may have locked the account";
  EXPECT_EQ(device.seen.size(), 2u);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth) << "no lockout lasts so long";
  EXPECT_EQ(device.seen.size(), 4u);
}

TEST_F(Nvos, APasswordThatNeverWorkedIsCountedBeforeItIsSent) {
  for (int i = 0; i < 6; ++i) {
    device.once["GET /nvue_v1/platform"].push_back(lostReply());
    EXPECT_FALSE(run(os->signIn()));
  }
  EXPECT_EQ(device.seen.size(), 2u) << "it may have been refused each time";
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Unreachable);
  device.once.clear();
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.guesses, 0);
  const auto version = access.stored.version;
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.version, version) << "it has worked: each exchange is not a row";
}

// A person offers the manifest's password again beside the one that we had set (controller/store/site_import.cpp).
TEST_F(Nvos, OfTwoPasswordsOneThatNeverWorkedIsCountedBeforeItIsSent) {
  access.stored.nextPassword = Secret("rotated");
  access.stored.guessCurrent = true;
  for (int i = 0; i < 6; ++i) {
    device.once["GET /nvue_v1/platform"].push_back(lostReply());
    EXPECT_FALSE(run(os->signIn()));
  }
  EXPECT_EQ(device.seen.size(), 2u);
}

TEST_F(Nvos, WhatNeverLeftIsNoGuessWhateverKeptIt) {
  for (const auto& kept : {failure("bmc.certificate_changed", "another key"),
                           failure("bmc.certificate_untrusted", "self-signed"),
                           Error{Errc::Invalid, "the CA file cannot be read"}}) {
    for (const bool oneOfTwo : {false, true}) {
      access.stored.nextPassword = oneOfTwo ? std::optional(Secret("next")) : std::nullopt;
      access.stored.guessCurrent = true;
      for (int i = 0; i < 4; ++i) {
        device.once["GET /nvue_v1/platform"].push_back(kept);
        EXPECT_EQ(run(os->signIn()).error().what, kept.what);
      }
      EXPECT_EQ(access.stored.guesses, 0);
    }
  }
}

// FACTS knows 401; others are known to say it so.
TEST_F(Nvos, APasswordThatNeverWorkedIsRefusedWith403Too) {
  for (const bool oneOfTwo : {false, true}) {
    access.stored.nextPassword = oneOfTwo ? std::optional(Secret("next")) : std::nullopt;
    access.stored.guesses = access.stored.refusals = 0;
    device.seen.clear();
    for (int i = 0; i < 4; ++i) device.once["GET /nvue_v1/platform"].push_back(HttpReply{403, {}, "{}"});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
    EXPECT_EQ(device.seen.size(), 2u);
    device.once.clear();
  }
}

TEST_F(Nvos, WhatAProvenUserMayNotDoIsNoRefusedPassword) {
  ASSERT_TRUE(run(os->signIn()));
  device.once["GET /nvue_v1/platform"].push_back(HttpReply{403, {}, "{}"});
  EXPECT_FALSE(run(os->signIn()));
  EXPECT_EQ(access.stored.guesses, 0);
  EXPECT_TRUE(run(os->signIn()));
}

TEST_F(Nvos, WhatNobodyJudgedBeginsNoLockout) {
  device.password = "somebody changed it";
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  device.password = "factory-secret";
  device.once["GET /nvue_v1/platform"].push_back(Error{Errc::Unreachable, "no route"});
  EXPECT_FALSE(run(os->signIn()));
  EXPECT_TRUE(run(os->signIn()));
}

TEST_F(Nvos, WhatItRefusedIsNotGuessedAgainBeforeTheLongestLockoutIsOver) {
  device.password = "somebody changed it";
  for (int look = 0; look < 4; ++look) EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(device.refused, 2) << "and no restart forgets it: it is in the row";
  EXPECT_EQ(access.stored.refusals, 2);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(device.refused, 4);
  ASSERT_TRUE(run(waitFor(executor, 11min)));
  device.password = "factory-secret";
  EXPECT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.refusals, 0);
}

TEST_F(Nvos, ReadsItsComponentsAndTheImageThatRuns) {
  device.always["GET /nvue_v1/platform/firmware"] = ok(
      {{"BMC", {{"actual-firmware", "88.0002.1950"}}}, {"BIOS", {{"actual-firmware", 7}}}, {"FPGA", nullptr}});
  device.always["GET /nvue_v1/system/image"] = ok({{"current", "2"},
                                                   {"next", "1"},
                                                   {"partition1", {{"build-id", "nvos-new"}}},
                                                   {"partition2", {{"build-id", "nvos-old"}}}});
  const auto items = run(os->firmware());
  ASSERT_TRUE(items);
  std::map<std::string, std::string> versions;
  for (const auto& item : *items) versions[item.id] = item.version;
  EXPECT_EQ(versions, (std::map<std::string, std::string>{
                          {"BMC", "88.0002.1950"}, {"BIOS", ""}, {"FPGA", ""}, {"NVOS", "nvos-old"}}));
}

TEST_F(Nvos, FetchesThePackageThenInstallsIt) {
  device.always["POST /nvue_v1/platform/firmware/BMC"] = {201, {}, "\"4\""};
  device.once["GET /nvue_v1/action/4"].push_back(ok({{"state", "running"}}));
  device.always["GET /nvue_v1/action/4"] = ok(
      {{"state", "action_success"}, {"detail", "File fetched successfully"}});
  device.always["POST /nvue_v1/platform/firmware/BMC/files/a.fwpkg"] = {201, {}, "5"};
  const auto task = run(
      os->pushFirmware({"", "a.fwpkg", "https://10.0.0.1/packages/t/d/a.fwpkg"}, {"BMC"}, true));
  ASSERT_TRUE(task) << task.error().what;
  EXPECT_EQ(*task, "/nvue_v1/action/5");
  EXPECT_THAT(device.bodies.front(), HasSubstr("https://10.0.0.1/packages/t/d/a.fwpkg"));
  EXPECT_THAT(device.bodies.back(), HasSubstr("\"force\":true"));
  // What only fetched a file is no write.
  device.always["GET /nvue_v1/action"] = ok(
      {{"4", {{"state", "action_success"}}}, {"5", {{"state", "start"}}}});
  const auto tasks = run(os->tasks());
  ASSERT_EQ(tasks->size(), 1u);
  EXPECT_EQ(tasks->front().uri, "/nvue_v1/action/5");
  EXPECT_EQ(tasks->front().state, TaskState::Running);
}

TEST_F(Nvos, AFetchThatFailsSentNothing) {
  device.always["POST /nvue_v1/platform/firmware/BMC"] = {201, {}, "4"};
  device.always["GET /nvue_v1/action/4"] = ok({{"state", "action_error"}, {"detail", "no route to host"}});
  const auto task = run(os->pushFirmware({"", "a.fwpkg", "https://10.0.0.1/x"}, {"BMC"}, false));
  ASSERT_FALSE(task);
  EXPECT_FALSE(task.error().outcomeUnknown);
  EXPECT_THAT(task.error().what, HasSubstr("no route to host"));
  EXPECT_EQ(run(os->pushFirmware({"", "a", ""}, {}, false)).error().code, Errc::Unsupported);
}

TEST_F(Nvos, AnInstallWhoseReplyIsLostIsUnknown) {
  device.always["POST /nvue_v1/platform/firmware/BMC"] = {201, {}, "4"};
  device.always["GET /nvue_v1/action/4"] = ok({{"state", "action_success"}});
  device.once["POST /nvue_v1/platform/firmware/BMC/files/a"].push_back(lostReply());
  EXPECT_TRUE(run(os->pushFirmware({"", "a", "https://x/a"}, {"BMC"}, false)).error().outcomeUnknown);
}

TEST_F(Nvos, NothingLeavesAPlaceThatIsDisarmedInTheMiddleOfAPasswordChange) {
  for (const auto& last : {"POST /nvue_v1/revision", "PATCH /nvue_v1/system/aaa/user/admin?rev=7"}) {
    armed = true;
    access.stored = {};
    access.stored.user = "admin";
    access.stored.password = Secret("factory-secret");
    access.stored.mustChange = true;
    device.seen.clear();
    device.onSeen = [&](const std::string& key) {
      if (key == last) armed = false;
    };
    EXPECT_EQ(run(os->changePassword()).error().code, Errc::NotArmed);
    EXPECT_EQ(device.seen.back(), last);
    EXPECT_EQ(device.password, "factory-secret");
    EXPECT_FALSE(access.stored.nextPassword);
    device.staged.clear();
  }
}

TEST_F(Nvos, AnApplicationThatIsRefusedIsNeverQuoted) {
  sentBeforeACrash();
  device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{
      409, {}, R"({"title":"sent-before-the-crash is too short","detail":"sent-before-the-crash"})"});
  const auto refused = run(os->changePassword());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what.find("sent-before-the-crash"), std::string::npos) << refused.error().what;
}

TEST_F(Nvos, InObserveModeNothingButReadsLeave) {
  armed = false;
  EXPECT_TRUE(run(os->signIn()));
  EXPECT_EQ(run(os->changePassword()).error().code, Errc::NotArmed);
  EXPECT_EQ(run(os->auxPowerCycle()).error().code, Errc::NotArmed);
  EXPECT_EQ(run(os->pushFirmware({"", "a", ""}, {"BMC"}, false)).error().code, Errc::NotArmed);
  for (const auto& request : device.seen) EXPECT_TRUE(request.starts_with("GET ")) << request;
}

TEST_F(Nvos, TheNewPasswordIsDurableBeforeItIsSetAndKeptAfterwards) {
  ASSERT_TRUE(run(os->changePassword()));
  EXPECT_EQ(access.stored.password.reveal(), device.password);
  EXPECT_NE(device.password, "factory-secret");
  EXPECT_FALSE(access.stored.nextPassword);
  EXPECT_FALSE(access.stored.mustChange);
  device.seen.clear();
  ASSERT_TRUE(run(os->changePassword()));
  EXPECT_THAT(device.seen, ElementsAre("GET /nvue_v1/platform")) << "it is done";
}

TEST_F(Nvos, OfTwoPasswordsTheOneThatWorksIsKept) {
  for (const bool applied : {true, false}) {
    access.stored.password = Secret("old");
    access.stored.nextPassword = Secret("new");
    access.stored.mustChange = true;
    device.password = applied ? "new" : "old";
    ASSERT_TRUE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), device.password);
    EXPECT_EQ(access.stored.nextPassword.has_value(), !applied) << "it may be on its way";
    EXPECT_EQ(access.stored.mustChange, !applied);
  }
}

TEST_F(Nvos, OfTwoPasswordsTheOneWhoseOutcomeACrashLeftOpenIsNotTriedAgain) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "old";
  device.once["GET /nvue_v1/platform"].push_back(lostReply());
  EXPECT_FALSE(run(os->signIn()));
  device.seen.clear();
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(device.refused, 0) << "the other one is tried";
  EXPECT_EQ(access.stored.password.reveal(), "old");
}

TEST_F(Nvos, WhatJudgesNoPasswordSettlesNone) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "old";
  for (const auto& noJudgement :
       {Result<HttpReply>(HttpReply{503, {}, "starting"}), Result<HttpReply>(HttpReply{502, {}, ""}),
        Result<HttpReply>(HttpReply{429, {}, ""}),
        Result<HttpReply>(Error{Errc::Unreachable, "reset by peer"})}) {
    device.once["GET /nvue_v1/platform"].push_back(noJudgement);
    EXPECT_FALSE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), "old");
    EXPECT_TRUE(access.stored.nextPassword);
  }
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_LE(device.refused, 1);
  EXPECT_EQ(access.stored.password.reveal(), "old");
}

// The right one was asked twice and never judged: it is not refused.
TEST_F(Nvos, WhatWasNotJudgedComesFirstAgain) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "new";
  for (int i = 0; i < 4; ++i) {
    device.once["GET /nvue_v1/platform"].push_back(HttpReply{503, {}, "starting"});
    EXPECT_FALSE(run(os->signIn()));
  }
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(device.refused, 0);
  EXPECT_EQ(access.stored.password.reveal(), "new");
}

TEST_F(Nvos, ARefusalOfWhatIsSentAgainCostsNoGuess) {
  sentBeforeACrash();
  device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{503, {}, "busy"});
  EXPECT_FALSE(run(os->changePassword()));
  EXPECT_TRUE(access.stored.nextPassword);
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(device.refused, 0);
}

TEST_F(Nvos, WhatIsRefusedWhenItIsSentAgainIsDroppedOnceItIsNotTheOne) {
  sentBeforeACrash();
  device.once["PATCH /nvue_v1/system/aaa/user/admin?rev=7"].push_back(HttpReply{400, {}, "{}"});
  EXPECT_FALSE(run(os->changePassword()));
  EXPECT_FALSE(access.stored.nextPassword);
  EXPECT_EQ(device.refused, 1);
  EXPECT_EQ(access.stored.password.reveal(), "factory-secret");
}

TEST_F(Nvos, ABusySwitchForgivesNoRefusal) {
  device.password = "somebody changed it";
  device.once["GET /nvue_v1/platform"] = {HttpReply{401, {}, ""}, HttpReply{503, {}, ""}};
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Busy);
  EXPECT_EQ(access.stored.refusals, 1);
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(run(os->signIn()).error().code, Errc::Auth);
  EXPECT_EQ(device.refused, 1) << "the second refusal was the last guess";
}

// The request left, the controller died, and the next one signed in before the switch had got round to it.
TEST_F(Nvos, APasswordThatTheSwitchSetsAfterTheNextSignInIsNotLost) {
  access.stored.password = Secret("old");
  access.stored.nextPassword = Secret("new");
  device.password = "old";
  ASSERT_TRUE(run(os->signIn()));
  device.password = "new";
  ASSERT_TRUE(run(os->signIn()));
  EXPECT_EQ(access.stored.password.reveal(), "new");
  EXPECT_FALSE(access.stored.mustChange);
  EXPECT_EQ(device.refused, 2);
}

TEST_F(Nvos, WhatMayBeOnItsWayIsAppliedAgainAndNothingElse) {
  access.stored.nextPassword = Secret("sent-before-the-crash");
  ASSERT_TRUE(run(os->changePassword()));
  EXPECT_EQ(device.password, "sent-before-the-crash");
  EXPECT_EQ(access.stored.password.reveal(), "sent-before-the-crash");
}

TEST_F(Nvos, ABrokenAnswerToTheApplicationLeavesBothPasswordsOpen) {
  for (const int status : {500, 502, 504}) {
    device.password = "factory-secret";
    access.stored.password = Secret("factory-secret");
    access.stored.nextPassword.reset();
    access.stored.mustChange = true;
    device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{status, {}, "bad gateway"});
    const auto changed = run(os->changePassword());
    ASSERT_FALSE(changed);
    EXPECT_TRUE(changed.error().outcomeUnknown) << status;
    ASSERT_TRUE(access.stored.nextPassword) << status;
    device.password = access.stored.nextPassword->reveal();  // it was applied all the same
    ASSERT_TRUE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), device.password);
  }
}

// With the same password the stage was let in a moment before.
TEST_F(Nvos, AnApplicationThatIsRefusedAsIfByAWrongPasswordLeavesBothOpen) {
  for (const int status : {401, 403}) {
    device.password = "factory-secret";
    access.stored = {};
    access.stored.user = "admin";
    access.stored.password = Secret("factory-secret");
    access.stored.mustChange = true;
    device.once["PATCH /nvue_v1/revision/7"].push_back(HttpReply{status, {}, "{}"});
    const auto changed = run(os->changePassword());
    ASSERT_FALSE(changed);
    EXPECT_TRUE(changed.error().outcomeUnknown) << status;
    EXPECT_EQ(access.stored.guesses, status == 401 ? 1 : 0);
    ASSERT_TRUE(access.stored.nextPassword) << status;
    device.password = access.stored.nextPassword->reveal();  // it was applied all the same
    ASSERT_TRUE(run(os->signIn()));
    EXPECT_EQ(access.stored.password.reveal(), device.password);
    EXPECT_EQ(device.refused, 0);
  }
}

TEST_F(Nvos, ARefusedPasswordIsDroppedAndNeverQuoted) {
  device.once["PATCH /nvue_v1/system/aaa/user/admin?rev=7"].push_back(
      HttpReply{400, {}, R"({"title":"password Abc is too weak"})"});
  const auto changed = run(os->changePassword());
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().what, testing::Not(HasSubstr("Abc")));
  EXPECT_FALSE(access.stored.nextPassword);
  EXPECT_EQ(access.stored.password.reveal(), "factory-secret");
}

TEST_F(Nvos, ReadsTheControlPlaneOfTheDomain) {
  device.always["GET /nvue_v1/cluster"] = ok({{"state", "disabled"}});
  auto control = run(os->nvlinkControl());
  ASSERT_TRUE(control);
  EXPECT_FALSE(control->enabled || control->configured);
  device.always["GET /nvue_v1/cluster"] = ok({{"state", "enabled"}});
  device.always["GET /nvue_v1/cluster/apps/nmx-controller"] = ok(
      {{"status", "not ok"}, {"reason", "starting"}, {"additional-info", "CONTROL_PLANE_STATE_STANDBY"}});
  control = run(os->nvlinkControl());
  EXPECT_TRUE(control->enabled);
  EXPECT_FALSE(control->configured);
  EXPECT_EQ(control->detail, "CONTROL_PLANE_STATE_STANDBY: starting");
  device.always["GET /nvue_v1/cluster/apps/nmx-controller"] = ok(
      {{"status", "ok"}, {"reason", ""}, {"additional-info", "CONTROL_PLANE_STATE_CONFIGURED"}});
  EXPECT_TRUE(run(os->nvlinkControl())->configured);
}

TEST_F(Nvos, OnlyTheAppliedRevisionStartsTheControlPlane) {
  ASSERT_TRUE(run(os->startNvlinkControl()));
  EXPECT_THAT(device.seen, ElementsAre("POST /nvue_v1/revision", "PATCH /nvue_v1/cluster?rev=7",
                                       "PATCH /nvue_v1/revision/7"));
  EXPECT_EQ(device.bodies[1], R"({"state":"enabled"})");
  device.once["PATCH /nvue_v1/cluster?rev=7"].push_back(lostReply());
  EXPECT_FALSE(run(os->startNvlinkControl()).error().outcomeUnknown);
  device.once["PATCH /nvue_v1/revision/7"].push_back(lostReply());
  EXPECT_TRUE(run(os->startNvlinkControl()).error().outcomeUnknown);
  device.seen.clear();
  armed = false;
  EXPECT_EQ(run(os->startNvlinkControl()).error().code, Errc::NotArmed);
  EXPECT_TRUE(device.seen.empty());
}

TEST_F(Nvos, HostileAnswersAreRefusedOrCut) {
  device.always["GET /nvue_v1/platform"] = {200, {}, std::string(200'000, '[')};
  EXPECT_EQ(run(os->signIn()).error().code, Errc::BadReply);
  Json many = Json::object();
  for (int i = 0; i < 2'000; ++i) many[std::to_string(i)] = {{"state", std::string(5'000, 'x')}};
  device.always["GET /nvue_v1/action"] = ok(many);
  const auto tasks = run(os->tasks());
  EXPECT_TRUE(!tasks || tasks->size() <= 256u);
  EXPECT_EQ(run(os->task("/redfish/v1/x")).error().code, Errc::NotFound);
}

}  // namespace
}  // namespace zellige::nvos
