// Campaigns in the database: what a selection freezes, what is refused, and what each move leaves.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/store/fixture.hpp"

namespace zellige::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Campaigns : public StoreTest {
 protected:
  // Four nodes that have come up, two racks; one more that has not; and a baseline that is newer.
  void SetUp() override {
    openStore();
    wanted_ = site(5);
    auto& nodes = wanted_.manifests[0].nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      nodes[i].place.path = fmt::format("H1/R01/RK{:03}/U{}", 1 + i / 2, 10 + i);
    wanted_.baselines[0].entries[0].force = true;
    auto newer = wanted_.baselines[0];
    newer.name = "2026.2";
    newer.entries[0].components[0].version = "1.5.0";
    wanted_.baselines.push_back(newer);
    import();
    for (int n = 0; n < 4; ++n) comeUp(n);
  }
  void import() {
    const auto imported = wait(store_->importSite(wanted_, by_));
    ASSERT_TRUE(imported) << imported.error().what;
  }
  void comeUp(int n) {
    ASSERT_TRUE(move(nodeId(n), Lifecycle::Planned, Lifecycle::Discovered));
    ASSERT_TRUE(move(nodeId(n), Lifecycle::Discovered, Lifecycle::Qualifying));
    auto inventory = smallInventory();
    inventory.serial = "SN" + std::to_string(1000 + n);
    for (auto& item : inventory.firmware) item.version = n == 0 ? "1.5.0" : "1.4.0";
    ASSERT_TRUE(commit({PutInventory{nodeId(n), inventory}}));
  }
  static Campaign spring() {
    Campaign campaign;
    campaign.name = "spring";
    campaign.baseline = "2026.2";
    return campaign;
  }
  /// "": it was made.
  std::string make(Campaign campaign) {
    const auto made = commit({CreateCampaign{std::move(campaign)}});
    if (!made) return made.error().what;
    id_ = CampaignId{made->ids.at(0)};
    return {};
  }
  std::string refusal(Op op) {
    const auto done = commit({std::move(op)});
    return done ? "" : done.error().what;
  }
  CampaignMember member(int n) {
    for (auto& m : store_->campaignMembers(id_, 0, 100))
      if (m.node == nodeId(n)) return m;
    throw std::runtime_error("not selected");
  }
  void begin(int n) { EXPECT_EQ(refusal(BeginMember{id_, nodeId(n), "2026.2"}), ""); }
  void end(int n, MemberState state) { EXPECT_EQ(refusal(EndMember{id_, nodeId(n), state, "why"}), ""); }

  SiteImport wanted_;
  CampaignId id_;
};

TEST_F(Campaigns, FreezeWhoHasComeUpOnceInOrderTheCanaryFirst) {
  auto campaign = spring();
  campaign.canary = 1;
  ASSERT_EQ(make(campaign), "");
  comeUp(4);
  const auto members = store_->campaignMembers(id_, 0, 100);
  ASSERT_EQ(members.size(), 4u) << "who comes up later is not in it";
  std::vector<std::string> order;
  order.reserve(members.size());
  for (const auto& m : members)
    order.push_back(fmt::format("{} {}{}", m.ordinal, m.rack, m.canary ? " canary" : ""));
  EXPECT_THAT(order, ElementsAre("0 H1/R01/RK001 canary", "1 H1/R01/RK001 canary", "2 H1/R01/RK002",
                                 "3 H1/R01/RK002"));
  EXPECT_EQ(store_->campaignMembers(id_, 2, 1).front().ordinal, 2);
  const auto row = *store_->campaign(id_);
  EXPECT_EQ(row.baselineDigest, *store_->baselineDigest("2026.2"));
  EXPECT_EQ(row.createdBy, "engine");
  EXPECT_EQ(store_->openCampaigns().size(), 1u);
}

