// A machine spoken to by Redfish: what the workflows ask (controller/bmc.hpp) put into exchanges (client.hpp), with the
// differences between machines as data (platform.hpp). It reads leniently, writes strictly, and believes no task.
// It remembers links (known.hpp).
// This folder must not know the store, the web, sockets or the simulator.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controller/bmc.hpp"
#include "drivers/redfish/client.hpp"
#include "drivers/redfish/known.hpp"
#include "drivers/redfish/platform.hpp"

namespace zellige::redfish {

class RedfishBmc final : public Bmc {
 public:
  /// `armed` says whether writes may leave; asked before each. `wiring` outlives this. `ways`: those of its neighbours.
  RedfishBmc(const Wiring& wiring, NodeId node, http::Peer peer, std::function<bool()> armed,
             std::shared_ptr<Ways> ways = std::make_shared<Ways>());
  ~RedfishBmc() override;

  Task<Result<BmcIdentity>> identify() override;
  Task<Result<void>> signIn() override;
  Task<Result<Inventory>> inventory() override;
  Task<Result<std::vector<FirmwareItem>>> firmware() override;
  Task<Result<HostState>> host() override;
  Task<Result<BmcState>> state() override;
  Task<Result<BmcSettings>> settings() override;
  Task<Result<std::vector<BmcTask>>> tasks() override;
  Task<Result<BmcTask>> task(std::string uri) override;
  Task<Result<MediaState>> media() override;
  Task<Result<BootOverride>> bootOverride() override;
  Task<Result<bool>> leakDetected() override;
  Task<Result<bool>> backgroundCopyDone() override;
  Task<Result<bool>> feeds() override;

  Task<Result<void>> changePassword() override;
  Task<Result<void>> setSettings(BmcSettings wanted) override;
  Task<Result<std::string>> pushFirmware(PackageFile package, std::vector<std::string> targets,
                                         bool force) override;
  Task<Result<void>> reset(HostReset how) override;
  Task<Result<void>> auxPowerCycle() override;
  Task<Result<void>> resetBmc() override;
  Task<Result<void>> insertMedia(std::string url) override;
  Task<Result<void>> ejectMedia() override;
  Task<Result<void>> setBootOverride(BootOverride wanted) override;
  Task<Result<void>> setLocateLed(bool on) override;
  Task<Result<void>> startFeeding() override;

  Client& client() { return client_; }

 private:
  struct Reading;  // reading.hpp
  const Known& known() const { return *known_; }
  const Platform& platform() const { return *known().platform; }
  template <class Change>
  void learn(Change change) {
    auto more = known();
    change(more);
    known_ = ways_->share(std::move(more));
  }

  // Finding our way (redfish_bmc.cpp)
  Task<Result<Document>> readRoot();
  void takeRoot(const View& view);
  Task<Result<void>> readSystems();
  Task<Result<std::string>> hostUri();
  Task<Result<std::string>> baseboardUri();
  Task<Result<std::string>> managerUri();
  Task<Result<std::string>> tasksUri();

  // inventory.cpp, parts.cpp
  Task<Result<void>> readFirmware(Reading& reading);
  Task<Result<void>> readChassis(Reading& reading);
  Task<Result<void>> readSystem(std::string uri, bool host, Reading& reading);
  Task<Result<void>> readProcessors(std::string uri, Reading& reading);
  Task<Result<void>> readMemory(std::string uri, Reading& reading);
  Task<Result<void>> readStorage(std::string uri, Reading& reading);
  Task<Result<void>> readDrives(std::string uri, Reading& reading);
  Task<Result<void>> readNetworkAdapters(std::string uri, bool inDpu, Reading& reading);
  Task<Result<void>> readPowerSupplies(Document chassis, Reading& reading);
  Task<Result<void>> readManagers(Reading& reading);

  // power.cpp
  Task<Result<void>> act(Document resource, std::string action, std::vector<std::string> resetTypes);
  Task<Result<void>> findLeakDetectors();
  Task<Result<std::string>> shelfUri();

  // boot.cpp, media.cpp
  Task<Result<std::string>> bootUri();
  Task<Result<std::string>> mediaSlot();
  Task<Result<std::string>> slotIn(std::string collection);

  // firmware.cpp
  Task<Result<std::string>> taskOf(Document reply);

  Client client_;
  std::shared_ptr<Ways> ways_;
  std::shared_ptr<const Known> known_;
  std::vector<std::string> copying_;  ///< roots of trust whose background copy was not seen Completed yet
};

/// Exposed for tests and for the console's explanations.
BmcTask readTask(const View& task);

}  // namespace zellige::redfish
