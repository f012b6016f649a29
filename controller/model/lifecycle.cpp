#include "controller/model/lifecycle.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace zellige {

namespace {

using enum Lifecycle;
using enum Actor;
constexpr Kinds only(NodeKind kind) { return {1u << static_cast<unsigned>(kind)}; }
constexpr Kinds Tray = only(NodeKind::ComputeTray);
// A switch tray or a shelf holds no tenant's data: it comes out of service without being sanitised.
constexpr Kinds Other{only(NodeKind::SwitchTray).bits | only(NodeKind::PowerShelf).bits};
constexpr Kinds Every{Tray.bits | Other.bits};

// Every state has an exit; nothing leaves for `available` but through evidence. None of these moves touches a machine:
// quarantining a shelf does not switch it off.
constexpr Move kMoves[] = {
    {Every, Planned, Discovered, Engine, Requires::Nothing},
    {Every, Planned, Quarantined, Engine, Requires::BlockingFinding},
    {Every, Planned, Retired, Operator, Requires::Unassigned},
    {Every, Discovered, Qualifying, Engine, Requires::NoBlockingFinding},
    {Every, Discovered, Quarantined, Engine, Requires::BlockingFinding},
    {Every, Discovered, InService, Operator, Requires::Nothing},  // adopt a running machine, untouched
    {Every, Discovered, Retired, Operator, Requires::Unassigned},
    {Every, Qualifying, Available, Engine, Requires::Evidence},
    {Every, Qualifying, Quarantined, Engine, Requires::BlockingFinding},
    {Every, Qualifying, Discovered, Operator, Requires::Nothing},
    {Every, Qualifying, Retired, Operator, Requires::Unassigned},
    {Every, Available, InService, Operator, Requires::NoBlockingFinding},
    {Every, Available, Qualifying, Engine, Requires::Unassigned},
    {Every, Available, Quarantined, Engine, Requires::BlockingFinding},
    {Every, Available, Repair, Operator, Requires::Unassigned},
    {Every, Available, Retired, Operator, Requires::Unassigned},
    {Tray, InService, Sanitising, Operator, Requires::Nothing},
    {Other, InService, Qualifying, Operator, Requires::Nothing},
    {Tray, Sanitising, Qualifying, Engine, Requires::Unassigned},
    {Tray, Sanitising, Retired, Operator, Requires::Unassigned},  // whoever retires it answers for its drives
    {Every, Quarantined, Qualifying, Operator, Requires::Nothing},
    {Every, Quarantined, Repair, Operator, Requires::Nothing},
    {Every, Quarantined, Retired, Operator, Requires::Unassigned},
    {Every, Repair, Discovered, Operator, Requires::Nothing},
    {Every, Repair, Qualifying, Operator, Requires::NoBlockingFinding},
    {Every, Repair, Retired, Operator, Requires::Unassigned},
    {Every, Retired, Planned, Manifest, Requires::Nothing},
    {Every, Unlisted, Planned, Manifest, Requires::Nothing},
    {Every, Unlisted, Retired, Operator, Requires::Nothing},
};

constexpr std::pair<Allocation, Allocation> kAllocationMoves[] = {
    {Allocation::Free, Allocation::Reserved},     {Allocation::Free, Allocation::Assigned},
    {Allocation::Reserved, Allocation::Assigned}, {Allocation::Reserved, Allocation::Free},
    {Allocation::Assigned, Allocation::Free},
};

constexpr std::pair<Scheduling, Scheduling> kSchedulingMoves[] = {
    {Scheduling::Open, Scheduling::Cordoned},     {Scheduling::Open, Scheduling::Draining},
    {Scheduling::Cordoned, Scheduling::Draining}, {Scheduling::Cordoned, Scheduling::Open},
    {Scheduling::Draining, Scheduling::Drained},  {Scheduling::Draining, Scheduling::Cordoned},
    {Scheduling::Drained, Scheduling::Open},      {Scheduling::Drained, Scheduling::Cordoned},
};

}  // namespace

bool mayMove(Allocation from, Allocation to) {
  return std::find(std::begin(kAllocationMoves), std::end(kAllocationMoves), std::pair{from, to}) !=
         std::end(kAllocationMoves);
}

bool mayMove(Scheduling from, Scheduling to) {
  return std::find(std::begin(kSchedulingMoves), std::end(kSchedulingMoves), std::pair{from, to}) !=
         std::end(kSchedulingMoves);
}

std::span<const Move> lifecycleMoves() { return kMoves; }

const Move* findMove(NodeKind kind, Lifecycle from, Lifecycle to, Actor actor) {
  for (const auto& move : kMoves)
    if (move.kinds.contains(kind) && move.from == from && move.to == to && move.actor == actor) return &move;
  return nullptr;
}

}  // namespace zellige
