// What all machines of a fleet share: the clock, the ledger, the faults, interned strings, known images and
// packages. The physics (host.hpp, bmc.hpp, firmware.hpp, agent.hpp) are functions of (World&, Machine&).
// Internal.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/base/random.hpp"
#include "drivers/simulator/fleet.hpp"
#include "drivers/simulator/machine.hpp"
#include "drivers/simulator/package.hpp"
#include "drivers/simulator/power_meter.hpp"
#include "drivers/simulator/site.hpp"

namespace zellige::sim {

/// Images that some agent has fetched: the next one compares bytes instead of hashing them again.
class ImageStore {
 public:
  /// True if `bytes` have the digest `sha256`.
  bool matches(const std::string& sha256, const std::string& bytes);
  /// True once an agent has hashed a whole image and found what this manifest says.
  bool proven(const ImageManifest& manifest) const;
  void prove(const ImageManifest& manifest);
  /// One copy of each manifest for the whole fleet.
  std::shared_ptr<const ImageManifest> share(ImageManifest manifest);

 private:
  static constexpr std::size_t kKeep = 64u
                                       << 20;  // bytes kept for comparing; beyond that every chunk is hashed
  std::map<std::string, std::string> chunks_;
  std::size_t kept_ = 0;
  std::map<std::string, std::vector<std::string>> proven_;
  std::map<std::string, std::shared_ptr<const ImageManifest>> shared_;
};

/// Packages that were pushed, opened once.
class PackageStore {
 public:
  struct Opened {
    std::string bytes, digest;
    Result<Package> package;
  };
  /// The reference stays valid until the next call.
  const Opened& open(std::string_view bytes);

 private:
  static constexpr std::size_t kKeep = 8;
  std::vector<std::unique_ptr<Opened>> opened_;
};

class World {
 public:
  World(Executor& executor, FleetOptions fleetOptions);
  ~World();
  World(const World&) = delete;

  Time now() const { return executor.now(); }
  const Times& times() const { return options.times; }
  Identity identity(const Machine& m) const { return {options.seed, m.id, m.kind(), m.swaps}; }
  std::string gpuSerial(const Machine& m, int gpu) const {
    return identity(m).gpuSerial(gpu, m.gpuSwaps[static_cast<std::size_t>(gpu)]);
  }
  std::uint16_t version(std::string_view text, std::uint32_t stamp);
  std::string_view versionText(std::uint16_t id) const { return versions.text(id); }
  std::uint32_t stamp(std::uint16_t id) const { return stamps[id]; }

  using Step = void (*)(World&, Machine&);
  /// Runs `step` after `d`, unless `track` is restarted or stopped before.
  void later(Machine& m, Track track, Duration d, Step step);
  void stop(Machine& m, Track track) { ++m.epochs[static_cast<std::size_t>(track)]; }
  /// Runs `work` after `d` if the fleet still exists.
  template <class F>
  void after(Duration d, F work) {
    executor.after(d, whileAlive(std::move(work)));
  }
  /// Wraps a callback that may come when the fleet is gone; it then does nothing.
  template <class F>
  auto whileAlive(F f) const {
    return [alive = std::weak_ptr<bool>(alive_), f = std::move(f)](auto&&... args) mutable {
      if (alive.lock()) f(std::forward<decltype(args)>(args)...);
    };
  }

  /// `base` with the fleet's spread. The n-th draw of a machine is the same whatever the others do.
  Duration spread(Machine& m, Duration base);
  Duration between(Machine& m, Duration low, Duration high);

  void begin(Machine& m, Work work);
  void end(Machine& m, Work work);
  /// A shelf begins or ceases to feed its rack. Trays and switch trays of a rack without a shelf that feeds it are dead; a
  /// rack that was given no shelves has another supply.
  void feed(const Machine& shelf, bool on);
  bool isFed(const Machine& m) const;
  /// Somebody puts another machine of its kind in its place, as delivered.
  void swap(Machine& m);
  /// Somebody puts another GPU in this slot; the tray is without power meanwhile.
  void swapGpu(Machine& m, int gpu);
  /// Some machine is sent a package from now on.
  void beginUpload();

  bool fires(Machine& m, FaultKind kind) { return faults.fires(m.id, kind, now()); }
  /// The GPU that is missing from this machine, or -1.
  int missingGpu(const Machine& m) const;
  int weakGpu(const Machine& m) const;
  /// The firmware item that falls back to its old version whenever it is to come alive, or -1.
  int stubbornItem(const Machine& m) const;

  void record(const Machine& m, ActKind kind, std::string_view component, std::string_view digest = {},
              std::string why = {}) {
    ledger.add(now(), m.id, kind, component, digest, std::move(why));
  }

  Executor& executor;
  FleetOptions options;
  Ledger ledger;
  mutable FaultSchedule faults;
  Interner versions, strings;
  std::vector<std::uint32_t> stamps{0};  ///< by version
  std::vector<Machine> machines;
  Uplink* uplink = nullptr;
  ImageStore images;
  PackageStore packages;
  Peak peak;
  PowerMeter power;

 private:
  void make(Machine& m, int id);
  void makeAsDelivered(Machine& m);
  void makeAsWanted(Machine& m);
  void count(const Machine& m, Work work, int change);

  int flashes_ = 0, imageWrites_ = 0;  // going on now
  int racksFlashing_ = 0;
  std::vector<int> flashesIn_;   // of them, by rack
  std::vector<int> feeding_;     // shelves, by rack
  std::queue<Time> uploadEnds_;  // all take the same time
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace zellige::sim
