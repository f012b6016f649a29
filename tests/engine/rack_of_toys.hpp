// A rack of toys: machines whose workflows only look at them, as a test says, under the real bring-up.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/engine/bring_up.hpp"
#include "tests/engine/no_bmc.hpp"
#include "tests/engine/site.hpp"

namespace zellige::test::toys {

inline const std::string kPlace = "H1/R01/RK001";

// What a machine does when its workflow looks at it; the log says who was looked at, in order.
class Member final : public NoBmc {
 public:
  explicit Member(Site& site) : site_(site) {}
  Duration takes = 1min;
  bool sick = false, busy = false;
  std::optional<Error> trouble;
  Task<Result<BmcIdentity>> identify() override {
    if (trouble && trouble->code == Errc::Unreachable) co_return *trouble;
    co_return BmcIdentity{};
  }
  Task<Result<Seen>> look() {
    co_await sleepFor(site_.life->executor, takes);
    if (trouble) co_return *trouble;
    if (busy) co_return Seen::Busy;
    if (sick) co_return failure("inventory.sick_part", "it is sick");
    co_return Seen::Done;
  }

 private:
  Site& site_;
};

inline Member& memberOf(StepContext& context) { return static_cast<Member&>(context.bmc()); }

inline Task<Result<Seen>> lookQualified(StepContext& context) {
  const auto seen = co_await memberOf(context).look();
  if (!seen || *seen != Seen::Done) co_return seen;
  const auto& node = context.node();
  context.leave(PutEvidence{{node.id, context.run().id, "all", "{}", {}, context.now()}});
  if (node.lifecycle == Lifecycle::Available) co_return Seen::Done;
  MoveLifecycle move{node.id, node.lifecycle, Lifecycle::Available, Actor::Engine, "", {"all"}};
  context.leave(std::move(move));
  co_return Seen::Done;
}

inline Task<Result<Seen>> lookShown(StepContext& context) {
  for (const auto& node : context.nodes()) {
    const auto seen = co_await static_cast<Member&>(context.bmcOf(node)).look();
    if (!seen || *seen != Seen::Done) co_return seen;
  }
  for (const auto& node : context.nodes()) {
    Evidence evidence{node.id, context.run().id, context.run().workflow, "{}", {}, context.now()};
    context.leave(PutEvidence{std::move(evidence)});
  }
  co_return Seen::Done;
}

inline Task<Result<Seen>> lookNothing(StepContext&) { co_return Seen::Done; }

inline constexpr Lifecycle kWhole[] = {Lifecycle::Available, Lifecycle::InService};
inline constexpr Lifecycle kFresh[] = {Lifecycle::Qualifying, Lifecycle::Available};
inline constexpr NodeKind kTrays[] = {NodeKind::ComputeTray};
inline std::vector<std::string> allOf(const Target&, NodeKind) { return {"all"}; }
inline const std::vector<Step> kQualifies{{.id = "all", .title = "All", .look = lookQualified}};
inline const std::vector<Step> kShows{{.id = "show", .title = "Show", .look = lookShown}};
inline const std::vector<Step> kNothing{{.id = "nothing", .title = "Nothing", .look = lookNothing}};
inline const Workflow kQualify{.name = "qualify",
                               .steps = kQualifies,
                               .kind = NodeKind::ComputeTray,
                               .qualifies = true,
                               .startsIn = kFresh,
                               .leaves = allOf};
inline const Workflow kDry{.name = "dry", .steps = kShows, .startsIn = kFresh, .shows = "dry"};
inline const Workflow kDomain{
    .name = "domain", .steps = kShows, .together = kTrays, .startsIn = kWhole, .shows = "domain"};
inline const Workflow kGuard{
    .name = "guard", .steps = kShows, .startsIn = kFresh, .shows = "guard", .guards = true};
inline const Workflow kEmpty{.name = "empty", .steps = kNothing, .startsIn = kFresh, .shows = "empty"};
inline const Workflow kBlind{.name = "blind", .steps = kShows};

struct RackOfToys {
  explicit RackOfToys(int trays = 3) : site({&kQualify, &kDry, &kDomain, &kBlind, &kGuard, &kEmpty}) {
    for (int i = 0; i < trays; ++i) addTray(i);
    auto& recipe = site.tables.recipes["r"];
    recipe.name = "r";
    recipe.members[NodeKind::ComputeTray] = trays;
    recipe.stages = {{"dry", "dry", {NodeKind::ComputeTray}, {}, {}},
                     {"trays", "qualify", {NodeKind::ComputeTray}, {"dry"}, {}},
                     {"domain", "domain", {NodeKind::ComputeTray}, {"trays"}, {}}};
    site.tables.racks[kPlace] = {kPlace, "r", RackState::Installing, {}};
    site.tables.profiles["p"].digest = "abc";
  }
  ~RackOfToys() { site.kill(); }
  NodeId addTray(int i) {
    const auto id = site.add(std::make_unique<Member>(site), fmt::format("{}/U{}", kPlace, 10 + i));
    site.tables.nodes[id].profile = "p";
    return id;
  }
  void boot() {
    bringUp.reset();
    site.boot();
    bringUp = std::make_unique<BringUp>(site.life->store, site.engine(), site.life->executor);
    site.engine().onState([this](const std::vector<NodeId>& subject) { bringUp->look(subject); });
    bringUp->sweep();
  }
  Member& member(int i) { return static_cast<Member&>(*site.machines.at(NodeId{i + 1})); }
  Node& node(int i) { return site.tables.nodes.at(NodeId{i + 1}); }
  RackState state() const { return site.tables.racks.at(kPlace).state; }
  bool runToAccepted(Duration horizon = 10h) {
    return site.runUntil([&] { return state() == RackState::Accepted; }, horizon);
  }
  Result<std::vector<RunId>> ask(std::string stage = {}) {
    AskedBringUp asked{kPlace, std::move(stage), "amina", "mended"};
    return *site.await(bringUp->begin(std::move(asked)));
  }
  /// All have passed what comes before the domain, and its run was begun.
  void runToDomain() {
    ASSERT_TRUE(
        site.runUntil([&] { return !site.tables.runs.empty() && lastRun().workflow == "domain"; }, 10h));
  }
  void endDomain(Duration horizon = 10h) {
    ASSERT_TRUE(
        site.runUntil([&] { return lastRun().workflow == "domain" && !lastRun().unfinished(); }, horizon));
  }
  const zellige::Run& lastRun() const { return site.tables.runs.rbegin()->second; }
  /// "dry 1": workflow and first node, in the order in which they began.
  std::vector<std::string> began() const {
    std::vector<std::string> out;
    for (const auto& [id, run] : site.tables.runs)
      out.push_back(fmt::format("{} {}", run.workflow, run.subject.front().value));
    return out;
  }

  Site site;
  std::unique_ptr<BringUp> bringUp;
};

}  // namespace zellige::test::toys
