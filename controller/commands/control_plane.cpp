#include "controller/commands/control_plane.hpp"

#include "web/api/tokens.hpp"
#include "workflows/steps.hpp"

namespace zellige {

namespace {

Surroundings surroundings(const ControlPlaneOptions& options, const SecretBox& box) {
  Surroundings out;
  out.provisioningUrl = options.provisioningUrl;
  out.token = [&box](const Node& node, std::string_view purpose) {
    return api::issueToken(box, node.serial, purpose);
  };
  if (!options.engine.budgets.power.empty())
    out.power = [limits = options.engine.budgets](const Place& place) { return limits.termsAt(place); };
  return out;
}

Task<void> sweepOnce(Intake& intake) { co_await intake.sweep(); }

}  // namespace

ControlPlane::ControlPlane(SqliteStore& store, http::Transport& transport, Executor& executor,
                           const SecretBox& box, ControlPlaneOptions options)
    : executor_(executor),
      machines_(
          transport, store, executor, [&store](const Place& place) { return store.armed(place); },
          options.redfish, options.nvos),
      engine_(store, machines_, executor, surroundings(options, box), workflows::all(), options.engine),
      intake_(store, engine_, executor), bringUp_(store, engine_, executor),
      campaigns_(store, engine_, executor), patrol_(store, machines_, executor, options.patrol),
      leases_(store, engine_, executor, std::move(options.leases)),
      provisioning_(store, engine_, executor, box, options.provisioningUrl) {
  engine_.onState([this](const std::vector<NodeId>& subject) {
    bringUp_.look(subject);
    campaigns_.look(subject);
  });
  campaigns_.onFreed([this](const std::string& place) { bringUp_.sweep(place); });
  patrol_.onNews([this](const std::vector<NodeId>& nodes) {
    bringUp_.look(nodes);
    campaigns_.look(nodes);
  });
}

void ControlPlane::start() {
  engine_.resume();
  campaigns_.start();
  sweep();
  executor_.spawn(patrol_.walk());
  executor_.spawn(leases_.walk());
}

void ControlPlane::sweep() {
  leases_.again();
  takeIn();
  bringUp_.sweep();
  campaigns_.lookAgain();
}

void ControlPlane::takeIn() { executor_.spawn(sweepOnce(intake_)); }

}  // namespace zellige
