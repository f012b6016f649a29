// Every fault fires, does what FACTS section 12 says, and has an expectation.
#include "tests/drivers/simulator/faulty.hpp"

namespace zellige::sim {
namespace {

TEST(Faults, F01AnswersBusyAndAppliesNothing) {
  Hall hall(with(FaultKind::Busy503, 1));  // the password change passes
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_FALSE(fired(hall, FaultKind::Busy503));
  const auto d = bmc.reset("On");
  EXPECT_EQ(d.reply.status, 503);
  EXPECT_EQ(d.reply.headers.get("Retry-After"), "5");
  EXPECT_FALSE(bmc.truth().hostOn);
  EXPECT_TRUE(fired(hall, FaultKind::Busy503));
  EXPECT_EQ(bmc.reset("On").reply.status, 200);
}

TEST(Faults, F02IsBusyInPlainTextAndAppliesNothing) {
  Hall hall(with(FaultKind::BusyPlainText, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto d = bmc.reset("On");
  EXPECT_EQ(d.reply.status, 503);
  EXPECT_EQ(d.reply.headers.get("Content-Type"), "text/plain");
  EXPECT_FALSE(d.reply.headers.has("Retry-After"));
  EXPECT_FALSE(parseJson(d.reply.body));
  EXPECT_FALSE(bmc.truth().hostOn);
  EXPECT_TRUE(fired(hall, FaultKind::BusyPlainText));
  EXPECT_EQ(bmc.reset("On").reply.status, 200);
}

TEST(Faults, F03FailsOnOneUriForMinutesAndOnNoOther) {
  Hall hall(with(FaultKind::FailingResource, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.get(kManager).reply.status, 200);
  EXPECT_FALSE(fired(hall, FaultKind::FailingResource));
  EXPECT_EQ(bmc.get(kSystem).reply.status, 500);
  EXPECT_EQ(bmc.get(kManager).reply.status, 200);
  EXPECT_EQ(bmc.reset("On").reply.status, 200) << "what is below it answers";
  hall.pass(119s);
  EXPECT_EQ(bmc.get(kSystem + "/").reply.status, 500);
  hall.pass(3min + 2s);
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200);
  EXPECT_TRUE(fired(hall, FaultKind::FailingResource));
}

TEST(Faults, F04Answers401OnceWithAGoodToken) {
  Hall hall(with(FaultKind::StrayUnauthorized, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.get(kSystem).reply.status, 401);
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200) << "the token was good all the time";
  EXPECT_TRUE(fired(hall, FaultKind::StrayUnauthorized));
}

TEST(Faults, F05WritesThePasswordChangeAsXhtml) {
  Hall hall(with(FaultKind::PasswordXhtml));
  Bmc bmc(hall, 0);
  ASSERT_EQ(bmc.login(Identity(1, 0).factoryPassword()), 201);
  EXPECT_FALSE(fired(hall, FaultKind::PasswordXhtml)) << "no reply has changed yet";
  const auto d = bmc.get("/redfish/v1/Systems");
  EXPECT_EQ(d.reply.status, 403);
  EXPECT_TRUE(d.reply.body.starts_with("<?xml"));
  EXPECT_FALSE(parseJson(d.reply.body));
  EXPECT_TRUE(fired(hall, FaultKind::PasswordXhtml));
  bmc.takeOver();
  EXPECT_EQ(bmc.get("/redfish/v1/Systems").reply.status, 200);
}

TEST(Faults, F06HasNoFreeSessionUntilThoseThatOthersLeftEnd) {
  Hall hall(with(FaultKind::SessionTableFull, 2));  // the two sign-ins of the password change pass
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto token = bmc.token();
  const auto login = [&] {
    return bmc.post("/redfish/v1/SessionService/Sessions",
                    R"({"UserName":"root","Password":"Site-Passw0rd"})");
  };
  const auto d = login();
  EXPECT_EQ(d.reply.status, 503);
  EXPECT_NE(d.reply.body.find("SessionLimitExceeded"), std::string::npos);
  EXPECT_TRUE(fired(hall, FaultKind::SessionTableFull));
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200) << "who has a session keeps it";
  EXPECT_EQ(bmc.json("/redfish/v1/SessionService/Sessions")["Members"].size(), 8u);
  hall.pass(4min);
  EXPECT_EQ(login().reply.status, 503);
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200);
  hall.pass(22min);
  EXPECT_EQ(login().reply.status, 201);
  EXPECT_EQ(hall.fleet.ledger().refusedPasswords(0), 0) << "nobody guessed";
}

TEST(Faults, F07IsLockedForTenMinutesByWhatOthersGuessed) {
  Hall hall(with(FaultKind::LockedOut, 1));  // the sign-in after the password change passes
  Bmc bmc(hall, 0);
  bmc.takeOver();
  const auto token = bmc.token();
  EXPECT_FALSE(fired(hall, FaultKind::LockedOut));
  EXPECT_EQ(bmc.loginAgain(), 401);
  EXPECT_TRUE(fired(hall, FaultKind::LockedOut));
  bmc.setToken(token);
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200) << "who is signed in stays so";
  EXPECT_TRUE(bmc.json("/redfish/v1/AccountService/Accounts/root")["Locked"].get<bool>());
  hall.pass(9min + 59s);
  EXPECT_EQ(bmc.loginAgain(), 401);
  hall.pass(2s);
  EXPECT_EQ(bmc.loginAgain(), 201);
  EXPECT_EQ(hall.fleet.ledger().refusedPasswords(0), 0) << "nobody compared them";
  EXPECT_EQ(hall.fleet.ledger().lockedPasswords(0), 2);
}

TEST(Faults, F07IsLockedBeforeAnybodyWasLetIn) {
  Hall hall(with(FaultKind::LockedAtFirst));
  Bmc bmc(hall, 0);
  const auto password = Identity(1, 0).factoryPassword();
  EXPECT_EQ(bmc.login(password), 401);
  EXPECT_TRUE(fired(hall, FaultKind::LockedAtFirst));
  hall.pass(9min + 59s);
  EXPECT_EQ(bmc.login(password), 401);
  hall.pass(2s);
  bmc.takeOver();
  EXPECT_EQ(hall.fleet.ledger().refusedPasswords(0), 0);
  ASSERT_EQ(hall.fleet.expectations().size(), 1u);
  EXPECT_EQ(hall.fleet.expectations()[0].cause, "bmc.credentials");
}

TEST(Faults, F08ClosesAReusedConnectionBeforeAnythingIsApplied) {
  Hall hall(with(FaultKind::ClosedOnReuse));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.get(kSystem).ending, Ending::Complete) << "a fresh connection";
  const auto d = bmc.send("POST", kSystem + "/Actions/ComputerSystem.Reset", R"({"ResetType":"On"})", {},
                          true);
  EXPECT_EQ(d.ending, Ending::CloseBeforeReply);
  EXPECT_FALSE(bmc.truth().hostOn);
  EXPECT_TRUE(fired(hall, FaultKind::ClosedOnReuse));
}

