// A run that is cancelled at any minute of the firmware steps, and the run after it: machines of every kind get every
// package once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflows/retried_tray.hpp"

namespace zellige::test {
namespace {

class Inherited : public testing::TestWithParam<Kind> {};

TEST_P(Inherited, IsWrittenAndCycledOnce) {
  int cancelled = 0;
  for (auto after = 10s;; after += 50s) {
    RetriedTray t(GetParam());
    t.site.boot();
    t.id = t.start();
    t.cancelAfter(after);
    if (t.run().state != RunState::Cancelled) break;
    ++cancelled;
    SCOPED_TRACE(testing::Message() << "cancelled after " << after.count() << " s, in " << t.run().step);
    t.site.run(GetParam().between);
    t.startAgain();
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(t.machine().count("push package-bmc"), 1);
    EXPECT_EQ(t.machine().count("push package-hgx"), 1);
    EXPECT_GE(t.machine().count("aux"), 1);
    EXPECT_LE(t.machine().count("aux"), GetParam().cycles);
    EXPECT_LE(t.machine().count("bmc"), 1);
    EXPECT_EQ(t.machine().count("off"), t.machine().count("aux"));
    EXPECT_EQ(t.machine().duplicates, 0);
    EXPECT_EQ(t.machine().interrupted, 0);
    EXPECT_TRUE(t.machine().staged.empty());
    EXPECT_EQ(t.machine().versions["HGX_FW_GPU_0"], "2");
    EXPECT_EQ(t.machine().power, HostPower::On);
  }
  EXPECT_GT(cancelled, 20);
}

INSTANTIATE_TEST_SUITE_P(Machines, Inherited, testing::ValuesIn(kinds()), NameOfKind{});

TEST(Inheritance, IsThatOfTheLastRunOfTheWorkflowThoughAnotherCameBetween) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.site.boot();
  t.id = t.start();
  t.cancelAfter(5min);
  t.id = t.start();
  t.cancelAfter(30s);  // it saw the task run, and wrote nothing
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done);
  EXPECT_EQ(t.machine().count("push"), 2) << "two packages";
  EXPECT_EQ(t.machine().duplicates, 0);
}

// The next run wants something else: what was written is not what it looks for, and it is written over.
TEST(Inheritance, AnotherPackageIsWritten) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.site.boot();
  t.id = t.start();
  t.cancelAfter(12min);
  t.want("package-newer", "3");
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push package-newer"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().versions["FW_BMC_0"], "3");
}

TEST(Inheritance, OutlivesARunThatWantedSomethingElse) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.site.boot();
  t.id = t.start();
  t.cancelAfter(12min);
  const auto wanted = t.target();
  t.want("package-newer", "3");
  t.id = t.start();
  t.cancelAfter(1s);
  t.target() = wanted;
  t.target().baseline.entries.front().id = "renamed";
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push package-bmc"), 1);
  EXPECT_EQ(t.machine().duplicates, 0);
}

// Two packages at once exhaust a BMC's memory, and one may be written for 15 minutes without being listed.
TEST(Inheritance, NoOtherPackageIsPushedBesideOneThatMayStillBeWritten) {
  RetriedTray t({"", [](FakeBmc& m) {
                   m.namesTasks = false;
                   m.forgetsTasks = true;
                   m.lag = 1h;
                 }});
  t.site.boot();
  t.id = t.start();
  t.cancelAfter(1min);
  ASSERT_EQ(t.machine().count("push package-bmc"), 1);
  t.want("package-newer", "3");
  t.id = t.start();
  t.site.run(10min);
  EXPECT_EQ(t.machine().count("push package-newer"), 0);
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.machine().count("push package-newer"), 1);
}

TEST(Inheritance, APowerCycleThatIsAboutToBeginIsWaitedFor) {
  for (const bool dates : {true, false}) {
    RetriedTray t({"", [](FakeBmc&) {}});
    t.machine().dates = dates;
    t.machine().cycleBegins = 60s;
    t.site.boot();
    t.id = t.start();
    t.cancelIn("firmware.aux_cycle");
    t.want("package-newer", "3");
    t.id = t.start();
    t.cancelAfter(1s);
    t.id = t.start();
    t.site.run(55s);
    EXPECT_EQ(t.machine().count("push package-newer"), 0) << "its power is about to go";
    t.site.runToEnd(t.id, 48h);
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(t.machine().count("aux"), 2) << "one for each package";
    EXPECT_EQ(t.machine().duplicates, 0);
  }
}

