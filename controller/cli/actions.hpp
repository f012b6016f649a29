// What each command does, once the command line is understood. Gives the exit code. Parameters are values: these are
// coroutines; the world outlives them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "controller/cli/client.hpp"

namespace zellige::cli {

// site.cpp
Task<int> showSite(World& world, Options options);
Task<int> armSite(World& world, Options options, std::string place, bool arm);
// node.cpp
struct NodeQuery {
  std::string place, lifecycle, text;
};
Task<int> listNodes(World& world, Options options, NodeQuery query);
Task<int> showNode(World& world, Options options, std::string serial);
/// `to`: a lifecycle value.
Task<int> moveNode(World& world, Options options, std::string serial, std::string to);
Task<int> acceptCertificate(World& world, Options options, std::string serial);
// swap.cpp
struct Swap {
  std::string place, simulator;
  int gpu = -1;                    ///< -1: the whole machine
  std::filesystem::path manifest;  ///< where the new machine's goes
};
Task<int> swapSimulated(World& world, Options options, Swap what);
// sighting.cpp
struct ScanOptions {
  std::vector<std::string> ranges;
  int port = 443;
  bool publicToo = false, stop = false;
};
Task<int> listUnlisted(World& world, Options options);
/// Stays until the scan has ended.
Task<int> scan(World& world, Options options, ScanOptions what);
Task<int> stopScan(World& world, Options options);
// rack.cpp
struct RackQuery {
  std::string place, state;
};
Task<int> listRacks(World& world, Options options, RackQuery query);
Task<int> showRack(World& world, Options options, std::string place);
Task<int> bringUpRack(World& world, Options options, std::string place, std::string stage);
// campaign.cpp
struct NewCampaign {
  std::string name, baseline, kind, place, profile;
  int window = 1, perRack = 0, canary = 0, failureBudget = 0;
  bool dryRun = false;
};
Task<int> listCampaigns(World& world, Options options, std::string state);
Task<int> createCampaign(World& world, Options options, NewCampaign wanted);
/// `members`: "all", or the states of those to be listed; empty: none.
Task<int> showCampaign(World& world, Options options, std::string id, std::string members);
/// `how`: pause, resume, halt, cancel, retry, rollback, members/SERIAL/leave-out.
Task<int> moveCampaign(World& world, Options options, std::string id, std::string how);
// run.cpp
struct RunQuery {
  std::string state, workflow, node;
};
Task<int> listRuns(World& world, Options options, RunQuery query);
Task<int> showRun(World& world, Options options, std::string id);
Task<int> startRun(World& world, Options options, std::string serial, std::string workflow,
                   std::string parameter);
Task<int> cancelRun(World& world, Options options, std::string id);
Task<int> retryRun(World& world, Options options, std::string id);
// finding.cpp
Task<int> listFindings(World& world, Options options, std::string place, bool all);
Task<int> showFinding(World& world, Options options, std::string id);
Task<int> resolveFinding(World& world, Options options, std::string id);
// token.cpp
Task<int> createToken(World& world, Options options, std::string name, std::string user);
Task<int> listTokens(World& world, Options options, std::string user);
Task<int> revokeToken(World& world, Options options, std::string id);
// login.cpp
Task<int> login(World& world, Options options, std::string user);
// import.cpp
Task<int> importSite(World& world, Options options, std::vector<std::filesystem::path> paths, bool dryRun);
// backup.cpp
Task<int> backUp(World& world, Options options, std::filesystem::path file);

/// All pages of a list, as one array.
Task<Result<Json>> allPages(Client& client, std::string path, std::string name);

}  // namespace zellige::cli
