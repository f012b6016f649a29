#include "controller/commands/simulation.hpp"

#include <chrono>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/base/heap.hpp"
#include "controller/base/log.hpp"
#include "controller/commands/lower_bound.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"
#include "controller/commands/virtual_site.hpp"

namespace zellige {

namespace {

using commands::SimulateOptions;

// Memory is told by the difference between a site of so many trays and one of a quarter: below the fewest it is noise.
constexpr int kFewestMemoryTrays = 60, kMemoryTrays = 400;

// What the scheduler had to share out, as the machines really used it.
std::vector<NodeWork::Use> usesOf(const sim::Fleet& fleet, sim::MachineId machine, const std::string& rack) {
  const auto flash = fleet.flashing(machine), upload = fleet.uploading(machine);
  const auto image = fleet.imageWriting(machine);
  return {{"uploads", upload.head, upload.work, upload.tail},
          {"flashes", flash.head, flash.work, flash.tail},
          {"flashes in " + rack, flash.head, flash.work, flash.tail},
          {"image streams", image.head, image.work, image.tail}};
}

Duration alone(const sim::Fleet& fleet, sim::MachineId machine) {
  return fleet.busyUnion(machine).total + kMandatoryWaits;
}

// Nothing of a rack that comes up by a recipe is worked on before its shelves have passed.
std::map<std::string, Duration> headsOf(VirtualSite& site) {
  std::map<std::string, Duration> heads;
  for (const auto machine : site.fleet().machines()) {
    const auto node = site.store().node(*site.store().nodeBySerial(site.fleet().serial(machine)));
    if (node->kind != NodeKind::PowerShelf || node->lifecycle != Lifecycle::Available) continue;
    const auto rack = node->place.rack();
    if (site.store().rack(rack)) heads[rack] = std::max(heads[rack], alone(site.fleet(), machine));
  }
  return heads;
}

void judgeTimes(VirtualSite& site, Simulation& out) {
  for (const auto& rack : site.store().racks())
    if (rack.state == RackState::Accepted) out.accepted = std::max(out.accepted, rack.since - site.started());
  const auto& limits = site.limits();
  const auto heads = headsOf(site);
  std::vector<NodeWork> work;
  std::vector<double> ratios;
  std::set<std::string> racks;
  for (const auto machine : site.fleet().machines()) {
    const auto id = site.store().nodeBySerial(site.fleet().serial(machine));
    const auto node = site.store().node(*id);
    const auto took = node->lifecycleSince - site.started();
    out.makespan = std::max(out.makespan, took);
    if (node->lifecycle != Lifecycle::Available) continue;
    const auto rack = node->place.rack();
    racks.insert(rack);
    NodeWork oracle{alone(site.fleet(), machine), usesOf(site.fleet(), machine, rack)};
    if (const auto head = heads.find(rack); head != heads.end() && node->kind != NodeKind::PowerShelf) {
      // It starts by itself, as soon as one shelf feeds it: that may be over when the last shelf passes.
      const auto wait = std::max(Duration{0}, head->second - site.fleet().start(machine));
      oracle.total += wait;
      for (auto& use : oracle.uses) use.head += wait;
    }
    ratios.push_back(static_cast<double>(took.count()) / static_cast<double>(oracle.total.count()));
    work.push_back(std::move(oracle));
  }
  std::vector<Capacity> capacities{
      {"uploads", limits.uploads}, {"flashes", limits.flashes}, {"image streams", limits.imageStreams}};
  for (const auto& rack : racks) capacities.push_back({"flashes in " + rack, limits.flashesPerRack});
  out.lowerBound = lowerBound(work, capacities);
  out.oracleP50 = quantile(ratios, 0.5);
  out.oracleP99 = quantile(ratios, 0.99);
}

// What one machine was really sent, and what the controller wrote down of it.
std::vector<std::string> storyOf(VirtualSite& site, int machine) {
  std::vector<std::string> out;
  std::string faults;
  for (const auto& [who, kind] : site.fleet().faultsScheduled())
    if (who == machine) faults += fmt::format(" {}", nameOf(kind));
  out.push_back(fmt::format(
      "what {} was sent, after its faults{}:", site.fleet().serial(sim::MachineId{machine}), faults));
  for (const auto& entry : site.fleet().ledger().entriesOf(machine))
    out.push_back(fmt::format("  {} {} {}", iso8601(entry.at), nameOf(entry.kind), entry.component));
  const auto queries = site.store().queries();
  EventFilter filter;
  filter.node = *site.store().nodeBySerial(site.fleet().serial(sim::MachineId{machine}));
  for (const auto& event : queries->events(0, filter, 400).events)
    out.push_back(fmt::format("  {} {} {}", iso8601(event.at), event.kind, event.data.substr(0, 160)));
  return out;
}

/// Bytes of heap that a controller holds while N runs are in flight, and when N nodes are idle.
struct Memory {
  double running = 0, idle = 0;
};

// What the heap gives back when the controller is destroyed; without the database's page cache, which is bounded.
double freedWithController(VirtualSite& site) {
  site.store().dropCaches();
  const auto before = heapBytesOfThread();
  site.stopController();
  return static_cast<double>(before - heapBytesOfThread());
}

Memory memoryOf(std::uint64_t seed, int trays) {
  Scratch scratch;
  VirtualSiteOptions options;
  options.fleet.trays = trays;
  options.fleet.seed = seed;
  VirtualSite site(scratch.path(), options);
  site.runFor(30min);
  Memory out;
  out.running = freedWithController(site);
  site.run(48h);
  out.idle = freedWithController(site);
  return out;
}

// What one more tray costs: the difference between two sites, so that what every controller needs is not in it.
Memory memoryPerTray(std::uint64_t seed, int trays) {
  const int few = std::max(1, trays / 4), many = std::max(trays, few + 1);
  const auto small = memoryOf(seed, few), large = memoryOf(seed, many);
  return {(large.running - small.running) / (many - few), (large.idle - small.idle) / (many - few)};
}

}  // namespace

Simulation simulateFleet(const SimulateOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  VirtualSiteOptions site;
  site.fleet.trays = options.trays;
  if (options.racks > 0) sim::fillRacks(site.fleet, options.racks);
  site.fleet.seed = options.seed;
  site.fleet.faults = faultLevel(options.faults);
  if (options.stormMinutes > 0) site.storm = std::chrono::minutes{options.stormMinutes};
  if (options.downMinutes > 0) site.restartAfter = std::chrono::minutes{options.downMinutes};
  if (options.watts > 0)
    site.engine.budgets.power = {
        {"", options.watts, options.wattsPerMinute > 0 ? options.wattsPerMinute : options.watts}};
  Scratch scratch;
  VirtualSite world(scratch.path(), site);
  world.run(std::chrono::hours{options.hours});

  Simulation out;
  out.end = endOf(world);
  judgeTimes(world, out);
  out.wallSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  out.cpuMsPerNode = std::chrono::duration<double, std::milli>(world.controllerCpu()).count() /
                     world.fleet().size();
  out.eventHash = world.store().eventHash();
  out.chainHolds = bool(world.store().verifyChain());
  out.kills = world.kills();
  out.sendsAfterDeath = world.exchanges().afterDeath;
  out.exchanges = world.exchanges().sent;
  out.transitions = world.transitions();
  const auto& duplicates = world.fleet().ledger().duplicates();
  if (!duplicates.empty()) out.story = storyOf(world, duplicates.front().entry.machine);
  return out;
}

namespace {

void print(const Simulation& s) {
  fmt::print("{} nodes: {} available, {} quarantined ({} expected), {} stuck; {} duplicates, {} kills\n",
             s.end.nodes, s.end.available, s.end.quarantined, s.end.quarantinedExpected.size(), s.end.stuck,
             s.end.duplicates.size(), s.kills);
  if (s.end.racks > 0) fmt::print("{} of {} racks accepted\n", s.end.racksAccepted, s.end.racks);
  fmt::print(
      "makespan {:.0f} s, lower bound {:.0f} s; {:.1f} ms of controller CPU a node; {:.1f} s of wall time\n",
      inSeconds(s.makespan), inSeconds(s.lowerBound), s.cpuMsPerNode, s.wallSeconds);
  for (const auto& line : s.end.unexpected) fmt::print("unexpected: {}\n", line);
  for (const auto& line : s.end.wrongEndStates) fmt::print("wrong: {}\n", line);
  for (const auto& line : s.end.duplicates) fmt::print("duplicate: {}\n", line);
  for (const auto& line : s.story) fmt::print("{}\n", line);
}

}  // namespace

int commands::simulate(const SimulateOptions& options) {
  log::setLevel(log::Level::Error);
  const auto result = simulateFleet(options);
  if (!options.json) {
    print(result);
    return result.good() ? 0 : 1;
  }
  const auto memory = memoryPerTray(options.seed, std::clamp(options.trays, kFewestMemoryTrays, kMemoryTrays));
  const auto lower = static_cast<double>(result.lowerBound.count());
  Json json = Json::object();
  addTo(json, result.end);
  json["kills"] = result.kills;
  json["sends_after_death"] = result.sendsAfterDeath;
  json["transitions"] = result.transitions;
  json["wall_s"] = result.wallSeconds;
  json["serve_cpu_ms_per_node"] = result.cpuMsPerNode;  // in one process there is no difference (README)
  json["engine_cpu_ms_per_node"] = result.cpuMsPerNode;
  json["peak_rss_mb"] = peakRssMb();
  json["seed"] = options.seed;
  json["makespan_s"] = inSeconds(result.makespan);
  json["accepted_s"] = inSeconds(result.accepted);
  json["lower_bound_s"] = inSeconds(result.lowerBound);
  json["ratio"] = lower > 0 ? static_cast<double>(result.makespan.count()) / lower : 0.0;
  json["oracle_p50"] = result.oracleP50;
  json["oracle_p99"] = result.oracleP99;
  json["exchanges"] = result.exchanges;
  json["bytes_per_node"] = memory.idle;
  json["bytes_per_run"] = memory.running;
  json["event_hash"] = result.eventHash;
  fmt::print("{}\n", json.dump(2));
  return result.good() ? 0 : 1;
}

}  // namespace zellige
