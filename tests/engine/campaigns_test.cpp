// Campaigns over toys: who begins when, what halts them, what they go back to, and what a crash leaves.
#include "controller/engine/campaigns.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/no_bmc.hpp"
#include "tests/engine/site.hpp"

namespace zellige::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

// What really happens on the floor: told by the machines, not by whoever begins runs.
struct Floor {
  std::map<std::string, int> busy;  // rack → machines that are being written
  std::size_t mostRacks = 0;
  int mostInARack = 0;
  std::vector<std::string> written;  // "S1 new", in order
  std::vector<Time> begins;

  void begin(const std::string& rack) {
    mostInARack = std::max(mostInARack, ++busy[rack]);
    mostRacks = std::max(
        mostRacks, static_cast<std::size_t>(
                       std::count_if(busy.begin(), busy.end(), [](const auto& b) { return b.second > 0; })));
  }
};

class Member final : public NoBmc {
 public:
  Member(Site& site, Floor& floor) : site_(site), floor_(floor) {}
  Duration takes = 10min;
  bool sick = false, silent = false;
  bool hangs = false, flashing = false;  // of kFlash
  std::string version = kOwnBaseline;

  Task<Result<Seen>> write(const Node& node, std::string wanted) {
    floor_.begin(node.place.rack());
    floor_.begins.push_back(site_.time.now());
    co_await sleepFor(site_.life->executor, takes);
    --floor_.busy[node.place.rack()];
    if (sick) co_return failure("inventory.sick_part", "it does not take it");
    floor_.written.push_back(fmt::format("{} {}", node.serial, wanted));
    version = std::move(wanted);
    co_return Seen::Done;
  }

 private:
  Site& site_;
  Floor& floor_;
};

Task<Result<Seen>> lookTaken(StepContext& context) {
  const auto& node = context.node();
  if (node.lifecycle == Lifecycle::Available)
    context.leave(MoveLifecycle{node.id, node.lifecycle, Lifecycle::Qualifying, Actor::Engine, "", {}});
  co_return Seen::Done;
}

Task<Result<Seen>> lookWritten(StepContext& context) {
  auto& machine = static_cast<Member&>(context.bmc());
  if (machine.silent) co_return Error{Errc::Unreachable, "nobody answers"};
  std::string wanted = context.target().baseline.name.empty() ? kOwnBaseline : context.target().baseline.name;
  if (machine.version != wanted) {
    const auto seen = co_await machine.write(context.node(), std::move(wanted));
    if (!seen || *seen != Seen::Done) co_return seen;
  }
  const auto& node = context.node();
  context.leave(PutEvidence{{node.id, context.run().id, "all", "{}", {}, context.now()}});
  MoveLifecycle move{node.id, node.lifecycle, Lifecycle::Available, Actor::Engine, "", {"all"}};
  context.leave(std::move(move));
  co_return Seen::Done;
}

constexpr Lifecycle kStartsIn[] = {Lifecycle::Available, Lifecycle::Qualifying};
const std::vector<Step> kSteps{{.id = "take", .title = "Take", .look = lookTaken},
                               {.id = "write", .title = "Write", .look = lookWritten}};
const Workflow kQualify{
    .name = "qualify", .steps = kSteps, .kind = NodeKind::ComputeTray, .qualifies = true, .startsIn = kStartsIn};

// The same with an act that the machine shows it is busy with, for ever if it hangs.
Task<Result<Seen>> lookFlashed(StepContext& context) {
  auto& machine = static_cast<Member&>(context.bmc());
  if (machine.version == context.target().baseline.name) co_return co_await lookWritten(context);
  co_return machine.hangs&& machine.flashing ? Seen::Busy : Seen::Todo;
}
Task<Result<void>> startFlash(StepContext& context) {
  auto& machine = static_cast<Member&>(context.bmc());
  machine.flashing = true;
  if (!machine.hangs) machine.version = context.target().baseline.name;
  co_return Result<void>{};
}
const std::vector<Step> kFlashSteps{{.id = "take", .title = "Take", .look = lookTaken},
                                    {.id = "flash",
                                     .title = "Flash",
                                     .look = lookFlashed,
                                     .act = startFlash,
                                     .deadline = 1h,
                                     .needs = {.duringStep = Budget::Flash}}};
