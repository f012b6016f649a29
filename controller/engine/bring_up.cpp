#include "controller/engine/bring_up.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/base/log.hpp"

namespace zellige {

namespace {

constexpr int kSweepAtATime = 16;  // racks between two rounds of the event loop: about 10 ms
constexpr std::string_view kToBeArmed = "the place to be armed";
constexpr std::size_t kNamed = 3;  // who is named where many wait

/// One stage at this moment.
struct Sight {
  Standing standing;
  Missing missing;
  bool begins = false;  ///< the stages before it are over, and nothing keeps it back
  std::string kept;     ///< what does
};

/// Every stage of a recipe whose workflows are all known.
std::vector<Sight> sightOf(Ranks& ranks, const Recipe& recipe) {
  std::set<std::string> over;
  std::vector<Sight> out;
  for (const auto& stage : recipe.stages) {
    Sight sight{ranks.of(stage), {}, false, ranks.keptBack(stage)};
    if (sight.standing.isOver(stage)) over.insert(stage.id);
    sight.begins = std::all_of(stage.after.begin(), stage.after.end(),
                               [&](const auto& id) { return over.contains(id); });
    if (sight.begins && !sight.standing.whole()) sight.missing = ranks.missing(stage, sight.standing, false);
    if (!sight.kept.empty()) {
      sight.begins = false;
      sight.missing.starts.clear();
    }
    out.push_back(std::move(sight));
  }
  return out;
}

int notBegun(const Sight& sight) {
  return static_cast<int>(sight.standing.waiting.size()) - sight.missing.running - sight.missing.stopped;
}

std::string named(const std::vector<std::string>& some) {
  const auto shown = std::min(some.size(), kNamed);
  auto out = fmt::format("{}",
                         fmt::join(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (some.size() > shown) out += fmt::format(" and {} more", some.size() - shown);
  return out;
}

// "stage dry: 24 of 27 passed, 1 running, 1 stopped (S2: run 4 cancelled), 1 out (S3 quarantined)"
std::string tell(const Recipe::Stage& stage, const Sight& sight) {
  const auto& [standing, missing, begins, kept] = sight;
  auto out = fmt::format("stage {}: {} of {} passed", stage.id, standing.passed(), standing.wanted);
  if (missing.running > 0) out += fmt::format(", {} running", missing.running);
  if (const int later = notBegun(sight); later > 0) out += fmt::format(", {} not begun", later);
  if (missing.stopped > 0) out += fmt::format(", {} stopped ({})", missing.stopped, named(missing.because));
  const auto outs = standing.wanted - static_cast<int>(standing.members.size());
  if (outs > 0)
    out += fmt::format(", {} out{}", outs,
                       standing.out.empty() ? "" : fmt::format(" ({})", named(standing.out)));
  if (!kept.empty()) out += "; " + kept;
  return out;
}

}  // namespace

void BringUp::sweep(const std::string& inside) {
  if (!inside.empty() && store_.rack(inside)) return lookAt(inside);
  const bool underWay = !toSweep_.empty();
  for (const auto& rack : store_.racks())
    if ((inside.empty() || Place{rack.place}.isInside(inside) || Place{inside}.isInside(rack.place)) &&
        inSweep_.insert(rack.place).second)
      toSweep_.push_back(rack.place);
  if (!underWay && !toSweep_.empty()) sweepMore();
}

void BringUp::sweepMore() {
  for (int i = 0; i < kSweepAtATime && !toSweep_.empty(); ++i) {
    const auto place = std::move(toSweep_.front());
    toSweep_.pop_front();
    inSweep_.erase(place);
    lookAt(place);
  }
  if (!toSweep_.empty()) executor_.after(Duration{1}, [this] { sweepMore(); });
}

void BringUp::look(const std::vector<NodeId>& nodes) {
  std::set<std::string> places;
  for (const auto id : nodes)
    if (const auto node = store_.node(id)) places.insert(std::string(node->place.rack()));
  for (const auto& place : places)
    if (store_.rack(place)) lookAt(place);
}

void BringUp::lookAt(const std::string& place) {
  const auto [it, isNew] = looking_.emplace(place, false);
  if (isNew)
    executor_.spawn(lookUntilSettled(place));
  else
    it->second = true;
}

void BringUp::lookAgainAt(const std::string& place, std::optional<Time> at) {
  if (const auto timer = again_.find(place); timer != again_.end()) {
    executor_.cancel(timer->second);
    again_.erase(timer);
  }
  if (!at) return;
  again_[place] = executor_.at(*at, [this, place] {
    again_.erase(place);
    lookAt(place);
  });
}

Task<void> BringUp::lookUntilSettled(std::string place) {
  do {
    looking_[place] = false;
    co_await advance(place);
  } while (looking_[place]);
  looking_.erase(place);
}

Task<bool> BringUp::move(Rack& rack, RackState to, std::string why) {
  Change change;
  change.at = executor_.now();
  change.ops.emplace_back(MoveRack{rack.place, rack.state, to, std::move(why)});
  const auto moved = co_await store_.commit(std::move(change));
  if (moved) rack.state = to;
  co_return bool(moved);
}

Task<void> BringUp::advance(std::string place) {
  auto rack = store_.rack(place);
  if (!rack) co_return;
  const auto recipe = store_.recipe(rack->recipe);
  if (!recipe) {
    waitsFor_[place] = fmt::format("the recipe {} is not in the catalogue", rack->recipe);
    co_return;
  }
  Ranks ranks(store_, engine_, *recipe, place, executor_.now());
  if (auto misfit = ranks.misfit(); !misfit.empty()) {
    co_await settle(*rack, std::move(misfit));
    co_return;
  }
  auto waits = ranks.lacks();
  const bool armed = store_.armed(Place{place});
  if (rack->state == RackState::Installing) {
    if (waits.empty() && !armed) waits = kToBeArmed;
    waitsFor_[place] = waits;
    if (!waits.empty()) co_return;
    std::string why = "its manifest is complete and its place armed";
    const bool moved = co_await move(*rack, RackState::BringUp, std::move(why));
    if (!moved) co_return;
  }
  auto sights = sightOf(ranks, *recipe);
  std::vector<StartRun> starts;
  for (std::size_t i = 0; i < sights.size(); ++i) {
    auto& missing = sights[i].missing;
    for (auto& start : missing.starts) {
      if (!armed) break;
      missing.running += static_cast<int>(start.subject.size());
      starts.push_back(std::move(start));
    }
    if (!sights[i].standing.whole() && waits.empty()) waits = tell(recipe->stages[i], sights[i]);
  }
  if (waits.empty()) waits = ranks.trouble();
  lookAgainAt(place, ranks.changesAt());
  if (!armed && !waits.empty()) waits = fmt::format("{}; {}", kToBeArmed, waits);
  co_await settle(*rack, std::move(waits));
  (void)co_await startAll(std::move(place), std::move(starts));
}

// Its state follows what holds.
Task<void> BringUp::settle(Rack rack, std::string waits) {
  waitsFor_[rack.place] = waits;
  const bool whole = waits.empty();
  if (whole && rack.state != RackState::Accepted) {
    std::string why = "every stage holds for every member";
    (void)co_await move(rack, RackState::Accepted, std::move(why));
  } else if (!whole && rack.state == RackState::Accepted) {
    (void)co_await move(rack, RackState::Degraded, std::move(waits));
  }
}

Task<Result<std::vector<RunId>>> BringUp::startAll(std::string place, std::vector<StartRun> starts) {
  std::vector<RunId> begun;
  std::optional<Error> refused;
  for (auto& request : starts) {
    const auto first = request.subject.front();
    const auto run = co_await engine_.start(std::move(request));
    if (run) {
      begun.push_back(*run);
      continue;
    }
    refused = run.error();
    if (run.error().code != Errc::Conflict)
      log::warn("BRING_UP_REFUSED",
                {{"place", place}, {"node", std::to_string(first.value)}, {"why", run.error().what}});
  }
  if (begun.empty() && refused) co_return std::move(*refused);
  co_return begun;
}

Task<Result<std::vector<RunId>>> BringUp::begin(AskedBringUp asked) {
  const auto rack = store_.rack(asked.place);
  if (!rack) co_return Error{Errc::NotFound, fmt::format("no rack with a recipe is at {}", asked.place)};
  const auto recipe = store_.recipe(rack->recipe);
  if (!recipe)
    co_return Error{Errc::Conflict, fmt::format("the recipe {} is not in the catalogue", rack->recipe)};
  Ranks ranks(store_, engine_, *recipe, asked.place, executor_.now());
  if (auto misfit = ranks.misfit(); !misfit.empty()) co_return Error{Errc::Conflict, std::move(misfit)};
  if (!store_.armed(Place{asked.place}))
    co_return Error{Errc::Conflict, fmt::format("{} is not armed (zellige site arm)", asked.place)};
  std::vector<StartRun> starts;
  std::string why = fmt::format("every stage holds for every member of {}", asked.place);
  bool known = asked.stage.empty();
  const auto sights = sightOf(ranks, *recipe);
  for (std::size_t i = 0; i < sights.size(); ++i) {
    const auto& stage = recipe->stages[i];
    if (!asked.stage.empty() && stage.id != asked.stage) continue;
    known = true;
    auto standing = sights[i].standing;
    const bool again = standing.whole() && !asked.stage.empty() &&
                       !engine_.workflow(stage.workflow)->together.empty();
    if (again) standing.waiting = standing.members;
    if (standing.waiting.empty()) continue;
    if (starts.empty()) why = tell(stage, sights[i]);
    if (!sights[i].begins) continue;
    auto missing = ranks.missing(stage, standing, true);
    for (auto& start : missing.starts) starts.push_back(std::move(start));
  }
  if (!known)
    co_return Error{Errc::NotFound, fmt::format("recipe {} has no stage {}", recipe->name, asked.stage)};
  if (starts.empty()) co_return Error{Errc::Conflict, "nothing can begin: " + why};
  for (auto& start : starts) {
    start.lane = Lane::Operator;
    start.startedBy = asked.who;
    start.why = asked.why;
  }
  auto begun = co_await startAll(asked.place, std::move(starts));
  lookAt(asked.place);
  co_return begun;
}

std::vector<StageStanding> BringUp::stages(const std::string& place) const {
  const auto rack = store_.rack(place);
  const auto recipe = rack ? store_.recipe(rack->recipe) : std::nullopt;
  if (!recipe) return {};
  Ranks ranks(store_, engine_, *recipe, place, executor_.now());
  if (!ranks.misfit().empty()) return {};
  const auto sights = sightOf(ranks, *recipe);
  std::vector<StageStanding> out;
  for (std::size_t i = 0; i < sights.size(); ++i) {
    const auto& stage = recipe->stages[i];
    const auto& [standing, missing, begins, kept] = sights[i];
    out.push_back({stage.id, stage.workflow, standing.wanted, standing.passed(), missing.running,
                   missing.stopped, notBegun(sights[i]),
                   standing.wanted - static_cast<int>(standing.members.size()), standing.isOver(stage)});
  }
  return out;
}

std::string BringUp::waitsFor(const std::string& place) const {
  const auto it = waitsFor_.find(place);
  return it == waitsFor_.end() ? std::string{} : it->second;
}

}  // namespace zellige
