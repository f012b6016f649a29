// A rack as a whole: what it is made of, in which order it comes up (a recipe: data, never code) and how far it is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/time.hpp"
#include "controller/model/node.hpp"

namespace zellige {

/// What a kind of rack goes through, as a technician imports it. Read from files by controller/site.
struct Recipe {
  struct Stage {
    std::string id;                  ///< "shelves"; unique in the recipe
    std::string workflow;            ///< what each member of these kinds goes through
    std::vector<NodeKind> of;        ///< each once
    std::vector<std::string> after;  ///< earlier stages that are over before this one begins
    /// So many must have passed before a later stage begins, the others being quarantined; nullopt: all.
    std::optional<int> atLeast;
  };
  std::string name;
  std::map<NodeKind, int> members;  ///< how many a complete rack has
  std::vector<Stage> stages;

  int membersOf(const Stage& stage) const {
    int count = 0;
    for (const auto kind : stage.of) count += members.contains(kind) ? members.at(kind) : 0;
    return count;
  }
};

enum class RackState {
  Installing,  ///< its manifest is not complete, or its place not armed
  BringUp,
  Accepted,  ///< every stage holds for every member
  Degraded,  ///< it was accepted, and something does not hold any more
};
ZELLIGE_NAMES(RackState, {RackState::Installing, "installing"}, {RackState::BringUp, "bring_up"},
              {RackState::Accepted, "accepted"}, {RackState::Degraded, "degraded"});

/// A rack that comes up by a recipe. Others are taken tray by tray.
struct Rack {
  std::string place;  ///< "H1/R01/RK001"
  std::string recipe;
  RackState state = RackState::Installing;
  Time since{};
};

}  // namespace zellige
