#include <gmock/gmock.h>

#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SiteImportTest : public test::StoreTest {
 protected:
  /// Our own password is set there, and was refused so often.
  BmcAccess rotate(NodeId node, int refusals) {
    auto access = *store_->loadAccess(node);
    access.password = Secret{"rotated"};
    access.mustChange = false;
    access.guesses = access.refusals = refusals;
    access.guessedAt = Time{Duration{1}};
    EXPECT_TRUE(wait(store_->saveAccess(node, access)));
    return access;
  }
};

TEST_F(SiteImportTest, PlansNewNodesAndChangesNothingTheSecondTime) {
  openStore();
  const auto first = wait(store_->importSite(site(20), by_));
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->nodesAdded, 20);
  EXPECT_EQ(first->documentsChanged, 4);
  EXPECT_EQ(first->filesAdded, 2);
  EXPECT_EQ(store_->nodesIn(Lifecycle::Planned).size(), 20u);
  const auto node = *store_->node(nodeId(0));
  EXPECT_EQ(node.place.path, "H1/R01/RK001/U10");
  EXPECT_EQ(node.bmc.address, "10.0.0.1");
  EXPECT_EQ(node.version, 1);

  const auto hash = store_->eventHash();
  const auto second = wait(store_->importSite(site(20), by_));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->changedSomething());
  EXPECT_EQ(second->nodesUnchanged, 20);
  EXPECT_EQ(second->documentsUnchanged, 4);
  EXPECT_EQ(store_->eventHash(), hash);
}

TEST_F(SiteImportTest, KeepsRacksAndTheirRecipesAndWhereTheyStand) {
  openWithSite();
  auto wanted = site(3);
  Recipe recipe;
  recipe.name = "nvl72";
  recipe.members = {{NodeKind::ComputeTray, 3}};
  recipe.stages = {{"trays", "qualify", {NodeKind::ComputeTray}, {}, 2},
                   {"domain", "qualify_domain", {NodeKind::ComputeTray}, {"trays"}, {}}};
  wanted.manifests[0].racks = {{"H1/R01/RK001", "nvl72"}};
  const auto refused = wait(store_->importSite(wanted, by_));
  ASSERT_FALSE(refused) << "the recipe is not known";
  EXPECT_THAT(refused.error().what, HasSubstr("nvl72"));

  wanted.recipes = {recipe};
  auto summary = wait(store_->importSite(wanted, by_));
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(summary->racksChanged, 1);
  const auto stored = store_->recipe("nvl72");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->members, recipe.members);
  ASSERT_EQ(stored->stages.size(), 2u);
  EXPECT_EQ(stored->stages[0].atLeast, 2);
  EXPECT_EQ(stored->stages[1].after, recipe.stages[1].after);
  EXPECT_FALSE(stored->stages[1].atLeast);
  EXPECT_EQ(store_->nodesOfRack("H1/R01/RK001").size(), 3u);

  ASSERT_TRUE(commit({MoveRack{"H1/R01/RK001", RackState::Installing, RackState::BringUp, "armed"}}));
  EXPECT_FALSE(commit({MoveRack{"H1/R01/RK001", RackState::Installing, RackState::BringUp, "again"}}));
  summary = wait(store_->importSite(wanted, by_));
  ASSERT_TRUE(summary);
  EXPECT_FALSE(summary->changedSomething());
  ASSERT_EQ(store_->racks().size(), 1u);
  EXPECT_EQ(store_->rack("H1/R01/RK001")->state, RackState::BringUp) << "an import does not begin it anew";
  EXPECT_FALSE(store_->rack("H1/R01/RK002"));

  EventFilter inRack;
  inRack.place = "H1/R01/RK001";
  std::vector<std::string> kinds;
  for (const auto& event : queries_->events(0, inRack, 500).events) kinds.push_back(event.kind);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "rack.ordered"), 1);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "rack.state"), 1);
  inRack.place = "H1/R01/RK00";
  EXPECT_TRUE(queries_->events(0, inRack, 500).events.empty()) << "a place is whole, not a prefix of letters";
}

