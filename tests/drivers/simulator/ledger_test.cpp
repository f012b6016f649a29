// The ledger's rules: each kind of duplicate is flagged, and its legitimate repeat is not.
#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

struct Rules : testing::Test {
  Rules() : listener(hall), bmc(hall, 0) { bmc.takeOver(); }
  std::size_t duplicates() const { return hall.fleet.ledger().duplicates().size(); }
  std::string why() const { return hall.fleet.ledger().duplicates().back().why; }
  void back() {
    hall.pass(9min);
    ASSERT_EQ(bmc.loginAgain(), 201);
  }
  Hall hall;
  Listener listener;
  Bmc bmc;
};

TEST_F(Rules, FirmwareWhileTheSameIsWritten) {
  bmc.pushBmcTray();
  hall.pass(1min);
  EXPECT_EQ(bmc.pushCompute().reply.status, 503);
  EXPECT_EQ(duplicates(), 0u) << "another package was only refused";
  EXPECT_EQ(bmc.pushBmcTray().reply.status, 503);
  ASSERT_EQ(duplicates(), 1u);
  EXPECT_EQ(hall.fleet.ledger().duplicates()[0].entry.kind, ActKind::FirmwareStart);
  EXPECT_EQ(hall.fleet.ledger().duplicates()[0].entry.component, "bmc_tray");
  EXPECT_NE(why().find("being written"), std::string::npos);
}

TEST_F(Rules, FirmwareThatIsPendingOrActive) {
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.pushBmcTray();
  EXPECT_EQ(duplicates(), 1u) << "pending";
  hall.pass(11min);
  bmc.resetBmc();
  back();
  bmc.pushBmcTray();
  EXPECT_EQ(duplicates(), 2u) << "active";
  EXPECT_NE(why().find("already pending or active"), std::string::npos);
}

TEST_F(Rules, FirmwareAgainAfterALostFlashIsNoDuplicate) {
  bmc.pushBmcTray();
  hall.pass(2min);
  bmc.resetBmc();  // cuts it off
  back();
  bmc.pushBmcTray();
  EXPECT_EQ(duplicates(), 0u);
  hall.pass(11min);
  bmc.pushCompute();
  EXPECT_EQ(duplicates(), 0u) << "another component";
}

TEST_F(Rules, OffWhileOff) {
  bmc.reset("ForceOff");
  EXPECT_EQ(duplicates(), 0u) << "nobody asked before";
  bmc.reset("On");
  hall.pass(6min);
  bmc.reset("GracefulShutdown");
  EXPECT_EQ(duplicates(), 0u);
  bmc.reset("ForceOff");
  EXPECT_EQ(duplicates(), 1u) << "on its way off";
  hall.pass(10s);
  bmc.reset("ForceOff");
  EXPECT_EQ(duplicates(), 2u) << "off";
  bmc.reset("On");
  hall.pass(6min);
  bmc.reset("ForceOff");
  EXPECT_EQ(duplicates(), 2u) << "it was on in between";
}

TEST_F(Rules, OnWhileOn) {
  bmc.reset("On");
  EXPECT_EQ(duplicates(), 0u);
  bmc.reset("On");
  EXPECT_EQ(duplicates(), 1u);
  hall.pass(6min);
  bmc.reset("ForceOff");
  hall.pass(10s);
  bmc.reset("On");
  EXPECT_EQ(duplicates(), 1u) << "it was off in between";
}

TEST_F(Rules, RestartWhileStillBooting) {
  bmc.reset("On");
  hall.pass(1min);
  bmc.reset("ForceRestart");
  EXPECT_EQ(duplicates(), 1u);
  hall.pass(1min);
  bmc.bootFrom("Cd");
  bmc.reset("ForceRestart");
  EXPECT_EQ(duplicates(), 1u) << "the boot override is new";
  hall.pass(1min);
  bmc.insert(kMediaUrl);
  bmc.reset("ForceRestart");
  EXPECT_EQ(duplicates(), 1u) << "the media is new";
  hall.pass(10min);
  bmc.reset("ForceRestart");
  EXPECT_EQ(duplicates(), 1u) << "the boot had ended";
}

TEST_F(Rules, BmcResetWithNothingPending) {
  bmc.resetBmc();
  EXPECT_EQ(duplicates(), 0u) << "the first may have its reasons";
  back();
  bmc.resetBmc();
  EXPECT_EQ(duplicates(), 1u);
  back();
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.resetBmc();
  EXPECT_EQ(duplicates(), 1u) << "firmware was pending";
}