// The cycle was asked for, no reply came, and nothing happened.
TEST(Inheritance, AHalfAwakeBmcThatTellsNoResetTimeProvesNoCycle) {
  RetriedTray t({"", [](FakeBmc& m) {
                   m.refuse["aux"] = {Error{Errc::Timeout, "no reply in time", true}};
                   m.ignores = "aux";
                 }});
  t.site.boot();
  t.id = t.start();
  t.site.runUntil([&] { return t.machine().count("aux") == 1; }, 24h);
  t.cancelAfter(1s);
  t.machine().ignores.clear();
  t.machine().dates = false;
  t.id = t.start();
  t.site.run(10min);
  t.machine().dates = true;
  t.site.runToEnd(t.id, 48h);
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push"), 2) << "two packages";
  EXPECT_EQ(t.machine().count("aux"), 2) << "the one that came to nothing, and ours";
}

// The cycle never reached the BMC, and somebody restarted the BMC alone: what is written still waits for the cycle.
TEST(Inheritance, ABmcRestartByHandIsNoPowerCycle) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.site.boot();
  t.id = t.start();
  t.site.runUntil([&] { return t.site.points.passed().back() == "write.before aux"; }, 24h);
  t.site.boot();
  ASSERT_EQ(t.machine().count("aux"), 0);
  ASSERT_EQ(t.run().act().phase, ActPhase::Intended);
  t.cancelAfter(1ms);
  t.machine().restartBmc();
  t.site.run(1h);
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push"), 2) << "two packages";
  EXPECT_EQ(t.machine().count("aux"), 1);
}

// It agreed, nothing happened, and hours later somebody restarted the BMC alone.
TEST(Inheritance, ABmcRestartLongAfterAnAgreedCycleIsNoPowerCycle) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.machine().ignores = "aux";
  t.site.boot();
  t.id = t.start();
  t.cancelIn("firmware.aux_cycle");
  t.machine().ignores.clear();
  t.site.run(2h);
  t.machine().restartBmc();
  t.site.run(1h);
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push"), 2) << "two packages";
  EXPECT_EQ(t.machine().count("aux"), 2);
}

// Its new version is not listed yet: that is no reason to take its power while it may apply it.
TEST(Inheritance, AHostThatWasSwitchedOffAndOnIsNotSwitchedOffAgain) {
  RetriedTray t({"", [](FakeBmc&) {}, Activation::HostCycle});
  t.machine().versions["HGX_FW_GPU_0"] = "2";
  t.machine().neverApplied = 1;
  t.site.boot();
  t.id = t.start();
  t.cancelIn("firmware.on");
  t.id = t.start();
  t.site.run(7min);
  EXPECT_EQ(t.run().step, "firmware.verify");
  EXPECT_EQ(t.machine().count("off"), 1);
}

TEST(Inheritance, WaitsForWhatTheCorrectedBaselineSays) {
  RetriedTray t({"", [](FakeBmc&) {}, Activation::BmcReset});
  t.machine().packages["package-bmc"].activation = Activation::AuxCycle;
  const Error no{Errc::Rejected, "400 not supported"};
  t.machine().refuse["bmc"] = {no, no, no};
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  t.target().digest = "corrected";
  t.target().baseline.entries.front().activation = Activation::AuxCycle;
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push package-bmc"), 1);
  EXPECT_EQ(t.machine().count("aux"), 1);
}

// Of what was written first no version tells any more, and the BMC cannot cycle the tray.
TEST(Inheritance, ATrayThatWasCycledByHandIsNotAskedForAgain) {
  for (const bool setBack : {false, true}) {
    RetriedTray t({"", [](FakeBmc&) {}});
    const Error none{Errc::Unsupported, "platform generic has no aux power cycle"};
    t.machine().refuse["aux"] = {none, none, none};
    EXPECT_EQ(t.runToEnd(), RunState::Failed);
    EXPECT_THAT(t.causes(), testing::ElementsAre("firmware.not_applied"));
    t.machine().cycleByHand();
    t.site.run(20min);
    t.machine().refuse.clear();
    t.machine().lostRequests["aux"] = 99;
    if (setBack) t.want("package-old", "1");
    t.target().baseline.entries.front().activation = setBack ? Activation::None : Activation::AuxCycle;
    if (setBack) t.machine().packages["package-old"].activation = Activation::None;
    t.startAgain();
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(t.machine().count("push"), setBack ? 3 : 2);
    EXPECT_EQ(t.machine().versions["FW_BMC_0"], setBack ? "1" : "2");
    EXPECT_EQ(t.machine().power, HostPower::On);
  }
}

