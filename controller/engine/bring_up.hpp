// Racks come up by themselves, stage by stage, as their recipe says. Nothing is remembered of how far a rack is but its
// state: every look compares what holds (lifecycles, evidence) with what each stage wants, and starts the runs that are
// missing. So a crash loses nothing, and a tray that is swapped later goes through just what does not hold any more.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "controller/engine/engine.hpp"

namespace zellige {

/// How far the members of one stage are.
struct StageStanding {
  std::string id, workflow;
  int members = 0;    ///< that a complete rack has
  int passed = 0;     ///< for whom it holds
  int underWay = 0;   ///< for whom it does not hold yet
  int out = 0;        ///< quarantined, in repair, retired or missing
  bool over = false;  ///< later stages may begin
};

class BringUp {
 public:
  BringUp(Store& store, Engine& engine, Executor& executor)
      : store_(store), engine_(engine), executor_(executor) {}

  /// Looks at every rack: after start, an import, the arming of a place.
  void sweep();
  /// A run of this node has ended, or somebody changed where it stands.
  void look(NodeId node);
  /// Nothing is being looked at or started.
  bool idle() const { return looking_.empty() && toSweep_.empty(); }
  /// Why the rack is not further, for a person; empty: it is accepted, or was not looked at yet.
  std::string waitsFor(const std::string& place) const;
  /// Stage by stage; empty: there is no such rack, or no such recipe.
  std::vector<StageStanding> stages(const std::string& place) const;

 private:
  void sweepMore();
  void lookAt(const std::string& place);
  Task<void> lookUntilSettled(std::string place);
  Task<void> advance(std::string place);
  Task<bool> move(Rack& rack, RackState to, std::string why);

  Store& store_;
  Engine& engine_;
  Executor& executor_;
  std::deque<std::string> toSweep_;
  std::map<std::string, bool> looking_;  // place → look once more
  std::map<std::string, std::string> waitsFor_;
};

}  // namespace zellige
