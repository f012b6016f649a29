// The whole controller, with every secret that it exchanges with a machine as a canary: none lies in what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/base/digest.hpp"
#include "controller/base/json.hpp"
#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/virtual_site.hpp"
#include "controller/protocol/agent.hpp"
#include "tests/store/canary.hpp"

namespace zellige {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

/// Takes the secrets out of what passes between controller and machines, BMCs and agents alike.
class Wiretap final : public sim::Uplink {
 public:
  void listen(const HttpRequest& request, const sim::Delivery& delivery) {
    take("session token", request.headers.get("X-Auth-Token"));
    take("session token", delivery.reply.headers.get("X-Auth-Token"));
    if (const auto basic = credentials(request, "Basic "); !basic.empty())
      if (const auto pair = fromBase64(basic))
        take(isNvos(request) ? "NVOS password" : "password", pair->substr(pair->find(':') + 1));
    const auto body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return;
    if (const auto password = readString(body, "Password")) take("password", *password);
    if (const auto password = readString(body, "password")) take("NVOS password", *password);
    const auto image = readString(body, "Image").value_or("");
    if (const auto at = image.find("/boot/"); at != std::string::npos)
      takeToken("boot token", image.substr(at + 6, image.find('/', at + 6) - at - 6));
  }
  /// From now on also what the hosts of this site say.
  void listenTo(VirtualSite& site) {
    controller_ = &site;
    site.fleet().setUplink(this);
  }
  const std::map<std::string, std::set<std::string>>& heard() const { return heard_; }
  std::vector<std::string> secrets() const {
    std::set<std::string> all;  // an agent's token is its boot media's, or its seed's
    for (const auto& [kind, heard] : heard_) all.insert(heard.begin(), heard.end());
    return {all.begin(), all.end()};
  }

 private:
  void send(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) override {
    takeToken("agent token", credentials(request, "Bearer "));
    controller_->send(std::move(url), std::move(request),
                      [this, done = std::move(done)](Result<HttpReply> reply) {
                        if (reply) takeSeed(reply->body);
                        done(std::move(reply));
                      });
  }
  void takeSeed(const std::string& body) {
    const auto order = agentOrderFromJson(body);
    if (!order || order->seed.empty()) return;
    if (const auto seed = decodeBootMedia(order->seed)) takeToken("seed token", seed->token);
  }
  static bool isNvos(const HttpRequest& request) { return request.target.starts_with("/nvue_v1/"); }
  static std::string credentials(const HttpRequest& request, std::string_view scheme) {
    const std::string given(request.headers.get("Authorization"));
    return given.starts_with(scheme) ? given.substr(scheme.size()) : "";
  }
  /// Serial and purpose, which come before it, are no secret: the mac is.
  void takeToken(const std::string& kind, const std::string& token) {
    take(kind, token.substr(token.rfind('~') + 1));
  }
  void take(const std::string& kind, std::string_view secret) {
    if (secret.size() >= 8) heard_[kind].emplace(secret);
  }
  sim::Uplink* controller_ = nullptr;
  std::map<std::string, std::set<std::string>> heard_;  ///< by kind
};

std::vector<std::string> hits(const std::filesystem::path& directory,
                              const std::vector<std::string>& canaries) {
  std::vector<std::string> out;
  for (const auto& hit : test::findCanaries(directory, canaries))
    out.push_back(hit.file.filename().string() + " " + hit.form);
  return out;
}

Task<void> leak(SqliteStore& store, NodeId node, std::string secrets) {
  Finding finding;
  finding.node = node;
  finding.cause = "bmc.credentials";
  finding.detail = "tried" + secrets;
  Change change;
  change.ops.emplace_back(RaiseFinding{std::move(finding)});
  (void)co_await store.commit(std::move(change));
}

TEST(Canaries, OfAWholeFleetLieInNoByteThatIsWritten) {
  Scratch scratch;
  Wiretap tap;
  VirtualSiteOptions options;
  options.fleet.trays = 8;
  options.fleet.switchesPerRack = options.fleet.shelvesPerRack = 1;
  options.fleet.faults = sim::FaultLevel::Heavy;
  options.storm = 30min;
  options.spoil = [&](sim::MachineId, const HttpRequest& request, sim::Delivery& delivery) {
    tap.listen(request, delivery);
  };
  log::setLevel(log::Level::Info);
  testing::internal::CaptureStderr();
  VirtualSite site(scratch.path(), options);
  tap.listenTo(site);
  std::filesystem::remove_all(scratch.path() / "site");  // the manifest is the site owner's, and names passwords
  const auto working = [&] { return site.plane().engine().unfinished() > 0; };
  const auto wal = scratch.path() / "zellige.db-wal";  // empty where the controller has just begun
  std::vector<std::string> found;
  do {  // looked at on the way too: what a row held is written over by what comes after it
    site.runFor(10min);
    found = hits(scratch.path(), tap.secrets());
  } while (found.empty() && (working() || std::filesystem::file_size(wal) == 0) &&
           site.now() < site.started() + 48h);
  const auto log = testing::internal::GetCapturedStderr();
  log::setLevel(log::Level::Off);
  ASSERT_THAT(found, IsEmpty());
  ASSERT_FALSE(working());
  std::ofstream(scratch.path() / "log") << log;

  std::vector<std::string> kinds;
  std::string oneOfEach;
  for (const auto& [kind, heard] : tap.heard()) {
    kinds.push_back(kind);
    oneOfEach += " " + *heard.begin();
  }
  EXPECT_THAT(kinds, ElementsAre("NVOS password", "agent token", "boot token", "password", "seed token",
                                 "session token"));
  const auto secrets = tap.secrets();
  EXPECT_GE(secrets.size(), 5u * 8) << "of each machine two passwords and three tokens";
  ASSERT_GT(std::filesystem::file_size(wal), 0u) << "the WAL is looked at too";
  EXPECT_THAT(hits(scratch.path(), secrets), IsEmpty());

  site.spawn(leak(site.store(), *site.store().nodeBySerial(site.fleet().serial({0})), oneOfEach));
  site.runFor(1min);
  for (const auto& [kind, heard] : tap.heard())
    EXPECT_THAT(hits(scratch.path(), {*heard.begin()}), Contains(testing::EndsWith(" plain")))
        << "a leak would be seen: " << kind;
}

}  // namespace
}  // namespace zellige
