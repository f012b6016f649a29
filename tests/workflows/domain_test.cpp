// What a rack's members go through together, over switches that only have what the steps need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/domain.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

}  // namespace
}  // namespace zellige::test