TEST_F(Rules, BmcResetOrAuxCycleWhileTheFirstHasNotBegun) {
  bmc.pushBmcTray();
  hall.pass(11min);
  bmc.resetBmc();
  hall.pass(1s);
  bmc.resetBmc();
  ASSERT_EQ(duplicates(), 1u) << "firmware is pending still, but it is on its way";
  EXPECT_NE(why().find("being carried out"), std::string::npos);
  back();
  bmc.auxCycle();
  hall.pass(1s);
  bmc.auxCycle();
  EXPECT_EQ(duplicates(), 2u);
  EXPECT_TRUE(bmc.truth().bmcUp);
  hall.pass(3s);
  EXPECT_FALSE(bmc.truth().bmcUp);
}

TEST_F(Rules, HgxResetAgain) {
  const auto reset = [&] {
    return bmc.post("/redfish/v1/Managers/HGX_BMC_0/Actions/Manager.Reset", R"({"ResetType":"ForceRestart"})");
  };
  EXPECT_EQ(reset().reply.status, 200);
  EXPECT_EQ(duplicates(), 0u) << "the first may have its reasons";
  EXPECT_EQ(reset().reply.status, 404) << "it is away";
  EXPECT_EQ(duplicates(), 0u);
  hall.pass(4min);
  bmc.pushCompute();
  hall.pass(10min);
  EXPECT_EQ(reset().reply.status, 200);
  EXPECT_EQ(duplicates(), 1u) << "what is pending comes alive by a power cycle alone";
}

TEST_F(Rules, AuxCycleWithNothingPending) {
  bmc.auxCycle();
  back();
  bmc.auxCycle();
  EXPECT_EQ(duplicates(), 1u);
  back();
  bmc.pushCompute();
  hall.pass(10min);
  bmc.auxCycle();
  EXPECT_EQ(duplicates(), 1u) << "firmware was pending";
  back();
  bmc.reset("On");
  hall.pass(10s);
  EXPECT_EQ(bmc.auxCycle().reply.status, 400);
  EXPECT_EQ(duplicates(), 1u) << "refused: nothing happened";
}

TEST_F(Rules, AuxCycleAgainBecauseHgxStaysAwayIsNoDuplicate) {
  FleetOptions options;
  options.scripted = {{0, FaultKind::HgxMissing, {}, 0, 1}};
  Hall sick(options);
  Bmc one(sick, 0);
  one.takeOver();
  one.auxCycle();
  sick.pass(9min);
  one.loginAgain();
  one.auxCycle();
  EXPECT_TRUE(sick.fleet.ledger().duplicates().empty());
}

