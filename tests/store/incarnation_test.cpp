// Which database starts disarmed: one that is not the one that its data directory last ran. Nothing else does.
#include "controller/store/incarnation.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "controller/store/backup.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Lives : public test::StoreTest {
 protected:
  fs::path data() const { return directory_.path() / "data"; }
  fs::path database() const { return data() / "zellige.db"; }

  static StoreOptions lasting() {
    auto options = virtualOptions();
    options.durable = true;
    return options;
  }
  void start() { openStore(lasting()); }
  /// A site of three trays, with one of its places armed.
  void startArmed() {
    start();
    ASSERT_TRUE(wait(store_->importSite(site(3), by_)));
    ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  }
  std::vector<std::string> armed() {
    std::vector<std::string> out;
    for (const auto& place : queries_->armedPlaces()) out.push_back(place.place);
    return out;
  }
  std::string why() { return queries_->restored() ? queries_->restored()->why : ""; }
  void backUp(const fs::path& file) {
    auto backup = Backup::begin(database(), file, time_.now());
    ASSERT_TRUE(backup) << backup.error().what;
    for (Result<bool> done = false; done && !*done;) {
      done = (*backup)->step();
      ASSERT_TRUE(done) << done.error().what;
    }
  }
  void copyDatabase(const fs::path& from, const fs::path& to) {
    for (const auto* end : {"", "-wal", "-shm"}) {
      fs::remove(to.string() + end);
      if (fs::exists(from.string() + end)) fs::copy_file(from.string() + end, to.string() + end);
    }
  }
};

TEST_F(Lives, APlainRestartLeavesEverythingArmed) {
  startArmed();
  const auto last = store_->lastEvent();
  for (int i = 0; i < 3; ++i) start();
  EXPECT_THAT(armed(), ElementsAre("H1"));
  EXPECT_EQ(why(), "");
  EXPECT_EQ(store_->lastEvent(), last) << "a start is no event";
}

TEST_F(Lives, AKillLeavesEverythingArmed) {
  startArmed();
  auto options = lasting();
  options.checkpointOnClose = false;  // the WAL stays behind, as after a kill
  openStore(options);
  ASSERT_TRUE(commit({SetHealth{nodeId(0), Health::Failed}}));
  close();
  ASSERT_GT(fs::file_size(database().string() + "-wal"), 0u);
  start();
  EXPECT_THAT(armed(), ElementsAre("H1"));
}

// A WAL that is full takes a quarter of a second to fold: no machine waits for that at a start.
TEST_F(Lives, AStartLeavesTheWalOfTheLastLifeToItsFirstCommit) {
  auto options = lasting();
  options.checkpointOnClose = false;
  openStore(options);
  ASSERT_TRUE(wait(store_->importSite(site(3), by_)));
  close();
  const auto folded = fs::file_size(database());
  options.checkpointPages = 1;
  openStore(options);
  EXPECT_EQ(fs::file_size(database()), folded);
  ASSERT_TRUE(commit({SetHealth{nodeId(0), Health::Failed}}));
  EXPECT_GT(fs::file_size(database()), folded);
}

// The file is written, then the database, then the file: between any two of them the process may die.
TEST_F(Lives, AKillInTheMiddleOfAStartLeavesEverythingArmed) {
  startArmed();
  close();
  const auto file = data() / "incarnation";
  const auto kept = Json::parse(std::ifstream(file));
  auto halfway = kept;
  halfway["names"].push_back("the next one");
  test::writeFile(file, halfway.dump());
  start();
  EXPECT_THAT(armed(), ElementsAre("H1")) << "killed before the database had its new name";
  close();
  const auto now = Json::parse(std::ifstream(file)).at("names").at(0).get<std::string>();
  halfway["names"] = {now, kept.at("names").at(0)};
  test::writeFile(file, halfway.dump());
  start();
  EXPECT_THAT(armed(), ElementsAre("H1")) << "killed after it";
}

TEST_F(Lives, AnUpgradeLeavesEverythingArmed) {
  startArmed();
  close();
  {
    SQLite::Database old(database().string(), SQLite::OPEN_READWRITE);
    old.exec("DELETE FROM meta WHERE key = 'incarnation'");
  }
  fs::remove(data() / "incarnation");
  start();
  EXPECT_THAT(armed(), ElementsAre("H1")) << "as a version without incarnations left it";
  close();
  const auto older = directory_.path() / "older.db";
  copyDatabase(database(), older);
  {
    SQLite::Database old(older.string(), SQLite::OPEN_READWRITE);
    old.exec("DELETE FROM meta WHERE key = 'incarnation'");
  }
  copyDatabase(older, database());
  start();
  EXPECT_THAT(armed(), IsEmpty()) << "one of such a version in the place of a newer one";
}

