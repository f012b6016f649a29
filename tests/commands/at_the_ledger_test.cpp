// What leaves a controller, judged where it arrives: the real client, the real store, simulated machines and their
// ledger, which counts requests that were refused as well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"
#include "tests/commands/undone.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AtTheLedger : public testing::Test {
 protected:
  AtTheLedger() {
    log::setLevel(log::Level::Off);
    options.fleet.trays = 6;
  }
  void begin() {
    site.reset();
    scratch = std::make_unique<Scratch>();
    site = std::make_unique<VirtualSite>(scratch->path(), options);
  }
  const sim::Ledger& ledger() { return site->fleet().ledger(); }
  int mostRefusedPasswords() {
    int most = 0;
    for (const auto machine : site->fleet().machines())
      most = std::max(most, ledger().refusedPasswords(machine.value));
    return most;
  }
  std::vector<std::string> openCauses(sim::MachineId machine) {
    FindingFilter filter;
    filter.node = *site->store().nodeBySerial(site->fleet().serial(machine));
    std::vector<std::string> out;
    for (const auto& row : site->store().queries()->findings(filter, {}, 50).findings)
      out.push_back(row.finding.cause);
    return out;
  }
  HttpReply ask(std::string method, std::string target, std::string body, std::string_view token = {}) {
    sim::Arrival arrival;
    arrival.request = {std::move(method), std::move(target), {}, std::move(body)};
    if (!token.empty()) arrival.request.headers.add("X-Auth-Token", std::string(token));
    return site->fleet().exchange(site->fleet().machines().front(), arrival).reply;
  }
  /// One tray in service, whose BMC's password somebody changes by hand.
  void beginAndChangeThePasswordByHand() {
    options.fleet.trays = 1;
    options.fleet.asWanted = true;
    begin();
    ASSERT_TRUE(site->run(48h));
    const auto login = ask("POST", "/redfish/v1/SessionService/Sessions",
                           R"({"UserName":"root","Password":"Zellige-Sim-1"})");
    ASSERT_EQ(login.status, 201);
    ASSERT_EQ(ask("PATCH", "/redfish/v1/AccountService/Accounts/root", R"({"Password":"Somebody-Else-1"})",
                  login.headers.get("X-Auth-Token"))
                  .status,
              200);
  }
  std::unique_ptr<Scratch> scratch;
  VirtualSiteOptions options;
  std::unique_ptr<VirtualSite> site;
};

TEST_F(AtTheLedger, AnEmptyDatabaseAndMachinesAsWantedCostReadsLoginsAndTheBurnIn) {
  options.fleet.asWanted = true;
  begin();
  ASSERT_TRUE(site->run(48h));
  site->runFor(2h);  // patrols
  const auto end = endOf(*site);
  EXPECT_EQ(end.available, options.fleet.trays);
  EXPECT_THAT(end.unexpected, IsEmpty());
  EXPECT_EQ(ledger().writesArrived(), 0u);
  EXPECT_THAT(ledger().writesOtherThan({sim::ActKind::Session, sim::ActKind::BurnIn}), IsEmpty());
  EXPECT_EQ(ledger().count(sim::ActKind::BurnIn), static_cast<std::size_t>(options.fleet.trays));
  EXPECT_GT(ledger().sessionRequests(), 0u);
  EXPECT_GT(ledger().reads(), 0u);
  EXPECT_EQ(mostRefusedPasswords(), 0);
}

TEST_F(AtTheLedger, InObserveModeNothingButReadsAndLoginsReachesNewMachines) {
  options.armed = false;
  begin();
  site->runFor(2h);
  EXPECT_EQ(ledger().writesArrived(), 0u);
  EXPECT_THAT(ledger().writesOtherThan({sim::ActKind::Session}), IsEmpty());
  EXPECT_GT(ledger().sessionRequests(), 0u);
  EXPECT_LE(mostRefusedPasswords(), 1);
  for (const auto machine : site->fleet().machines()) {
    EXPECT_THAT(openCauses(machine), ElementsAre("bmc.password_change"));
    EXPECT_EQ(site->fleet().groundTruth(machine).flashes, 0);
  }
}

TEST_F(AtTheLedger, InObserveModeNothingButReadsAndLoginsReachesMachinesAsWanted) {
  options.armed = false;
  options.fleet.asWanted = true;
  begin();
  site->runFor(2h);
  EXPECT_EQ(ledger().writesArrived(), 0u);
  EXPECT_THAT(ledger().writesOtherThan({sim::ActKind::Session}), IsEmpty()) << "no burn-in either";
  EXPECT_GT(ledger().sessionRequests(), 0u);
  EXPECT_LE(mostRefusedPasswords(), 1);
}