TEST_F(SiteImportTest, PagesRacksByPlaceWhateverIsFilteredOrComesBetween) {
  openWithSite();
  auto wanted = site(3);
  Recipe recipe;
  recipe.name = "r";
  recipe.members = {{NodeKind::ComputeTray, 3}};
  recipe.stages = {{"trays", "qualify", {NodeKind::ComputeTray}, {}, {}}};
  wanted.recipes = {recipe};
  wanted.manifests[0].racks = {{"H1/R01/RK001", "r"}, {"H1/R01/RK003", "r"}, {"H2/R01/RK001", "r"}};
  ASSERT_TRUE(wait(store_->importSite(wanted, by_)));
  const auto places = [&](std::string after, std::string place, std::vector<RackState> states, int limit) {
    std::vector<std::string> out;
    for (const auto& rack : queries_->racksByRecipe(after, place, states, limit)) out.push_back(rack.place);
    return out;
  };
  EXPECT_THAT(places("", "", {}, 2), ElementsAre("H1/R01/RK001", "H1/R01/RK003"));
  ASSERT_TRUE(commit({MoveRack{"H1/R01/RK001", RackState::Installing, RackState::BringUp, ""}}));
  EXPECT_THAT(places("H1/R01/RK003", "", {}, 2), ElementsAre("H2/R01/RK001"));
  EXPECT_THAT(places("", "H1", {RackState::Installing}, 9), ElementsAre("H1/R01/RK003"));
}

TEST_F(SiteImportTest, TellsWhatWasShownOfARacksNodesAndWhatOfItStillHolds) {
  openWithSite();
  ASSERT_TRUE(commit({PutInventory{NodeId{1}, test::smallInventory()}}));
  ASSERT_TRUE(commit({PutEvidence{{NodeId{1}, RunId{7}, "burnin/x", "{}", {"gpu:GPU_0=165001"}, {}}},
                      PutEvidence{{NodeId{1}, {}, "leaks", "{}", {}, {}}}}));
  auto swapped = test::smallInventory();
  swapped.components[0].serial = "another";
  ASSERT_TRUE(commit({PutInventory{NodeId{1}, swapped}}));
  const auto marks = store_->evidenceOfRack("H1/R01/RK001");
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].subject, "burnin/x");
  EXPECT_EQ(marks[0].run, RunId{7});
  EXPECT_FALSE(marks[0].holds);
  EXPECT_EQ(marks[1].run, RunId{});
  EXPECT_TRUE(marks[1].holds);
  EXPECT_TRUE(store_->evidenceOfRack("H1/R01/RK00").empty());
}

TEST_F(SiteImportTest, FollowsANodeThatTheManifestChanged) {
  openWithSite();
  const auto node = nodeId(1);
  ASSERT_TRUE(commit({PutEvidence{{node, {}, "inventory", "{}", {"place:H1/R01/RK001/U11"}, time_.now()}},
                      PutEvidence{{node, {}, "firmware", "{}", {"serial:SN1001"}, time_.now()}}}));
  auto changed = site(3);
  changed.manifests[0].nodes[1].place.path = "H1/R01/RK009/U11";
  changed.manifests[0].nodes[1].bmc.address = "10.0.9.1";
  const auto before = store_->lastEvent();
  const auto summary = wait(store_->importSite(changed, by_));
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(std::pair(summary->nodesChanged, summary->nodesUnchanged),
            std::pair(std::int64_t{1}, std::int64_t{2}));
  EXPECT_EQ(store_->node(node)->place.path, "H1/R01/RK009/U11");
  EXPECT_EQ(store_->node(node)->lifecycle, Lifecycle::Planned);
  EXPECT_THAT(kindsSince(before), ElementsAre("node.changed", "evidence.invalidated", "site.imported"));
  EXPECT_EQ(store_->validEvidence(node).size(), 1u) << "only what rested on the place";
  EXPECT_EQ(queries_->nodes({.text = "RK009"}, NodeSort::Place, false, "", 10)->total, 1);
  EXPECT_EQ(queries_->nodes({.text = "10.0.0.2"}, NodeSort::Place, false, "", 10)->total, 0);
}

