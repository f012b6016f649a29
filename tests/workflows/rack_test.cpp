// What a rack's members go through together, over switches that only have what the steps need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/no_bmc.hpp"
#include "tests/engine/site.hpp"
#include "workflows/steps.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Dry final : public NoBmc {
 public:
  bool leaks = false;
  HostPower power = HostPower::Off;
  Task<Result<HostState>> host() override { co_return HostState{power, "", ""}; }
  Task<Result<BmcIdentity>> identify() override { co_return BmcIdentity{}; }
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
  Domain() : site({&workflows::qualifyDomain()}) {
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
    run = site.start("qualify_domain", members);
    site.runToEnd(run);
    return site.tables.run(run).state;
  }
  int shown() const {
    int count = 0;
    for (const auto id : members) {
      const auto it = site.tables.evidence.find({id, "domain"});
      count += it != site.tables.evidence.end() && it->second.valid && it->second.evidence.run == run;
    }
    return count;
  }

  Site site;
  std::vector<NodeId> members;
  RunId run;
};

TEST(Domain, IsLedByTheLowestSwitchTrayAndShownOnEveryMember) {
  Domain domain;
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_EQ(domain.system(3).started, 1);
  EXPECT_EQ(domain.system(4).started, 0);
  EXPECT_EQ(domain.shown(), 4);
}

TEST(Domain, ThatIsLedAlreadyIsLeftAlone) {
  Domain domain;
  domain.system(4).control = {true, true, ""};
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_EQ(domain.system(3).started + domain.system(4).started, 0);
  EXPECT_EQ(domain.shown(), 4);
}

TEST(Domain, WhoseStartWasNotAnsweredIsNotStartedTwice) {
  Domain domain;
  domain.system(3).reply = Error{Errc::Timeout, "no reply in time", true};
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_EQ(domain.system(3).started, 1);
}

TEST(Domain, OfTwoLeadersIsAPersonsAndOnlyTheTwoAreBlamed) {
  Domain domain;
  domain.system(3).control.enabled = domain.system(4).control.enabled = true;
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{3}), ElementsAre("domain.control_plane"));
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{4}), ElementsAre("domain.control_plane"));
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_EQ(domain.site.tables.nodes[NodeId{3}].lifecycle, Lifecycle::Available);
  EXPECT_EQ(domain.shown(), 0);
}

TEST(Domain, OfTwoBundlesIsNotOneAndOnlyTheOddMemberIsBlamed) {
  Domain domain;
  domain.addTray(5);  // of three, the odd one can be told
  domain.qualified(NodeId{2}, "1.0");
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{2}), ElementsAre("domain.bundle"));
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_EQ(domain.system(3).started, 0);
}

TEST(Domain, OfMachinesThatWereQualifiedAgainstOtherProfilesIsStillOneBundle) {
  Domain domain;
  domain.site.tables.evidence[{NodeId{2}, "firmware"}].evidence.run = RunId{77};
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
}

TEST(Domain, IsNotShownOfAMemberWithoutEvidenceOfItsFirmware) {
  Domain domain;
  for (const auto id : {1, 2}) domain.site.tables.evidence[{NodeId{id}, "firmware"}].valid = false;
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  for (const auto id : {1, 2})
    EXPECT_THAT(domain.site.tables.openCauses(NodeId{id}), ElementsAre("domain.bundle")) << "all that differ";
}

TEST(Domain, IsOverForAMemberThatWasFlashedOrGotAnotherPart) {
  for (const bool flashed : {true, false}) {
    Domain domain;
    ASSERT_EQ(domain.runToEnd(), RunState::Done);
    Change change;
    change.at = domain.site.time.now();
    if (flashed) {
      change.ops.emplace_back(PutFirmware{NodeId{2}, {{"FW", "3.0", true, false, false}}});
    } else {
      auto inventory = domain.site.tables.inventories[NodeId{2}];
      inventory.components.front().serial = "another";
      change.ops.emplace_back(PutInventory{NodeId{2}, inventory});
    }
    ASSERT_TRUE(*domain.site.await(domain.site.life->store.commit(std::move(change))));
    EXPECT_EQ(domain.shown(), 3);
  }
}

