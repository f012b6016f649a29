// The scheduler: which run takes its next turn, and when. One event loop thread owns everything here; no locks.
// A turn (turn.hpp) looks at one step and perhaps acts; between turns a run is a row, a heap entry and little else.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>

#include "controller/base/executor.hpp"
#include "controller/engine/budgets.hpp"

namespace zellige {

/// Deliberate damage for tests that must then see duplicates, or limits exceeded: without it their zero would prove nothing.
enum class Mutation { None, SkipLook, NoSettle, OverAdmit };
ZELLIGE_NAMES(Mutation, {Mutation::None, "none"}, {Mutation::SkipLook, "skip-look"},
              {Mutation::NoSettle, "no-settle"}, {Mutation::OverAdmit, "over-admit"});

struct EngineOptions {
  /// Turns in flight at a time; each holds a coroutine and at most two exchanges. An inventory takes 20 s: with 1,024,
  /// 6,000 trays that are switched on together waited two minutes to be read.
  int maxTurns = 4096;
  Duration minPoll{0};  ///< on a sped-up clock: transport does not speed up with it
  Duration minSettle{0};
  Duration minDeadline{0};
  Duration resumePace{1};  ///< between the first looks of two runs after a restart
  BudgetLimits budgets;
  Mutation mutation = Mutation::None;
};

struct StartRun {
  std::string workflow;
  std::vector<NodeId> subject;
  Lane lane = Lane::Background;
  std::string parameter;
  std::string profile;  ///< its catalogue entries are frozen into the run; empty: the workflow needs none
  std::string startedBy = "engine";
  std::string why;            ///< what a person gave as the reason; kept in the run's facts as "asked.why"
  std::vector<Op> alongside;  ///< done in the same Change, before the run begins
};

class Engine {
 public:
  Engine(Store& store, BmcDirectory& bmcs, Executor& executor, Surroundings site,
         std::span<const Workflow* const> workflows, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Takes up every unfinished run where its row stands: what is held at once, the first runs at once, the rest a page
  /// at a time, so that machines are looked at before the last row is read. Call once, before anything else.
  void resume();
  /// NotFound: no such workflow, profile or node. Invalid: not one of the workflow's parameters, another kind of node, or
  /// not the subject that it declares. Conflict: a node is in another unfinished run. Rejected: the workflow does not start
  /// where a node stands, or needs a profile.
  Task<Result<RunId>> start(StartRun request);
  /// What one run of this workflow is about, if it is to be about this node: it alone, or all that its rack has.
  std::vector<NodeId> subjectOf(const Workflow& flow, const Node& node) const;
  /// Ends an unfinished run at its next safe point (never between intent and result); durable when it returns.
  /// NotFound: it is not unfinished. Conflict: it ended by itself before that point.
  Task<Result<void>> cancel(RunId run, std::string who, std::string why);

  /// Something durable happened that this node's run may wait for: look now. Not lost if the run is in flight.
  void nudge(NodeId node);
  /// The same for every run that waits (a place was armed, a hold released).
  void nudgeAll();

  /// To be told of every run that has ended, or lost or found contact, or whose machine has stopped flashing after its end,
  /// when that is durable: its subject.
  void onState(std::function<void(const std::vector<NodeId>&)> tell) { tellState_ = std::move(tell); }

  const Workflow* workflow(std::string_view name) const;
  /// The workflow that such a node goes through when it arrives; nullptr: there is none.
  const Workflow* qualifying(NodeKind kind) const;
  std::vector<Budgets::Use> budgetUse() const { return budgets_.use(); }
  std::size_t unfinished() const { return live_.size(); }
  Mutation mutation() const { return options_.mutation; }
  std::int64_t transitions() const { return transitions_; }  ///< steps finished since this process started
  /// An unfinished run that cannot go on by itself.
  struct Stall {
    RunId run;
    Time since;
    std::string why;
  };
  /// nullopt: no run of this node is unfinished, or it goes on.
  std::optional<Stall> stalled(NodeId node) const;
  /// What an unfinished run waits for at present, for a person; empty: working, or not unfinished.
  std::string waitsFor(RunId run) const;

 private:
  friend class Turn;
  struct Live;

  /// What `resume` has not come to yet.
  struct Resuming {
    std::size_t lane = 0;
    RunId after;
    Time since;      ///< when we started
    Time lastSign;   ///< the last sign of life of the process before us
    Time firstTurn;  ///< of the next run to be taken up
  };
  void resumeMore();
  void resumeOne(Run run, Time firstTurn);
  Live* find(RunId run);
  void adopt(Run run, Time firstTurn);
  void wake(Live& live, Time due);
  void makeReady(Live& live);
  void pump();
  Task<void> takeTurn(RunId run);
  void afterTurn(Live& live);
  std::vector<Node> nodesOf(const std::vector<NodeId>& subject) const;
  Result<Node> leadOf(const Workflow& flow, const StartRun& request) const;
  static std::string baselineFor(const Node& node, const std::vector<Op>& alongside);
  Result<void> inherit(const Workflow& flow, Run& run);
  Result<void> maySubject(const Workflow& flow, const StartRun& request) const;
  static Result<void> mayStart(const Workflow& flow, const Node& node, const std::vector<Op>& alongside);
  void wakeGranted();

  Store& store_;
  BmcDirectory& bmcs_;
  Executor& executor_;
  Surroundings site_;
  std::vector<const Workflow*> workflows_;
  EngineOptions options_;
  Budgets budgets_;
  std::map<RunId, std::unique_ptr<Live>> live_;
  std::map<NodeId, RunId> runOf_;
  std::deque<RunId> ready_[3];  // by lane
  std::optional<Resuming> resuming_;
  std::function<void(const std::vector<NodeId>&)> tellState_;
  int turns_ = 0;
  std::int64_t transitions_ = 0;
};

/// A run in memory: its row, and what is only worth knowing while this process lives.
struct Engine::Live {
  Run run;
  bool inFlight = false;
  bool queued = false;
  bool nudged = false;               ///< while in flight: look again at once
  RunState told = RunState::Active;  ///< what who wanted to know was told last
  bool ended = false;                ///< the row is finished; kept only while a budget must stay held
  bool lingered = false;             ///< the same, after its last turn
  bool resumed = false;              ///< taken up from the row by this process, first turn not over yet
  struct Cancel {
    Completion<Result<void>> done;
    std::string who, why;
  };
  std::vector<Cancel> cancels;  ///< asked for, not answered yet
  TimerId timer = TimerId::None;
  Time due{};                     ///< of the next turn
  std::optional<Time> firstTodo;  ///< first Todo since the act or the resume; settle counts from here
  Time actNotBefore{};            ///< the device asked for patience, or refused: nudges do not shorten this
  Time errorsCountFrom{};         ///< a failed look before this is the same trouble seen again
  bool hiccup = false;  ///< run.blockedSince stands for failed looks that have not blocked the run yet
  std::optional<Time> contactLostSince;  ///< the first of the failed looks in a row
  Time keptFrom{};  ///< of several: the others are kept waiting since then at most: this start, the last wait for a budget
  int busyLooks = 0;      ///< since the last act: polling grows from quick to the step's poll
  int contactErrors = 0;  ///< in a row
  int lookErrors = 0;     ///< in a row, other than contact
  Scratchpad scratch;
};

}  // namespace zellige