TEST(Faults, F08AppliesAndThenCloses) {
  Hall hall(with(FaultKind::AppliedThenClosed, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.get(kSystem).ending, Ending::Complete) << "reads are no acts";
  EXPECT_EQ(bmc.reset("On").ending, Ending::CloseBeforeReply);
  EXPECT_TRUE(bmc.truth().hostOn);
  EXPECT_TRUE(fired(hall, FaultKind::AppliedThenClosed));
}

TEST(Faults, F09CutsTheReplyToAReadShort) {
  Hall hall(with(FaultKind::CutShort, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.get(kSystem).ending, Ending::Complete);
  EXPECT_EQ(bmc.get(kSystem).ending, Ending::CutShort);
  EXPECT_EQ(bmc.get(kSystem).ending, Ending::Complete);
  EXPECT_TRUE(fired(hall, FaultKind::CutShort));
}

TEST(Faults, F10AppliesAndNeverAnswers) {
  Hall hall(with(FaultKind::SlowButApplied, 1));
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.pushBmcTray().ending, Ending::Never);
  EXPECT_TRUE(bmc.truth().flashing);
  EXPECT_TRUE(fired(hall, FaultKind::SlowButApplied));
}

TEST(Faults, AMissingGpuIsAbsentWhileItsProcessorSaysOk) {
  Hall hall(with(FaultKind::GpuMissing));
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_FALSE(fired(hall, FaultKind::GpuMissing));
  int missing = 0;
  for (int gpu = 0; gpu < 4; ++gpu) {
    const auto firmware = bmc.json(kInventory + fmt::format("HGX_FW_GPU_{}", gpu));
    const auto processor = bmc.json(fmt::format("/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_{}", gpu));
    const auto ports = bmc.json(processor["Ports"]["@odata.id"].get<std::string>());
    EXPECT_EQ(readString(processor, "Status/Health"), "OK");
    const bool gone = readString(firmware, "Status/State") == "Absent";
    missing += gone;
    EXPECT_EQ(processor.contains("Model"), !gone);
    EXPECT_EQ(processor.contains("SerialNumber"), !gone);
    EXPECT_EQ(ports["Members"].size(), gone ? 0u : 18u);
  }
  EXPECT_EQ(missing, 1);
  EXPECT_TRUE(fired(hall, FaultKind::GpuMissing));
  bootRamdisk(hall, bmc);
  EXPECT_EQ(listener.last().inventory.gpuSerials.size(), 3u);
  EXPECT_EQ(hall.fleet.expectations()[0].cause, "inventory.missing_part");
}

TEST(Faults, AWeakGpuViolatesTheLimitOfTheSitesPlan) {
  for (const bool weak : {false, true}) {
    Hall hall(weak ? with(FaultKind::WeakGpu) : FleetOptions{});
    Listener listener(hall);
    Bmc bmc(hall, 0);
    bmc.takeOver();
    bootRamdisk(hall, bmc);
    listener.order = {"burn-1", OrderKind::BurnIn, {}, {}, {}, {{"gpu_gemm", 1min}, {"nvlink", 1min}}, {}, {},
                      5s};
    hall.pass(3min);
    const auto& results = listener.last().burnIn.results;
    ASSERT_EQ(results.size(), 2u);
    // 2540 and 600 are the limits in plan.yaml (site_test checks that they are there).
    EXPECT_EQ(results[0].values.at("gemm_tflops_min") < 2540, weak);
    EXPECT_EQ(results[1].values.at("allreduce_gb_per_s") < 600, weak);
    EXPECT_EQ(fired(hall, FaultKind::WeakGpu), weak);
    EXPECT_EQ(hall.fleet.expectations().size(), weak ? 1u : 0u);
  }
}

TEST(Faults, ALeakShowsOnADetector) {
  for (const bool leaks : {false, true}) {
    Hall hall(leaks ? with(FaultKind::Leak) : FleetOptions{});
    Bmc bmc(hall, 0);
    bmc.takeOver();
    const auto detector = bmc.get(
        "/redfish/v1/Chassis/Chassis_0/ThermalSubsystem/LeakDetection/LeakDetectors/"
        "Chassis_0_LeakDetector_0_Manifold");
    ASSERT_EQ(detector.reply.status, 200);
    EXPECT_EQ(readString(Json::parse(detector.reply.body), "DetectorState"), leaks ? "Critical" : "OK");
    EXPECT_EQ(fired(hall, FaultKind::Leak), leaks);
  }
}

TEST(Faults, AreArmedWhenTheScriptSays) {
  FleetOptions options;
  options.scripted = {{0, FaultKind::Busy503, 1h, 0, 2}};
  Hall hall(options);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200);
  hall.pass(1h);
  bmc.loginAgain();
  EXPECT_EQ(bmc.get(kSystem).reply.status, 503);
  EXPECT_EQ(bmc.get(kSystem).reply.status, 503);
  EXPECT_EQ(bmc.get(kSystem).reply.status, 200);
}

