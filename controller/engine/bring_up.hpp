// Racks come up by themselves, stage by stage, as their recipe says. Nothing is remembered of how far a rack is but its
// state: every look compares what holds (lifecycles, evidence) with what each stage wants, and starts the runs that are
// missing. So a crash loses nothing, and a tray that is swapped later goes through just what does not hold any more.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "controller/engine/ranks.hpp"

namespace zellige {

/// How far the members of one stage are.
struct StageStanding {
  std::string id, workflow;
  int members = 0;    ///< that a complete rack has
  int passed = 0;     ///< for whom it holds
  int running = 0;    ///< that a run works on
  int stopped = 0;    ///< that wait for a person, or for a pause to end
  int notBegun = 0;   ///< whose turn is still to come
  int out = 0;        ///< quarantined, in repair, missing, or passed over
  bool over = false;  ///< later stages may begin
};

/// What a person asks of a rack that does not go on by itself.
struct AskedBringUp {
  std::string place;
  std::string stage;  ///< empty: every stage that may begin
  std::string who, why;
};

class BringUp {
 public:
  BringUp(Store& store, Engine& engine, Executor& executor)
      : store_(store), engine_(engine), executor_(executor) {}

  /// Looks at every rack in this place, or at all: after start, an import, the arming of a place.
  void sweep(const std::string& inside = {});
  /// A run of these nodes has ended, or something else has changed where they stand.
  void look(const std::vector<NodeId>& nodes);
  /// Begins what is missing, also where it had failed or was cancelled; of a stage that is named and takes all together,
  /// also what holds. NotFound: no such rack or stage. Conflict: nothing can begin, and why.
  Task<Result<std::vector<RunId>>> begin(AskedBringUp asked);
  /// Nothing is being looked at or started, nor will be by the passing of time alone.
  bool idle() const { return looking_.empty() && toSweep_.empty() && again_.empty(); }
  /// Why the rack is not further, for a person; empty: it is accepted, or was not looked at yet.
  std::string waitsFor(const std::string& place) const;
  /// Stage by stage; empty: there is no such rack, or no such recipe.
  std::vector<StageStanding> stages(const std::string& place) const;

 private:
  void sweepMore();
  void lookAt(const std::string& place);
  void lookAgainAt(const std::string& place, std::optional<Time> at);
  Task<void> lookUntilSettled(std::string place);
  Task<void> advance(std::string place);
  Task<void> settle(Rack rack, std::string waits);
  Task<Result<std::vector<RunId>>> startAll(std::string place, std::vector<StartRun> starts);
  Task<bool> move(Rack& rack, RackState to, std::string why);

  Store& store_;
  Engine& engine_;
  Executor& executor_;
  std::deque<std::string> toSweep_;
  std::set<std::string> inSweep_;         // the same
  std::map<std::string, bool> looking_;   // place → look once more
  std::map<std::string, TimerId> again_;  // place → when time alone may have changed something
  std::map<std::string, std::string> waitsFor_;
};

}  // namespace zellige
