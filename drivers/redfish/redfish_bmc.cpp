#include "drivers/redfish/redfish_bmc.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

// The $expand of one level that this machine says it can do; empty: none. HPE and Dell take "." only (FACTS 7).
std::string_view expandQuery(const View& root) {
  const auto features = root.inside("ProtocolFeaturesSupported/ExpandQuery");
  if (!features.flag("NoLinks").value_or(false)) return {};
  const bool levels = features.flag("Levels").value_or(false) && features.integer("MaxLevels").value_or(1) > 1;
  return levels ? ".($levels=1)" : ".";
}

SelfDescription describe(const Known& known) {
  SelfDescription self{known.identity.vendor, known.identity.product, {}, {}, known.systemsRead};
  for (const auto& uri : known.systemLinks) self.systems.emplace_back(lastSegment(uri));
  for (const auto& uri : known.chassisLinks) self.chassis.emplace_back(lastSegment(uri));
  return self;
}

void recognise(Known& known) {
  const auto self = describe(known);
  known.platform = &platformFor(self);
  known.identity.platform = known.platform->name;
}

}  // namespace

RedfishBmc::RedfishBmc(const Wiring& wiring, NodeId node, http::Peer peer, std::function<bool()> armed,
                       std::shared_ptr<Ways> ways)
    : client_(wiring, node, std::move(peer), std::move(armed)), ways_(std::move(ways)),
      known_(ways_->share(Known{})) {}

RedfishBmc::~RedfishBmc() = default;

Task<Result<Document>> RedfishBmc::readRoot() {
  auto root = co_await client_.root();
  if (root) takeRoot(root->view());
  co_return root;
}

void RedfishBmc::takeRoot(const View& view) {
  learn([&](Known& k) {
    // Some show no more than their identity to those who have not signed in (FACTS 1): what is known stays known.
    const auto keep = [](std::string& known, std::string shown) {
      if (!shown.empty()) known = std::move(shown);
    };
    const auto follow = [&](std::string& known, std::string_view link) { keep(known, view.link(link)); };
    keep(k.identity.vendor, view.trimmed("Vendor"));
    keep(k.identity.product, view.trimmed("Product"));
    keep(k.identity.redfishVersion, view.trimmed("RedfishVersion"));
    follow(k.systems, "Systems");
    follow(k.managers, "Managers");
    follow(k.chassis, "Chassis");
    follow(k.updateService, "UpdateService");
    follow(k.taskService, "Tasks");
    follow(k.sessions, "Links/Sessions");
    follow(k.managerOfService, "Links/ManagerProvidingService");
    recognise(k);
  });
  if (platform().expand) client_.useExpand(expandQuery(view));
}

// The root and the list of systems, once.
Task<Result<void>> RedfishBmc::readSystems() {
  if (!known().platform) {
    auto root = co_await readRoot();
    if (!root) co_return root.error();
  }
  if (known().systemsRead && !dependsOnChassis(describe(known()))) co_return Result<void>{};
  if (known().systems.empty() && known().managers.empty() && known().chassis.empty()) {
    auto root = co_await client_.get("/redfish/v1/");
    if (!root) co_return root.error();
    takeRoot(root->view());
  }
  if (!known().systemsRead) {
    std::vector<std::string> found;
    if (!known().systems.empty()) {
      auto links = co_await client_.links(known().systems);
      if (!links) co_return links.error();
      found = std::move(*links);
    }
    learn([&](Known& k) {
      // An empty list may be a BMC that is half awake; a root without any link one that asks for a new password first.
      const bool none = k.systems.empty() && !k.chassis.empty();
      k.systemsRead = !found.empty() || none;
      k.systemLinks = std::move(found);
      recognise(k);
    });
  }
  if (known().chassis.empty() || !dependsOnChassis(describe(known()))) co_return Result<void>{};
  auto chassis = co_await client_.links(known().chassis);
  if (!chassis) co_return chassis.error();
  learn([&](Known& k) {
    k.chassisLinks = std::move(*chassis);
    recognise(k);
  });
  co_return Result<void>{};
}

