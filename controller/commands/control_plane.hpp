// Everything that works on a site, wired together over a store and a transport: the same in `serve` and in simulation.
#pragma once

#include <memory>

#include "controller/commands/lease_watch.hpp"
#include "controller/commands/machines.hpp"
#include "controller/engine/bring_up.hpp"
#include "controller/engine/campaigns.hpp"
#include "controller/engine/engine.hpp"
#include "controller/engine/intake.hpp"
#include "controller/engine/patrol.hpp"
#include "controller/store/sqlite_store.hpp"
#include "web/api/provisioning.hpp"

namespace zellige {

struct ControlPlaneOptions {
  std::string provisioningUrl;  ///< as BMCs and agents reach it
  EngineOptions engine;
  redfish::ClientOptions redfish;
  nvos::Options nvos;
  RoundsOptions patrol;
  LeaseWatchOptions leases;
};

class ControlPlane {
 public:
  /// All references outlive this. Destroy it after the executor's tasks were abandoned.
  ControlPlane(SqliteStore& store, http::Transport& transport, Executor& executor, const SecretBox& box,
               ControlPlaneOptions options);
  ControlPlane(const ControlPlane&) = delete;

  /// Takes up what was unfinished, starts what is missing, begins the patrol.
  void start();
  /// After an import: nodes and racks begin their way.
  void sweep();
  /// After a node was moved: it begins its way.
  void takeIn();

  Engine& engine() { return engine_; }
  Machines& machines() { return machines_; }
  BringUp& bringUp() { return bringUp_; }
  Campaigns& campaigns() { return campaigns_; }
  api::Provisioning& provisioning() { return provisioning_; }

 private:
  Executor& executor_;
  Machines machines_;
  Engine engine_;
  Intake intake_;
  BringUp bringUp_;
  Campaigns campaigns_;
  Patrol patrol_;
  LeaseWatch leases_;
  api::Provisioning provisioning_;
};

}  // namespace zellige
