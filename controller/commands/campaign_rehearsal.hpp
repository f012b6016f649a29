// A firmware campaign over simulated racks in virtual time: forward with some machines that take no firmware, on after
// every halt, and back again; held against what the machines were really sent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controller/base/time.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige {

struct CampaignRehearsalOptions {
  int racks = 100;
  std::uint64_t seed = 1;
  int window = 2, perRack = 0, canary = 1, failureBudget = 10;  ///< as of a Campaign
  double failing = 0;       ///< share of the compute trays that take no firmware
  double timeSigma = 0.25;  ///< lognormal spread of step times (DESIGN 8)
};

struct CampaignRehearsal {
  int nodes = 0;
  std::vector<std::string> failing;  ///< serials of those that take no firmware
  int done = 0, failed = 0, wentBack = 0;
  std::vector<int> failedAtHalts;  ///< that the budget counted, at each halt
  sim::Peak forward, back;
  /// From the end of the canary; the floor is R·T/U + the longest T, T being what each rack's slowest tray really took.
  Duration makespan{0}, floor{0};
  std::vector<std::string> wrong;  ///< whatever must not have happened; empty: it held
  double wallSeconds = 0;
};

CampaignRehearsal rehearseCampaign(const CampaignRehearsalOptions& options);

namespace commands {
/// Prints what came of it. 1: something was wrong.
int simulateCampaign(const CampaignRehearsalOptions& options, bool json);
}  // namespace commands

}  // namespace zellige
