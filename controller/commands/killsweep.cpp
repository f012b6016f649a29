#include "controller/commands/killsweep.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/log.hpp"
#include "controller/base/random.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"

namespace zellige {

namespace {

using commands::KillSweepOptions;

struct Verdict {
  FleetOutcome end;
  std::uint64_t points = 0, afterDeath = 0;
  bool powerIsWrong = false;
};

/// Where an execution dies; one that dies nowhere may note instead at which of its points something may change.
struct Deaths {
  std::vector<std::uint64_t> points;              ///< numbered from the start of the execution
  std::vector<std::uint64_t>* changes = nullptr;  ///< filled
};

CrashPlan::Decide dieAt(std::vector<std::uint64_t> points) {
  return [points = std::move(points)](std::uint64_t number, CrashPoint, std::string_view) {
    return std::find(points.begin(), points.end(), number) != points.end();
  };
}

/// Every commit, and every exchange that is not a read.
CrashPlan::Decide noteChanges(std::vector<std::uint64_t>& out) {
  return [&out](std::uint64_t number, CrashPoint, std::string_view what) {
    if (!what.starts_with("GET ") && !what.starts_with("HEAD ")) out.push_back(number);
    return false;
  };
}

VirtualSiteOptions siteOptions(const KillSweepOptions& options) {
  VirtualSiteOptions site;
  site.fleet.trays = 1;
  site.fleet.seed = options.seed;
  site.engine.mutation = fromName<Mutation>(options.mutate).value();
  return site;
}

/// What one sweep brings from planned to available: one machine of a kind, or a small rack by its recipe.
struct SmallRack {
  std::string_view name;
  int trays, switches, shelves;
  bool onlyChanges = false;  ///< its points are commits and what is not a read; else all
};
constexpr SmallRack kSmallRacks[] = {
    {"qualify", 1, 0, 0}, {"qualify_switch", 0, 1, 0}, {"qualify_shelf", 0, 0, 1}, {"bring_up", 2, 1, 1, true}};

Verdict qualifyOnce(const KillSweepOptions& options, const SmallRack& rack, Deaths deaths) {
  Scratch scratch;
  auto wanted = siteOptions(options);
  wanted.fleet.trays = rack.trays;
  wanted.fleet.switchesPerRack = rack.switches;
  wanted.fleet.shelvesPerRack = rack.shelves;
  VirtualSite site(scratch.path(), wanted);
  site.setCrashPlan(deaths.changes ? noteChanges(*deaths.changes) : dieAt(std::move(deaths.points)));
  site.run(48h);
  Verdict verdict;
  verdict.points = site.crashPoints();
  site.setCrashPlan({});
  verdict.end = endOf(site);
  verdict.afterDeath = site.exchanges().afterDeath;
  return verdict;
}

Task<void> startPower(Engine& engine, NodeId node, std::string parameter) {
  StartRun request;
  request.workflow = "power";
  request.subject = {node};
  request.lane = Lane::Operator;
  request.parameter = std::move(parameter);
  request.startedBy = "killsweep";
  const auto run = co_await engine.start(std::move(request));
  if (!run) throw std::runtime_error(run.error().what);
}

// A machine in use is switched off and, in the next execution, restarted.
Verdict powerOnce(const KillSweepOptions& options, const std::string& parameter, Deaths deaths) {
  Scratch scratch;
  auto wanted = siteOptions(options);
  wanted.fleet.asWanted = true;
  VirtualSite site(scratch.path(), wanted);
  site.run(48h);
  const auto machine = site.fleet().machines().front();
  const auto node = site.store().nodeBySerial(site.fleet().serial(machine)).value();
  const auto bootsBefore = site.fleet().groundTruth(machine).boots;
  site.spawn(startPower(site.plane().engine(), node, parameter));
  site.runFor(10ms);
  site.setCrashPlan(dieAt(std::move(deaths.points)));
  for (int i = 0; i < 60 && (i == 0 || site.store().unfinishedRunOf(node)); ++i) site.runFor(1min);
  Verdict verdict;
  verdict.points = site.crashPoints();
  site.setCrashPlan({});
  site.runFor(15min);
  const auto truth = site.fleet().groundTruth(machine);
  verdict.end = endOf(site);
  if (parameter == "off") {
    // An available machine that was switched off runs nothing.
    verdict.end.wrongEndStates = wrongOrders(site.fleet(), site.limits());
    verdict.powerIsWrong = truth.hostOn;
  } else {
    verdict.powerIsWrong = !truth.hostOn || truth.boots != bootsBefore + 1;
  }
  if (site.store().unfinishedRunOf(node)) verdict.powerIsWrong = true;
  verdict.afterDeath = site.exchanges().afterDeath;
  return verdict;
}

void count(KillSweep& tally, const Verdict& verdict, std::string_view what) {
  ++tally.runs;
  tally.duplicates += static_cast<int>(verdict.end.duplicates.size());
  const bool wrong = !verdict.end.wrongEndStates.empty() || !verdict.end.unexpected.empty() ||
                     verdict.end.stuck > 0 || verdict.powerIsWrong || verdict.afterDeath > 0;
  tally.wrongEndStates += wrong ? 1 : 0;
  const bool clean = !wrong && verdict.end.duplicates.empty();
  if (clean || tally.examples.size() >= 10) return;
  std::string text(what);
  for (const auto& line : verdict.end.duplicates) text += "; " + line;
  for (const auto& line : verdict.end.wrongEndStates) text += "; " + line;
  for (const auto& line : verdict.end.unexpected) text += "; " + line;
  if (verdict.powerIsWrong) text += "; the host is not in the power state that was asked for";
  if (verdict.afterDeath > 0) text += "; a dead controller sent something";
  tally.examples.push_back(std::move(text));
}

template <class Execute>
void sweep(KillSweep& tally, const KillSweepOptions& options, const std::string& name, bool onlyChanges,
           Execute execute) {
  std::vector<std::uint64_t> points;
  const auto clean = execute(Deaths{{}, onlyChanges ? &points : nullptr});
  count(tally, clean, name + " without a crash");
  if (!onlyChanges)
    for (std::uint64_t p = 0; p < clean.points; ++p) points.push_back(p);
  tally.points += points.size();
  for (std::size_t i = 0; i < points.size(); i += static_cast<std::size_t>(options.every))
    count(tally, execute(Deaths{{points[i]}, nullptr}), fmt::format("{} killed at {}", name, points[i]));
  Random random(options.seed, "pairs/" + name);
  const auto some = [&] {
    return points[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(points.size()) - 1))];
  };
  for (int i = 0; i < options.pairs; ++i) {
    const auto one = some(), other = some();
    const auto a = std::min(one, other), b = std::max(one, other);
    count(tally, execute(Deaths{{a, b}, nullptr}), fmt::format("{} killed at {} and {}", name, a, b));
  }
}

}  // namespace