const Workflow kFlash{.name = "qualify",
                      .steps = kFlashSteps,
                      .kind = NodeKind::ComputeTray,
                      .qualifies = true,
                      .startsIn = kStartsIn};

struct Hall {
  explicit Hall(int racks = 6, int perRack = 2, const Workflow& flow = kQualify) : site({&flow}) {
    site.tables.profiles["p"].digest = "abc";
    site.tables.baselines["new"] = "d1";
    for (int rack = 0; rack < racks; ++rack)
      for (int slot = 0; slot < perRack; ++slot) {
        const auto id = site.add(std::make_unique<Member>(site, floor),
                                 fmt::format("H1/R01/RK{:03}/U{:02}", rack + 1, slot + 10),
                                 Lifecycle::Available);
        site.tables.nodes[id].profile = "p";
      }
    wanted.name = "spring";
    wanted.baseline = "new";
    wanted.window = 2;
  }
  ~Hall() { site.kill(); }

  void boot() {
    campaigns.reset();
    site.boot();
    for (auto& [rack, busy] : floor.busy) busy = 0;  // what was being written when the controller died
    campaigns = std::make_unique<Campaigns>(site.life->store, site.engine(), site.life->executor);
    site.engine().onState([this](const std::vector<NodeId>& subject) { campaigns->look(subject); });
    campaigns->start();
  }
  void begin() {
    boot();
    const auto made = site.await(campaigns->create(wanted, "anna"));
    ASSERT_TRUE(made && *made) << (*made).error().what;
    id = **made;
  }
  /// "": it was done.
  std::string ask(CampaignMove move, std::string why, CampaignId of = {}) {
    const auto done = site.await(campaigns->ask(of ? of : id, move, "anna", std::move(why)));
    return !done ? "the controller died" : *done ? "" : done->error().what;
  }
  bool runTo(CampaignState state, Duration horizon = 48h) {
    return site.runUntil([&] { return row().state == state && campaigns->idle(); }, horizon);
  }
  const Campaign& row() const { return site.tables.campaigns.at(id); }
  const std::vector<CampaignMember>& members() const { return site.tables.members.at(id); }
  Member& machine(int i) { return static_cast<Member&>(*site.machines.at(NodeId{i + 1})); }
  Node& node(int i) { return site.tables.nodes.at(NodeId{i + 1}); }
  int in(MemberState state) const {
    return static_cast<int>(
        std::count_if(members().begin(), members().end(), [&](const auto& m) { return m.state == state; }));
  }
  std::vector<std::string> versions() {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < site.machines.size(); ++i)
      out.push_back(machine(static_cast<int>(i)).version);
    return out;
  }

  Floor floor;
  Site site;
  Campaign wanted;
  CampaignId id;
  std::unique_ptr<Campaigns> campaigns;
};

TEST(Campaigns, BringEveryNodeToTheBaselineRackByRackInsideTheWindow) {
  Hall hall;
  hall.machine(0).takes = 1h;  // its rack stays open; the others slide past it
  hall.begin();
  const auto began = hall.site.time.now();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_THAT(hall.versions(), Each(std::string("new")));
  EXPECT_EQ(hall.in(MemberState::Done), 12);
  EXPECT_EQ(hall.floor.mostRacks, 2u);
  EXPECT_EQ(hall.floor.mostInARack, 2);
  EXPECT_EQ(hall.site.tables.runs.size(), 12u);
  EXPECT_LT(hall.site.time.now() - began, 1h + 1min) << "five racks of 10 minutes beside one of an hour";
  EXPECT_EQ(hall.node(3).baseline, "new");
  for (const auto& [run, row] : hall.site.tables.runs) {
    EXPECT_EQ(row.lane, Lane::Rollout);
    EXPECT_EQ(row.startedBy, "campaign 1");
  }
}

TEST(Campaigns, KeepToTheLimitInARack) {
  Hall hall(2, 4);
  hall.wanted.perRack = 1;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.floor.mostInARack, 1);
  EXPECT_EQ(hall.floor.mostRacks, 2u);
}