TEST_F(Campaigns, AreRefusedWhereTheyCouldNeverEndWell) {
  const auto with = [&](auto change) {
    auto campaign = spring();
    change(campaign);
    return make(campaign);
  };
  EXPECT_EQ(with([](Campaign& c) { c.window = 0; }), "a window of 0 racks lets nothing begin");
  EXPECT_EQ(with([](Campaign& c) { c.canary = 3; }), "a canary of 3 racks: only 2 are selected");
  EXPECT_EQ(with([](Campaign& c) { c.baseline = "2027"; }), "there is no baseline '2027' in the catalogue");
  EXPECT_EQ(with([](Campaign& c) { c.profile = "x"; }), "there is no profile 'x' in the catalogue");
  EXPECT_EQ(with([](Campaign& c) { c.place = "H9"; }), "no compute_tray that has come up once is in H9");
  EXPECT_EQ(with([](Campaign& c) { c.kind = NodeKind::SwitchTray; }),
            "no switch_tray that has come up once is in the site");
  wanted_.baselines.push_back(wanted_.baselines[0]);
  wanted_.baselines.back().name = "of others";
  wanted_.baselines.back().entries[0].components[0].match = "iDRAC";
  import();
  EXPECT_EQ(with([](Campaign& c) { c.baseline = "of others"; }),
            "the baseline of others names no firmware that a gb200 has");
  EXPECT_THAT(store_->openCampaigns(), IsEmpty());
  ASSERT_EQ(make(spring()), "");
  EXPECT_THAT(with([](Campaign& c) { c.place = "H1/R01/RK002"; }),
              HasSubstr("is in campaign 1, which is not over"));
}

TEST_F(Campaigns, GiveANodeItsBaselineWithTheMembersState) {
  ASSERT_EQ(make(spring()), "");
  begin(1);
  EXPECT_EQ(member(1).state, MemberState::Running);
  EXPECT_EQ(member(1).previous, "2026.1");
  EXPECT_EQ(store_->node(nodeId(1))->baseline, "2026.2");
  EXPECT_THAT(refusal(BeginMember{id_, nodeId(1), "2026.2"}), HasSubstr("is not pending in campaign 1"));
  const auto target = wait(store_->freezeTarget("gb200-sim", "2026.2"));
  ASSERT_TRUE(target);
  EXPECT_EQ((*target)->baseline.name, "2026.2");
  EXPECT_EQ((*target)->profile.baseline, "2026.2");
  EXPECT_NE((*target)->digest, (*wait(store_->freezeTarget("gb200-sim", "")))->digest);
  end(1, MemberState::Failed);
  EXPECT_EQ(member(1).why, "why");
  EXPECT_THAT(refusal(EndMember{id_, nodeId(1), MemberState::Done, ""}), HasSubstr("SN1001 is not running"));
}

TEST_F(Campaigns, ForgiveWhatFailedWhenAHaltedOneGoesOn) {
  ASSERT_EQ(make(spring()), "");
  for (int n : {1, 2}) {
    begin(n);
    end(n, MemberState::Failed);
  }
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Running, CampaignState::Halted, "2 failed"}), "");
  EXPECT_EQ(store_->campaign(id_)->forgiven, 0);
  EXPECT_THAT(refusal(MoveCampaign{id_, CampaignState::Running, CampaignState::Paused, ""}),
              HasSubstr("is halted, not running any more"));
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Halted, CampaignState::Running, "known"}), "");
  EXPECT_EQ(store_->campaign(id_)->forgiven, 2);
  EXPECT_TRUE(store_->campaign(id_)->canaryWaived) << "nobody of it is left to wait for";
  EXPECT_EQ(refusal(RetryFailed{id_, CampaignState::Running, "reseated"}), "");
  EXPECT_EQ(store_->campaign(id_)->forgiven, 0);
  EXPECT_EQ(member(1).state, MemberState::Pending);
  EXPECT_EQ(refusal(RetryFailed{id_, CampaignState::Running, "again"}), "no node of campaign 1 has failed");
}

TEST_F(Campaigns, LeaveOutEverybodyWhenCancelled) {
  ASSERT_EQ(make(spring()), "");
  begin(1);
  begin(2);
  end(2, MemberState::Done);
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Running, CampaignState::Cancelled, "wrong"}), "");
  EXPECT_THAT(store_->openCampaigns(), IsEmpty());
  const auto counts = queries_->campaign(id_)->members;
  EXPECT_EQ(counts.at(MemberState::LeftOut), 3);
  EXPECT_EQ(counts.at(MemberState::Done), 1);
  EXPECT_EQ(make(spring()), "") << "and its nodes are free for another";
}

