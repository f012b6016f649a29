// Which lifecycle moves exist, who may make them and what they require: one table (lifecycle.cpp), enforced by the
// store as compare-and-set. Whoever wants another move adds a row here, not an if elsewhere.
#pragma once

#include <span>

#include "controller/model/node.hpp"

namespace zellige {

enum class Actor { Engine, Operator, Manifest };
ZELLIGE_NAMES(Actor, {Actor::Engine, "engine"}, {Actor::Operator, "operator"}, {Actor::Manifest, "manifest"});

/// What must hold in the store, in the same transaction, for a move to be made.
enum class Requires {
  Nothing,
  BlockingFinding,    ///< an open blocking finding on the node
  NoBlockingFinding,  ///< none open
  Evidence,           ///< valid evidence for the whole profile, and no blocking finding
  Unassigned,         ///< allocation is free: nobody's data or jobs are on it
};
ZELLIGE_NAMES(Requires, {Requires::Nothing, "nothing"}, {Requires::BlockingFinding, "blocking finding"},
              {Requires::NoBlockingFinding, "no blocking finding"}, {Requires::Evidence, "valid evidence"},
              {Requires::Unassigned, "unassigned"});

/// Some kinds of node.
struct Kinds {
  unsigned bits = 0;
  constexpr bool contains(NodeKind kind) const { return (bits >> static_cast<unsigned>(kind) & 1u) != 0; }
};

struct Move {
  Kinds kinds;
  Lifecycle from, to;
  Actor actor;
  Requires needs;
};

std::span<const Move> lifecycleMoves();
/// nullptr: there is no such move for this kind of node and this actor.
const Move* findMove(NodeKind kind, Lifecycle from, Lifecycle to, Actor actor);

/// The moves of the other two axes that somebody makes: allocation and scheduling. Contact and health are observed.
bool mayMove(Allocation from, Allocation to);
bool mayMove(Scheduling from, Scheduling to);

}  // namespace zellige
