// The whole controller, with every secret that it exchanges with a machine as a canary: none lies in what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/base/digest.hpp"
#include "controller/base/json.hpp"
#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/virtual_site.hpp"
#include "tests/store/canary.hpp"

namespace zellige {
namespace {

using testing::Contains;
using testing::IsEmpty;

/// Takes the secrets out of what passes between controller and machines.
class Wiretap {
 public:
  void listen(const HttpRequest& request, const sim::Delivery& delivery) {
    take(request.headers.get("X-Auth-Token"), "session token");
    take(delivery.reply.headers.get("X-Auth-Token"), "session token");
    if (const std::string basic(request.headers.get("Authorization")); basic.starts_with("Basic "))
      if (const auto pair = fromBase64(basic.substr(6))) take(pair->substr(pair->find(':') + 1), "password");
    const auto body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return;
    if (const auto password = readString(body, "Password")) take(*password, "password");
    const auto image = readString(body, "Image").value_or("");
    if (const auto at = image.find("/boot/"); at != std::string::npos)
      take(image.substr(at + 6, image.find('/', at + 6) - at - 6), "boot token");
  }
  std::vector<std::string> secrets() const { return {secrets_.begin(), secrets_.end()}; }
  std::set<std::string> kinds() const { return kinds_; }

 private:
  void take(std::string_view secret, std::string_view kind) {
    if (secret.size() < 8) return;
    secrets_.emplace(secret);
    kinds_.emplace(kind);
  }
  std::set<std::string> secrets_, kinds_;
};

std::vector<std::string> hits(const std::filesystem::path& directory,
                              const std::vector<std::string>& canaries) {
  std::vector<std::string> out;
  for (const auto& hit : test::findCanaries(directory, canaries))
    out.push_back(hit.file.filename().string() + " " + hit.form);
  return out;
}

Task<void> leak(SqliteStore& store, NodeId node, std::string secret) {
  Finding finding;
  finding.node = node;
  finding.cause = "bmc.credentials";
  finding.detail = "tried " + secret;
  Change change;
  change.ops.emplace_back(RaiseFinding{std::move(finding)});
  (void)co_await store.commit(std::move(change));
}

TEST(Canaries, OfAWholeFleetLieInNoByteThatIsWritten) {
  Scratch scratch;
  Wiretap tap;
  VirtualSiteOptions options;
  options.fleet.trays = 8;
  options.fleet.faults = sim::FaultLevel::Heavy;
  options.storm = 30min;
  options.spoil = [&](sim::MachineId, const HttpRequest& request, sim::Delivery& delivery) {
    tap.listen(request, delivery);
  };
  log::setLevel(log::Level::Info);
  testing::internal::CaptureStderr();
  VirtualSite site(scratch.path(), options);
  std::filesystem::remove_all(scratch.path() / "site");  // the manifest is the site owner's, and names passwords
  const bool ended = site.run(48h);
  const auto log = testing::internal::GetCapturedStderr();
  log::setLevel(log::Level::Off);
  ASSERT_TRUE(ended);
  std::ofstream(scratch.path() / "log") << log;

  const auto secrets = tap.secrets();
  EXPECT_THAT(tap.kinds(), testing::ElementsAre("boot token", "password", "session token"));
  EXPECT_GE(secrets.size(), 4u * 8) << "of each machine two passwords, a session token, a boot token";
  ASSERT_GT(std::filesystem::file_size(scratch.path() / "zellige.db-wal"), 0u) << "the WAL is looked at too";
  EXPECT_THAT(hits(scratch.path(), secrets), IsEmpty());

  site.spawn(leak(site.store(), *site.store().nodeBySerial(site.fleet().serial({0})), secrets.front()));
  site.runFor(1min);
  EXPECT_THAT(hits(scratch.path(), secrets), Contains(testing::EndsWith(" plain"))) << "a leak would be seen";
}

}  // namespace
}  // namespace zellige
