#include "controller/engine/intake.hpp"

#include <set>

#include "controller/base/log.hpp"

namespace zellige {

namespace {
constexpr int kAtATime = 256;        // starts that wait for their commit together
constexpr int kNodesPerRound = 500;  // nodes looked at between two rounds of the event loop: about 10 ms
}  // namespace

struct Intake::Sweep {
  explicit Sweep(Executor& executor) : done(executor) {}
  std::vector<StartRun> waiting;  ///< last first
  int underWay = 0, started = 0;
  Completion<bool> done;
};

// Nobody's run, no person's decision: a run that somebody cancelled is not begun again by itself.
bool Intake::mayStart(const Node& node) {
  if (node.profile.empty() || store_.unfinishedRunOf(node.id)) return false;
  const auto last = store_.lastRunOf(node.id, {});
  return !last || last->state != RunState::Cancelled;
}

Task<int> Intake::sweep() {
  auto sweep = std::make_shared<Sweep>(executor_);
  std::set<std::string, std::less<>> byRecipe;  // what stands there comes up with its rack, in the recipe's order
  for (auto& rack : store_.racks()) byRecipe.insert(std::move(rack.place));
  int looked = 0;
  for (const auto lifecycle : {Lifecycle::Qualifying, Lifecycle::Discovered, Lifecycle::Planned}) {
    const auto nodes = store_.nodesIn(lifecycle);
    for (auto id = nodes.rbegin(); id != nodes.rend(); ++id) {
      if (++looked % kNodesPerRound == 0) co_await sleepFor(executor_, Duration{1});
      const auto node = store_.node(*id);
      const auto* workflow = node ? engine_.qualifying(node->kind) : nullptr;
      if (!workflow || byRecipe.contains(node->place.rack()) || !mayStart(*node)) continue;
      StartRun request;
      request.workflow = workflow->name;
      request.subject = {*id};
      request.profile = node->profile;
      sweep->waiting.push_back(std::move(request));
    }
  }
  if (sweep->waiting.empty()) co_return 0;
  while (sweep->underWay < kAtATime && !sweep->waiting.empty()) startNext(sweep);
  const auto done = sweep->done;
  co_await done;
  co_return sweep->started;
}

void Intake::startNext(const std::shared_ptr<Sweep>& sweep) {
  auto request = std::move(sweep->waiting.back());
  sweep->waiting.pop_back();
  ++sweep->underWay;
  executor_.spawn(startOne(sweep, std::move(request)));
}

Task<void> Intake::startOne(std::shared_ptr<Sweep> sweep, StartRun request) {
  const auto id = request.subject.front();
  const auto run = co_await engine_.start(std::move(request));
  if (run)
    ++sweep->started;
  else if (const auto node = store_.node(id); node && run.error().code != Errc::Conflict)
    log::warn("INTAKE_REFUSED", {{"serial", node->serial}, {"why", run.error().what}});
  --sweep->underWay;
  if (!sweep->waiting.empty())
    startNext(sweep);
  else if (sweep->underWay == 0)
    sweep->done.set(true);
}

}  // namespace zellige
