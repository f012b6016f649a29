// A whole site in virtual time: simulated machines, and a controller over them that may die and come back. The machines
// are the world and survive; a life of the controller is an executor, a store, a transport and the control plane, and
// a crash destroys all four at once. What the next life knows is what the database file holds.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "controller/base/random.hpp"
#include "controller/base/virtual_time.hpp"
#include "controller/commands/control_plane.hpp"
#include "controller/commands/crash.hpp"
#include "controller/commands/in_process.hpp"
#include "controller/store/sqlite_store.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige {

struct VirtualSiteOptions {
  sim::FleetOptions fleet;
  EngineOptions engine;
  bool armed = true;
  Duration restartAfter{10'000};  ///< a supervisor restarts what died
  LeaseWatchOptions leases;       ///< read inline, whatever it says
  std::optional<Duration> storm;  ///< mean time between crashes at random instants; nullopt: none

  // For tests of what happens when a handling is missing, or a machine is worse than any fault.
  /// Stands between the driver and the wire; made anew for each life.
  std::function<std::unique_ptr<http::Transport>(http::Transport& wire)> between;
  InProcessTransport::Spoil spoil;
  /// Changes the site's files before they are imported.
  std::function<void(const std::filesystem::path&)> editSite;
};

class VirtualSite final : public sim::Uplink {
 public:
  /// Writes the site's files and the imported database into `directory`, which must be empty.
  VirtualSite(const std::filesystem::path& directory, VirtualSiteOptions options);
  ~VirtualSite() override;
  VirtualSite(const VirtualSite&) = delete;

  /// Where exact crash points are decided (killsweep). Set before run().
  void setCrashPlan(CrashPlan::Decide decide);

  /// Runs until no run is unfinished, or the horizon. False: the horizon came first.
  bool run(Duration horizon);
  /// No run is unfinished, and nothing is about to begin one.
  bool isAtRest();
  /// Runs for exactly this long.
  void runFor(Duration span);
  /// Ends this life of the controller; what it held in memory is freed. The next run() begins another.
  void stopController();
  /// Kills it at the next point at which it could die by itself; another begins after `restartAfter`.
  void kill() { crash_.kill(); }

  /// Runs on this life of the controller.
  void spawn(Task<void> task);

  sim::Fleet& fleet() { return fleet_; }
  SqliteStore& store();
  ControlPlane& plane();
  const BudgetLimits& limits() const { return options_.engine.budgets; }
  Time started() const { return started_; }
  Time now() const { return time_.now(); }
  int kills() const { return kills_; }
  std::uint64_t crashPoints() const { return crash_.passed(); }
  const ExchangeCount& exchanges() const { return exchanges_; }
  std::int64_t transitions() const;
  /// CPU of the controller's callbacks up to the world's latest.
  std::chrono::nanoseconds controllerCpu() const { return controllerCpu_; }

  // sim::Uplink
  void send(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) override;

 private:
  struct Life;
  void importSite(const std::filesystem::path& files);
  void seedAgents();
  void begin();
  void die();
  void count(bool controllers);
  void stepOnce();
  void scheduleStorm();

  std::filesystem::path directory_;
  VirtualSiteOptions options_;
  SecretBox box_;
  VirtualTime time_;
  VirtualExecutor world_;
  sim::Fleet fleet_;
  CrashPlan crash_;
  ExchangeCount exchanges_;
  Random stormRandom_;
  std::unique_ptr<Life> life_;
  Time started_{};
  int kills_ = 0;
  std::int64_t transitionsOfTheDead_ = 0;
  std::chrono::nanoseconds controllerCpu_{0};
  std::optional<std::chrono::nanoseconds> controllersTurn_;  // the thread's CPU when it began
};

}  // namespace zellige
