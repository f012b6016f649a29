// A small site in virtual time whose controller can be killed and booted again: tables and machines survive, everything
// else dies with a Life. Machines are Bmcs of any kind; they wait on the executor of the life that asks them.
#pragma once

#include <memory>

#include "controller/base/virtual_time.hpp"
#include "controller/engine/engine.hpp"
#include "tests/engine/memory_store.hpp"
#include "tests/engine/no_bmc.hpp"

namespace zellige::test {

class Site {
 public:
  explicit Site(std::vector<const Workflow*> flows) : workflows(std::move(flows)) {
    tables.armed.insert("H1");
    surroundings.provisioningUrl = "https://10.0.0.1:8444";
    surroundings.token = [](const Node& node, std::string_view purpose) {
      return node.serial + "-" + std::string(purpose);
    };
  }
  ~Site() { kill(); }
  Site(const Site&) = delete;

  class Directory final : public BmcDirectory {
   public:
    explicit Directory(Site& site) : site_(site) {}
    std::shared_ptr<Bmc> of(const Node& node) override {
      return {std::shared_ptr<void>{}, site_.machines.at(node.id).get()};  // the site owns it
    }
    std::shared_ptr<SwitchOs> osOf(const Node& node) override {
      return {std::shared_ptr<void>{}, site_.systems.at(node.id).get()};
    }
    void rest(NodeId node) override { site_.rested.push_back(node); }

   private:
    Site& site_;
  };

  struct Life {
    explicit Life(Site& site)
        : executor(site.time), store(site.tables, executor, site.points), directory(site),
          engine(store, directory, executor, site.surroundings, site.workflows, site.options) {}
    ~Life() { executor.shutDown(); }
    VirtualExecutor executor;
    MemoryStore store;
    Directory directory;
    Engine engine;
  };

  NodeId add(std::unique_ptr<Bmc> machine, std::string place = "H1/R01/RK001/U10",
             Lifecycle lifecycle = Lifecycle::Qualifying) {
    Node node;
    node.id = NodeId{static_cast<std::int64_t>(tables.nodes.size()) + 1};
    node.serial = "S" + std::to_string(node.id.value);
    node.place.path = std::move(place);
    node.lifecycle = lifecycle;
    node.bmc.address = "10.0.0." + std::to_string(node.id.value);
    tables.nodes[node.id] = node;
    machines[node.id] = std::move(machine);
    return node.id;
  }

  void boot() {
    kill();
    points.revive();
    life = std::make_unique<Life>(*this);
    life->engine.resume();
  }
  void kill() { life.reset(); }
  Engine& engine() { return life->engine; }

  /// Runs for `d`, or until the controller dies at its crash point.
  void run(Duration d) {
    const auto until = time.now() + d;
    world.at(until, [] {});
    while (!points.dead() && time.nextDue() && *time.nextDue() <= until) time.runOne();
  }
  /// Runs until `done` says so; false: it did not within `horizon`, or the controller died.
  template <class Done>
  bool runUntil(Done done, Duration horizon) {
    const auto until = time.now() + horizon;
    world.at(until, [] {});
    while (!done()) {
      if (points.dead() || !time.nextDue() || *time.nextDue() > until) return false;
      time.runOne();
    }
    return true;
  }
  bool runToEnd(RunId id, Duration horizon = 24h) {
    return runUntil([&] { return !tables.run(id).unfinished(); }, horizon);
  }

  /// Awaits `task` in this life; nullopt: the controller died first.
  template <class T>
  std::optional<T> await(Task<T> task) {
    std::optional<T> out;
    life->executor.spawn(keep(std::move(task), out));
    runUntil([&] { return out.has_value(); }, 24h);
    return out;
  }
  std::optional<Result<RunId>> tryStart(StartRun request) {
    return await(engine().start(std::move(request)));
  }
  RunId start(std::string workflow, std::vector<NodeId> subject, Lane lane = Lane::Background) {
    StartRun request;
    request.workflow = std::move(workflow);
    request.subject = std::move(subject);
    request.lane = lane;
    return **tryStart(std::move(request));
  }

  VirtualTime time;
  VirtualExecutor world{time};
  Tables tables;
  CrashPoints points;
  EngineOptions options;
  Surroundings surroundings;
  std::vector<const Workflow*> workflows;
  std::map<NodeId, std::unique_ptr<Bmc>> machines;
  std::map<NodeId, std::unique_ptr<SwitchOs>> systems;  ///< of switch trays
  std::vector<NodeId> rested;
  std::unique_ptr<Life> life;

 private:
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>& out) {
    out.emplace(co_await task);
  }
};

}  // namespace zellige::test