TEST_F(Lives, ARestoredBackupStartsDisarmedAndSaysSo) {
  startArmed();
  ASSERT_TRUE(wait(store_->armPlace("H2", by_)));
  backUp(directory_.path() / "backup.db");
  close();
  fs::remove_all(data());
  fs::create_directories(data());
  fs::copy_file(directory_.path() / "backup.db", database());
  start();
  EXPECT_THAT(armed(), IsEmpty());
  EXPECT_FALSE(store_->armed({"H1/R01/RK001/U10"}));
  const auto life = queries_->restored();
  ASSERT_TRUE(life);
  EXPECT_THAT(life->why, HasSubstr("is the backup that was made at " + iso8601(time_.now())));
  EXPECT_THAT(life->wasArmed, ElementsAre("H1", "H2"));
  const auto events = eventsSince(store_->lastEvent() - 3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].kind, "place.disarmed");
  EXPECT_THAT(events[1].data, HasSubstr(R"("place":"H2")"));
  EXPECT_EQ(events[2].kind, "site.restored");
  EXPECT_THAT(events[2].data, HasSubstr(life->why));
  EXPECT_TRUE(store_->checkIntegrity());

  start();
  EXPECT_TRUE(queries_->restored()) << "until somebody arms a place";
  const auto last = store_->lastEvent();
  ASSERT_TRUE(wait(store_->armPlace("H1", by_)));
  EXPECT_FALSE(queries_->restored());
  start();
  EXPECT_THAT(armed(), ElementsAre("H1")) << "it is this directory's database from now on";
  EXPECT_EQ(store_->lastEvent(), last + 1);
}

TEST_F(Lives, ABackupPutBackWhereItCameFromStartsDisarmed) {
  startArmed();
  backUp(directory_.path() / "backup.db");
  close();
  copyDatabase(directory_.path() / "backup.db", database());
  start();
  EXPECT_THAT(armed(), IsEmpty());
}

TEST_F(Lives, ACopiedDirectoryStartsDisarmedAndTheFirstGoesOn) {
  startArmed();
  close();
  fs::copy(data(), directory_.path() / "copy", fs::copy_options::recursive);
  fs::rename(data(), directory_.path() / "first");
  fs::rename(directory_.path() / "copy", data());
  start();
  EXPECT_THAT(armed(), IsEmpty());
  EXPECT_THAT(why(), HasSubstr("the database file is a copy"));
  close();
  fs::remove_all(data());
  fs::rename(directory_.path() / "first", data());
  start();
  EXPECT_THAT(armed(), ElementsAre("H1")) << "a directory that was renamed is the same one";
}

class Machines : public Lives {
 protected:
  void SetUp() override {
    startArmed();
    close();
    for (const auto* folder : {"etc", "run"}) fs::create_directories(root_ / folder);
  }
  /// Starts in the same directory on a machine of this id; "": it has none that lasts.
  void startOn(const std::string& id) {
    test::writeFile(root_ / "etc/machine-id", id.empty() ? "of-this-boot-alone\n" : id + "\n");
    fs::remove(root_ / "run/machine-id");
    if (id.empty()) test::writeFile(root_ / "run/machine-id", "of-this-boot-alone\n");
    const auto claimed = *DataDirectory::claim(data());
    Connection db(database(), {.writes = true});
    const auto seat = seatOf(database(), root_);
    EXPECT_EQ(seat.machine.find(id), id.empty() ? 0 : std::string::npos)
        << "a machine's id is told to nobody";
    ASSERT_TRUE(beginLife(db, *claimed, seat, SecretBox::fromSeed("test"), time_.now()));
    armed_ = db.number("SELECT count(*) FROM armed_place");
    why_ = findRestored(db) ? findRestored(db)->why : "";
  }
  const fs::path root_ = directory_.path() / "root";
  std::int64_t armed_ = 0;
  std::string why_;
};

TEST_F(Machines, ADirectoryThatCameFromAnotherOneStartsDisarmed) {
  startOn("");  // so that what this machine's own id is plays no part
  startOn("0123456789abcdef0123456789abcdef");
  startOn("0123456789abcdef0123456789abcdef");
  EXPECT_EQ(armed_, 1) << why_;
  startOn("fedcba9876543210fedcba9876543210");
  EXPECT_EQ(armed_, 0);
  EXPECT_THAT(why_, HasSubstr("from another machine"));
}

TEST_F(Machines, ThatMakeThemselvesANewIdAtEveryBootStayArmed) {
  startOn("");
  startOn("");
  EXPECT_EQ(armed_, 1) << why_;
  startOn("0123456789abcdef0123456789abcdef");
  EXPECT_EQ(armed_, 1) << "and when it lasts at last: " << why_;
}

TEST_F(Lives, AnOlderDatabaseInTheSameFileStartsDisarmed) {
  startArmed();
  close();
  const auto older = directory_.path() / "older.db";
  copyDatabase(database(), older);
  start();
  ASSERT_TRUE(wait(store_->disarmPlace("H1", by_)));
  close();
  {
    // Written over in place, so that the file has the same inode and birth.
    std::ofstream out(database(), std::ios::binary | std::ios::trunc);
    out << std::ifstream(older, std::ios::binary).rdbuf();
  }
  for (const auto* end : {"-wal", "-shm"}) fs::remove(database().string() + end);
  start();
  EXPECT_THAT(armed(), IsEmpty()) << "it was armed in the older one";
  EXPECT_THAT(why(), HasSubstr("not the one that last ran"));
}

