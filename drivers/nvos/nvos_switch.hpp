// A switch tray's system spoken to by NVUE's REST API (NVIDIA's NVOS user manual): what the workflows ask
// (controller/switch_os.hpp) put into exchanges. Every exchange signs in by itself (HTTP Basic); TLS is pinned on first
// use; an action is a job with a number that is forgotten at a reboot. Nothing is repeated but a GET, and after a 401 once.
// This folder must not know Redfish, the web, sockets or the simulator.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "controller/base/executor.hpp"
#include "controller/base/json.hpp"
#include "controller/engine/access.hpp"
#include "drivers/http/transport.hpp"

namespace zellige::nvos {

struct Options {
  Duration connectTimeout{30'000};
  Duration timeout{60'000};
  Duration fetchPoll{2'000};                          ///< between two looks at a fetch
  Duration fetchAtMost{900'000};                      ///< of one package: NVOS images have 1.5 GB
  Duration lockout{660'000};                          ///< as a BMC's (drivers/redfish/client.hpp)
  std::string caFile;                                 ///< http::Peer::caFile
  std::function<std::string(std::size_t)> randomHex;  ///< for new passwords; empty: the operating system's
};

/// What all switches share. Outlives them.
struct Wiring {
  http::Transport& transport;
  AccessStore& access;
  Executor& executor;
  Options options;
};

class NvosSwitch final : public SwitchOs {
 public:
  /// `armed` says whether writes may leave; asked before each. `wiring` outlives this.
  NvosSwitch(const Wiring& wiring, NodeId node, http::Peer peer, std::function<bool()> armed);

  Task<Result<SwitchIdentity>> signIn() override;
  Task<Result<NvlinkControl>> nvlinkControl() override;
  Task<Result<std::vector<FirmwareItem>>> firmware() override;
  Task<Result<BmcState>> state() override;
  Task<Result<std::vector<BmcTask>>> tasks() override;
  Task<Result<BmcTask>> task(std::string uri) override;

  Task<Result<void>> changePassword() override;
  Task<Result<void>> startNvlinkControl() override;
  /// One target: the component ("BMC", "NVOS"). It fetches the file from the package's URL first.
  Task<Result<std::string>> pushFirmware(PackageFile package, std::vector<std::string> targets,
                                         bool force) override;
  /// A reboot: what was installed makes it a power cycle of the tray.
  Task<Result<void>> auxPowerCycle() override;
  Task<Result<void>> resetBmc() override;

  void moveTo(http::Peer peer);

 private:
  struct Ask {
    std::string method, path, body;
    bool secretBody = false;
  };
  Task<Result<HttpReply>> once(Ask ask, Secret password);
  Task<Result<HttpReply>> withAccess(Ask ask);
  Task<Result<HttpReply>> withEither(Ask ask, int guesses);
  Task<Result<Json>> ask(Ask ask);
  Task<Result<Json>> get(std::string path);
  Task<Result<std::string>> act(std::string path, std::string action, Json parameters);
  Task<Result<Secret>> beginGuess();
  Task<Result<void>> takeGuessBack();
  Task<Result<void>> countRefusal(bool uncounted = false);
  Task<Result<void>> settle(Secret valid);
  Task<Result<void>> dropNextPassword(Secret refused);
  Error refused() const;
  Task<Result<std::string>> openRevision();
  static Ask application(const std::string& revision);  ///< what it holds takes effect
  Task<Result<void>> sendPassword(std::string revision, Secret password);
  Task<Result<void>> fetch(std::string path, const PackageFile& package);

  const Wiring& wiring_;
  NodeId node_;
  http::Peer peer_;
  std::function<bool()> armed_;
  std::set<std::string> fetches_;  ///< jobs that only fetched a file
};

}  // namespace zellige::nvos
