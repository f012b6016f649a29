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
  std::optional<Error> reply;  ///< to the request; it takes effect all the same

  Task<Result<NvlinkControl>> nvlinkControl() override {
    auto shown = control;
    shown.configured = control.configured || (control.enabled && clock_.now() - since_ >= takes);
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
      const auto id = site.add(std::make_unique<Dry>(), "H1/R01/RK001/U1" + std::to_string(i),
                               Lifecycle::Available);
      site.tables.nodes[id].kind = isSwitch ? NodeKind::SwitchTray : NodeKind::ComputeTray;
      if (isSwitch) site.systems[id] = std::make_unique<System>(site.world);
      qualified(id, isSwitch ? "switches" : "trays");
      members.push_back(id);
    }
  }
  void qualified(NodeId id, std::string target) {
    zellige::Run run;
    run.id = RunId{site.tables.nextRun++};
    run.workflow = "qualify";
    run.subject = {id};
    run.state = RunState::Done;
    run.target = std::move(target);
    site.tables.runs[run.id] = run;
    Evidence evidence{id, run.id, "firmware", "{}", {}, site.time.now()};
    site.tables.evidence[{id, "firmware"}] = {std::move(evidence), true};
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
  domain.qualified(NodeId{2}, "older");
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{2}), ElementsAre("domain.bundle"));
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_EQ(domain.system(3).started, 0);
}

TEST(Domain, WhoseControlPlaneNeverComesUpEndsWithAFinding) {
  Domain domain;
  domain.system(3).takes = 1000h;
  EXPECT_EQ(domain.runToEnd(), RunState::Failed);
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{3}), ElementsAre("domain.control_plane"));
  EXPECT_THAT(domain.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_EQ(domain.shown(), 0);
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
