// The controller as a service: configuration, store, transport, control plane, and the two listeners.
#pragma once

#include <cstdint>
#include <string>

namespace zellige::commands {

struct ServeOptions {
  std::string configuration;  ///< file; empty: every key has its default
  std::string dataDir;        ///< these three go before the file
  std::string apiListen, provisioningListen;
  /// Rehearsals only: the engine's clock runs this much faster than the wall, from an origin shared with the simulator.
  double speed = 1;
  std::int64_t origin = 0;  ///< UTC ms
  bool announce = false;    ///< one line of JSON on standard output when ready, for a parent process
  bool resetAdmin = false;  ///< give "admin" a new one-time password, print it, and end
};
int serve(const ServeOptions& options);

}  // namespace zellige::commands
