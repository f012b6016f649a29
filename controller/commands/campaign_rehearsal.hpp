// A firmware campaign over simulated racks in virtual time: forward with some machines that take no firmware, on after
// every halt, and back again; held against what the machines were really sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/time.hpp"
#include "controller/engine/engine.hpp"
#include "drivers/simulator/fleet.hpp"

namespace zellige {

struct CampaignRehearsalOptions {
  int racks = 100;
  std::uint64_t seed = 1;
  int window = 2, perRack = 0, canary = 1, failureBudget = 10;  ///< as of a Campaign
  std::vector<int> failingTrays;                                ///< these take no firmware, by number
  double failing = 0;             ///< share of the compute trays that take no firmware
  double timeSigma = 0.25;        ///< lognormal spread of step times (DESIGN 8)
  std::optional<Duration> storm;  ///< mean time between crashes of the controller; nullopt: none
  Mutation mutation = Mutation::None;
};

struct CampaignRehearsal {
  int nodes = 0;
  std::vector<std::string> failing;  ///< serials of those that take no firmware
  int done = 0, failed = 0, wentBack = 0;
  std::vector<int> failedAtHalts;  ///< that the budget counted, at each halt
  sim::Peak forward, back;
  /// From the end of the canary. The reference is R·T/U + the longest T, T being what each rack's slowest tray really took
  /// (with a limit in the rack, all its trays by that): a campaign in whole waves, not a lower bound.
  Duration makespan{0}, reference{0};
  int kills = 0;
  std::vector<std::string> wrong;  ///< whatever must not have happened; empty: it held
  double wallSeconds = 0;
};

CampaignRehearsal rehearseCampaign(const CampaignRehearsalOptions& options);

namespace commands {
/// Prints what came of it. 1: something was wrong.
int simulateCampaign(const CampaignRehearsalOptions& options, bool json);
}  // namespace commands

}  // namespace zellige
