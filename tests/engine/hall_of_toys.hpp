// A hall of racks of toys under the real campaigns: machines that only remember what was written to them.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/engine/campaigns.hpp"
#include "tests/engine/no_bmc.hpp"
#include "tests/engine/site.hpp"

namespace zellige::test::halls {

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

inline Task<Result<Seen>> lookTaken(StepContext& context) {
  const auto& node = context.node();
  if (node.lifecycle == Lifecycle::Available)
    context.leave(MoveLifecycle{node.id, node.lifecycle, Lifecycle::Qualifying, Actor::Engine, "", {}});
  co_return Seen::Done;
}

inline Task<Result<Seen>> lookWritten(StepContext& context) {
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

inline constexpr Lifecycle kStartsIn[] = {Lifecycle::Available, Lifecycle::Qualifying};
inline const std::vector<Step> kSteps{{.id = "take", .title = "Take", .look = lookTaken},
                                      {.id = "write", .title = "Write", .look = lookWritten}};
inline const Workflow kQualify{
    .name = "qualify", .steps = kSteps, .kind = NodeKind::ComputeTray, .qualifies = true, .startsIn = kStartsIn};

// The same with an act that the machine shows it is busy with, for ever if it hangs.
inline Task<Result<Seen>> lookFlashed(StepContext& context) {
  auto& machine = static_cast<Member&>(context.bmc());
  if (machine.version == context.target().baseline.name) co_return co_await lookWritten(context);
  co_return machine.hangs&& machine.flashing ? Seen::Busy : Seen::Todo;
}
inline Task<Result<void>> startFlash(StepContext& context) {
  auto& machine = static_cast<Member&>(context.bmc());
  machine.flashing = true;
  if (!machine.hangs) machine.version = context.target().baseline.name;
  co_return Result<void>{};
}
inline const std::vector<Step> kFlashSteps{{.id = "take", .title = "Take", .look = lookTaken},
                                           {.id = "flash",
                                            .title = "Flash",
                                            .look = lookFlashed,
                                            .act = startFlash,
                                            .deadline = 1h,
                                            .needs = {.duringStep = Budget::Flash}}};
inline const Workflow kFlash{.name = "qualify",
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

}  // namespace zellige::test::halls
