// What a configuration means for the parts that `serve` wires together.
#pragma once

#include "controller/commands/control_plane.hpp"
#include "controller/commands/scanner.hpp"
#include "controller/commands/serve.hpp"
#include "controller/site/configuration.hpp"
#include "drivers/http/curl_transport.hpp"

namespace zellige::commands {

/// What stands in the file that the options name, and what they say otherwise. Errc::Invalid: it cannot be read, has more
/// than 1 MiB, or is wrong, and where.
Result<Configuration> configurationOf(const ServeOptions& options);
/// How machines reach the provisioning end.
std::string provisioningUrl(const Configuration& configuration);
ControlPlaneOptions planeOptions(const Configuration& configuration, const ServeOptions& options);
/// Scans: at the same pace on any clock, and nothing kept open.
ScannerOptions scannerOptions(const ServeOptions& options);
http::CurlOptions scanCurlOptions();
http::CurlOptions curlOptions(const Configuration& configuration);

}  // namespace zellige::commands