TEST_F(SiteImportTest, LetsTwoTraysSwapPlaces) {
  openWithSite();
  auto changed = site(3);
  auto& nodes = changed.manifests[0].nodes;
  std::swap(nodes[0].place, nodes[1].place);
  std::swap(nodes[0].bmc, nodes[1].bmc);
  const auto summary = wait(store_->importSite(changed, by_));
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(store_->node(nodeId(0))->place.path, "H1/R01/RK001/U11");
  EXPECT_EQ(store_->node(nodeId(1))->bmc.address, "10.0.0.1");
}

TEST_F(SiteImportTest, RefusesTwoNodesInOnePlaceOrBehindOneAddress) {
  openWithSite();
  const auto hash = store_->eventHash();
  const auto refused = [&](const SiteImport& s) {
    const auto result = wait(store_->importSite(s, by_));
    EXPECT_FALSE(result);
    return result ? Error{} : result.error();
  };
  auto twice = site(4);
  twice.manifests[0].nodes[3].place = twice.manifests[0].nodes[0].place;
  EXPECT_EQ(refused(twice).code, Errc::Conflict);
  auto address = site(4);
  address.manifests[0].nodes[3].bmc.address = "10.0.0.1";
  EXPECT_THAT(refused(address).what, HasSubstr("SN1000 and SN1003 have the same BMC address"));
  auto serial = site(4);
  serial.manifests[0].nodes[3].serial = "SN1000";
  EXPECT_EQ(refused(serial).code, Errc::Conflict);
  auto taken = site(0);
  taken.manifests[0].nodes.push_back(test::manifestNode(9));
  taken.manifests[0].nodes[0].place.path = "H1/R01/RK001/U10";
  EXPECT_THAT(refused(taken).what, HasSubstr("SN1000 is there"));
  auto port = site(4);
  port.manifests[0].nodes[3].bmc.address = "10.0.0.1";
  port.manifests[0].nodes[3].bmc.port = 8443;
  EXPECT_EQ(store_->eventHash(), hash) << "nothing of a refused import is kept";
  EXPECT_TRUE(wait(store_->importSite(port, by_))) << "another port is another BMC";
}

TEST_F(SiteImportTest, RefusesWhatNamesSomethingUnknown) {
  openStore();
  const auto refused = [&](const SiteImport& s) {
    const auto result = wait(store_->importSite(s, by_));
    EXPECT_FALSE(result);
    EXPECT_EQ(store_->lastEvent(), 0);
    return result ? std::string{} : result.error().what;
  };
  auto s = site(1);
  s.profiles[0].plan = "long";
  EXPECT_THAT(refused(s), HasSubstr("plan 'long'"));
  s = site(1);
  s.manifests[0].nodes[0].profile = "other";
  EXPECT_THAT(refused(s), HasSubstr("profile 'other'"));
  s = site(1);
  s.baselines[0].entries[0].packageDigest = std::string(64, '0');
  EXPECT_THAT(refused(s), HasSubstr("is not imported"));
  s = site(1);
  s.files[0].file.digest = std::string(64, '0');
  EXPECT_THAT(refused(s), HasSubstr("content store"));
}

