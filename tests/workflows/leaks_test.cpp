// Dry before any host has power.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/domain.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Tray {
  explicit Tray(bool leaks, Lifecycle lifecycle = Lifecycle::Planned) : site({&workflows::checkLeaks()}) {
    auto machine = Domain::machine();
    machine->leaks = leaks;
    id = site.add(std::move(machine), "H1/R01/RK001/U10", lifecycle);
  }
  Dry& machine() { return static_cast<Dry&>(*site.machines.at(id)); }
  void check() {
    site.boot();
    site.runToEnd(site.start("check_leaks", {id}));
  }
  std::string detail() const { return site.tables.findings.back().detail; }
  Site site;
  NodeId id;
};

TEST(Leaks, AHostThatHadPowerBeforeItWasDryIsFound) {
  Tray tray(false);
  tray.check();
  EXPECT_THAT(tray.site.tables.openCauses(tray.id), ElementsAre("cooling.on_before_dry"));
  EXPECT_EQ(tray.site.tables.nodes[tray.id].lifecycle, Lifecycle::Discovered);
  EXPECT_EQ(tray.machine().cuts, 0);
}

// Whoever has their hands inside is safer without power.
TEST(Leaks, TheHostOfAWetTrayIsSwitchedOffPastEveryHold) {
  Tray tray(true);
  tray.site.tables.holds[tray.id] = "Amina has her hands inside";
  tray.check();
  EXPECT_EQ(tray.machine().cuts, 1);
  EXPECT_EQ(tray.machine().power, HostPower::Off);
  EXPECT_THAT(tray.site.tables.openCauses(tray.id), ElementsAre("cooling.leak"));
  EXPECT_THAT(tray.detail(), HasSubstr("its host was switched off"));
  EXPECT_EQ(tray.site.tables.nodes[tray.id].lifecycle, Lifecycle::Quarantined);
}

TEST(Leaks, NothingIsSwitchedOffInObserveMode) {
  Tray tray(true);
  tray.site.tables.armed.clear();
  tray.check();
  EXPECT_EQ(tray.machine().cuts, 0);
  EXPECT_THAT(tray.detail(), HasSubstr("its host is on: cut its power"));
  EXPECT_EQ(tray.site.tables.nodes[tray.id].lifecycle, Lifecycle::Quarantined);
}

TEST(Leaks, AHostThatDoesNotGoOffIsAPersonsTurn) {
  Tray tray(true);
  tray.machine().obeys = false;
  tray.check();
  EXPECT_EQ(tray.machine().cuts, 3);
  EXPECT_THAT(tray.site.tables.openCauses(tray.id), ElementsAre("cooling.leak"));
  EXPECT_THAT(tray.detail(), HasSubstr("cut the power of its place"));
}

TEST(Leaks, AWetTrayThatIsInUseIsCordonedAndLosesItsPower) {
  Tray tray(true, Lifecycle::InService);
  tray.check();
  EXPECT_EQ(tray.machine().cuts, 1);
  EXPECT_EQ(tray.site.tables.nodes[tray.id].lifecycle, Lifecycle::InService);
  EXPECT_EQ(tray.site.tables.nodes[tray.id].scheduling, Scheduling::Cordoned);
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