// The board was swapped, or the flash came to nothing, and no reset time tells that the person did cycle the tray.
TEST(Inheritance, WhoHasCycledTheTrayTwiceIsBelieved) {
  for (const bool dates : {true, false}) {
    RetriedTray t({"", [](FakeBmc&) {}});
    t.machine().dates = dates;
    t.machine().refuse["aux"] = std::vector<Error>(9, Error{Errc::Unsupported, "no aux power cycle"});
    EXPECT_EQ(t.runToEnd(), RunState::Failed);
    t.machine().staged.clear();
    for (int retries = 0; retries < 3 && t.run().state == RunState::Failed; ++retries) {
      t.machine().cycleByHand();
      t.site.run(20min);
      t.startAgain();
    }
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.machine().writes);
    EXPECT_EQ(t.machine().count("push"), 4) << "two packages, twice";
  }
}

TEST(Inheritance, APersonWhoDidNotCycleTheTrayIsToldAgain) {
  for (const bool dates : {true, false}) {
    RetriedTray t({"", [](FakeBmc&) {}});
    t.machine().dates = dates;
    t.machine().refuse["aux"] = std::vector<Error>(9, Error{Errc::Unsupported, "no aux power cycle"});
    EXPECT_EQ(t.runToEnd(), RunState::Failed);
    t.machine().restartBmc();
    t.site.run(10min);
    t.startAgain();
    EXPECT_EQ(t.run().state, RunState::Failed);
    EXPECT_THAT(t.causes(), testing::ElementsAre("firmware.not_applied"));
    t.machine().cycleByHand();
    t.site.run(10min);
    t.startAgain();
    EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
    EXPECT_EQ(t.machine().count("push"), 2) << "two packages";
    EXPECT_EQ(t.machine().power, HostPower::On);
  }
}

// What it refused it may have been made to do by hand; a restart of the BMC alone is none of that.
TEST(Inheritance, ABmcRestartAfterARefusedPowerCycleIsNone) {
  RetriedTray t({"", [](FakeBmc&) {}});
  const Error no{Errc::Rejected, "400 the host is on"};
  t.machine().refuse["aux"] = {no, no, no};
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  t.machine().restartBmc();
  t.site.run(9min);
  t.want("package-old", "1");
  t.target().baseline.entries.pop_back();
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_TRUE(t.machine().staged.empty()) << "nobody wants it, and it is there";
  EXPECT_EQ(t.machine().versions["FW_BMC_0"], "1");
}

TEST(PackageKey, IsOfThePackageAndItsTargetsInAnyOrder) {
  using workflows::packageKey;
  Baseline::Entry entry{"a", "digest", {"/Chassis/1/FW", "/Chassis/2/FW"}, {}, Activation::None, false};
  auto other = entry;
  std::swap(other.targets.front(), other.targets.back());
  other.id = "b";
  EXPECT_EQ(packageKey(entry), packageKey(other));
  other.targets = {"/Chassis/3/FW", "/Chassis/2/FW"};
  EXPECT_NE(packageKey(entry), packageKey(other)) << "the same last segments";
  other.targets.clear();
  EXPECT_NE(packageKey(entry), packageKey(other));
}

TEST(Inheritance, ARunThatIsNotOverIsAConflict) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.site.boot();
  t.id = t.start();
  const auto again = t.tryStart();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::Conflict);
}

TEST(Inheritance, AWriteThatIsKnownToHaveFailedIsNotCycledFor) {
  RetriedTray t({"", [](FakeBmc&) {}});
  t.machine().failTasks = 3;
  EXPECT_EQ(t.runToEnd(), RunState::Failed);
  EXPECT_THAT(t.causes(), testing::ElementsAre("firmware.rejected"));
  t.machine().restartBmc();  // by hand: it forgets its tasks
  t.site.run(10min);
  t.startAgain();
  EXPECT_EQ(t.run().state, RunState::Done) << testing::PrintToString(t.causes());
  EXPECT_EQ(t.machine().count("push package-bmc"), 4);
  EXPECT_EQ(t.machine().count("aux"), 1);
  EXPECT_EQ(t.machine().duplicates, 0);
}

TEST(Inheritance, ARunThatCameToItsEndLeavesNothing) {
  RetriedTray t({"", [](FakeBmc&) {}});
  EXPECT_EQ(t.runToEnd(), RunState::Done);
  for (const auto& [key, value] : t.run().facts)
    EXPECT_FALSE(key.starts_with(workflows::kFirmwareFacts)) << key << " is kept, and would only take memory";
  t.machine().versions["FW_BMC_0"] = "1";  // by hand
  t.startAgain();
  EXPECT_EQ(t.machine().count("push package-bmc"), 2);
  EXPECT_EQ(t.machine().count("aux"), 2);
}

}  // namespace
}  // namespace zellige::test
