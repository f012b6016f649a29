#include "controller/commands/serve_options.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>

namespace zellige::commands {

namespace {

constexpr std::size_t kMostBytes = 1u << 20;

Result<std::string> textOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || !in.is_open())
    return Error{Errc::Invalid, fmt::format("cannot read the configuration {}", file)};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMostBytes)
    return Error{Errc::Invalid, fmt::format("the configuration {} has more than {} bytes", file, kMostBytes)};
  return text;
}

}  // namespace

Result<Configuration> configurationOf(const ServeOptions& options) {
  Configuration configuration;
  if (!options.configuration.empty()) {
    const auto text = textOf(options.configuration);
    if (!text) return text.error();
    auto reading = readConfiguration(options.configuration, *text);
    if (const auto* problems = std::get_if<std::vector<Problem>>(&reading)) {
      std::string all;
      for (const auto& p : *problems) all += (all.empty() ? "" : "\n") + describe(p);
      return Error{Errc::Invalid, all};
    }
    configuration = std::get<Configuration>(std::move(reading));
  }
  if (!options.dataDir.empty()) configuration.dataDir = options.dataDir;
  if (!options.apiListen.empty()) configuration.api.listen = options.apiListen;
  if (!options.provisioningListen.empty()) configuration.provisioning.listen = options.provisioningListen;
  if (const auto why = whyNoMachineReaches(configuration.provisioning))
    return Error{Errc::Invalid, fmt::format("--provisioning {}: {} (provisioning.url in the configuration)",
                                            configuration.provisioning.listen, *why)};
  return configuration;
}

std::string provisioningUrl(const Configuration& configuration) {
  if (!configuration.provisioning.url.empty()) return configuration.provisioning.url;
  return "https://" + configuration.provisioning.listen;
}

ControlPlaneOptions planeOptions(const Configuration& configuration, const ServeOptions& options) {
  ControlPlaneOptions plane;
  plane.provisioningUrl = provisioningUrl(configuration);
  plane.engine.budgets = {configuration.limits.uploads,
                          configuration.limits.siteFlashes,
                          configuration.limits.flashesPerRack,
                          configuration.limits.imageStreams,
                          {}};
  for (const auto& power : configuration.limits.power)
    plane.engine.budgets.power.push_back({power.place, power.stressWatts, power.wattsPerMinute});
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
    plane.nvos.connectTimeout = plane.nvos.timeout = 5s;
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