TEST_F(Lives, ALostOrDamagedFileDisarmsOrIsRefused) {
  startArmed();
  close();
  test::writeFile(data() / "incarnation", "{\"names\": 7");
  VirtualExecutor executor(time_);
  const auto refused = SqliteStore::open(data(), executor, SecretBox::fromSeed("test"), lasting());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("remove it and start again"));
  fs::remove(data() / "incarnation");
  start();
  EXPECT_THAT(armed(), IsEmpty());
}

TEST_F(Lives, RestoredAgainBeforeAnythingWasArmedStillTellsWhatWas) {
  startArmed();
  for (int i = 0; i < 2; ++i) {
    close();
    fs::remove(data() / "incarnation");
    start();
    ASSERT_TRUE(queries_->restored());
    EXPECT_THAT(queries_->restored()->wasArmed, ElementsAre("H1"));
  }
}

TEST_F(Lives, AgentsAreNotToldWhatAnOlderControllerWanted) {
  startArmed();
  AgentOrder write{"7-image-0", OrderKind::WriteImage, "https://10.0.0.1/images/x", std::string(64, 'a'), {},
                   {}};
  AgentOrder rest;
  rest.id = "8-rest";
  rest.reportEvery = 10min;
  ASSERT_TRUE(commit({PutOrder{nodeId(0), write}, PutOrder{nodeId(1), rest}}));
  start();
  EXPECT_EQ(store_->orderId(nodeId(0)), "7-image-0");
  close();
  fs::remove(data() / "incarnation");
  start();
  EXPECT_FALSE(store_->order(nodeId(0)));
  EXPECT_EQ(store_->orderId(nodeId(0)), "");
  EXPECT_EQ(store_->orderId(nodeId(1)), "8-rest") << "idle agents go on reporting seldom";
}

TEST_F(Lives, ACampaignThatWasRunningIsPausedAndSaysWhy) {
  startArmed();
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Planned, Lifecycle::Discovered));
  ASSERT_TRUE(move(nodeId(0), Lifecycle::Discovered, Lifecycle::Qualifying));
  ASSERT_TRUE(commit({PutInventory{nodeId(0), test::smallInventory()}}));
  Campaign spring;
  spring.name = "spring";
  spring.baseline = "2026.1";
  const CampaignId over{commit({CreateCampaign{spring}})->ids.at(0)};
  ASSERT_TRUE(commit({MoveCampaign{over, CampaignState::Running, CampaignState::Cancelled, "too hot"}}));
  const CampaignId running{commit({CreateCampaign{spring}})->ids.at(0)};
  start();
  EXPECT_EQ(store_->campaign(running)->state, CampaignState::Running) << "a plain restart";
  close();
  fs::remove(data() / "incarnation");
  start();
  const auto paused = *store_->campaign(running);
  EXPECT_EQ(paused.state, CampaignState::Paused);
  EXPECT_THAT(paused.why, HasSubstr("never run in this data directory"));
  EXPECT_THAT(paused.why, HasSubstr("resume"));
  EXPECT_EQ(store_->campaign(over)->why, "too hot") << "what does not run stays as it is";
  const auto events = eventsSince(store_->lastEvent() - 2);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, "campaign.state");
  EXPECT_THAT(events[0].data, HasSubstr("never run in this data directory"));
  EXPECT_EQ(events[1].kind, "site.restored");
  EXPECT_THAT(events[1].data, HasSubstr(R"("campaigns_paused":1)"));
  ASSERT_TRUE(commit({MoveCampaign{running, CampaignState::Paused, CampaignState::Running, "looked"}}));
  start();
  EXPECT_EQ(store_->campaign(running)->state, CampaignState::Running);
}

TEST_F(Lives, ABackupBesideAnotherDatabasesWalIsRefused) {
  auto options = lasting();
  options.checkpointOnClose = false;
  openStore(options);
  backUp(directory_.path() / "backup.db");
  ASSERT_TRUE(wait(store_->armPlace("", by_)));
  close();
  ASSERT_GT(fs::file_size(database().string() + "-wal"), 0u);
  fs::copy_file(directory_.path() / "backup.db", database(), fs::copy_options::overwrite_existing);
  VirtualExecutor executor(time_);
  const auto refused = SqliteStore::open(data(), executor, SecretBox::fromSeed("test"), lasting());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("zellige.db-wal belongs to another database"));
  for (const auto* end : {"-wal", "-shm"}) fs::remove(database().string() + end);
  start();
  EXPECT_TRUE(store_->checkIntegrity());
}

}  // namespace
}  // namespace zellige