TEST(Domain, WhichOneSwitchCannotShowBlamesThatSwitchAndQuarantinesNobody) {
  for (const auto& trouble : {Error{Errc::Auth, "401"}, Error{Errc::NotFound, "404"}}) {
    Domain domain;
    domain.system(4).trouble = trouble;
    EXPECT_EQ(domain.runToEnd(), RunState::Failed);
    EXPECT_THAT(domain.site.tables.openCauses(NodeId{4}), ElementsAre("rack.run_failed"));
    for (const auto id : domain.members) {
      EXPECT_EQ(domain.site.tables.nodes[id].lifecycle, Lifecycle::Available);
      EXPECT_EQ(domain.site.tables.openCauses(id).size(), id == NodeId{4} ? 1u : 0u);
    }
  }
}

TEST(Domain, ThatIsShownInTheEndResolvesWhatWasFoundBefore) {
  Domain domain;
  domain.system(4).trouble = Error{Errc::Auth, "401"};
  ASSERT_EQ(domain.runToEnd(), RunState::Failed);
  domain.system(4).trouble.reset();
  ASSERT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{4}), IsEmpty());
}

TEST(Domain, WithAHostThatIsOffIsNotWholeUnlessItComesBack) {
  for (const bool comesBack : {false, true}) {
    Domain domain;
    domain.tray(2).power = HostPower::Off;
    if (comesBack) domain.site.world.after(5min, [&] { domain.tray(2).power = HostPower::On; });
    EXPECT_EQ(domain.runToEnd(), comesBack ? RunState::Done : RunState::Failed);
    EXPECT_EQ(domain.site.tables.openCauses(NodeId{2}).size(), comesBack ? 0u : 1u);
    EXPECT_THAT(domain.site.tables.openCauses(NodeId{1}), IsEmpty());
    EXPECT_EQ(domain.system(3).started, comesBack ? 1 : 0);
  }
}

TEST(Domain, ThatSaidOnceThatItIsConfiguredIsReadAgain) {
  Domain domain;
  domain.system(3).forgets = 1;
  EXPECT_EQ(domain.runToEnd(), RunState::Done);
  EXPECT_GE(domain.system(3).saidConfigured, 4) << "three in a row, after the one that did not last";
}

TEST(Domain, IsNeverStartedOverSomeOfItsMembers) {
  Domain domain;
  domain.site.boot();
  const auto refused = domain.site.tryStart({.workflow = "qualify_domain", .subject = {NodeId{4}}});
  EXPECT_EQ(refused->error().code, Errc::Invalid);
  EXPECT_EQ(domain.system(4).started, 0);
}

TEST(Domain, WhoseControlPlaneNeverComesUpEndsWithAFinding) {
  Domain domain;
  domain.system(3).takes = 1000h;
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{3}), ElementsAre("domain.control_plane"));
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_EQ(domain.shown(), 0);
}

TEST(Leaks, AHostThatHadPowerBeforeItWasDryIsFound) {
  for (const bool leaks : {false, true}) {
    Site site({&workflows::checkLeaks()});
    auto machine = Domain::machine();
    machine->leaks = leaks;
    const auto id = site.add(std::move(machine), "H1/R01/RK001/U10", Lifecycle::Planned);
    site.boot();
    site.runToEnd(site.start("check_leaks", {id}));
    EXPECT_THAT(site.tables.openCauses(id), ElementsAre(leaks ? "cooling.leak" : "cooling.on_before_dry"));
    EXPECT_EQ(site.tables.nodes[id].lifecycle, leaks ? Lifecycle::Quarantined : Lifecycle::Discovered);
  }
}

TEST(Leaks, AreShownToBeNoneOrEndInQuarantine) {
  for (const bool leaks : {false, true}) {
    Site site({&workflows::checkLeaks()});
    auto machine = std::make_unique<Dry>();
    machine->leaks = leaks;
    const auto id = site.add(std::move(machine), "H1/R01/RK001/U10", Lifecycle::Planned);
    site.boot();
    site.runToEnd(site.start("check_leaks", {id}));
    EXPECT_EQ(site.tables.nodes[id].lifecycle, leaks ? Lifecycle::Quarantined : Lifecycle::Discovered);
    EXPECT_EQ(site.tables.evidence.contains({id, "leaks"}), !leaks);
    EXPECT_EQ(site.tables.openCauses(id).size(), leaks ? 1u : 0u);
  }
}

}  // namespace
}  // namespace zellige::test
