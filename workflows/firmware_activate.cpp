// What brings written firmware alive, and the reading that is believed.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/firmware.hpp"
#include "workflows/firmware_outcome.hpp"
#include "workflows/firmware_record.hpp"
#include "workflows/host.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kBetweenReads = 30s;  // FACTS 11: 3 equal reads 30 s apart
constexpr std::size_t kEqualReads = 3;

// What the acts of the cycle step are about.
constexpr const char* kTheCycle = "";
constexpr const char* kTheHost = "host";

bool awaitsTray(const StepContext& context) { return awaitedPower(context) == Awaited::TrayCycle; }

Task<Result<Seen>> lookOff(StepContext& context) {
  if (awaitedPower(context) == Awaited::Nothing) co_return Seen::Done;
  hostIsOff(context);
  const auto off = co_await lookHostOff(context);
  if (!off || *off != Seen::Todo) co_return off;
  const auto runs = co_await lookWhetherAnyRuns(context);
  if (!runs) co_return runs.error();
  co_return *runs ? Seen::Busy : Seen::Todo;
}

Task<Result<Seen>> lookCopied(StepContext& context) {
  if (!awaitsTray(context)) co_return Seen::Done;
  const auto done = co_await context.bmc().backgroundCopyDone();
  if (!done) co_return done.error();
  context.waitFor("background copy of the roots of trust");
  co_return *done ? Seen::Done : Seen::Busy;
}

Task<Result<Seen>> lookCycled(StepContext& context) {
  if (!awaitsTray(context)) co_return Seen::Done;
  context.chooseItem(kTheCycle);
  // An earlier run's cycle was judged before; if it is still here, it came to nothing.
  const auto asked = context.wasIntended() ? askedRestart(context) : std::nullopt;
  const auto state = co_await context.flasher().state();
  const bool away = !state && asked && absentAsExpected(context, state.error(), asked->at);
  if (!state && !away) co_return state.error();
  const auto became = !asked ? Became::Nothing : away ? Became::MayBegin : becameOf(context, *asked, *state);
  if (became == Became::MayBegin) {
    context.waitFor(away ? "the BMC to come back from the power cycle" : "the power cycle to begin");
    co_return Seen::Busy;
  }
  if (became != Became::Nothing) {
    concludeRestart(context);
    trayCycled(context, *asked, became);  // also if it was at another time: the versions decide
    if (!awaitsTray(context)) co_return Seen::Done;
  }
  const auto runs = co_await lookWhetherAnyRuns(context);
  if (!runs) co_return runs.error();
  if (*runs) co_return Seen::Busy;
  if (hostWasSwitchedOff(context)) {  // somebody may have switched it on again since (fault 18)
    const auto off = co_await lookHostOff(context);
    if (!off) co_return off;
    if (*off == Seen::Todo) context.chooseItem(kTheHost);
    if (*off != Seen::Done) co_return off;
  }
  intendRestart(context, kTray, *state);
  co_return Seen::Todo;
}

Task<Result<void>> cycle(StepContext& context) {
  if (context.item() == kTheHost) co_return co_await switchHostOff(context);
  const auto done = co_await context.flasher().auxPowerCycle();
  restartAnswered(context, done);
  if (!done && done.error().code == Errc::Unsupported)
    co_return failure(
        "firmware.not_applied",
        fmt::format("{}: cycle the tray's power by hand, then retry the run", done.error().what));
  co_return done;
}

Task<Result<Seen>> lookBaseboard(StepContext& context) {
  const auto cycled = cycledAt(context);
  if (!cycled) co_return Seen::Done;
  context.waitFor("the HGX baseboard to come back");
  const auto state = co_await context.flasher().state();
  if (!state && absentAsExpected(context, state.error(), *cycled)) co_return Seen::Busy;
  if (!state) co_return state.error();
  co_return state->baseboardPresent ? Seen::Done : Seen::Busy;
}

Task<Result<Seen>> lookOn(StepContext& context) {
  if (!hostWasSwitchedOff(context)) co_return Seen::Done;
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  hostCycled(context);  // it was off since everything was written
  const bool on = host->power == HostPower::On || host->power == HostPower::PoweringOn;
  if (!on) co_return Seen::Todo;
  hostIsOnAgain(context);
  co_return Seen::Done;
}

// What was seen to be written and is still old gets the tray's power cycle, if none was seen for certain: a cycle costs
// minutes, another flash may cost the part.
bool cycleFirst(StepContext& context, const Versions& versions) {
  bool any = false;
  for (const auto& entry : context.target().baseline.entries) {
    const auto package = packageKey(entry);
    const auto written = writtenOf(context, package);
    const auto cycled = cycledOf(context, package);
    const bool seen = written != Written::No && written != Written::Lost;
    if (!seen || cycled == Cycled::Yes || isAlive(entry, versions)) continue;
    if (cycled == Cycled::Perhaps) setCycled(context, package, Cycled::Not);
    setWritten(context, package, Written::Unmoved);
    any = true;
  }
  return any;
}

