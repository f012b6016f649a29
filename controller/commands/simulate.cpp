#include <chrono>
#include <fmt/format.h>
#include <malloc.h>
#include <nlohmann/json.hpp>

#include "controller/base/log.hpp"
#include "controller/commands/commands.hpp"
#include "controller/commands/lower_bound.hpp"
#include "controller/commands/outcome.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"
#include "controller/commands/virtual_site.hpp"

namespace zellige::commands {

namespace {

// The waits that no scheduler can shorten: firmware versions are read back three times, 30 s apart (FACTS 11).
constexpr Duration kMandatoryWaits = 60s;
constexpr int kMemoryTrays = 400;

struct Timing {
  Duration makespan{0}, lower{0};
  double oracleP50 = 0, oracleP99 = 0;
};

Timing timing(VirtualSite& site, const SimulateOptions& options) {
  Timing out;
  std::vector<NodeWork> work;
  std::vector<double> ratios;
  for (const auto machine : site.fleet().machines()) {
    const auto id = site.store().nodeBySerial(site.fleet().serial(machine));
    const auto node = site.store().node(*id);
    const auto took = node->lifecycleSince - site.started();
    out.makespan = std::max(out.makespan, took);
    NodeWork oracle{site.fleet().busyUnion(machine).total + kMandatoryWaits, {}};
    if (node->lifecycle != Lifecycle::Available) continue;
    ratios.push_back(static_cast<double>(took.count()) / static_cast<double>(oracle.total.count()));
    work.push_back(std::move(oracle));
  }
  (void)options;
  out.lower = lowerBound(work, {});
  out.oracleP50 = quantile(ratios, 0.5);
  out.oracleP99 = quantile(ratios, 0.99);
  return out;
}

// What one machine was really sent, beside what the controller wrote down of it.
void tellStory(VirtualSite& site, int machine) {
  fmt::print("what {} was sent, after its faults", site.fleet().serial(sim::MachineId{machine}));
  for (const auto& [who, kind] : site.fleet().faultsScheduled())
    if (who == machine) fmt::print(" {}", nameOf(kind));
  fmt::print(":\n");
  for (const auto& entry : site.fleet().ledger().entriesOf(machine))
    fmt::print("  {} {} {}\n", iso8601(entry.at), nameOf(entry.kind), entry.component);
  const auto queries = site.store().queries();
  EventFilter filter;
  filter.node = *site.store().nodeBySerial(site.fleet().serial(sim::MachineId{machine}));
  for (const auto& event : queries->events(0, filter, 400).events)
    fmt::print("  {} {} {}\n", iso8601(event.at), event.kind, event.data.substr(0, 160));
}

struct Memory {
  double perRun = 0, perNode = 0;
};

// What the heap gives back when a controller with N runs in flight, or N idle nodes, is destroyed.
double freedPerTray(VirtualSite& site, int trays) {
  const auto before = mallinfo2().uordblks;
  site.stopController();
  return static_cast<double>(before - mallinfo2().uordblks) / trays;
}

Memory measureMemory(std::uint64_t seed, int trays) {
  Scratch scratch;
  VirtualSiteOptions options;
  options.fleet.trays = trays;
  options.fleet.seed = seed;
  VirtualSite site(scratch.path(), options);
  site.runFor(30min);
  Memory out;
  out.perRun = freedPerTray(site, trays);
  site.run(48h);
  out.perNode = freedPerTray(site, trays);
  return out;
}

}  // namespace

int simulate(const SimulateOptions& options) {
  log::setLevel(log::Level::Error);
  const auto began = std::chrono::steady_clock::now();
  VirtualSiteOptions site;
  site.fleet.trays = options.trays;
  site.fleet.seed = options.seed;
  site.fleet.faults = faultLevel(options.faults);
  if (options.stormMinutes > 0) site.storm = std::chrono::minutes{options.stormMinutes};
  Scratch scratch;
  VirtualSite world(scratch.path(), site);
  world.run(std::chrono::hours{options.hours});

  const auto end = endOf(world);
  const auto times = timing(world, options);
  const auto wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto cpuMs = std::chrono::duration<double, std::milli>(world.controllerCpu()).count() / options.trays;
  const auto eventHash = world.store().eventHash();
  const auto chain = world.store().verifyChain();
  const auto memory = measureMemory(options.seed, std::min(options.trays, kMemoryTrays));

  Json json = Json::object();
  addTo(json, end);
  json["repeats_allowed"] = 0;
  json["kills"] = world.kills();
  json["sends_after_death"] = world.exchanges().afterDeath;
  json["transitions"] = world.transitions();
  json["wall_s"] = wall;
  json["serve_cpu_ms_per_node"] = cpuMs;
  json["engine_cpu_ms_per_node"] = cpuMs;
  json["peak_rss_mb"] = peakRssMb();
  json["seed"] = options.seed;
  json["makespan_s"] = times.makespan.count() / 1000.0;
  json["lower_bound_s"] = times.lower.count() / 1000.0;
  json["ratio"] = times.lower.count() > 0 ? static_cast<double>(times.makespan.count()) / times.lower.count()
                                          : 0.0;
  json["oracle_p50"] = times.oracleP50;
  json["oracle_p99"] = times.oracleP99;
  json["exchanges"] = world.exchanges().sent;
  json["bytes_per_node"] = memory.perNode;
  json["bytes_per_run"] = memory.perRun;
  json["event_hash"] = eventHash;
  const bool good = end.good() && world.exchanges().afterDeath == 0 && bool(chain);
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("{} trays: {} available, {} quarantined ({} expected), {} stuck; {} duplicates, {} kills\n",
               end.nodes, end.available, end.quarantined, end.quarantinedExpected.size(), end.stuck,
               end.duplicates.size(), world.kills());
    fmt::print(
        "makespan {:.0f} s, lower bound {:.0f} s; {:.1f} ms of controller CPU a node; {:.1f} s of wall "
        "time\n",
        times.makespan.count() / 1000.0, times.lower.count() / 1000.0, cpuMs, wall);
    for (const auto& line : end.unexpected) fmt::print("unexpected: {}\n", line);
    for (const auto& line : end.wrongEndStates) fmt::print("wrong: {}\n", line);
    for (const auto& line : end.duplicates) fmt::print("duplicate: {}\n", line);
    if (!end.duplicates.empty()) tellStory(world, world.fleet().ledger().duplicates().front().entry.machine);
  }
  return good ? 0 : 1;
}

}  // namespace zellige::commands
