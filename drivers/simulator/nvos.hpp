// A switch tray's own system, NVOS, as its NVUE REST API shows it: firmware of the tray, its own image, reboots, settings by
// revision, the NVLink control plane. From NVIDIA's NVOS user manual (NVUE paths and bodies) and FACTS 6. Internal.
#pragma once

#include <map>

#include "drivers/simulator/world.hpp"

namespace zellige::sim {

enum class JobState : std::uint8_t { Running, Success, Error };

/// What NVOS keeps; one per switch tray.
struct Nvos {
  struct File {
    Bundle bundle;
    std::string name, bytes;
  };
  struct Job {
    std::uint16_t id = 0;
    JobState state = JobState::Running;
    std::string detail;
  };
  /// Settings that wait to be applied.
  struct Revision {
    std::string password;
    std::optional<bool> cluster;
    bool applied = false;
  };
  std::string password, nextPassword;  ///< the latter was applied and is being set
  std::vector<File> files;             ///< at most one for each component
  std::vector<Job> jobs;
  std::uint16_t nextJob = 1, installing = 0;
  Bundle bundle = Bundle::SwitchOs;  ///< that is being installed
  std::map<int, Revision> revisions;
  int nextRevision = 1;
  bool cluster = false;  ///< the control plane is switched on
  Time clusterSince{};
  bool rebooted = false;  ///< by request, and nothing was installed since
};

namespace nvos {

struct Answer {
  HttpReply reply;
  Duration latency{0};
};

/// Only while the tray's system runs.
Answer answer(World& w, Machine& m, const HttpRequest& request);
/// Its power is gone, or it reboots: what was being installed is damaged, jobs are forgotten.
void interrupt(World& w, Machine& m);

}  // namespace nvos

}  // namespace zellige::sim