Task<Result<Seen>> lookVersions(StepContext& context) {
  const auto versions = co_await context.flasher().firmware();
  if (!versions) co_return versions.error();
  const auto& baseline = context.target().baseline;
  auto& equal = context.scratch("equal_reads");
  auto& lastRead = context.scratch("last_read");
  auto& behindFrom = context.scratch("behind_from");  // of the time spent here: out of contact nothing settles
  if (const auto unlisted = firstUnlisted(baseline, *versions); !unlisted.empty()) {
    context.waitFor(unlisted + " to be listed");
    equal.clear();
    behindFrom.clear();
    co_return Seen::Busy;
  }
  if (const auto behind = firstBehind(baseline, *versions); !behind.empty()) {
    context.waitFor(behind);
    equal.clear();
    const auto spent = context.spent().count();
    if (behindFrom.empty()) behindFrom = std::to_string(spent);
    if (spent - std::stoll(behindFrom) < kVersionsSettle.count()) co_return Seen::Busy;
    if (!cycleFirst(context, *versions)) forgetFirmware(context);
    co_return Seen::Todo;
  }
  behindFrom.clear();
  if (!writtenPackages(context).empty()) {
    if (lastRead.empty() || toMillis(context.now()) - std::stoll(lastRead) >= kBetweenReads.count()) {
      equal += '|';
      lastRead = std::to_string(toMillis(context.now()));
    }
    context.waitFor(fmt::format("versions read back {} of {} times", equal.size(), kEqualReads));
    if (equal.size() < kEqualReads) co_return Seen::Busy;
  }
  const auto& node = context.node();
  Evidence evidence{node.id,      context.run().id, "firmware", "", {fmt::format("serial:{}", node.serial)},
                    context.now()};
  Json shown = Json::object();
  for (const auto& entry : baseline.entries)
    for (const auto& wanted : entry.components)
      for (const auto& item : *versions)
        if (matches(wanted.match, item.id)) {
          shown[item.id] = item.version;
          evidence.dependsOn.push_back(fmt::format("fw:{}={}", item.id, item.version));
        }
  std::sort(evidence.dependsOn.begin(), evidence.dependsOn.end());
  evidence.value = shown.dump();
  context.leave(PutFirmware{node.id, *versions});  // what rested on the old versions holds no longer
  context.leave(PutEvidence{std::move(evidence)});
  forgetFirmware(context);
  co_return Seen::Done;
}

}  // namespace

namespace {

Step writeStep() {
  return {
      .id = "firmware.write",
      .title = "Write the baseline's firmware",
      .about =
          "Goes through the baseline in its order. An entry whose components are all at the wanted version "
          "is left alone. For any other, read twice, its package is sent, one at a time, never while another "
          "update runs on the machine, and 35 s apart. Where the entry's activation is `bmc_reset`, the BMC "
          "is then restarted. What was sent and got no answer is looked for in the machine's own tasks and "
          "versions before it is ever sent again. A task of ours that stands still for 45 minutes, or still "
          "runs "
          "after 2 hours and stands still, is ended by a restart of the BMC: then the versions tell.",
      .look = lookAllWritten,
      .act = writeOrRestart,
      .settle = kTaskListed,
      .deadline = 4h,  // of which a stuck task may take two
      .needs = {.duringAct = Budget::Upload, .duringStep = Budget::Flash},
      .overdue = "firmware.not_applied",
      .spent = "firmware.rejected",
      .stillRuns = lookWhetherOneRuns};
}

Step cycleStep() {
  return {
      .id = "firmware.aux_cycle",
      .title = "Cycle the tray's standby power",
      .about =
          "Only if something written waits for it: cycles the tray's standby power, which takes BMC and host "
          "down with it for some minutes (a switch tray: restarts its system). Not while an update runs on "
          "the machine.",
      .look = lookCycled,
      .act = cycle,
      .effect = Effect::Transient,
      .repeat = Repeat::Safe,  // what was not seen to happen costs minutes more
      .settle = 60s,
      .deadline = 4h,  // as above
      .spent = "power.stuck"};
}

Step verifyStep() {
  return {
      .id = "firmware.verify",
      .title = "Read the versions back",
      .about =
          "Reads the versions of everything that the baseline names. Where something was written they must "
          "be right three times, 30 s apart. What is still old after eight minutes gets the power cycle that "
          "it may have missed, else it is written again. Evidence that rested on other versions ends here.",
      .look = lookVersions,
      .poll = 15s,
      .deadline = 1h,
      .maxTries = 3,
      .overdue = "firmware.not_applied",
      .spent = "firmware.not_applied",
      .again = "firmware.write"};
}

}  // namespace

std::vector<Step> firmwareSteps() {
  return {
      writeStep(),
      {.id = "firmware.off",
       .title = "Switch the host off for activation",
       .about =
           "Only if something written waits for a power cycle: the host is switched off at once, whatever it "
           "runs, when no update runs on the machine any more.",
       .look = lookOff,
       .act = switchHostOff,
       .settle = 30s,
       .poll = 5s,
       .deadline = 4h,  // as the writes: somebody else's may have to end first
       .spent = "power.stuck"},
      {.id = "firmware.copied",
       .title = "Wait for the roots of trust to finish copying",
       .about =
           "Only if something written waits for the tray's power cycle: waits until the roots of trust have "
           "copied the new firmware to their second flash. A cycle before that can cost the part.",
       .look = lookCopied,
       .overdue = "firmware.not_applied"},
      cycleStep(),
      {.id = "firmware.baseboard",
       .title = "Wait for the HGX baseboard",
       .about = "After that cycle: waits until BMC and HGX baseboard answer again.",
       .look = lookBaseboard,
       .deadline = 20min,
       .overdue = "firmware.hgx_missing"},
      {.id = "firmware.on",
       .title = "Switch the host on",
       .about = "Switches the host on again, if this run switched it off.",
       .look = lookOn,
       .act = switchHostOn,
       .settle = 30s,
       .poll = 5s,
       .spent = "power.stuck"},
      verifyStep(),
  };
}

std::vector<Step> firmwareWithoutHostSteps() { return {writeStep(), verifyStep()}; }
std::vector<Step> firmwareBySwitchOsSteps() { return {writeStep(), cycleStep(), verifyStep()}; }

}  // namespace zellige::workflows