TEST_F(Rules, MediaWhileMediaIsInserted) {
  bmc.insert(kMediaUrl);
  EXPECT_EQ(bmc.insert(kMediaUrl).reply.status, 503);
  EXPECT_EQ(duplicates(), 1u);
  bmc.post("/redfish/v1/Managers/BMC_0/VirtualMedia/USB2/Actions/VirtualMedia.InsertMedia",
           R"({"Image":"http://10.0.0.9/b"})");
  EXPECT_EQ(duplicates(), 2u) << "in the other slot too";
  bmc.eject();
  bmc.post("/redfish/v1/Managers/BMC_0/VirtualMedia/USB2/Actions/VirtualMedia.EjectMedia");
  EXPECT_EQ(bmc.insert(kMediaUrl).reply.status, 204);
  EXPECT_EQ(duplicates(), 2u);
}

TEST_F(Rules, MediaAgainAfterTheBmcLostItIsNoDuplicate) {
  bmc.insert(kMediaUrl);
  bmc.resetBmc();
  back();
  EXPECT_EQ(bmc.insert(kMediaUrl).reply.status, 204);
  EXPECT_EQ(duplicates(), 0u);
}

TEST_F(Rules, ImageThatIsOnTheDiskOrBeingWritten) {
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder("one");
  hall.pass(1min);
  EXPECT_EQ(duplicates(), 0u) << "the same order, repeated";
  listener.order = listener.writeOrder("two");
  hall.pass(10s);
  ASSERT_EQ(duplicates(), 1u) << "being written";
  EXPECT_NE(why().find("being written"), std::string::npos);
  hall.pass(4min);
  EXPECT_EQ(duplicates(), 1u);
  listener.order = listener.writeOrder("three");
  hall.pass(10s);
  ASSERT_EQ(duplicates(), 2u) << "verified";
  EXPECT_NE(why().find("on the disk"), std::string::npos);
  bmc.bootFrom("Cd");
  bmc.reset("ForceRestart");
  hall.pass(7min);
  EXPECT_EQ(duplicates(), 2u) << "an order that a rebooted agent hears again";
}

TEST_F(Rules, AnotherImageIsNoDuplicate) {
  bootRamdisk(hall, bmc);
  listener.order = listener.writeOrder("one");
  hall.pass(5min);
  listener.image[0] = static_cast<char>(listener.image[0] + 1);
  listener.manifest.digest = sha256Hex(listener.image);
  listener.manifest.chunkDigests[0] = sha256Hex(listener.image.substr(0, listener.manifest.chunkSize));
  listener.order = listener.writeOrder("two");
  hall.pass(5min);
  EXPECT_EQ(bmc.truth().diskDigest, listener.manifest.digest);
  EXPECT_EQ(duplicates(), 0u);
}

TEST_F(Rules, PasswordThatIsSet) {
  bmc.setPassword("Site-Passw0rd");
  EXPECT_EQ(duplicates(), 1u);
  bmc.loginAgain();
  bmc.setPassword("Another-one-2");
  EXPECT_EQ(duplicates(), 1u);
}

TEST_F(Rules, ActsWhoseReplyWasLostAreInTheLedgerToo) {
  FleetOptions options;
  options.scripted = {{0, FaultKind::AppliedThenClosed, {}, 1, 1}};
  Hall lossy(options);
  Bmc one(lossy, 0);
  one.takeOver();
  EXPECT_EQ(one.reset("On").ending, Ending::CloseBeforeReply);
  EXPECT_TRUE(one.truth().hostOn);
  EXPECT_EQ(lossy.fleet.ledger().count(ActKind::Reset), 1u);
  one.reset("On");
  EXPECT_EQ(lossy.fleet.ledger().duplicates().size(), 1u);
}

struct Arriving : testing::Test {
  std::uint64_t writes() const { return hall.fleet.ledger().writesArrived(); }
  std::uint64_t sessions() const { return hall.fleet.ledger().sessionRequests(); }
  Hall hall;
  Bmc bmc{hall, 0};
};

TEST_F(Arriving, RefusedWritesCount) {
  const auto* account = "/redfish/v1/AccountService/Accounts/root";
  EXPECT_EQ(bmc.patch(account, "{}").reply.status, 401);
  EXPECT_EQ(writes(), 1u);
  ASSERT_EQ(bmc.login(Identity(1, 0).factoryPassword()), 201);
  EXPECT_EQ(bmc.patch(kSystem, R"({"LocationIndicatorActive":true})").reply.status, 403) << "change it first";
  EXPECT_EQ(writes(), 2u);
  bmc.takeOver();
  EXPECT_EQ(writes(), 3u);
  EXPECT_EQ(bmc.post(kSystem).reply.status, 405);
  EXPECT_EQ(bmc.send("PUT", kSystem).reply.status, 405);
  Headers stale;
  stale.add("If-Match", "W/\"nonsense\"");
  EXPECT_EQ(bmc.send("PATCH", kSystem, R"({"LocationIndicatorActive":true})", stale).reply.status, 412);
  EXPECT_EQ(bmc.patch(kSystem + "/Nothing", "{}").reply.status, 404);
  EXPECT_EQ(writes(), 7u);
  EXPECT_EQ(hall.fleet.ledger().writesOtherThan({ActKind::Session, ActKind::PasswordSet}).size(), 0u);
}

TEST_F(Arriving, AWriteThatABusyBmcTurnsAwayCounts) {
  FleetOptions options;
  options.scripted = {{0, FaultKind::Busy503, Duration{0}, 1, 1}};
  Hall busy(options);
  Bmc there(busy, 0);
  there.takeOver();
  const auto before = busy.fleet.ledger().writesArrived();
  EXPECT_EQ(there.reset("On").reply.status, 503);
  EXPECT_EQ(busy.fleet.ledger().writesArrived(), before + 1);
}

TEST_F(Arriving, ReadsAndSessionsAreNoWrites) {
  ASSERT_EQ(bmc.login(Identity(1, 0).factoryPassword()), 201);
  bmc.get(kSystem);
  EXPECT_EQ(bmc.send("HEAD", kSystem).reply.status, 403);
  EXPECT_EQ(bmc.send("DELETE", "/redfish/v1/SessionService/Sessions/none").reply.status, 404);
  EXPECT_EQ(writes(), 0u);
  EXPECT_EQ(sessions(), 2u);
}

TEST_F(Arriving, RefusedPasswordsCountWhicheverWayTheyCome) {
  const auto refused = [&] { return hall.fleet.ledger().refusedPasswords(0); };
  EXPECT_EQ(bmc.login("wrong"), 401);
  EXPECT_EQ(refused(), 1);
  EXPECT_EQ(bmc.login(Identity(1, 0).factoryPassword()), 201);
  EXPECT_EQ(refused(), 1);
  bmc.forgetToken();
  Headers basic;
  basic.add("Authorization", "Basic " + toBase64("root:wrong"));
  EXPECT_EQ(bmc.send("GET", kSystem, {}, basic).reply.status, 401);
  EXPECT_EQ(refused(), 2);
  bmc.setToken("0123456789abcdef0000");
  EXPECT_EQ(bmc.get(kSystem).reply.status, 401);
  EXPECT_EQ(refused(), 2) << "a dead token is no guess";
  EXPECT_EQ(hall.fleet.ledger().refusedPasswords(1), 0);
}

TEST_F(Arriving, PasswordsSentToALockedAccountCountByLockout) {
  const auto& ledger = hall.fleet.ledger();
  const auto lock = [&] {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(bmc.login("wrong"), 401);
  };
  lock();
  EXPECT_EQ(ledger.refusedPasswords(0), 10);
  EXPECT_EQ(ledger.lockedPasswords(0), 0) << "it was the tenth that locked it";
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(bmc.login(Identity(1, 0).factoryPassword()), 401);
    EXPECT_EQ(ledger.lockedPasswords(0), i);
  }
  hall.pass(10min + 1s);
  lock();
  EXPECT_EQ(bmc.login("wrong"), 401);
  EXPECT_EQ(ledger.lockedPasswords(0), 3) << "the most in one";
  EXPECT_EQ(ledger.refusedPasswords(0), 20);
}

