// Something scarce, counted in a tree by place: a flash takes one of its rack's slots and one of the site's. A run
// takes all it needs at once or waits, by lane, then age. Holdings are rebuilt from run rows at start.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/engine/step.hpp"

namespace zellige {

/// Of the stress in a place and everything inside it: how much, and how quickly it may rise or fall.
struct PowerLimit {
  std::string place;                ///< "H1", "H1/R01"; "": the whole site
  std::int64_t watts = 0;           ///< above idle
  std::int64_t wattsPerMinute = 0;  ///< up and down
};

struct BudgetLimits {
  int uploads = 400;  ///< at a time, whole site; source: one BMC upload is a few MB/s, two cores serve hundreds
  int flashes = 100'000;     ///< at a time, whole site
  int flashesPerRack = 27;   ///< at a time, per rack: the failure domain; 27 = all trays of an NVL72 rack
  int imageStreams = 2'000;  ///< at a time, whole site
  std::vector<PowerLimit> power;  ///< of each place once

  PowerTerms termsAt(const Place& place) const;
};

/// A lease that nobody renews: ten reports of a machine that is stressed (workflows/burnin.cpp).
inline constexpr Duration kPowerLease = 5min;

struct Need {
  Budget budget;
  std::int64_t amount = 1;  ///< of Power, watts; 0: nobody knows, and where it is limited nobody gets any
  Need(Budget what, std::int64_t howMuch = 1) : budget(what), amount(howMuch) {}
  auto operator<=>(const Need&) const = default;
};

/// `target`: of the run that needs it; nullptr: it has none. Of Power, what so many machines need.
Need needOf(Budget budget, const Target* target, std::int64_t machines);

class Budgets {
 public:
  explicit Budgets(BudgetLimits limits) : limits_(std::move(limits)) {}

  /// True: held from now on. False: `run` waits, and `granted()` will name it when its turn comes.
  bool take(RunId run, Lane lane, Time since, const std::vector<Need>& needs, const Place& place);
  /// Takes without asking: what a run row says was held when we stopped.
  void retake(RunId run, const std::vector<Need>& needs, const Place& place);
  void release(RunId run, Budget budget);
  /// It does not wait any more; what it holds it keeps.
  void withdraw(RunId run);
  void releaseAll(RunId run);
  bool holds(RunId run, Budget budget) const;
  /// Runs that got what they waited for since the last call, in the order of the grants.
  std::vector<RunId> granted();
  /// "flash: 18 of 18 in H1/R01/RK001": what keeps these needs from being met; empty if they would fit.
  std::string shortage(const std::vector<Need>& needs, const Place& place) const;

  struct Use {
    Budget budget;
    std::string scope;  ///< a place; "" for the site
    std::int64_t used = 0, limit = 0;
    int waiting = 0;
  };
  std::vector<Use> use() const;

 private:
  using Scope = std::pair<Budget, std::string>;
  struct Waiter {
    Lane lane;
    Time since;
    RunId run;
    std::vector<Need> needs;
    std::vector<Scope> scopes;  ///< in which any of them is counted
    Place place;
    bool never = false;  ///< one of its places cannot give it even when it is empty: it keeps nobody waiting
    auto key() const { return std::tuple(lane, since, run); }
  };
  struct Earlier {
    bool operator()(const Waiter* a, const Waiter* b) const { return a->key() < b->key(); }
  };
  using Queue = std::set<const Waiter*, Earlier>;  ///< of those in waiters_
  struct Holding {
    Need need;
    std::vector<Scope> scopes;
  };
  std::int64_t limit(const Scope& scope) const;
  std::int64_t used(const Scope& scope) const;
  std::vector<Scope> scopes(Budget budget, const Place& place) const;
  /// nullopt: it fits. Else the scope that is too full.
  std::optional<Scope> tooFull(const Need& need, const std::vector<Scope>& scopes) const;
  bool isTooFullFor(const Need& need, const Scope& scope) const;
  bool fits(const Waiter& waiter) const;
  bool mustWaitAt(const Waiter& waiter, const Scope& scope) const;
  /// It would fit, and somebody who waited before does not: then it is not its turn.
  bool isBehind(const Waiter& waiter) const;
  void hold(RunId run, const std::vector<Need>& needs, const Place& place);
  void giveBack(const std::vector<Holding>& held);
  void grant(const Scope& scope);
  void forget(const Waiter& waiter);

  BudgetLimits limits_;
  std::map<Scope, std::int64_t> used_;
  std::map<Scope, std::int64_t> largest_;  ///< that anybody ever needed there
  std::map<RunId, std::vector<Holding>> held_;
  std::map<RunId, Waiter> waiters_;
  std::map<Scope, Queue> waitingAt_;
  std::vector<RunId> granted_;
};

}  // namespace zellige