TEST_F(SiteImportTest, TakesACorrectedPasswordButKeepsARotatedOne) {
  openWithSite();
  const auto node = nodeId(0);
  const auto access = rotate(node, 1);
  ASSERT_TRUE(wait(store_->importSite(site(3), by_)));
  EXPECT_EQ(store_->loadAccess(node)->password.reveal(), "rotated");
  EXPECT_EQ(store_->loadAccess(node)->refusals, 1);
  EXPECT_EQ(store_->loadAccess(node)->guessedAt, access.guessedAt);
  auto corrected = site(3);
  corrected.manifests[0].nodes[0].password = Secret{"from the pull tag"};
  EXPECT_EQ(wait(store_->importSite(corrected, by_))->nodesChanged, 1);
  EXPECT_EQ(store_->loadAccess(node)->refusals, 0) << "of another password";
  EXPECT_EQ(store_->loadAccess(node)->password.reveal(), "from the pull tag");
  EXPECT_TRUE(store_->loadAccess(node)->mustChange);
}

// Reset to factory, or another BMC board: the manifest says what it said before, and is right.
TEST_F(SiteImportTest, TriesTheManifestsPasswordAgainWhereTheRotatedOneIsRefused) {
  openWithSite();
  const auto node = nodeId(0);
  const auto manifests = store_->loadAccess(node)->password;
  rotate(node, 2);
  EXPECT_EQ(wait(store_->importSite(site(3), by_))->nodesChanged, 1);
  const auto now = *store_->loadAccess(node);
  EXPECT_EQ(now.password, manifests);
  EXPECT_EQ(now.guess(), manifests) << "the other one was refused";
  EXPECT_EQ(now.nextPassword, Secret{"rotated"}) << "and may be right again when a lockout is over";
  EXPECT_TRUE(now.mustChange);
  EXPECT_EQ(now.refusals, 0);
  EXPECT_EQ(wait(store_->importSite(site(3), by_))->nodesChanged, 0);
  auto refused = now;
  refused.refusals = 2;
  ASSERT_TRUE(wait(store_->saveAccess(node, refused)));
  EXPECT_EQ(wait(store_->importSite(site(3), by_))->nodesChanged, 0) << "each import would be a guess";
}

// NVOS has no sessions: the address of one only says that the password has worked, and this one has not.
TEST_F(SiteImportTest, AtNvosThePasswordThatIsTriedAgainHasNotWorked) {
  openStore();
  auto wanted = site(1);
  auto& node = wanted.manifests[0].nodes[0];
  node.os = {"", "10.0.1.1", 443, "admin"};
  node.osPassword = Secret{"from the pull tag"};
  ASSERT_TRUE(wait(store_->importSite(wanted, by_)));
  const AccessKey os{nodeId(0), Endpoint::Os};
  auto access = *store_->loadAccess(os);
  access.password = Secret{"rotated"};
  access.sessionUri = "basic";
  access.guesses = access.refusals = 2;
  ASSERT_TRUE(wait(store_->saveAccess(os, access)));
  EXPECT_EQ(wait(store_->importSite(wanted, by_))->nodesChanged, 1);
  EXPECT_EQ(store_->loadAccess(os)->guess(), Secret{"from the pull tag"});
  EXPECT_EQ(store_->loadAccess(os)->sessionUri, "");
}

TEST_F(SiteImportTest, TakesItsUserAgainWhereThatLostToAPasswordChange) {
  openWithSite();
  const auto node = nodeId(0);
  const auto wayIn = *store_->loadAccess(node);
  auto corrected = site(3);
  corrected.manifests[0].nodes[0].bmc.user = "ops";
  corrected.manifests[0].nodes[0].password = Secret{"from the pull tag"};
  ASSERT_EQ(wait(store_->importSite(corrected, by_))->nodesChanged, 1);
  auto settled = *store_->loadAccess(node);
  settled.user = wayIn.user;
  settled.password = Secret{"the BMC took it"};
  ASSERT_TRUE(wait(store_->saveAccess(node, settled)));
  EXPECT_EQ(wait(store_->importSite(corrected, by_))->nodesChanged, 1);
  EXPECT_EQ(store_->loadAccess(node)->user, "ops");
  EXPECT_EQ(wait(store_->importSite(corrected, by_))->nodesChanged, 0);
}