// What a step that may repeat its act does after an unknown outcome.
TEST_F(Rules, ARestartRightAfterARestartIsAPermittedRepeat) {
  const auto& ledger = hall.fleet.ledger();
  bmc.reset("On");
  hall.pass(10min);
  bmc.reset("ForceRestart");
  EXPECT_EQ(ledger.repeatsAllowed(), 0);
  hall.pass(10min);
  bmc.reset("ForceRestart");
  EXPECT_EQ(ledger.repeatsAllowed(), 1);
  bmc.reset("ForceRestart");
  EXPECT_EQ(ledger.repeatsAllowed(), 1) << "it still boots: a duplicate";
  EXPECT_EQ(duplicates(), 1u);
  hall.pass(10min);
  bmc.patch(kSystem, R"({"LocationIndicatorActive":true})");
  bmc.reset("ForceRestart");
  EXPECT_EQ(ledger.repeatsAllowed(), 1) << "something else was asked of it meanwhile";
}

TEST_F(Rules, WhatAFlashUsedIsKnownWithWhatCameBeforeAndAfter) {
  bmc.reset("On");
  hall.pass(10min);
  EXPECT_EQ(hall.fleet.flashing({0}).work, Duration{0});
  const auto before = hall.fleet.busyUnion({0}).total;
  EXPECT_GT(before, Duration{0});
  bmc.pushBmcTray();
  hall.pass(15min);
  const auto use = hall.fleet.flashing({0});
  EXPECT_EQ(use.head, before);
  EXPECT_GT(use.work, 5min);
  EXPECT_LE(use.head + use.work + use.tail, hall.fleet.busyUnion({0}).total);
  EXPECT_GT(hall.fleet.uploading({0}).work, Duration{0});
  EXPECT_LT(hall.fleet.uploading({0}).work, use.work);
  EXPECT_EQ(hall.fleet.flashing({1}).work, Duration{0});
}

TEST(Names, OfActsAndFaultsAreStable) {
  EXPECT_EQ(nameOf(ActKind::FirmwareStart), "firmware_start");
  EXPECT_EQ(nameOf(ActKind::OtherWrite), "other_write");
  EXPECT_EQ(nameOf(FaultKind::SlowButApplied), "f10_slow_but_applied");
  EXPECT_EQ(fromName<FaultKind>("f20_hgx_missing"), FaultKind::HgxMissing);
}

}  // namespace
}  // namespace zellige::sim
