// Power, POST, boot from media and disk, and the agent that a booted host runs.
#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

std::string progress(Bmc& bmc) {
  return readString(bmc.json(kSystem), "BootProgress/LastState").value_or("");
}
std::string power(Bmc& bmc) { return readString(bmc.json(kSystem), "PowerState").value_or(""); }

TEST(SimHost, StopsAfterPostWithoutAnythingToBoot) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  EXPECT_EQ(power(bmc), "Off");
  EXPECT_EQ(progress(bmc), "None");
  EXPECT_EQ(bmc.reset("On").reply.status, 200);
  EXPECT_TRUE(bmc.truth().hostOn);
  EXPECT_EQ(power(bmc), "Off") << "PowerState trails";
  hall.pass(4s);
  EXPECT_EQ(power(bmc), "On");
  hall.pass(20min);
  EXPECT_EQ(progress(bmc), "SystemHardwareInitializationComplete");
  EXPECT_TRUE(listener.reports.empty());
  EXPECT_FALSE(bmc.truth().osRunning);
}

TEST(SimHost, TakesItsTimeToGoOff) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bmc.reset("On");
  hall.pass(5s);
  EXPECT_EQ(bmc.reset("ForceOff").reply.status, 200);
  EXPECT_EQ(power(bmc), "On") << "PowerState trails";
  hall.pass(4s);
  EXPECT_EQ(power(bmc), "PoweringOff");
  EXPECT_EQ(bmc.auxCycle().reply.status, 400);
  hall.pass(2s);
  EXPECT_EQ(power(bmc), "Off");
  EXPECT_EQ(bmc.reset("ForceOff").reply.status, 400) << "already in the asked state: FACTS 2";
  EXPECT_EQ(bmc.reset("NoSuchType").reply.status, 400);
}

TEST(SimHost, BootsMediaOnceAndRunsTheAgentFromIt) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  ASSERT_EQ(bmc.insert(kMediaUrl).reply.status, 204);
  EXPECT_EQ(readBool(bmc.json(kSlot), "Inserted"), false) << "the slot says so late";
  hall.pass(3s);
  EXPECT_EQ(readBool(bmc.json(kSlot), "Inserted"), true);
  EXPECT_EQ(readString(bmc.json(kSlot), "Image"), kMediaUrl);
  ASSERT_EQ(bmc.bootFrom("Cd").reply.status, 204);
  bmc.reset("On");
  hall.pass(4min);
  EXPECT_EQ(progress(bmc), "SystemHardwareInitializationComplete");
  EXPECT_EQ(readString(bmc.json(kSystem), "Boot/BootSourceOverrideEnabled"), "Once");
  hall.pass(1min + 1s);
  EXPECT_EQ(progress(bmc), "OSBootStarted");
  EXPECT_EQ(readString(bmc.json(kSystem), "Boot/BootSourceOverrideEnabled"), "Disabled") << "consumed";
  hall.pass(1min);
  EXPECT_EQ(progress(bmc), "OSRunning");
  ASSERT_FALSE(listener.reports.empty());
  const auto& report = listener.reports.front();
  EXPECT_EQ(report.serial, "1333024020001");
  EXPECT_EQ(report.home, AgentHome::Ramdisk);
  EXPECT_EQ(report.inventory.gpuSerials.size(), 4u);
  EXPECT_EQ(report.inventory.cpus, 2);
  EXPECT_EQ(report.inventory.memoryGiB, 960);
  EXPECT_EQ(report.image.state, ImageState::None);
  EXPECT_EQ(listener.tokens.front(), "Bearer boot-token");
}

TEST(SimHost, ReportsEveryTimeItIsToldAndWithRisingSequence) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  hall.pass(60s);
  const auto before = listener.reports.size();
  EXPECT_NEAR(static_cast<double>(before), 13, 2);
  for (std::size_t i = 1; i < before; ++i)
    EXPECT_EQ(listener.reports[i].sequence, listener.reports[i - 1].sequence + 1);
  listener.order.reportEvery = 30s;
  hall.pass(10min);
  EXPECT_NEAR(static_cast<double>(listener.reports.size() - before), 20, 2);
}

