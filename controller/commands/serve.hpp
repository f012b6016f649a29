// The controller as a service: configuration, store, transport, control plane, and the two listeners.
#pragma once

#include <optional>
#include <string>

#include "controller/base/time.hpp"

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

struct SimulatorOptions {
  int trays = 18;
  double speed = 1;
  std::string faults = "none";
  std::uint64_t seed = 1;
  std::string mockup;  ///< serve this recorded tree instead, read-only
  std::string listen;  ///< "IP:PORT" of the recorded tree; empty: 127.1.0.1:8443. Without `mockup` it is refused
  std::string site;     ///< write the files to import into this directory
  std::string control;  ///< "127.0.0.1:0": answers /outcome and /cpu to a parent process; empty: none
  std::int64_t origin = 0;
};
int simulator(const SimulatorOptions& options);

struct DemoOptions {
  int trays = 18;
  double speed = 60;
  std::string faults = "none";
  std::uint64_t seed = 1;
  int kills = 0;  ///< kill -9 the controller this many times, over as many demos as needed
  bool headless = false, json = false;
};
int demo(const DemoOptions& options);

}  // namespace zellige::commands
