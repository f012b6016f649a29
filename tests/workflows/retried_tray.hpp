// A tray that wants two packages, whose run is cancelled, and what may be different when the next one begins.
#pragma once

#include <string>
#include <vector>

#include "tests/workflows/fleet_of_one.hpp"
#include "workflows/firmware_record.hpp"

namespace zellige::test {

/// Of machine.
struct Kind {
  std::string name;
  void (*is)(FakeBmc&);
  Activation first = Activation::AuxCycle;
  Duration between = 0s;  ///< from the cancellation to the next run
  int cycles = 1;         ///< of the tray's power, at most
};
inline void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

struct NameOfKind {
  std::string operator()(const auto& info) const { return info.param.name; }
};

inline void losesReplies(FakeBmc& m) {
  const Error lost{Errc::Timeout, "no reply in time", true};
  m.refuse = {{"push", {lost, lost}}, {"bmc", {lost}}, {"aux", {lost}}};
}
inline void losesRequests(FakeBmc& m) { m.lostRequests = {{"push", 1}, {"bmc", 1}, {"aux", 1}}; }

inline std::vector<Kind> kinds() {
  return {
      Kind{"AsRecorded", [](FakeBmc&) {}}, Kind{"AnHourLater", [](FakeBmc&) {}, Activation::AuxCycle, 1h},
      Kind{"RestartedForItsOwn", [](FakeBmc&) {}, Activation::BmcReset},
      Kind{"RestartedForItsOwnAnHourLater", [](FakeBmc&) {}, Activation::BmcReset, 1h},
      Kind{"SwitchedOffAndOnForItsOwn", [](FakeBmc&) {}, Activation::HostCycle},
      Kind{"NeedsNothingForItsOwn", [](FakeBmc&) {}, Activation::None},
      Kind{"NamesNoTasks", [](FakeBmc& m) { m.namesTasks = false; }},
      Kind{"ForgetsTasks", [](FakeBmc& m) { m.forgetsTasks = true; }},
      Kind{"ForgetsTasksAnHourLater", [](FakeBmc& m) { m.forgetsTasks = true; }, Activation::AuxCycle, 1h},
      Kind{"TellsNoResetTimes", [](FakeBmc& m) { m.dates = false; }},
      Kind{"ListsVersionsLate", [](FakeBmc& m) { m.versionLag = 5min; }},
      Kind{"ListsVersionsEarly", [](FakeBmc& m) { m.showsVersionsEarly = true; }},
      Kind{"ListsVersionsEarlyAndRestarts", [](FakeBmc& m) { m.showsVersionsEarly = true; },
           Activation::BmcReset},
      Kind{"TakesUploadsSlowly", [](FakeBmc& m) { m.uploads = 4min; }}, Kind{"LosesReplies", losesReplies},
      Kind{"LosesEveryReply",
           [](FakeBmc& m) {
             const std::vector<Error> lost(99, Error{Errc::Timeout, "no reply in time", true});
             m.refuse = {{"push", lost}, {"bmc", lost}, {"aux", lost}};
           }},
      Kind{"LosesRepliesAndForgetsTasks",
           [](FakeBmc& m) {
             losesReplies(m);
             m.forgetsTasks = true;
           }},
      Kind{"LosesRepliesAndTellsNoResetTimes",
           [](FakeBmc& m) {
             losesReplies(m);
             m.dates = false;
           },
           Activation::AuxCycle, 0s, 2},
      // Nobody can tell whether the request arrived once the run that sent it has ended: the power cycle shows it.
      Kind{"LosesRequests", losesRequests, Activation::AuxCycle, 0s, 2},
      Kind{"LosesRequestsAnHourLater", losesRequests, Activation::AuxCycle, 1h, 2},
      Kind{"LosesTheRequestToRestart", losesRequests, Activation::BmcReset}};
}

struct RetriedTray : FleetOfOne {
  explicit RetriedTray(const Kind& kind) : FleetOfOne(workflows::firmwareSteps()) {
    flow.inherits = workflows::kFirmwareFacts;
    kind.is(machine());
    wantFirmware("bmc", "FW_BMC_0", kind.first);
    wantFirmware("hgx", "HGX_FW_GPU_0", Activation::AuxCycle);
  }
  /// Cancels the run once it is in `step`, a moment after its act.
  void cancelIn(std::string_view step) {
    site.runUntil([&] { return run().step == step && run().act().phase == ActPhase::Accepted; }, 24h);
    cancelAfter(1s);
  }
  /// Wants another package for FW_BMC_0 from the next run on.
  void want(std::string package, std::string version) {
    auto& entry = target().baseline.entries.front();
    target().digest = "target " + package;
    site.tables.files[package] = {package, package + ".fwpkg", 1};
    machine().packages[package] = {"FW_BMC_0", version, entry.activation};
    entry.packageDigest = std::move(package);
    entry.components.front().version = std::move(version);
  }
  void startAgain() {
    id = start();
    site.runToEnd(id, 48h);
  }
  void cancelAfter(Duration d) {
    site.run(d);
    site.await(site.engine().cancel(id, "ada", "the wrong tray"));
  }
};

}  // namespace zellige::test
