// The agent of a simulated host: the real protocol over the door's Uplink. Reports on change and every
// order.reportEvery; a report that gets no good answer is sent again with the same sequence, backing off,
// never dropped. Internal.
#pragma once

#include <memory>
#include <string>

#include "controller/base/digest.hpp"
#include "drivers/simulator/stress.hpp"
#include "drivers/simulator/world.hpp"

namespace zellige::sim {

/// A request of the agent that waits for its answer.
struct Call {
  std::uint32_t token = 0;  ///< a late answer to an older request is dropped
  bool open = false;
  bool watched = false;  ///< a timer looks at `deadline`
  Time deadline{};
};

struct Agent {
  std::uint32_t generation = 0;
  AgentHome home = AgentHome::Ramdisk;
  BootMedia media;
  std::int64_t sequence = 0;  ///< of the last report that was made
  std::string unanswered;     ///< body of the report that has no answer yet
  bool changed = false;       ///< since that report was made
  Call reporting, fetching;
  std::uint32_t timerEpoch = 0;
  Duration backoff{0};
  Duration reportEvery{5'000};

  AgentImage image;
  std::string orderId;  ///< of the image order being or last obeyed
  std::string imageUrl, nextSeed;
  std::shared_ptr<const ImageManifest> manifest;
  std::unique_ptr<Sha256> whole;  ///< of the image so far; null when this manifest is known to be true
  std::uint64_t nextChunk = 0;
  Time writeEnd{};  ///< when the disk has taken it all
  int fetchTries = 0;
  std::uint32_t fetchEpoch = 0;

  Stress stress;
};

namespace agent {

/// Prepares the agent that starts when the host runs. False: `head` is no BootMedia; there is then no agent.
bool load(World& w, Machine& m, AgentHome home, std::string_view head);
void start(World& w, Machine& m);
/// There is something to report.
void changed(World& w, Machine& m);
/// The host lost power: the agent and what it was doing are gone.
void stop(World& w, Machine& m);

}  // namespace agent

}  // namespace zellige::sim
