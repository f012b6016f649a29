// The configuration of `zellige serve`: one YAML file, every key with a default, so that an empty map is a
// whole one. A wrong key is named with its line. Durations are written "30s", "10m".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/base/log.hpp"
#include "controller/base/time.hpp"
#include "controller/site/document.hpp"
#include "controller/site/leases.hpp"

namespace zellige {

struct Configuration {
  /// data_dir: database, site key, packages and images. A relative path is relative to the working directory.
  std::string dataDir = "data";

  /// api: people and scripts; HTTPS.
  struct Api {
    std::string listen = "127.0.0.1:8443";  ///< api.listen: numeric address and port; "[::]:8443" for IPv6
    std::string certificate, key;  ///< api.certificate, api.key: PEM files, both or none; none: self-signed
  } api;

  /// provisioning: agents, boot media, images.
  struct Provisioning {
    std::string listen = "127.0.0.1:8480";  ///< provisioning.listen
    std::string url;  ///< provisioning.url: as machines reach it, "http://10.0.0.2:8480"; empty: from listen
  } provisioning;

  /// log.level: info, warn, error, off.
  log::Level logLevel = log::Level::Info;

  /// limits: how much may go on at once.
  struct Limits {
    int uploads = 16;        ///< limits.uploads: firmware bodies on their way to BMCs, over the site
    int flashesPerRack = 4;  ///< limits.flashes_per_rack: machines of one rack that are being flashed
    int siteFlashes = 512;   ///< limits.site_flashes: machines being flashed, over the site
    /// limits.image_streams: images being written. 144: one scalable unit, from one 100 GbE server
    /// (facts/domain.md).
    int imageStreams = 144;
    int bmcConnections = 4096;  ///< limits.bmc_connections: kept open; 44 KB each (facts/stack.md 2)
    /// limits.power: of each place once; how much stress above idle it bears, and how quickly that may change.
    struct Power {
      std::string place;  ///< "H1/R01" and everything inside; "": the whole site
      std::int64_t stressWatts = 0, wattsPerMinute = 0;
    };
    std::vector<Power> power;
  } limits;

  /// engine: pace.
  struct Engine {
    Duration patrol = 10min;  ///< engine.patrol: an idle node is looked at this often; at most 10m (DESIGN 2)
  } engine;

  /// retention: how long what is only history is kept.
  struct Retention {
    Duration events = 24h *
                      400;  ///< retention.events: the audit trail; 400 days: a year, and time to look at it
    Duration unlisted = 24h * 7;  ///< retention.unlisted: unlisted devices, since they were last seen
  } retention;

  /// leases: files in which DHCP servers write down who has which address. Read again when they change.
  std::vector<LeaseFile> leases;

  /// circuits: where the switch ports of DHCP option 82 lead; a hint beside unlisted devices.
  std::vector<Circuit> circuits;
};

/// Why machines would be told an address at which nobody can be reached; nullopt: they are told a good one.
std::optional<std::string> whyNoMachineReaches(const Configuration::Provisioning& provisioning);

Reading<Configuration> readConfiguration(std::string file, std::string_view text);

}  // namespace zellige
