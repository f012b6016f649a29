// Something scarce, counted in a tree by place: a flash takes one of its rack's slots and one of the site's. A run
// takes all it needs at once or waits, by lane, then age. Holdings are rebuilt from run rows at start.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige {

struct BudgetLimits {
  int uploads = 400;  ///< at a time, whole site; source: one BMC upload is a few MB/s, two cores serve hundreds
  int flashes = 100'000;     ///< at a time, whole site
  int flashesPerRack = 27;   ///< at a time, per rack: the failure domain; 27 = all trays of an NVL72 rack
  int imageStreams = 2'000;  ///< at a time, whole site
};

class Budgets {
 public:
  explicit Budgets(BudgetLimits limits) : limits_(limits) {}

  /// True: held from now on. False: `run` waits, and `granted()` will name it when its turn comes.
  bool take(RunId run, Lane lane, Time since, const std::vector<Budget>& needs, const Place& place);
  /// Takes without asking: what a run row says was held when we stopped.
  void retake(RunId run, const std::vector<Budget>& needs, const Place& place);
  void release(RunId run, Budget budget);
  /// It does not wait any more; what it holds it keeps.
  void withdraw(RunId run);
  void releaseAll(RunId run);
  bool holds(RunId run, Budget budget) const;
  /// Runs that got what they waited for since the last call, in the order of the grants.
  std::vector<RunId> granted();
  /// "flash: 18 of 18 in H1/R01/RK001": what keeps these needs from being met; empty if they would be.
  std::string shortage(const std::vector<Budget>& needs, const Place& place) const;

  struct Use {
    Budget budget;
    std::string scope;  ///< a rack, or "" for the site
    int used = 0, limit = 0, waiting = 0;
  };
  std::vector<Use> use() const;

 private:
  struct Waiter {
    Lane lane;
    Time since;
    RunId run;
    std::vector<Budget> needs;
    std::string rack;
    auto key() const { return std::tuple(lane, since, run); }
  };
  struct Earlier {
    bool operator()(const Waiter* a, const Waiter* b) const { return a->key() < b->key(); }
  };
  using Queue = std::set<const Waiter*, Earlier>;  ///< of those in waiters_
  using Scope = std::pair<Budget, std::string>;
  int limit(const Scope& scope) const;
  static std::vector<Scope> scopes(Budget budget, const std::string& rack);
  bool fits(const std::vector<Budget>& needs, const std::string& rack) const;
  void hold(RunId run, const std::vector<Budget>& needs, const std::string& rack);
  /// No waiting run can be granted anything, whatever its rack: some site budget of each is full.
  bool siteIsFull() const;
  using Held = std::vector<std::pair<Budget, std::string>>;  ///< and the rack it counts in
  void giveBack(const Held& held);
  void grant(const Queue& candidates);
  void forget(const Waiter& waiter);

  BudgetLimits limits_;
  std::map<Scope, int> used_;
  std::map<RunId, Held> held_;
  std::map<RunId, Waiter> waiters_;
  Queue waiting_;                                  // all of them
  std::map<std::string, Queue> waitingIn_;         // by rack
  std::map<std::vector<Budget>, int> waitingFor_;  // how many wait for just these
  std::vector<RunId> granted_;
};

}  // namespace zellige
