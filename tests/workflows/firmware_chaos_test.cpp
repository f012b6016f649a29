// Whatever comes together: lost requests and replies, crashes, outages, cancelled runs, other baselines, odd clocks,
// other people's updates, hands on the tray. In the end the tray has what is wanted, nothing was flashed twice and no
// power was cut beneath a write.
#include <gtest/gtest.h>

#include "controller/base/random.hpp"
#include "tests/workflows/retried_tray.hpp"

namespace zellige::test {
namespace {

class Chaos : public testing::TestWithParam<int> {};

struct Story {
  explicit Story(std::uint64_t seed) : random(seed), all(kinds()), tray(pick(all)) {
    auto& m = tray.machine();
    m.lag = 1s * random.between(1, 50);
    m.flashes = 1min * random.between(3, 14);
    m.versionLag = random.chance(0.3) ? 1min * random.between(1, 7) : Duration{0};
    m.cycleBegins = random.chance(0.3) ? 1s * random.between(1, 60) : Duration{0};
    m.namesTasks = random.chance(0.7);
    m.uploads = random.chance(0.3) ? 1s * random.between(1, 400) : 100ms;
    tray.site.boot();
    tray.id = tray.start();
  }
  const Kind& pick(const std::vector<Kind>& from) {
    const auto& kind = from[static_cast<std::size_t>(random.between(0, std::ssize(from) - 1))];
    told += kind.name;
    return kind;
  }
  void say(std::string what) {
    told += fmt::format("\n{:>6} s, {}: {}", toMillis(tray.site.time.now()) / 1000 % 1'000'000,
                        tray.run().step, what);
  }
  void lose() {
    const char* const acts[] = {"push", "aux", "bmc"};
    const auto* act = acts[random.between(0, 2)];
    if (random.chance(0.5)) {
      say(fmt::format("the next request is lost: {}", act));
      tray.machine().lostRequests[act] = 1;
    } else {
      say(fmt::format("the next reply is lost: {}", act));
      tray.machine().refuse[act] = {Error{Errc::Timeout, "no reply in time", true}};
    }
  }
  void die() {
    const auto dead = 1s * random.between(1, random.chance(0.5) ? 20 : 1500);
    say(fmt::format("the controller dies, for {} s", dead / 1s));
    tray.site.kill();
    tray.site.run(dead);
    tray.site.boot();
  }
  void beOutOfReach() {
    const auto away = 1s * random.between(1, random.chance(0.5) ? 60 : 1500);
    say(fmt::format("the BMC is out of reach, for {} s", away / 1s));
    tray.machine().broken = Error{Errc::Unreachable, "switch rebooted"};
    tray.site.run(away);
    tray.machine().broken.reset();
  }
  void misbehave() {
    auto& m = tray.machine();
    switch (random.between(0, 7)) {
      case 0:
        say("a task will fail");
        m.failTasks = 1;
        return;
      case 1:
        say("forgets tasks");
        m.forgetsTasks = m.dates;
        return;
      case 2:
        say("the next update is not applied");
        m.neverApplied = 1;
        return;
      case 3: return beHeld();
      case 4:
        if (tray.run().step == "firmware.aux_cycle") return;  // see touch()
        say("its clock is set");
        m.clockIsOff += 1s * random.between(-100'000, 100'000);
        return;
      case 5: return beUpdatedByAnother();
      case 6:
        say("a task will be stuck");
        m.stuckTasks = 1;
        return;
      default: break;
    }
    const auto hidden = 1s * random.between(1, 60);
    say(fmt::format("lists no task, for {} s", hidden / 1s));
    m.hidesTasks = true;
    tray.site.run(hidden);
    m.hidesTasks = false;
  }
  void beHeld() {
    const auto held = 1min * random.between(1, 60);
    say(fmt::format("held for {} min", held / 1min));
    tray.site.tables.holds[tray.node] = "amina looks at the cables";
    tray.site.run(held);
    tray.site.tables.holds.clear();
  }
  void beUpdatedByAnother() {
    const auto lasts = 1min * random.between(1, 60);
    say(fmt::format("somebody updates something else, for {} min", lasts / 1min));
    tray.machine().foreignTask = true;
    tray.site.run(lasts);
    tray.machine().foreignTask = false;
  }
  void touch() {
    if (tray.machine().writesNow()) return;
    // A restart just when the request to cycle was lost: nobody can tell it from the cycle.
    if (tray.run().step != "firmware.aux_cycle" && random.chance(0.5)) {
      say("somebody restarts the BMC");
      tray.machine().restartBmc();
    } else {
      say("somebody cycles the tray");
      tray.machine().cycleByHand();
    }
  }
  void wantAnother() {
    const auto version = std::to_string(random.between(1, 4));
    if (random.chance(0.3)) return;
    say("another baseline: " + version);
    tray.want(version == "2" ? "package-bmc" : "package-" + version, version);
    tray.target().digest += fmt::format(" {}", ++baselines);
  }
  void cancelAndRetry() {
    say("cancelled");
    tray.cancelAfter(1ms);
    wantAnother();
    if (random.chance(0.3)) tray.site.run(1min * random.between(1, 90));
    tray.id = tray.start();
  }
  void goOn() {
    tray.site.run(1s * random.between(1, 900));
    switch (random.between(0, 6)) {
      case 0: return lose();
      case 1: return die();
      case 2: return beOutOfReach();
      case 3: return misbehave();
      case 4: return touch();
      default: break;
    }
    if (tray.run().unfinished()) return cancelAndRetry();
    wantAnother();
    tray.id = tray.start();
  }

  Random random;
  std::string told;
  std::vector<Kind> all;
  RetriedTray tray;
  int baselines = 0;
};

TEST_P(Chaos, EndsAsWanted) {
  constexpr int kSeeds = 200;
  for (int i = 0; i < kSeeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(GetParam()) * kSeeds + static_cast<std::uint64_t>(i);
    Story story(seed);
    for (auto left = story.random.between(1, 8); left > 0; --left) story.goOn();
    auto& t = story.tray;
    t.site.runToEnd(t.id, 96h);
    auto& tray = t.machine();
    for (int retries = 0; t.run().state == RunState::Failed && retries < 2; ++retries) {
      if (tray.hasStuckTask()) tray.restartBmc();  // whose it is nobody can tell: a person was told to do it
      t.startAgain();
    }
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << story.told << "\n"
                                    << testing::PrintToString(tray.writes));
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(tray.duplicates, tray.needless);
    EXPECT_EQ(tray.interrupted, 0);
    EXPECT_FALSE(tray.writesNow());
    EXPECT_TRUE(tray.staged.empty()) << testing::PrintToString(tray.staged);
    EXPECT_EQ(tray.power, HostPower::On);
    for (const auto& entry : t.target().baseline.entries)
      EXPECT_EQ(tray.versions[entry.components.front().match], entry.components.front().version);
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Chaos, testing::Range(0, 10));

}  // namespace
}  // namespace zellige::test
