// Faults 11 to 20: of updates, and of the power that brings them alive.
#include "tests/drivers/simulator/faulty.hpp"

namespace zellige::sim {
namespace {

TEST(Faults, F11LosesTheTaskButTheUpdateIsDone) {
  Hall hall(with(FaultKind::TaskLostDone));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushBmcTray();
  hall.pass(641s);
  EXPECT_EQ(bmc.get("/redfish/v1").ending, Ending::Refuse) << "it restarts by itself";
  hall.pass(3min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.get(kTask + "0").reply.status, 404);
  EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-26.01-1");
  EXPECT_TRUE(fired(hall, FaultKind::TaskLostDone));
}

TEST(Faults, F12LosesTheTaskAndTheUpdate) {
  Hall hall(with(FaultKind::TaskLostNotDone));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushBmcTray();
  hall.pass(321s);
  EXPECT_FALSE(bmc.truth().bmcUp);
  hall.pass(20min);
  ASSERT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(bmc.get(kTask + "0").reply.status, 404);
  EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-24.12-8");
  EXPECT_EQ(bmc.truth().flashes, 0);
  EXPECT_EQ(bmc.truth().interruptedFlashes, 0) << "nobody cut it off";
  EXPECT_TRUE(fired(hall, FaultKind::TaskLostNotDone));
  bmc.pushBmcTray();
  hall.pass(11min);
  EXPECT_EQ(bmc.taskState("0"), "Completed");
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(Faults, F13SaysThatItWritesUntilTheBmcRestarts) {
  Hall hall(with(FaultKind::TaskStuck));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushBmcTray();
  hall.pass(24h);
  bmc.loginAgain();
  EXPECT_EQ(bmc.taskState("0"), "Running");
  EXPECT_EQ(readInt(bmc.json(kTask + "0"), "PercentComplete"), 40);
  EXPECT_TRUE(fired(hall, FaultKind::TaskStuck));
  EXPECT_FALSE(bmc.truth().flashing);
  EXPECT_EQ(bmc.pushCompute().reply.status, 503);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
  EXPECT_EQ(bmc.pushBmcTray().reply.status, 503);
  EXPECT_EQ(hall.fleet.ledger().duplicates().size(), 1u) << "it is written";
  bmc.resetBmc();
  hall.pass(4min);
  bmc.loginAgain();
  EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-26.01-1");
  EXPECT_EQ(bmc.truth().interruptedFlashes, 0);
  EXPECT_EQ(bmc.pushCompute().reply.status, 202);
}

TEST(Faults, F14CompletesAndIsCriticalAndWritesNothing) {
  Hall hall(with(FaultKind::CompletedCritical));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushBmcTray();
  hall.pass(11min);
  auto task = bmc.json(kTask + "0");
  EXPECT_EQ(readString(task, "TaskState"), "Completed");
  EXPECT_EQ(readString(task, "TaskStatus"), "Critical");
  EXPECT_EQ(readInt(task, "PercentComplete"), 100);
  EXPECT_EQ(bmc.truth().flashes, 0);
  EXPECT_TRUE(fired(hall, FaultKind::CompletedCritical));
  bmc.pushBmcTray();
  hall.pass(11min);
  EXPECT_EQ(readString(bmc.json(kTask + "1"), "TaskStatus"), "OK");
  bmc.resetBmc();
  hall.pass(4min);
  bmc.loginAgain();
  EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-26.01-1");
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(Faults, F14CutOffIsAnInterruptedFlashLikeAnyOther) {
  Hall hall(with(FaultKind::CompletedCritical));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushBmcTray();
  hall.pass(5min);
  bmc.resetBmc();
  hall.pass(4min);
  EXPECT_EQ(bmc.truth().interruptedFlashes, 1);
}

TEST(Faults, F15AgreesToAResetAndDoesNothing) {
  Hall hall(with(FaultKind::PowerUnmoved, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.reset("On").reply.status, 200);
  EXPECT_EQ(bmc.reset("On").reply.status, 400) << "changes nothing, and is no occasion";
  hall.pass(10min);
  const auto resetTime = [&] { return readString(bmc.json(kSystem), "LastResetTime"); };
  const auto before = resetTime();
  const auto d = bmc.reset("ForceRestart");
  EXPECT_EQ(d.reply.status, 202);
  EXPECT_EQ(d.reply.headers.get("Location"), kTask + "0/Monitor");
  EXPECT_EQ(bmc.taskState("0"), "Running");
  hall.pass(24s);
  const auto task = bmc.json(kTask + "0");
  EXPECT_EQ(readString(task, "TaskState"), "Exception");
  EXPECT_NE(task["Messages"][0]["Message"].get<std::string>().find("did not change"), std::string::npos);
  EXPECT_EQ(bmc.truth().boots, 1);
  EXPECT_EQ(resetTime(), before);
  EXPECT_TRUE(fired(hall, FaultKind::PowerUnmoved));
  EXPECT_EQ(bmc.reset("ForceRestart").reply.status, 200);
  EXPECT_EQ(bmc.truth().boots, 2);
  EXPECT_EQ(hall.fleet.ledger().duplicates().size(), 1u) << "the second On";
}

TEST(Faults, F15ResetAgainWhileItsTaskRunsIsADuplicate) {
  for (const std::string type : {"On", "ForceOff", "ForceRestart"}) {
    Hall hall(with(FaultKind::PowerUnmoved, type == "On" ? 0 : 1));
    Bmc bmc(hall, 0);
    bmc.takeOver();
    if (type != "On") bmc.reset("On");
    hall.pass(10min);
    EXPECT_EQ(bmc.reset(type).reply.status, 202);
    hall.pass(22s);
    const auto& duplicates = hall.fleet.ledger().duplicates();
    bmc.reset(type == "ForceOff" ? "GracefulShutdown" : "ForceOff");
    EXPECT_EQ(duplicates.size(), 0u) << "another one";
    bmc.reset(type);
    ASSERT_EQ(duplicates.size(), 1u) << type;
    EXPECT_NE(duplicates[0].why.find("being carried out"), std::string::npos) << duplicates[0].why;
  }
  Hall hall(with(FaultKind::PowerUnmoved));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.reset("On");
  hall.pass(23s);
  EXPECT_EQ(bmc.reset("On").reply.status, 200);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty()) << "the task had ended";
}

TEST(Faults, F16KeepsTheOldVersionUntilAnAuxCycle) {
  Hall hall(with(FaultKind::OldUntilAuxCycle));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushBmcTray();
  hall.pass(11min);
  const auto& ledger = hall.fleet.ledger();
  for (int i = 0; i < 4; ++i) {
    bmc.resetBmc();
    EXPECT_EQ(ledger.repeatsAllowed(), i > 0) << "once more: the first may have come to nothing";
    EXPECT_EQ(ledger.duplicates().size(), static_cast<std::size_t>(std::max(0, i - 1)));
    hall.pass(4min);
    bmc.loginAgain();
    EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-24.12-8");
  }
  bmc.auxCycle();
  hall.pass(9min);
  bmc.loginAgain();
  EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-26.01-1");
  EXPECT_TRUE(fired(hall, FaultKind::OldUntilAuxCycle));
}

TEST(Faults, F17KeepsOneOldVersionWhateverIsDone) {
  Hall hall(with(FaultKind::OldForGood));
  Bmc bmc(hall, 0), other(hall, 1);
  bmc.takeOver();
  other.takeOver();
  const auto differ = [&] {
    const auto mine = bmc.truth().firmware, its = other.truth().firmware;
    int count = 0;
    for (std::size_t i = 0; i < mine.size(); ++i) count += mine[i].active != its[i].active;
    return count;
  };
  for (int round = 0; round < 2; ++round) {
    for (auto* tray : {&bmc, &other}) {
      tray->pushCompute();
      hall.pass(10min);
      EXPECT_EQ(fired(hall, FaultKind::OldForGood), round > 0 || tray == &other);
      tray->auxCycle();
      hall.pass(20min);
      tray->loginAgain();
    }
    EXPECT_EQ(differ(), 1);
    EXPECT_EQ(hall.fleet.ledger().duplicates().size(), static_cast<std::size_t>(round) * 2)
        << "the whole tray has nothing pending; the one that fell back has";
  }
  const auto& ledger = hall.fleet.ledger();
  const auto duplicates = ledger.duplicates().size();
  EXPECT_EQ(ledger.repeatsAllowed(), 0) << "each cycle had firmware to bring alive";
  for (const std::size_t more : {0u, 1u}) {
    bmc.auxCycle();
    hall.pass(20min);
    bmc.loginAgain();
    EXPECT_EQ(ledger.duplicates().size(), duplicates + more);
    EXPECT_EQ(ledger.repeatsAllowed(), 1) << "once it may be tried again";
  }
  ASSERT_EQ(hall.fleet.expectations().size(), 1u);
  EXPECT_EQ(hall.fleet.expectations()[0].cause, "firmware.not_applied");
}

TEST(Faults, F17WrittenAFourthTimeIsADuplicate) {
  Hall hall(with(FaultKind::OldForGood));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  for (int writes = 1; writes <= 4; ++writes) {
    bmc.pushCompute();
    EXPECT_EQ(hall.fleet.ledger().duplicates().size(), writes > 3) << writes;
    hall.pass(10min);
    bmc.auxCycle();
    hall.pass(20min);
    bmc.loginAgain();
  }
  EXPECT_NE(hall.fleet.ledger().duplicates()[0].why.find("three times"), std::string::npos);
}

TEST(Faults, F18RefusesTheAuxCycleBecauseTheHostIsOnAgain) {
  Hall hall(with(FaultKind::HostOnAtAuxCycle));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.pushCompute();
  hall.pass(10min);
  const auto power = [&] { return readString(bmc.json(kSystem), "PowerState"); };
  EXPECT_EQ(power(), "Off");
  const auto d = bmc.auxCycle();
  EXPECT_EQ(d.reply.status, 400);
  EXPECT_NE(d.reply.body.find("ChassisPowerStateOffRequired"), std::string::npos);
  EXPECT_TRUE(bmc.truth().hostOn);
  EXPECT_TRUE(fired(hall, FaultKind::HostOnAtAuxCycle));
  hall.pass(5s);
  EXPECT_EQ(power(), "On");
  EXPECT_EQ(bmc.auxCycle().reply.status, 400) << "as long as it is on";
  bmc.reset("ForceOff");
  hall.pass(10s);
  EXPECT_EQ(bmc.auxCycle().reply.status, 200);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(Faults, F19IsGoneMoreThanFiveMinutesLongerAfterAnUpdate) {
  Hall hall(with(FaultKind::BmcSlowToReturn));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.resetBmc();
  hall.pass(3min + 4s);
  EXPECT_TRUE(bmc.truth().bmcUp) << "no update, no delay";
  bmc.loginAgain();
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.resetBmc();
  hall.pass(8min);
  EXPECT_FALSE(bmc.truth().bmcUp);
  EXPECT_TRUE(fired(hall, FaultKind::BmcSlowToReturn));
  hall.pass(6min);
  EXPECT_TRUE(bmc.truth().bmcUp);
}

TEST(Faults, F20HgxComesBackMinutesLate) {
  Hall hall(with(FaultKind::HgxLate));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.auxCycle();
  hall.pass(3min + 1min + 3min + 30s);  // the shortest BMC restart, then more than the longest start of HGX
  EXPECT_FALSE(bmc.truth().hgxPresent);
  hall.pass(8min);
  EXPECT_TRUE(bmc.truth().hgxPresent);
  EXPECT_TRUE(fired(hall, FaultKind::HgxLate));
  EXPECT_TRUE(hall.fleet.expectations().empty());
}

TEST(Faults, F20HgxNeverComesBack) {
  Hall hall(with(FaultKind::HgxMissing));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_TRUE(bmc.truth().hgxPresent);
  EXPECT_FALSE(fired(hall, FaultKind::HgxMissing));
  bmc.auxCycle();
  hall.pass(24h);
  bmc.loginAgain();
  EXPECT_EQ(bmc.get("/redfish/v1/Systems/HGX_Baseboard_0").reply.status, 404);
  bmc.resetBmc();
  hall.pass(1h);
  EXPECT_FALSE(bmc.truth().hgxPresent) << "a BMC reset does not help";
  EXPECT_TRUE(fired(hall, FaultKind::HgxMissing));
  EXPECT_LT(hall.fleet.busyUnion(bmc.id()).total, 30min) << "waiting for it is no work";
  ASSERT_EQ(hall.fleet.expectations().size(), 1u);
  EXPECT_EQ(hall.fleet.expectations()[0].cause, "firmware.hgx_missing");
}

}  // namespace
}  // namespace zellige::sim
