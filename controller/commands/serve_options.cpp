#include "controller/commands/serve_options.hpp"

#include <algorithm>

namespace zellige::commands {

std::string provisioningUrl(const Configuration& configuration) {
  if (!configuration.provisioning.url.empty()) return configuration.provisioning.url;
  return "https://" + configuration.provisioning.listen;
}

ControlPlaneOptions planeOptions(const Configuration& configuration, const ServeOptions& options) {
  ControlPlaneOptions plane;
  plane.provisioningUrl = provisioningUrl(configuration);
  plane.engine.budgets = {configuration.limits.uploads, configuration.limits.siteFlashes,
                          configuration.limits.flashesPerRack, configuration.limits.imageStreams};
  plane.patrol.period = configuration.engine.patrol;
  plane.leases.files = configuration.leases;
  plane.leases.circuits = configuration.circuits;
  if (options.speed != 1) {
    // Transport does not speed up: on this clock settle is at least 2 s of wall time, a deadline 10 s, a poll 0.1 s.
    const auto wall = [&](Duration d) {
      return Duration{static_cast<std::int64_t>(static_cast<double>(d.count()) * options.speed)};
    };
    plane.engine.minSettle = wall(2s);
    plane.engine.minDeadline = wall(10s);
    plane.engine.minPoll = wall(100ms);
    plane.leases.period = wall(plane.leases.period);
    if (options.configuration.empty())
      plane.engine.budgets = {};  // made for a site; a rehearsal is of the machines
    plane.redfish.connectTimeout = plane.redfish.readTimeout = plane.redfish.writeTimeout = 5s;
    plane.redfish.slowReadTimeout = plane.redfish.uploadTimeout = 5s;
  }
  return plane;
}

ScannerOptions scannerOptions(const ServeOptions& options) {
  ScannerOptions scanner;
  scanner.pace = Duration{static_cast<std::int64_t>(static_cast<double>(scanner.pace.count()) * options.speed)};
  return scanner;
}

http::CurlOptions scanCurlOptions() {
  http::CurlOptions curl;
  curl.shards = 1;
  curl.maxConnectionsPerShard = 1;
  curl.maxHandshakes = static_cast<std::size_t>(ScannerOptions{}.atATime);
  return curl;
}

http::CurlOptions curlOptions(const Configuration& configuration) {
  http::CurlOptions curl;
  const auto kept = static_cast<std::size_t>(configuration.limits.bmcConnections);
  curl.shards = std::min(curl.shards, kept);
  curl.maxConnectionsPerShard = kept / curl.shards;
  return curl;
}

}  // namespace zellige::commands