TEST_F(Campaigns, LeaveOutOneWhoIsPending) {
  ASSERT_EQ(make(spring()), "");
  begin(2);
  const auto leaveOut = [&](int n) {
    return refusal(EndMember{id_, nodeId(n), MemberState::LeftOut, "in service", MemberState::Pending});
  };
  EXPECT_EQ(leaveOut(1), "");
  EXPECT_EQ(member(1).state, MemberState::LeftOut);
  EXPECT_EQ(member(1).why, "in service");
  EXPECT_EQ(leaveOut(1), "SN1001 is not pending in campaign 1");
  EXPECT_EQ(leaveOut(2), "SN1002 is not pending in campaign 1");
  auto another = spring();
  another.place = "H1/R01/RK001/U11";
  const auto first = id_;
  EXPECT_EQ(make(another), "") << "another campaign may take it";
  id_ = first;
  end(2, MemberState::Failed);
  EXPECT_EQ(refusal(RetryFailed{first, CampaignState::Running, "again"}), "") << "it was never this one's";
}

TEST_F(Campaigns, DoNotTryAgainWhomAnotherHasBroughtFurther) {
  ASSERT_EQ(make(spring()), "");
  const auto first = id_;
  for (int n : {1, 2}) {
    begin(n);
    end(n, MemberState::Failed);
  }
  EXPECT_EQ(refusal(MoveCampaign{first, CampaignState::Running, CampaignState::Done, ""}), "");
  wanted_.baselines.push_back(wanted_.baselines[1]);
  wanted_.baselines.back().name = "2026.3";
  import();
  auto summer = spring();
  summer.baseline = "2026.3";
  ASSERT_EQ(make(summer), "");
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), "2026.3"}), "");
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Running, CampaignState::Cancelled, ""}), "");
  EXPECT_EQ(refusal(RetryFailed{first, CampaignState::Done, "again"}), "");
  id_ = first;
  EXPECT_EQ(member(1).state, MemberState::LeftOut);
  EXPECT_EQ(member(2).state, MemberState::Pending);
}

TEST_F(Campaigns, PutRacksIntoTheCanaryThatCanBegin) {
  for (int n : {2, 3}) {
    ASSERT_TRUE(commit({PutEvidence{{nodeId(n), {}, "all", "{}", {}, time_.now()}}}));
    ASSERT_TRUE(move(nodeId(n), Lifecycle::Qualifying, Lifecycle::Available, Actor::Engine, {"all"}));
  }
  auto campaign = spring();
  campaign.canary = 1;
  ASSERT_EQ(make(campaign), "");
  EXPECT_EQ(store_->campaignMembers(id_, 0, 1).front().rack, "H1/R01/RK002");
}

TEST_F(Campaigns, TurnBackToWhatEachHadBefore) {
  ASSERT_EQ(make(spring()), "");
  for (int n : {0, 1, 2}) begin(n);
  end(1, MemberState::Done);
  end(2, MemberState::Failed);
  EXPECT_EQ(refusal(TurnCampaign{id_, CampaignState::Running, "too hot"}), "");
  EXPECT_EQ(member(0).state, MemberState::Running) << "it is judged when its run has ended";
  EXPECT_EQ(member(1).state, MemberState::Pending);
  EXPECT_EQ(member(2).state, MemberState::Pending);
  EXPECT_EQ(member(3).state, MemberState::LeftOut);
  EXPECT_EQ(store_->campaign(id_)->goal, CampaignGoal::Back);
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), member(1).previous}), "");
  EXPECT_EQ(store_->node(nodeId(1))->baseline, "") << "its profile's own";
  EXPECT_EQ(member(1).previous, "2026.1");
  EXPECT_EQ(refusal(TurnCampaign{id_, CampaignState::Running, "again"}), "campaign 1 is rolled back already");
}