TEST(Campaigns, TheCanaryGoesFirstAndOneFailureInItHalts) {
  Hall hall;
  hall.wanted.canary = 1;
  hall.wanted.failureBudget = 5;
  hall.machine(1).sick = true;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_EQ(hall.row().why, "1 of 2 nodes of the canary failed");
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), hall.row().why);
  hall.site.run(5h);
  EXPECT_EQ(hall.floor.begins.size(), 2u) << "nobody else began";
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "a bad tray"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 11);
  EXPECT_EQ(hall.in(MemberState::Failed), 1);
}

// Racks of one node, one at a time: nodes 2, 4 and 5 fail, and the budget bears two.
TEST(Campaigns, HaltAtTheFailureThatTheBudgetDoesNotBear) {
  Hall hall(6, 1);
  hall.wanted.window = 1;
  hall.wanted.failureBudget = 2;
  for (const int sick : {1, 3, 4}) hall.machine(sick).sick = true;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_EQ(hall.row().why, "3 nodes failed; the budget is 2");
  EXPECT_EQ(hall.floor.begins.size(), 5u);
  EXPECT_THAT(hall.members()[4].why, HasSubstr("failed in write"));
  hall.site.run(5h);
  EXPECT_EQ(hall.floor.begins.size(), 5u) << "the sixth waits for a person";
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "known"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done)) << "those three are forgiven";
  EXPECT_THAT(hall.versions(), ElementsAre("new", "own", "new", "own", "own", "new"));
}

TEST(Campaigns, APauseLetsWhatIsUnderWayFinishAndBeginsNothing) {
  Hall hall;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.ask(CampaignMove::Pause, "lunch"), "");
  hall.site.run(5h);
  EXPECT_EQ(hall.in(MemberState::Done), 4);
  EXPECT_EQ(hall.in(MemberState::Pending), 8);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "lunch");
  EXPECT_EQ(hall.ask(CampaignMove::Pause, "again"), "campaign 1 is paused: it cannot be paused");
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "back"), "");
  EXPECT_TRUE(hall.runTo(CampaignState::Done));
}

TEST(Campaigns, ACancelLeavesOutWhatDidNotBegin) {
  Hall hall;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.ask(CampaignMove::Cancel, "wrong baseline"), "");
  hall.site.run(5h);
  EXPECT_EQ(hall.in(MemberState::LeftOut), 12);
  EXPECT_EQ(hall.floor.begins.size(), 4u);
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "no"), "campaign 1 is cancelled: it cannot be resumed");
  EXPECT_EQ(hall.ask(CampaignMove::Resume, "no", CampaignId{7}), "there is no campaign 7");
}

TEST(Campaigns, GoBackToWhatEachNodeHadAndLeaveTheRestAlone) {
  Hall hall;
  hall.node(0).baseline = "older";
  hall.machine(0).version = "older";
  hall.begin();
  hall.site.run(15min);  // the first two racks are done, the next two under way
  EXPECT_EQ(hall.ask(CampaignMove::RollBack, "it overheats"), "");
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.row().goal, CampaignGoal::Back);
  EXPECT_THAT(hall.versions(), ElementsAre("older", "own", "own", "own", "own", "own", "own", "own", "own",
                                           "own", "own", "own"));
  EXPECT_EQ(hall.in(MemberState::Done), 8);
  EXPECT_EQ(hall.in(MemberState::LeftOut), 4);
  EXPECT_EQ(hall.floor.written.size(), 16u) << "each once there and once back";
  EXPECT_EQ(hall.floor.mostRacks, 2u);
  EXPECT_EQ(hall.node(0).baseline, "older");
}

TEST(Campaigns, TryTheFailedAgain) {
  Hall hall(2, 2);
  hall.machine(3).sick = true;
  hall.wanted.failureBudget = 1;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Failed), 1);
  hall.machine(3).sick = false;
  EXPECT_EQ(hall.ask(CampaignMove::Retry, "it was reseated"), "");
  hall.site.run(1h);
  EXPECT_EQ(hall.row().state, CampaignState::Running);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S4: it is quarantined");
  for (auto& finding : hall.site.tables.findings) finding.resolved = hall.site.time.now();
  hall.node(3).lifecycle = Lifecycle::Available;
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 4);
}