TEST(SimHost, RepeatsAnUnansweredReportWithTheSameSequence) {
  Hall hall;
  Listener listener(hall);
  listener.refuseReports = 3;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  hall.pass(60s);
  ASSERT_GE(listener.reports.size(), 5u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(listener.reports[i].sequence, 1);
  EXPECT_EQ(listener.reports[4].sequence, 2);
  listener.silent = true;
  hall.pass(10min);
  const auto urls = listener.urls.size();
  EXPECT_LT(urls, 40u) << "it backs off";
  listener.silent = false;
  hall.pass(5min);
  EXPECT_GT(listener.last().sequence, listener.reports[4].sequence) << "it never gives up";
}

TEST(SimHost, WritesAnImageEndToEndAndBootsIt) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder();
  hall.pass(1min);
  EXPECT_EQ(listener.last().image.state, ImageState::Writing);
  EXPECT_EQ(listener.last().image.bytesDone, listener.image.size());
  EXPECT_TRUE(bmc.truth().diskWriting);
  EXPECT_EQ(bmc.truth().diskDigest, "");
  hall.pass(3min);
  EXPECT_EQ(listener.last().image.state, ImageState::Verified);
  EXPECT_EQ(bmc.truth().diskDigest, sha256Hex(listener.image));
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::ImageWrite), 1u) << "the same order, repeated, is one write";

  const auto ramdiskBoot = listener.last().bootId;
  ASSERT_EQ(bmc.eject().reply.status, 204);
  listener.order = {"wait-2", OrderKind::Wait, {}, {}, {}, {}, {}, {}, 5s};
  ASSERT_EQ(bmc.reset("ForceRestart").reply.status, 200);
  hall.pass(6min + 10s);
  EXPECT_EQ(listener.last().home, AgentHome::Os);
  EXPECT_EQ(listener.last().image.digest, listener.manifest.digest);
  EXPECT_EQ(listener.tokens.back(), "Bearer os-token") << "the seed came with the image";
  EXPECT_NE(listener.last().bootId, ramdiskBoot);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(SimHost, ASecondMachineWritesTheSameImage) {
  Hall hall;
  Listener listener(hall);
  listener.order = listener.writeOrder();
  for (int i = 0; i < 2; ++i) {
    Bmc bmc(hall, i);
    bmc.takeOver();
    bootRamdisk(hall, bmc);
    hall.pass(4min);
    EXPECT_EQ(bmc.truth().diskDigest, listener.manifest.digest);
  }
}

TEST(SimHost, RefusesAChunkWithAnotherDigest) {
  Hall hall;
  Listener listener(hall);
  listener.spoilChunk = true;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder();
  hall.pass(5min);
  EXPECT_EQ(listener.last().image.state, ImageState::Failed);
  EXPECT_NE(listener.last().image.error.find("chunk 1"), std::string::npos);
  EXPECT_EQ(bmc.truth().diskDigest, "");
  listener.spoilChunk = false;
  listener.order = listener.writeOrder("write-2");
  hall.pass(5min);
  EXPECT_EQ(listener.last().image.state, ImageState::Verified) << "a new order tries again";
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(SimHost, RefusesAManifestWhoseChunksMakeAnotherImage) {
  Hall hall;
  Listener listener(hall);
  listener.manifest.digest = sha256Hex("something else");
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder();
  hall.pass(5min);
  EXPECT_EQ(listener.last().image.state, ImageState::Failed);
  EXPECT_EQ(bmc.truth().diskDigest, "");
}

TEST(SimHost, FetchesAgainWhatDidNotArrive) {
  Hall hall;
  Listener listener(hall);
  listener.refuseImages = 3;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder();
  hall.pass(5min);
  EXPECT_EQ(listener.last().image.state, ImageState::Verified);
  listener.order = {"wait-2", OrderKind::Wait, {}, {}, {}, {}, {}, {}, 5s};
}

TEST(SimHost, LosesAHalfWrittenImageWithThePower) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder();
  hall.pass(1min);
  bmc.reset("ForceOff");
  hall.pass(10s);
  const auto reports = listener.reports.size();
  EXPECT_FALSE(bmc.truth().diskWriting);
  EXPECT_EQ(bmc.truth().diskDigest, "");
  hall.pass(10min);
  EXPECT_EQ(listener.reports.size(), reports) << "the agent is dead";
  bmc.bootFrom("Cd");
  bmc.reset("On");
  hall.pass(10min);
  EXPECT_EQ(listener.last().image.state, ImageState::Verified)
      << "the same order starts again after the boot";
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::ImageWrite), 2u);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
}