TEST_F(Campaigns, BeginNobodyButWhileTheyRunTowardsTheirGoal) {
  ASSERT_EQ(make(spring()), "");
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), "2026.1"}),
            "campaign 1 brings SN1001 to the baseline 2026.2, not to 2026.1");
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Running, CampaignState::Halted, "smoke"}), "");
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), "2026.2"}), "campaign 1 is halted, not running any more");
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Halted, CampaignState::Running, "dust"}), "");
  wanted_.baselines[1].entries[0].components[0].version = "1.6.0";
  import();
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), "2026.2"}),
            "an import has changed the baseline 2026.2 since campaign 1 was made");
  EXPECT_EQ(member(1).state, MemberState::Pending);
  EXPECT_EQ(store_->node(nodeId(1))->baseline, "");
}

TEST_F(Campaigns, AreNotTakenUpAgainWhileAnotherHasTheirNodes) {
  ASSERT_EQ(make(spring()), "");
  const auto first = id_;
  for (int n : {1, 2}) begin(n);
  end(1, MemberState::Done);
  end(2, MemberState::Failed);
  EXPECT_EQ(refusal(MoveCampaign{first, CampaignState::Running, CampaignState::Done, ""}), "");
  auto newer = wanted_.baselines[1];
  newer.name = "2026.3";
  wanted_.baselines.push_back(newer);
  import();
  auto summer = spring();
  summer.baseline = "2026.3";
  ASSERT_EQ(make(summer), "");
  EXPECT_THAT(refusal(RetryFailed{first, CampaignState::Done, "again"}),
              HasSubstr("is in campaign 2, which is not over"));
  EXPECT_THAT(refusal(TurnCampaign{first, CampaignState::Done, "back"}),
              HasSubstr("is in campaign 2, which is not over"));
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), "2026.3"}), "");
  end(1, MemberState::Done);
  EXPECT_EQ(refusal(MoveCampaign{id_, CampaignState::Running, CampaignState::Cancelled, ""}), "");
  EXPECT_EQ(refusal(TurnCampaign{first, CampaignState::Done, "back"}), "");
  id_ = first;
  EXPECT_EQ(member(1).state, MemberState::LeftOut) << "what the second campaign did is not undone";
  EXPECT_EQ(member(1).why, "it has another baseline since");
  EXPECT_EQ(member(2).state, MemberState::Pending);
}

TEST_F(Campaigns, AreNotTurnedWhereThereIsNoWayBack) {
  wanted_.baselines[0].entries[0].force = false;
  import();
  ASSERT_EQ(make(spring()), "");
  EXPECT_EQ(refusal(TurnCampaign{id_, CampaignState::Running, "back"}),
            "no node has been given another baseline by it");
  begin(1);
  EXPECT_EQ(refusal(TurnCampaign{id_, CampaignState::Running, "back"}),
            "the entry bmc_tray of the baseline 2026.1 allows no downgrade (force: true)");
  EXPECT_EQ(member(3).state, MemberState::Pending) << "nothing was done";
}

TEST_F(Campaigns, GoBackOnlyToWhatANodeHad) {
  ASSERT_EQ(make(spring()), "");
  for (int n : {1, 2}) {
    begin(n);
    end(n, MemberState::Done);
  }
  EXPECT_EQ(member(1).previousDigest, *store_->baselineDigest("2026.1"));
  const auto asItWas = wanted_.baselines[0];
  wanted_.baselines[0].entries[0].components[0].version = "1.3.9";
  import();
  EXPECT_EQ(refusal(TurnCampaign{id_, CampaignState::Running, "back"}),
            "an import has changed the baseline 2026.1 since: import it as it was");
  wanted_.baselines[0] = asItWas;
  import();
  EXPECT_EQ(refusal(TurnCampaign{id_, CampaignState::Running, "back"}), "");
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(1), "2026.1"}), "");
  wanted_.baselines[0].entries[0].components[0].version = "1.3.9";
  import();
  EXPECT_EQ(refusal(BeginMember{id_, nodeId(2), "2026.1"}),
            "an import has changed the baseline 2026.1 since campaign 1 took nodes from it");
}

