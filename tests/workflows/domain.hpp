// A domain of two compute and two switch trays, with only what the steps over all of them need.
#pragma once

#include "tests/engine/no_bmc.hpp"
#include "tests/engine/site.hpp"
#include "workflows/steps.hpp"

namespace zellige::test {

class Dry final : public NoBmc {
 public:
  bool leaks = false, vanished = false;
  HostPower power = HostPower::Off;
  Task<Result<HostState>> host() override {
    if (vanished) co_return Error{Errc::Unreachable, "no route"};
    co_return HostState{power, "", ""};
  }
  Task<Result<BmcIdentity>> identify() override {
    if (vanished) co_return Error{Errc::Unreachable, "no route"};
    co_return BmcIdentity{};
  }
  Task<Result<void>> signIn() override { co_return Result<void>{}; }
  Task<Result<bool>> leakDetected() override { co_return leaks; }
};

class System final : public SwitchOs {
 public:
  explicit System(const Clock& clock) : clock_(clock) {}
  NvlinkControl control;
  Duration takes = 1min;
  int started = 0;
  int forgets = 0;  ///< times it says that it is configured, and is not at the next question
  int saidConfigured = 0;
  std::optional<Error> reply;    ///< to the request; it takes effect all the same
  std::optional<Error> trouble;  ///< with every question

  Task<Result<NvlinkControl>> nvlinkControl() override {
    if (trouble) co_return *trouble;
    auto shown = control;
    shown.configured = control.configured || (control.enabled && clock_.now() - since_ >= takes);
    if (saidConfigured > 0 && forgets > 0 && forgets-- > 0) shown.configured = false;
    saidConfigured += shown.configured ? 1 : 0;
    co_return shown;
  }
  Task<Result<void>> startNvlinkControl() override {
    ++started;
    since_ = clock_.now();
    control.enabled = true;
    if (reply) co_return *reply;
    co_return Result<void>{};
  }
  Task<Result<SwitchIdentity>> signIn() override { co_return none(); }
  Task<Result<void>> changePassword() override { co_return none(); }
  Task<Result<std::vector<FirmwareItem>>> firmware() override { co_return none(); }
  Task<Result<BmcState>> state() override { co_return none(); }
  Task<Result<std::vector<BmcTask>>> tasks() override { co_return none(); }
  Task<Result<BmcTask>> task(std::string) override { co_return none(); }
  Task<Result<std::string>> pushFirmware(PackageFile, std::vector<std::string>, bool) override {
    co_return none();
  }
  Task<Result<void>> auxPowerCycle() override { co_return none(); }
  Task<Result<void>> resetBmc() override { co_return none(); }

 private:
  static Error none() { return Error{Errc::Unsupported, "no such thing"}; }
  const Clock& clock_;
  Time since_{};
};

/// Two compute trays (1, 2), then two switch trays (3, 4), all available, at one bundle.
struct Domain {
  explicit Domain(const Workflow& flow = workflows::qualifyDomain()) : site({&flow}) {
    for (int i = 0; i < 4; ++i) {
      const bool isSwitch = i >= 2;
      const auto id = site.add(machine(), "H1/R01/RK001/U1" + std::to_string(i), Lifecycle::Available);
      site.tables.nodes[id].kind = isSwitch ? NodeKind::SwitchTray : NodeKind::ComputeTray;
      if (isSwitch) site.systems[id] = std::make_unique<System>(site.world);
      qualified(id, "2.0");
      members.push_back(id);
    }
  }
  static std::unique_ptr<Dry> machine() {
    auto out = std::make_unique<Dry>();
    out->power = HostPower::On;
    return out;
  }
  Dry& tray(std::int64_t id) { return static_cast<Dry&>(*site.machines.at(NodeId{id})); }
  void qualified(NodeId id, const std::string& version) {
    auto& inventory = site.tables.inventories[id];
    inventory.serial = site.tables.nodes[id].serial;
    inventory.components = {
        {ComponentKind::Gpu, "GPU_0", "G" + std::to_string(id.value), "GB200", "", true, false, ""}};
    inventory.firmware = {{"FW", version, true, false, false}};
    Evidence evidence{id, {}, "firmware", "{}", {"fw:FW=" + version}, site.time.now()};
    site.tables.evidence[{id, "firmware"}] = {std::move(evidence), true};
  }
  void addTray(int slot) {
    const auto id = site.add(machine(), "H1/R01/RK001/U0" + std::to_string(slot), Lifecycle::Available);
    qualified(id, "2.0");
    members.push_back(id);
  }
  System& system(std::int64_t id) { return static_cast<System&>(*site.systems.at(NodeId{id})); }
  RunState runToEnd() {
    site.boot();
    run = site.start(std::string(site.workflows.front()->name), members);
    site.runToEnd(run);
    return site.tables.run(run).state;
  }
  int shown() const {
    int count = 0;
    const std::string subject{site.workflows.front()->shows};
    for (const auto id : members) {
      const auto it = site.tables.evidence.find({id, subject});
      count += it != site.tables.evidence.end() && it->second.valid && it->second.evidence.run == run;
    }
    return count;
  }

  Site site;
  std::vector<NodeId> members;
  RunId run;
};

}  // namespace zellige::test