Task<Result<std::string>> RedfishBmc::hostUri() {
  if (!known().hostSystem.empty()) co_return known().hostSystem;
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  const auto& wanted = platform().hostSystem;
  std::string host;
  for (const auto& uri : known().systemLinks) {
    const auto id = lastSegment(uri);
    if (id == wanted || (host.empty() && wanted.empty() && id != platform().baseboardSystem)) host = uri;
  }
  if (host.empty()) co_return Error{Errc::NotFound, "the BMC lists no ComputerSystem"};
  learn([&](Known& k) { k.hostSystem = host; });
  co_return host;
}

// NotFound while the baseboard is not listed: it is looked for again every time, because it comes and goes.
Task<Result<std::string>> RedfishBmc::baseboardUri() {
  if (!known().baseboard.empty()) co_return known().baseboard;
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  for (int look = 0; look < 2; ++look) {
    for (const auto& uri : std::vector(known().systemLinks))
      if (lastSegment(uri) == platform().baseboardSystem) {
        learn([&](Known& k) { k.baseboard = uri; });
        co_return uri;
      }
    if (look == 1 || !platform().baseboardExpected) break;
    auto links = co_await client_.links(known().systems);
    if (!links) co_return links.error();
    learn([&](Known& k) { k.systemLinks = std::move(*links); });
  }
  co_return Error{Errc::NotFound, "the baseboard's resources are not there"};
}

Task<Result<std::string>> RedfishBmc::managerUri() {
  if (!known().manager.empty()) co_return known().manager;
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  auto manager = known().managerOfService;
  if (manager.empty()) {
    auto uri = co_await hostUri();
    if (uri) {
      auto host = co_await client_.get(*uri);
      if (!host) co_return host.error();
      const auto by = host->view().links("Links/ManagedBy");
      if (!by.empty()) manager = by.front();
    }
  }
  if (manager.empty()) {
    auto all = co_await client_.links(known().managers);
    if (!all) co_return all.error();
    if (!all->empty()) manager = all->front();
  }
  if (manager.empty()) co_return Error{Errc::NotFound, "the BMC lists no Manager"};
  learn([&](Known& k) { k.manager = manager; });
  co_return manager;
}

Task<Result<BmcIdentity>> RedfishBmc::identify() {
  auto root = co_await readRoot();
  if (!root) co_return root.error();
  auto identity = known().identity;
  identity.uuid = root->view().trimmed("UUID");
  co_return identity;
}

// A session alone proves little (a stored one may be dead, a forced password change shows only afterwards): one
// authenticated reading confirms it.
Task<Result<void>> RedfishBmc::signIn() {
  auto session = co_await client_.ensureSession();
  if (!session) co_return session.error();
  const bool first = known().systemLinks.empty();
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  if (first && !known().systemLinks.empty()) co_return Result<void>{};
  auto collection = known().systems;
  if (collection.empty()) collection = known().managers;
  if (collection.empty()) collection = known().chassis;
  if (collection.empty()) collection = known().sessions;  // answers 403 before a forced password change
  auto confirmed = co_await client_.links(collection);
  if (!confirmed) co_return confirmed.error();
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::changePassword() {
  if (!known().platform) {
    auto root = co_await readRoot();
    if (!root) co_return root.error();
  }
  co_return co_await client_.changePassword(std::string(platform().accountId), platform().anyMatch);
}

Task<Result<BmcState>> RedfishBmc::state() {
  auto uri = co_await managerUri();
  if (!uri) co_return uri.error();
  auto manager = co_await client_.get(*uri);
  if (!manager) co_return manager.error();
  BmcState state;
  state.lastReset = manager->view().trimmed("LastResetTime");
  state.firmware = manager->view().trimmed("FirmwareVersion");
  if (!platform().baseboardExpected) co_return state;
  auto baseboard = co_await baseboardUri();
  if (!baseboard) {
    if (baseboard.error().code != Errc::NotFound) co_return baseboard.error();
    state.baseboardPresent = false;
    co_return state;
  }
  auto resource = co_await client_.get(*baseboard);
  if (!resource && !concernsTheResourceOnly(resource.error())) co_return resource.error();
  // With bare properties it is listed but not there yet (FACTS 9).
  state.baseboardPresent = resource && !resource->view().link("Processors").empty();
  co_return state;
}

}  // namespace zellige::redfish