FaultSchedule scheduleOf(int trays, std::uint64_t seed, FaultLevel level, bool asWanted = false) {
  FleetOptions fleet;
  fleet.trays = trays;
  fleet.seed = seed;
  fleet.faults = level;
  fleet.asWanted = asWanted;
  return {fleet, Time{}};
}

TEST(Schedule, HasFewFaultsWhenLightAndDefectsWhenHeavy) {
  constexpr int kTrays = 2'000;
  const auto schedule = [](FaultLevel level, bool asWanted = false) {
    return scheduleOf(kTrays, 7, level, asWanted);
  };
  EXPECT_TRUE(schedule(FaultLevel::None).all().empty());
  const auto light = schedule(FaultLevel::Light);
  EXPECT_TRUE(light.expectations().empty());
  EXPECT_NEAR(static_cast<double>(light.all().size()), 0.2 * kTrays, 80);
  const auto heavy = schedule(FaultLevel::Heavy);
  EXPECT_NEAR(static_cast<double>(heavy.expectations().size()), 0.03 * kTrays, 25);
  std::map<FaultKind, int> kinds;
  std::map<int, int> perMachine;
  for (const auto& [machine, kind] : heavy.all()) {
    ++kinds[kind];
    ++perMachine[machine];
  }
  EXPECT_EQ(kinds.size(), EnumNames<FaultKind>::table.size() - 3)
      << "every kind is in it, but for two that are only ever scripted and one of whole racks";
  EXPECT_GT(perMachine.size(), 0.75 * kTrays);
  for (const auto& [machine, count] : perMachine) EXPECT_LE(count, 4);
  for (const auto& expected : schedule(FaultLevel::Heavy, true).expectations())
    EXPECT_TRUE(expected.kind != FaultKind::HgxMissing && expected.kind != FaultKind::OldForGood)
        << "no update, nothing to miss";
}

TEST(Schedule, LetsTraysOfHeavyRacksPowerUpByThemselvesAndChangesNothingElse) {
  FleetOptions fleet;
  fillRacks(fleet, 20);
  fleet.faults = FaultLevel::Heavy;
  auto kinds = FaultSchedule(fleet, Time{}).all();
  const auto drawn = std::erase_if(kinds, [&](const auto& fault) {
    EXPECT_TRUE(fault.second != FaultKind::PowersUpByItself ||
                kindOf(fleet, fault.first) == MachineKind::ComputeTray);
    return fault.second == FaultKind::PowersUpByItself;
  });
  EXPECT_NEAR(static_cast<double>(drawn), 0.05 * 360, 12);
  fleet.shelvesPerRack = 0;
  const auto before = FaultSchedule(fleet, Time{}).all();
  std::erase_if(kinds, [&](const auto& fault) { return fault.first >= machinesOf(fleet); });
  EXPECT_EQ(kinds, before);
}

TEST(Schedule, IsTheSameForTheSameSeed) {
  const auto a = scheduleOf(500, 3, FaultLevel::Heavy), b = scheduleOf(500, 3, FaultLevel::Heavy),
             c = scheduleOf(500, 4, FaultLevel::Heavy);
  EXPECT_EQ(a.all(), b.all());
  EXPECT_NE(a.all(), c.all());
}

}  // namespace
}  // namespace zellige::sim