TEST(Campaigns, PassOverWhoCannotBeginWithoutHoldingTheWindow) {
  Hall hall(4, 1);
  hall.wanted.window = 1;
  hall.node(0).lifecycle = Lifecycle::InService;
  hall.site.tables.holds[NodeId{2}] = "personal lock of bob";
  hall.begin();
  hall.site.run(1h);
  EXPECT_THAT(hall.versions(), ElementsAre("own", "own", "new", "new"));
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: it is in_service; and so 1 more rack");
  hall.site.tables.holds.clear();
  hall.node(0).lifecycle = Lifecycle::Available;
  EXPECT_TRUE(hall.runTo(CampaignState::Done, 26min)) << "seen by time alone, in five";
}

// The window has room for all: the others end one by one, and nothing else happens.
TEST(Campaigns, SayWhoIsPassedOverAndTakeThemWhenTheyAreBack) {
  Hall hall(4, 1);
  hall.wanted.window = 4;
  hall.node(0).lifecycle = Lifecycle::InService;
  for (int i = 1; i < 4; ++i) hall.machine(i).takes = i * 10min;
  hall.begin();
  hall.site.run(1h);
  EXPECT_EQ(hall.in(MemberState::Done), 3);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: it is in_service");
  hall.node(0).lifecycle = Lifecycle::Available;
  EXPECT_TRUE(hall.runTo(CampaignState::Done, 1h));
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "");
}

TEST(Campaigns, GoOnAtOnceWhereTheyAreToldThatSomethingChanged) {
  Hall hall(2, 2);
  hall.node(0).lifecycle = hall.node(2).lifecycle = Lifecycle::InService;
  hall.begin();
  hall.site.run(62min);  // not when it looks by itself
  const auto began = hall.floor.begins.size();
  hall.node(0).lifecycle = hall.node(2).lifecycle = Lifecycle::Available;
  hall.campaigns->look({NodeId{1}});
  hall.site.run(1s);
  EXPECT_EQ(hall.floor.begins.size(), began + 1) << "in its rack";
  hall.campaigns->lookAgain();
  hall.site.run(1s);
  EXPECT_EQ(hall.floor.begins.size(), began + 2) << "everywhere";
}

TEST(Campaigns, BeginNoRunThatWouldOnlyWait) {
  Hall hall(4, 1);
  hall.wanted.window = 1;
  hall.node(0).unreachableSince = hall.site.time.now();
  hall.node(1).bmc.address.clear();
  hall.site.tables.findings.push_back({.node = NodeId{3}, .cause = "cooling.leak"});
  hall.begin();
  hall.site.run(1h);
  EXPECT_THAT(hall.versions(), ElementsAre("own", "own", "own", "new"));
  EXPECT_EQ(hall.floor.begins.size(), 1u);
  EXPECT_THAT(hall.campaigns->waitsFor(hall.id),
              testing::MatchesRegex("S1: it has been without contact since .*; and so 2 more racks"));
  hall.node(0).unreachableSince.reset();
  hall.node(1).bmc.address = "10.0.0.2";
  hall.site.tables.findings.clear();
  EXPECT_TRUE(hall.runTo(CampaignState::Done));
}

// What a machine that fell silent is still doing, nobody knows: its rack stays in the window.
TEST(Campaigns, SayWhoKeepsTheWindow) {
  Hall hall(3, 1);
  hall.wanted.window = 1;
  hall.machine(0).silent = true;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "") << "it may be back in a moment";
  hall.site.run(24h);
  EXPECT_TRUE(hall.floor.begins.empty());
  EXPECT_THAT(hall.campaigns->waitsFor(hall.id),
              testing::MatchesRegex("S1: run 1 cannot go on since .*: contact with the BMC: nobody answers"));
  hall.machine(0).silent = false;
  EXPECT_TRUE(hall.runTo(CampaignState::Done));
}

