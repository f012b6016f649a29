// Dry before any host has power.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/domain.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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