// With faults on top, a refused or repeated request is still no write.
TEST_F(AtTheLedger, InObserveModeFaultsLureNoWriteOut) {
  options.armed = false;
  options.fleet.asWanted = true;
  options.fleet.faults = sim::FaultLevel::Heavy;
  begin();
  site->runFor(2h);
  EXPECT_EQ(ledger().writesArrived(), 0u);
  EXPECT_THAT(ledger().writesOtherThan({sim::ActKind::Session}), IsEmpty());
  EXPECT_LE(mostRefusedPasswords(), 1);
}

TEST_F(AtTheLedger, ASecondWrongGuessIsAWrongEnd) {
  begin();
  sim::Arrival guess;
  guess.request = {
      "POST", "/redfish/v1/SessionService/Sessions", {}, R"({"UserName":"root","Password":"guess"})"};
  const auto machine = site->fleet().machines().front();
  site->fleet().exchange(machine, guess);
  EXPECT_THAT(wrongOrders(site->fleet(), {}), IsEmpty())
      << "one may be needed to find out which of two is set";
  site->fleet().exchange(machine, guess);
  EXPECT_THAT(wrongOrders(site->fleet(), {}), ElementsAre(HasSubstr(site->fleet().serial(machine))));
  EXPECT_FALSE(endOf(*site).good());
}

// A client that takes a locked account for a busy one, and comes again every few seconds.
TEST_F(AtTheLedger, WhoGoesOnSendingPasswordsToALockedAccountEndsWrong) {
  options.fleet.trays = 1;
  options.fleet.scripted = {{0, sim::FaultKind::LockedOut, Duration{0}, 1}};
  for (const bool hammers : {false, true}) {
    Undoing busy;
    busy.after = [](Time, const HttpRequest& request, Result<http::Received>& result) {
      if (request.path().ends_with("/Sessions") && result && result->reply.status == 401)
        result->reply.status = 503;
    };
    if (hammers)
      options.between = [&](http::Transport& wire) {
        return std::make_unique<Undone>(wire, busy, [] { return Time{}; });
      };
    begin();
    ASSERT_TRUE(site->run(48h));
    const auto end = endOf(*site);
    EXPECT_EQ(end.available, 1) << "the lockout ends whatever it does";
    EXPECT_EQ(end.good(), !hammers);
    EXPECT_EQ(ledger().refusedPasswords(0), 0);
    EXPECT_EQ(ledger().lockedPasswords(0) > 2, hammers);
    if (hammers) {
      EXPECT_THAT(end.wrongEndStates, ElementsAre(HasSubstr("passwords sent in one lockout")));
    }
  }
}

TEST_F(AtTheLedger, ThePatrolFindsAPasswordThatSomebodyChangedAndDoesNotGuessOn) {
  beginAndChangeThePasswordByHand();
  site->runFor(24h);
  EXPECT_THAT(openCauses({0}), ElementsAre("bmc.credentials"));
  EXPECT_EQ(ledger().refusedPasswords(0), 4)
      << "twice, and twice again when no lockout can explain it any more";
  EXPECT_FALSE(site->store().node(*site->store().nodeBySerial(site->fleet().serial({0})))->unreachableSince);
}

TEST_F(AtTheLedger, ThePatrolDoesNotGuessOnInEveryLifeOfTheController) {
  beginAndChangeThePasswordByHand();
  for (int life = 0; life < 20; ++life) {
    site->stopController();
    site->runFor(9min + 30s);
  }
  EXPECT_THAT(openCauses({0}), ElementsAre("bmc.credentials"));
  EXPECT_EQ(ledger().refusedPasswords(0), 4);
}

// Judged by what the machines did at a time, not by what the scheduler thinks that it let them do.
TEST_F(AtTheLedger, EveryLimitIsReachedAndNoneExceededThroughFaultsAndCrashes) {
  options.fleet.trays = 24;
  options.fleet.traysPerRack = 6;
  options.fleet.faults = sim::FaultLevel::Heavy;
  options.engine.budgets = {.uploads = 2, .flashes = 9, .flashesPerRack = 3, .imageStreams = 2};
  options.storm = 30min;
  begin();
  ASSERT_TRUE(site->run(48h));
  EXPECT_GT(site->kills(), 0);
  EXPECT_THAT(endOf(*site).wrongEndStates, IsEmpty());
  const auto wrong = wrongOrders(site->fleet(),
                                 {.uploads = 1, .flashes = 8, .flashesPerRack = 2, .imageStreams = 1});
  EXPECT_THAT(wrong, ElementsAre("2 uploads at a time in the site, 1 allowed",
                                 "9 flashes at a time in the site, 8 allowed",
                                 "3 flashes at a time in a rack, 2 allowed",
                                 "2 image streams at a time in the site, 1 allowed"));
  const auto end = judgeFleet(site->fleet(), {}, {}, {.flashes = 8});
  EXPECT_THAT(end.wrongEndStates, ElementsAre(wrong[1]));
  EXPECT_FALSE(end.good());
}

}  // namespace
}  // namespace zellige