TEST_F(Campaigns, ANewProfileEndsWhatACampaignHasGiven) {
  ASSERT_EQ(make(spring()), "");
  begin(1);
  auto& profile = wanted_.profiles.emplace_back(wanted_.profiles[0]);
  profile.name = "gb200-new";
  wanted_.manifests[0].nodes[1].profile = "gb200-new";
  import();
  EXPECT_EQ(store_->node(nodeId(1))->baseline, "");
}

TEST_F(Campaigns, TellBeforehandWhatWouldChange) {
  auto campaign = spring();
  campaign.canary = 1;
  const auto preview = queries_->previewCampaign(campaign);
  ASSERT_TRUE(preview) << preview.error().what;
  EXPECT_EQ(preview->nodes, 4);
  EXPECT_EQ(preview->racks, 2);
  EXPECT_EQ(preview->canaryNodes, 2);
  EXPECT_EQ(preview->compliant, 1);
  EXPECT_EQ(preview->behind, 3);
  EXPECT_EQ(preview->lifecycles.at(Lifecycle::Qualifying), 4);
  ASSERT_EQ(preview->changes.size(), 2u);
  EXPECT_EQ(preview->changes[0].component, "HGX_FW_GPU_0");
  EXPECT_EQ(preview->changes[0].found, "1.4.0");
  EXPECT_EQ(preview->changes[0].wanted, "1.5.0");
  EXPECT_EQ(preview->changes[0].nodes, 3);
  EXPECT_THAT(preview->firstRacks, ElementsAre("H1/R01/RK001", "H1/R01/RK002"));
  EXPECT_EQ(preview->noWayBack, "");
  EXPECT_THAT(store_->openCampaigns(), IsEmpty());
  campaign.window = 0;
  EXPECT_FALSE(queries_->previewCampaign(campaign));
}

TEST_F(Campaigns, AreListedWithTheirMembersPageByPage) {
  ASSERT_EQ(make(spring()), "");
  begin(1);
  const auto page = queries_->campaigns({CampaignState::Running}, {}, 10);
  ASSERT_EQ(page.campaigns.size(), 1u);
  EXPECT_EQ(page.campaigns[0].members.at(MemberState::Pending), 3);
  EXPECT_THAT(queries_->campaigns({CampaignState::Done}, {}, 10).campaigns, IsEmpty());
  const auto first = queries_->campaignMembers(id_, {}, 0, 3);
  ASSERT_EQ(first.members.size(), 3u);
  EXPECT_EQ(first.members[1].serial, "SN1001");
  EXPECT_EQ(first.members[1].lifecycle, Lifecycle::Qualifying);
  const auto second = queries_->campaignMembers(id_, {}, first.next, 3);
  ASSERT_EQ(second.members.size(), 1u);
  EXPECT_EQ(second.next, 0);
  EXPECT_EQ(queries_->campaignMembers(id_, {MemberState::Running}, 0, 3).members.size(), 1u);
}

TEST_F(Campaigns, WhatComesInARetiredNodesPlaceGetsTheFirmwareOfTheRacksOthers) {
  ASSERT_EQ(make(spring()), "");
  for (int n = 0; n < 3; ++n) begin(n);  // the first rack, and one of the two in the second
  const auto retire = [&](int n) {
    ASSERT_TRUE(move(nodeId(n), Lifecycle::Qualifying, Lifecycle::Retired, Actor::Operator));
    wanted_.manifests[0].nodes[static_cast<std::size_t>(n)].serial = fmt::format("SN15{:02}", n);
  };
  retire(1);
  retire(2);
  import();
  const auto baselineOf = [&](const char* serial) {
    return store_->node(*store_->nodeBySerial(serial))->baseline;
  };
  EXPECT_EQ(baselineOf("SN1501"), "2026.2");
  EXPECT_EQ(baselineOf("SN1502"), "") << "what the one beside it has, whatever the retired one had";
  retire(0);
  ASSERT_TRUE(move(*store_->nodeBySerial("SN1501"), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  wanted_.manifests[0].nodes[1].serial = "SN1601";
  import();
  EXPECT_EQ(baselineOf("SN1500"), "2026.2") << "nobody is left in the rack: what its place had";
}

}  // namespace
}  // namespace zellige::test