TEST_F(SiteImportTest, LeavesAPasswordChangeThatIsUnderWayToBeSettled) {
  openWithSite();
  const auto node = nodeId(0);
  auto access = *store_->loadAccess(node);
  access.nextPassword = Secret{"may have been set"};
  ASSERT_TRUE(wait(store_->saveAccess(node, access)));
  ++access.version;
  auto corrected = site(3);
  corrected.manifests[0].nodes[0].password = Secret{"from the pull tag"};
  EXPECT_EQ(wait(store_->importSite(corrected, by_))->nodesChanged, 1);
  EXPECT_EQ(store_->loadAccess(node)->nextPassword, Secret{"may have been set"});
  EXPECT_EQ(wait(store_->saveAccess(node, access)).error().code, Errc::Conflict) << "read before the import";
}

TEST_F(SiteImportTest, LeavesARetiredNodeAloneUntilItsEntryChanges) {
  openWithSite();
  const auto node = nodeId(0);
  ASSERT_TRUE(move(node, Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  rotate(node, 2);  // and was refused: perhaps why it was retired
  ASSERT_TRUE(wait(store_->importSite(site(3), by_)));
  EXPECT_EQ(store_->node(node)->lifecycle, Lifecycle::Retired);
  auto back = site(3);
  back.manifests[0].nodes[0].place.path = "H1/R01/RK008/U10";
  ASSERT_TRUE(wait(store_->importSite(back, by_)));
  EXPECT_EQ(store_->node(node)->lifecycle, Lifecycle::Planned);
}

TEST_F(SiteImportTest, LetsANewTrayTakeThePlaceOfARetiredOne) {
  openWithSite();
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Retired, Actor::Operator));
  auto swapped = site(3);
  swapped.manifests[0].nodes[0].serial = "SN1500";
  const auto summary = wait(store_->importSite(swapped, by_));
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(store_->node(*store_->nodeBySerial("SN1500"))->place.path, "H1/R01/RK001/U10");
  const auto back = commit(
      {MoveLifecycle{nodeId(0), Lifecycle::Retired, Lifecycle::Planned, Actor::Manifest, "", {}}});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Errc::Conflict);
}

TEST_F(SiteImportTest, RefusesAnotherSite) {
  openWithSite();
  auto other = site(3);
  other.manifests[0].site = "elsewhere";
  EXPECT_EQ(wait(store_->importSite(other, by_)).error().code, Errc::Conflict);
}

TEST_F(SiteImportTest, DoesNotForgetWhatTheManifestLeavesOut) {
  openWithSite(3);
  ASSERT_TRUE(wait(store_->importSite(site(1), by_)));
  EXPECT_EQ(store_->nodesIn(Lifecycle::Planned).size(), 3u);
}

TEST_F(SiteImportTest, FileIsVerifiedWhileItIsCopied) {
  openStore();
  const auto content = store_->content();
  const auto source = directory_.path() / "big.img";
  test::writeFile(source, std::string(3u << 20, 'z'));
  const auto digest = *sha256HexOfFile(source);
  const auto wrong = content.importFile(source, std::string(64, 'a'));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().what, HasSubstr(digest));
  for (const auto& left : std::filesystem::recursive_directory_iterator(directory_.path() / "data" / "files"))
    EXPECT_FALSE(left.is_regular_file()) << left.path();
  const auto stored = content.importFile(source, digest);
  ASSERT_TRUE(stored) << stored.error().what;
  EXPECT_EQ(stored->size, 3u << 20);
  EXPECT_EQ(*sha256HexOfFile(store_->filePath(digest)), digest);
  EXPECT_TRUE(content.importFile(source, "")) << "once more is no error";
  EXPECT_FALSE(store_->file(digest)) << "it is listed when an import names it";
  EXPECT_TRUE(store_->filePath("../../etc/passwd").empty());
  EXPECT_EQ(content.importFile(directory_.path() / "none", "").error().code, Errc::NotFound);
}

}  // namespace
}  // namespace zellige