KillSweep sweepCrashPoints(const KillSweepOptions& options) {
  if (!fromName<Mutation>(options.mutate))
    throw std::invalid_argument("--mutate is none, skip-look or no-settle");
  KillSweep tally;
  for (const auto& rack : kSmallRacks) {
    if (!options.workflow.empty() && options.workflow != rack.name) continue;
    sweep(tally, options, std::string(rack.name), rack.onlyChanges,
          [&](Deaths deaths) { return qualifyOnce(options, rack, std::move(deaths)); });
  }
  if (options.workflow.empty() || options.workflow == "power")
    for (const std::string parameter : {"off", "restart"})
      sweep(tally, options, "power " + parameter, false,
            [&](Deaths deaths) { return powerOnce(options, parameter, std::move(deaths)); });
  if (tally.runs == 0) throw std::invalid_argument("there is no workflow " + options.workflow);
  return tally;
}

int commands::killSweep(const KillSweepOptions& options) {
  log::setLevel(log::Level::Off);
  const auto tally = sweepCrashPoints(options);
  Json json{{"points", tally.points},         {"runs", tally.runs},
            {"duplicates", tally.duplicates}, {"wrong_end_states", tally.wrongEndStates},
            {"mutate", options.mutate},       {"seed", options.seed},
            {"examples", tally.examples}};
  if (options.json)
    fmt::print("{}\n", json.dump(2));
  else
    fmt::print("{} crash points, {} executions: {} duplicates, {} wrong end states\n", tally.points,
               tally.runs, tally.duplicates, tally.wrongEndStates);
  if (!options.json)
    for (const auto& example : tally.examples) fmt::print("  {}\n", example);
  return tally.duplicates == 0 && tally.wrongEndStates == 0 ? 0 : 1;
}

}  // namespace zellige
