// `zellige bench`: what the parts cost, as ratios against a floor that is measured in the same run, and how soon a
// killed controller is back at work.
#pragma once

#include <cstdint>
#include <filesystem>

namespace zellige::commands {

struct StoreBenchCommand {
  std::filesystem::path directory;  ///< where a scratch directory is made; empty: the system's temporary directory
  bool json = false;
};
int benchStore(const StoreBenchCommand& options);

struct RedfishBenchCommand {
  int bmcs = 2'000;  ///< kept alive, each on its own loopback address, served by another process
  int rounds = 5;    ///< of ours, and as many of the floor, in turn
  int passes = 5;    ///< GETs of each BMC in a round
  int inFlight = 256;
  bool json = false;
};
int benchRedfish(const RedfishBenchCommand& options);

struct RestartBenchCommand {
  int nodes = 112'000;
  int runs = 60'000;                ///< unfinished
  std::filesystem::path directory;  ///< as in StoreBenchCommand
  bool json = false;
};
int benchRestart(const RestartBenchCommand& options);

/// The other process of `bench redfish`: prints its key's pin and an address a line, serves until standard input ends.
int benchServer(int bmcs);

}  // namespace zellige::commands
