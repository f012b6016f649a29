#include "controller/model/lifecycle.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace zellige {

namespace {

using enum Lifecycle;
using enum Actor;
constexpr auto Tray = NodeKind::ComputeTray;

// A tray. Every state has an exit; nothing leaves for `available` but through evidence.
constexpr Move kMoves[] = {
    {Tray, Planned, Discovered, Engine, Requires::Nothing},
    {Tray, Planned, Quarantined, Engine, Requires::BlockingFinding},
    {Tray, Planned, Retired, Operator, Requires::Unassigned},
    {Tray, Discovered, Qualifying, Engine, Requires::NoBlockingFinding},
    {Tray, Discovered, Quarantined, Engine, Requires::BlockingFinding},
    {Tray, Discovered, InService, Operator, Requires::Nothing},  // adopt a running machine, untouched
    {Tray, Discovered, Retired, Operator, Requires::Unassigned},
    {Tray, Qualifying, Available, Engine, Requires::Evidence},
    {Tray, Qualifying, Quarantined, Engine, Requires::BlockingFinding},
    {Tray, Qualifying, Discovered, Operator, Requires::Nothing},
    {Tray, Available, InService, Operator, Requires::NoBlockingFinding},
    {Tray, Available, Qualifying, Engine, Requires::Unassigned},
    {Tray, Available, Quarantined, Engine, Requires::BlockingFinding},
    {Tray, Available, Repair, Operator, Requires::Unassigned},
    {Tray, Available, Retired, Operator, Requires::Unassigned},
    {Tray, InService, Sanitising, Operator, Requires::Nothing},
    {Tray, Sanitising, Qualifying, Engine, Requires::Unassigned},
    {Tray, Sanitising, Quarantined, Engine, Requires::BlockingFinding},
    {Tray, Quarantined, Qualifying, Operator, Requires::Nothing},
    {Tray, Quarantined, Repair, Operator, Requires::Nothing},
    {Tray, Quarantined, Retired, Operator, Requires::Unassigned},
    {Tray, Repair, Discovered, Operator, Requires::Nothing},
    {Tray, Repair, Qualifying, Operator, Requires::NoBlockingFinding},
    {Tray, Repair, Retired, Operator, Requires::Unassigned},
    {Tray, Retired, Planned, Manifest, Requires::Nothing},
    {Tray, Unlisted, Planned, Manifest, Requires::Nothing},
    {Tray, Unlisted, Retired, Operator, Requires::Nothing},
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
    if (move.kind == kind && move.from == from && move.to == to && move.actor == actor) return &move;
  return nullptr;
}

}  // namespace zellige