// At every instant after it was made: what was on its way to the store then must not begin any more.
TEST(Campaigns, BeginNothingOnceAHaltIsAcknowledged) {
  int begunBefore = 0;
  for (int instant = 0; instant < 60; ++instant) {
    SCOPED_TRACE(instant);
    Hall hall;
    hall.wanted.window = 6;
    hall.begin();
    for (int i = 0; i < instant; ++i) hall.site.time.runOne();
    EXPECT_EQ(hall.ask(CampaignMove::Halt, "smoke"), "");
    const auto begun = hall.site.tables.runs.size();
    begunBefore = std::max(begunBefore, static_cast<int>(begun));
    hall.site.run(1h);
    EXPECT_EQ(hall.site.tables.runs.size(), begun);
    EXPECT_EQ(hall.in(MemberState::Pending), 12 - static_cast<int>(begun));
  }
  EXPECT_GT(begunBefore, 3) << "or the instants prove nothing";
}

TEST(Campaigns, BeginNothingOnWhatAnImportHasChanged) {
  for (int instant = 0; instant < 60; ++instant) {
    SCOPED_TRACE(instant);
    Hall hall;
    hall.wanted.window = 6;
    hall.begin();
    for (int i = 0; i < instant; ++i) hall.site.time.runOne();
    const auto begun = hall.site.tables.runs.size();
    hall.site.tables.baselines["new"] = "d2";
    hall.campaigns->lookAgain();
    ASSERT_TRUE(hall.runTo(CampaignState::Halted));
    EXPECT_EQ(hall.site.tables.runs.size(), begun);
  }
}

TEST(Campaigns, CountNobodyAsDoneWhoWasBroughtToAnotherBaseline) {
  Hall hall(1, 2);
  hall.begin();
  hall.site.run(5min);
  hall.site.kill();  // and when it is back, run 1 is over: somebody had asked for something else
  auto& tables = hall.site.tables;
  auto other = *tables.targets.at("abc/new");
  other.digest = "abc/other";
  other.baseline.name = "other";
  tables.targets["abc/other"] = std::make_shared<const Target>(other);
  tables.runs.at(RunId{1}).target = "abc/other";
  tables.runs.at(RunId{1}).state = RunState::Done;
  hall.boot();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.members()[0].state, MemberState::LeftOut);
  EXPECT_EQ(hall.members()[0].why, "run 1 was about another baseline");
  EXPECT_EQ(hall.members()[1].state, MemberState::Done);
}

TEST(Campaigns, LeaveOutByThemselvesWhoWasRetired) {
  Hall hall(3, 2);
  hall.wanted.canary = 1;
  hall.node(1).lifecycle = hall.node(4).lifecycle = Lifecycle::Retired;
  hall.begin();
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.in(MemberState::Done), 4);
  EXPECT_EQ(hall.members()[1].state, MemberState::LeftOut);
  EXPECT_EQ(hall.members()[1].why, "it is retired");
}

TEST(Campaigns, GoOnPastACanaryWhenAPersonLeavesOutWhoKeepsIt) {
  Hall hall(3, 2);
  hall.wanted.canary = 1;
  hall.node(1).lifecycle = Lifecycle::InService;
  hall.begin();
  hall.site.run(1h);
  EXPECT_EQ(hall.floor.begins.size(), 1u);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S2: it is in_service");
  const auto leaveOut = [&](int i) {
    const auto left = hall.site.await(hall.campaigns->leaveOut(hall.id, NodeId{i + 1}, "anna", "in use"));
    return left && *left;
  };
  EXPECT_TRUE(leaveOut(1));
  EXPECT_FALSE(leaveOut(0)) << "it is done";
  ASSERT_TRUE(hall.runTo(CampaignState::Done, 1h));
  EXPECT_EQ(hall.members()[1].why, "in use");
  EXPECT_FALSE(leaveOut(2)) << "the campaign is over";
}

// A failure counts at once, but what it began still writes its machine: the rack is not up yet.
TEST(Campaigns, KeepARackInTheWindowWhileAFailedFlashGoesOn) {
  Hall hall(2, 1, kFlash);
  hall.wanted.window = 1;
  hall.wanted.failureBudget = 1;
  hall.machine(0).hangs = true;
  hall.begin();
  hall.site.run(24h);
  EXPECT_EQ(hall.members()[0].state, MemberState::Failed);
  EXPECT_FALSE(hall.machine(1).flashing);
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: its last run is over, but may still be writing firmware");
  hall.boot();
  hall.site.run(24h);
  EXPECT_FALSE(hall.machine(1).flashing) << "nor after a restart";
  hall.machine(0).flashing = false;
  EXPECT_TRUE(hall.runTo(CampaignState::Done, 1h));
  EXPECT_TRUE(hall.machine(1).flashing);
}

