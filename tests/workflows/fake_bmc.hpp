// A machine behind the Bmc interface, small but physical: a push runs as a task and stages versions, activation brings
// them alive, restarts take the BMC away, the host boots what it is told to and runs an agent. Every write is recorded;
// an act delivered while an earlier one ran or had taken effect counts as a duplicate.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "tests/engine/site.hpp"

namespace zellige::test {

class FakeBmc final : public NoBmc {
 public:
  explicit FakeBmc(Site& site) : site_(site) {}

  /// A package by digest: what it brings and how that comes alive.
  struct Package {
    std::string item, version;
    Activation activation = Activation::AuxCycle;
  };
  std::map<std::string, Package> packages;
  std::map<std::string, std::string> versions;  ///< running, by inventory id
  std::map<std::string, std::string> staged;
  Inventory parts;
  BmcSettings has;
  HostPower power = HostPower::On;
  std::string bootProgress = "OSRunning";
  bool dates = true;       ///< reports LastResetTime…
  Duration clockIsOff{0};  ///< …so much too late
  bool leak = false, copied = true, mustChange = false, feeding = false;
  MediaState slot;
  BootOverride boot{"None", false};
  Duration lag = 15s;       ///< until a task is listed
  Duration cycleBegins{0};  ///< until the power goes after an aux cycle was agreed to
  Duration versionLag{0};   ///< until a version that came alive is listed
  Duration uploads = 100ms, flashes = 10min, away = 3min, baseboardAway = 5min, boots = 5min, images = 10min;

  // Trouble
  std::optional<Error> broken;
  std::map<std::string, std::vector<Error>> refuse;  ///< by write: the next answers; outcomeUnknown ones are applied
  std::map<std::string, int> lostRequests;  ///< by write: the next so many never arrive, and time out
  std::string ignores;                      ///< this write is agreed to, and nothing happens
  int failTasks = 0, neverApplied = 0;      ///< the next so many
  int progress = 20;                        ///< percent that a task tells while it runs
  int stuckTasks = 0;               ///< the next so many run until the BMC restarts, though they are done
  std::set<std::string> unread;     ///< firmware items that are listed, but do not answer
  bool showsVersionsEarly = false;  ///< the new version is listed while its task still runs
  bool hidesTasks = false;          ///< lists none for now
  bool namesTasks = true, forgetsTasks = false, foreignTask = false, agentStarts = true;
  std::string foreignUri = "/tasks/foreign";
  bool foreignMoves = true;  ///< it tells its progress
  TaskState foreignTaskState = TaskState::Running;
  int failImages = 0;
  Duration burnInPauses{0};  ///< beyond what its first test takes

  // Ground truth
  std::vector<std::string> writes;
  int duplicates = 0;
  int needless = 0;     ///< of the duplicates: power cycles and BMC restarts with nothing staged
  int interrupted = 0;  ///< acts that cut power, or restarted, beneath a running write, ours or another's
  bool writesNow() const { return writing_ > 0; }
  bool hasStuckTask() const {
    return !writesNow() && std::any_of(tasks_.begin(), tasks_.end(),
                                       [](const auto& task) { return task.state == TaskState::Running; });
  }
  int count(std::string_view write) const {
    return static_cast<int>(
        std::count_if(writes.begin(), writes.end(), [&](const auto& w) { return w.starts_with(write); }));
  }
  std::string disk;  ///< digest on the system disk

