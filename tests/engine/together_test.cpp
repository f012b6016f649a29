// Runs that take all members of a rack together: who takes part, and what one member's trouble does to the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/rack_of_toys.hpp"

namespace zellige::test::toys {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(Together, OneMembersTroubleTakesNobodyAway) {
  RackOfToys rack;
  rack.boot();
  rack.runToDomain();
  rack.member(1).trouble = Error{Errc::Auth, "refused"};
  rack.endDomain();
  rack.site.run(1s);
  EXPECT_EQ(rack.lastRun().state, RunState::Failed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rack.node(i).lifecycle, Lifecycle::Available);
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{2}), ElementsAre("rack.run_failed"));
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_FALSE(rack.site.tables.hasBlocking(NodeId{2}));
  EXPECT_EQ(rack.bringUp->waitsFor(kPlace),
            "stage domain: 0 of 3 passed, 3 stopped (all: run 7 failed (rack.run_failed))");
}

TEST(Together, WhatAPersonMendedIsBegunAgainWhenHeAsks) {
  for (const bool cancel : {false, true}) {
    RackOfToys rack;
    rack.boot();
    rack.runToDomain();
    rack.member(0).busy = cancel;
    if (cancel)
      ASSERT_TRUE(*rack.site.await(rack.site.engine().cancel(rack.lastRun().id, "amina", "stop")));
    else
      rack.member(1).trouble = Error{Errc::Auth, "refused"};
    rack.endDomain();
    rack.member(0).busy = false;
    rack.member(1).trouble.reset();
    rack.bringUp->sweep();
    rack.site.run(3h);
    EXPECT_EQ(rack.site.tables.runs.size(), 7u) << "not by itself";
    const auto begun = rack.ask();
    ASSERT_TRUE(begun) << begun.error().what;
    EXPECT_THAT(*begun, ElementsAre(RunId{8}));
    EXPECT_EQ(rack.lastRun().startedBy, "amina");
    EXPECT_EQ(rack.lastRun().facts.get("asked.why"), "mended");
    EXPECT_EQ(rack.lastRun().lane, Lane::Operator);
    EXPECT_EQ(rack.ask().error().code, Errc::Conflict) << "it runs";
    EXPECT_TRUE(rack.runToAccepted());
  }
}

TEST(Together, IsBegunAgainWhenAMemberIsAnotherOrWasQualifiedAgain) {
  RackOfToys rack;
  rack.member(1).takes = 2min;
  rack.boot();
  rack.runToDomain();
  rack.member(1).trouble = Error{Errc::Auth, "refused"};
  rack.endDomain();
  rack.member(1).trouble.reset();
  rack.node(1).lifecycle = Lifecycle::Retired;
  const auto fresh = rack.addTray(1);
  rack.bringUp->sweep();
  ASSERT_TRUE(rack.runToAccepted()) << rack.bringUp->waitsFor(kPlace);
  EXPECT_THAT(rack.lastRun().subject, UnorderedElementsAre(NodeId{1}, fresh, NodeId{3}));

  rack.site.tables.evidence[{fresh, "domain"}].valid = false;
  rack.member(0).trouble = Error{Errc::Auth, "refused"};
  rack.bringUp->sweep();
  rack.site.run(1h);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  rack.member(0).trouble.reset();
  rack.node(0).lifecycleSince = rack.site.time.now();
  rack.bringUp->sweep();
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(Together, AMemberInServiceTakesPart) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  rack.node(0).lifecycle = Lifecycle::InService;
  rack.site.tables.evidence[{NodeId{2}, "domain"}].valid = false;
  rack.bringUp->look({NodeId{2}});
  rack.site.run(10s);
  EXPECT_EQ(rack.state(), RackState::Degraded);
  EXPECT_TRUE(rack.runToAccepted());
}

TEST(Together, ARunTakesAllMembersOrDoesNotStart) {
  RackOfToys rack;
  rack.boot();
  ASSERT_TRUE(rack.runToAccepted());
  const auto refusal = [&](std::string workflow, std::vector<NodeId> subject) {
    StartRun request;
    request.workflow = std::move(workflow);
    request.subject = std::move(subject);
    return rack.site.tryStart(std::move(request))->error();
  };
  EXPECT_EQ(refusal("domain", {NodeId{2}}).what,
            "domain takes all 3 members of a rack together, not 1 of them");
  EXPECT_EQ(refusal("domain", {NodeId{2}}).code, Errc::Invalid);
  EXPECT_EQ(refusal("dry", {NodeId{1}, NodeId{2}}).what, "a run of dry is about one node, not 2");
  EXPECT_EQ(refusal("qualify", {NodeId{1}}).code, Errc::Rejected) << "without a profile";
  EXPECT_THAT(rack.site.engine().subjectOf(kDomain, rack.node(1)),
              ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
}

TEST(Together, ARunThatIsKeptWaitingFreesTheOthersAndBeginsAgain) {
  RackOfToys rack;
  rack.boot();
  rack.runToDomain();
  rack.member(1).trouble = Error{Errc::Unreachable, "no route"};
  rack.endDomain(30min);
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{2}), ElementsAre("rack.kept_waiting"));
  EXPECT_THAT(rack.site.tables.openCauses(NodeId{1}), IsEmpty());
  EXPECT_TRUE(rack.node(1).unreachableSince);
  EXPECT_FALSE(rack.node(0).unreachableSince);
  rack.site.run(5h);
  EXPECT_EQ(rack.site.tables.runs.size(), 7u) << "the member is still away";
  rack.member(1).trouble.reset();
  rack.node(1).unreachableSince.reset();  // as the patrol does
  EXPECT_TRUE(rack.runToAccepted()) << rack.bringUp->waitsFor(kPlace);
  EXPECT_EQ(rack.site.tables.runs.size(), 8u);
}

}  // namespace
}  // namespace zellige::test::toys