TEST(Campaigns, CountWhatACancelledOneLeftUnderWay) {
  Hall hall(3, 1);
  hall.wanted.window = 1;
  hall.begin();
  hall.site.run(5min);
  EXPECT_EQ(hall.ask(CampaignMove::Cancel, "wrong window"), "");
  hall.id = **hall.site.await(hall.campaigns->create(hall.wanted, "anna"));
  ASSERT_TRUE(hall.runTo(CampaignState::Done));
  EXPECT_EQ(hall.floor.mostRacks, 1u);
}

TEST(Campaigns, TakeNoTrayFromADomainThatIsInUse) {
  Hall hall(3, 2);
  for (const auto* place : {"H1/R01/RK001", "H1/R01/RK002"}) hall.site.tables.racks[place].place = place;
  hall.node(0).lifecycle = Lifecycle::InService;
  hall.node(2).allocation = Allocation::Reserved;
  hall.node(4).lifecycle = Lifecycle::InService;  // a machine of its own: no recipe makes its rack a domain
  hall.begin();
  hall.site.run(1h);
  EXPECT_THAT(hall.versions(), ElementsAre("own", "own", "own", "own", "own", "new"));
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S1: it is in_service; and so 2 more racks");
  hall.node(0).lifecycle = Lifecycle::Retired;
  hall.site.run(1h);
  EXPECT_EQ(hall.machine(1).version, "new");
  EXPECT_EQ(hall.campaigns->waitsFor(hall.id), "S3: it is reserved; and so 1 more rack");
}

TEST(Campaigns, LookAtThousandsWithoutHoldingUpTheEventLoop) {
  Hall hall(200, 18);
  for (auto& [id, node] : hall.site.tables.nodes) node.lifecycle = Lifecycle::InService;
  hall.begin();
  hall.site.run(1min);
  int& read = hall.site.life->store.nodesRead;
  read = 0;
  hall.campaigns->lookAgain();
  int most = read, all = read;
  for (; !hall.campaigns->idle(); all += read) {
    read = 0;
    hall.site.time.runOne();
    most = std::max(most, read);
  }
  EXPECT_GE(all, 3600);
  EXPECT_LE(most, 1'100);
}

TEST(Campaigns, HaltWhenAnImportHasChangedTheBaseline) {
  Hall hall;
  hall.begin();
  hall.site.run(5min);
  hall.site.tables.baselines["new"] = "d2";
  ASSERT_TRUE(hall.runTo(CampaignState::Halted));
  EXPECT_THAT(hall.row().why, HasSubstr("an import has changed the baseline new"));
  EXPECT_EQ(hall.in(MemberState::Pending), 8);
}

TEST(Campaigns, EndTheSameWhereverTheControllerDies) {
  const auto make = [](Hall& hall) {
    hall.wanted.failureBudget = 1;
    hall.machine(2).sick = true;
    hall.begin();
  };
  int points = 0;
  {
    Hall clean(3, 2);
    make(clean);
    const auto before = clean.site.points.passed().size();
    ASSERT_TRUE(clean.runTo(CampaignState::Done));
    points = static_cast<int>(clean.site.points.passed().size() - before);
  }
  ASSERT_GT(points, 30);
  for (int point = 0; point < points; ++point) {
    SCOPED_TRACE(point);
    Hall hall(3, 2);
    make(hall);
    hall.site.points.arm(point);
    hall.site.run(3h);
    if (hall.site.points.dead()) hall.boot();
    ASSERT_TRUE(hall.runTo(CampaignState::Done));
    EXPECT_EQ(hall.in(MemberState::Done), 5);
    EXPECT_EQ(hall.in(MemberState::Failed), 1);
    EXPECT_EQ(hall.site.tables.runs.size(), 6u) << "every run once";
    EXPECT_LE(hall.floor.mostRacks, 2u);
  }
}

}  // namespace
}  // namespace zellige::test