  // Reading
  Task<Result<BmcIdentity>> identify() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return BmcIdentity{"NVIDIA", "GB200", "1.17", "u", "generic"};
  }
  Task<Result<void>> signIn() override {
    if (auto e = co_await exchange()) co_return *e;
    if (mustChange) co_return Error{Errc::PasswordExpired, "403 PasswordChangeRequired"};
    co_return Result<void>{};
  }
  Task<Result<Inventory>> inventory() override {
    if (auto e = co_await exchange()) co_return *e;
    auto listed = parts;
    if (!baseboardHere())
      std::erase_if(listed.components, [](const auto& part) { return part.kind == ComponentKind::Gpu; });
    co_return listed;
  }
  Task<Result<std::vector<FirmwareItem>>> firmware() override {
    if (auto e = co_await exchange()) co_return *e;
    std::vector<FirmwareItem> out;
    for (const auto& [id, version] : versions)
      if (baseboardHere() || !id.starts_with("HGX_"))
        out.push_back({id, unread.contains(id) ? "" : listed(id, version), true, unread.contains(id)});
    co_return out;
  }
  Task<Result<HostState>> host() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return HostState{power, bootProgress, dates ? fmt::format("host {}", hostResets_) : ""};
  }
  Task<Result<BmcState>> state() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return BmcState{dates ? iso8601(restarted_ + clockIsOff) : "", "1", baseboardHere()};
  }
  Task<Result<BmcSettings>> settings() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return has;
  }
  Task<Result<std::vector<BmcTask>>> tasks() override {
    if (auto e = co_await exchange()) co_return *e;
    std::vector<BmcTask> out;
    for (const auto& task : tasks_)
      if (!hidesTasks && site_.time.now() >= shownFrom_.at(task.uri)) out.push_back(task);
    if (foreignTask) out.push_back(foreign());
    co_return out;
  }
  Task<Result<BmcTask>> task(std::string uri) override {
    if (auto e = co_await exchange()) co_return *e;
    if (foreignTask && uri == foreignUri) co_return foreign();
    for (const auto& task : tasks_)
      if (!hidesTasks && task.uri == uri && site_.time.now() >= shownFrom_.at(uri)) co_return task;
    co_return Error{Errc::NotFound, uri + " is not there"};
  }
  Task<Result<MediaState>> media() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return slot;
  }
  Task<Result<BootOverride>> bootOverride() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return boot;
  }
  Task<Result<bool>> leakDetected() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return leak;
  }
  Task<Result<bool>> backgroundCopyDone() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return copied;
  }
  Task<Result<bool>> feeds() override {
    if (auto e = co_await exchange()) co_return *e;
    co_return feeding;
  }

  // Writing
  Task<Result<void>> changePassword() override {
    return write("password", false, [](FakeBmc& m) {
      m.mustChange = false;
      for (auto& [node, access] : m.site_.tables.access) access.mustChange = false;
    });
  }
  Task<Result<void>> setSettings(BmcSettings wanted) override {
    wanted_ = std::move(wanted);
    return write("settings", false, [](FakeBmc& m) { m.has = m.wanted_; });
  }
  Task<Result<std::string>> pushFirmware(PackageFile package, std::vector<std::string>, bool) override;
  Task<Result<void>> reset(HostReset how) override {
    switch (how) {
      case HostReset::On: return write("on", power != HostPower::Off, [](FakeBmc& m) { m.switchOn(); });
      case HostReset::ForceOff:
        return write("off", power == HostPower::Off, [](FakeBmc& m) { m.switchOff(); });
      case HostReset::ForceRestart:
        return write("restart", false, [](FakeBmc& m) {
          m.switchOff();
          m.switchOn();
        });
      case HostReset::GracefulShutdown:
      case HostReset::PowerCycle: break;
    }
    return write("other reset", false, [](FakeBmc&) {});
  }
  Task<Result<void>> auxPowerCycle() override {
    return write("aux", staged.empty(), [](FakeBmc& m) {
      m.site_.world.after(m.cycleBegins, [&m] {
        m.interrupted += m.writesNow();
        m.restart(Activation::AuxCycle);
      });
    });
  }
  Task<Result<void>> resetBmc() override {
    return write("bmc", staged.empty(), [](FakeBmc& m) { m.restartBmc(); });
  }
  Task<Result<void>> insertMedia(std::string url) override {
    url_ = std::move(url);
    return write("insert", slot.inserted, [](FakeBmc& m) { m.slot = {true, m.url_}; });
  }
  Task<Result<void>> ejectMedia() override {
    return write("eject", !slot.inserted, [](FakeBmc& m) { m.slot = {}; });
  }
  Task<Result<void>> startFeeding() override {
    return write("feed", feeding, [](FakeBmc& m) { m.feeding = true; });
  }
  Task<Result<void>> setBootOverride(BootOverride wanted) override {
    boot_ = std::move(wanted);
    return write("boot", false, [](FakeBmc& m) { m.boot = m.boot_; });
  }

  /// Nobody reaches its BMC for so long.
  void vanish(Duration d) { bmcBack_ = site_.time.now() + d; }
  void rebootAgent() { report_.bootId += "'"; }
  /// The host's agent, which reports every few seconds of the world's time. Call once, with the node it runs on.
  void runAgent(NodeId node);
  void forgetTasks() { tasks_.clear(); }
  void restartBmc() { restart(Activation::BmcReset); }
  void cycleByHand() { restart(Activation::AuxCycle); }

 private:
  Task<std::optional<Error>> exchange();
  bool neverArrives(const std::string& what) {
    auto& left = lostRequests[what];
    return left > 0 && left-- > 0;
  }
  Task<Result<void>> write(std::string what, bool duplicate, void (*apply)(FakeBmc&));
  void switchOn();
  void switchOff();
  void activate(Activation how);
  void restart(Activation how);
  BmcTask foreign() const {
    const auto minutes = toMillis(site_.time.now()) / 60'000;
    return {foreignUri, foreignTaskState, foreignMoves ? static_cast<int>(minutes % 100) : 5, ""};
  }
  bool anotherWrites() const { return foreignTask && foreignTaskState == TaskState::Running; }
  void agentTurn(NodeId node);
  /// The version that came alive, or for a while still the one before.
  const std::string& listed(const std::string& id, const std::string& version) const {
    const auto before = before_.find(id);
    return before != before_.end() && site_.time.now() < before->second.second ? before->second.first
                                                                               : version;
  }
  bool baseboardHere() const { return site_.time.now() >= baseboardBack_; }

  Site& site_;
  std::vector<BmcTask> tasks_;
  std::map<std::string, Time> shownFrom_;
  std::map<std::string, std::pair<std::string, Time>> before_;  ///< version and until when it is listed, by item
  Time bmcBack_{}, baseboardBack_{}, booted_{};
  Time restarted_ = site_.time.now() - 24h;  ///< the BMC, last
  int hostResets_ = 0, nextTask_ = 1, nextBoot_ = 1;
  int writing_ = 0;  ///< packages, whatever its tasks say
  int cuts_ = 0;     ///< restarts beneath them: what was being written then never ends
  BmcSettings wanted_;
  BootOverride boot_;
  std::string url_;
  // Agent
  AgentReport report_;
  std::string doneOrder_;
  Time orderDone_{};
  bool fromMedia_ = false;
};

}  // namespace zellige::test