TEST(SimHost, RunsBurnInForItsTimeAndReportsNumbers) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  listener.order = {"burn-1", OrderKind::BurnIn,
                    {},       {},
                    {},       {{"cpu", 2min}, {"gpu_gemm", 4min}, {"warp_core", 1min}},
                    {},       {},
                    5s};
  hall.pass(2min + 20s);
  EXPECT_EQ(listener.last().burnIn.results.size(), 1u);
  EXPECT_FALSE(listener.last().burnIn.finished);
  hall.pass(5min);
  const auto& burnIn = listener.last().burnIn;
  EXPECT_TRUE(burnIn.finished);
  EXPECT_EQ(burnIn.orderId, "burn-1");
  ASSERT_EQ(burnIn.results.size(), 3u);
  EXPECT_GE(burnIn.results[1].values.at("gemm_tflops_min"), 2826);
  EXPECT_LE(burnIn.results[1].values.at("gemm_tflops_gpu3"), 2907);
  EXPECT_EQ(burnIn.results[1].values.at("errors"), 0);
  EXPECT_EQ(burnIn.results[2].outcome, TestOutcome::Skipped);
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::BurnIn), 1u);
}

TEST(SimHost, GoesUpAndDownSlowlyUnderALeaseAndOnlyWhileItIsRenewed) {
  Hall hall;
  Listener listener(hall);
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  const auto peak = [&] { return hall.fleet.power(""); };
  const auto finished = [&] { return listener.last().burnIn.finished; };
  listener.order = {"burn-1", OrderKind::BurnIn, {}, {}, {}, {{"cpu", 10min}}, {}, {6'000, 10min, 5min}, 30s};
  hall.pass(5min);
  EXPECT_NEAR(peak().watts, 0, 1) << "measured where it bends: it is on its way up";
  EXPECT_NEAR(peak().risePerMinute, 600, 1);
  listener.silent = true;  // after five minutes without an answer it goes down, from wherever it is
  hall.pass(20min);
  EXPECT_GT(peak().watts, 5'000);
  EXPECT_NEAR(peak().fallPerMinute, 600, 1);
  EXPECT_FALSE(finished());
  listener.silent = false;
  hall.pass(21min);  // up, what was left of the test, and not down yet
  EXPECT_NEAR(peak().watts, 6'000, 1);
  EXPECT_FALSE(finished());
  hall.pass(12min);
  EXPECT_TRUE(finished()) << "at idle again";
  EXPECT_EQ(hall.fleet.ledger().count(ActKind::BurnIn), 1u);
  EXPECT_LE(peak().risePerMinute, 600.001);
}

TEST(SimHost, BootsTheDiskWhenTheMediaCannotBeRead) {
  Hall hall;
  Listener listener(hall);
  listener.mediaIsThere = false;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  bootRamdisk(hall, bmc);
  hall.pass(10min);
  EXPECT_EQ(progress(bmc), "SystemHardwareInitializationComplete");
  EXPECT_EQ(std::count(listener.urls.begin(), listener.urls.end(), std::string(kMediaUrl)), 3);
  EXPECT_TRUE(listener.reports.empty());
}

TEST(SimHost, StartsAsWantedWithAnOsAgentOnceItHasASeed) {
  FleetOptions options;
  options.asWanted = true;
  Hall hall(options);
  Listener listener(hall);
  Bmc bmc(hall, 1);
  ASSERT_EQ(bmc.login(options.sitePassword), 201);
  EXPECT_EQ(progress(bmc), "OSRunning");
  EXPECT_EQ(bmc.version("FW_BMC_0"), "GB200Nvl-26.01-1");
  EXPECT_EQ(bmc.truth().diskDigest, siteImageDigest(1));
  hall.fleet.setAgentSeed(bmc.id(), Listener::media("seeded"));
  hall.pass(1s);
  ASSERT_FALSE(listener.reports.empty());
  EXPECT_EQ(listener.last().home, AgentHome::Os);
  EXPECT_EQ(listener.last().image.state, ImageState::Verified);
  EXPECT_EQ(listener.last().serial, hall.fleet.serial(bmc.id()));
}

}  // namespace
}  // namespace zellige::sim
