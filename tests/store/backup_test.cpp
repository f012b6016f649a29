// A backup is what the database was when it began, whole, sealed as it was, and made while the writer goes on.
#include "controller/store/backup.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "tests/store/canary.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Backups : public test::StoreTest {
 protected:
  fs::path database() const { return directory_.path() / "data" / "zellige.db"; }
  fs::path file() const { return directory_.path() / "backup.db"; }
  Result<std::unique_ptr<Backup>> begin() {
    return Backup::begin(database(), file(), time_.now(), {8, 4096});
  }
  void finish(Backup& backup) {
    for (Result<bool> done = false; done && !*done;) {
      done = backup.step();
      ASSERT_TRUE(done) << done.error().what;
    }
  }
};

TEST_F(Backups, AreWholeAndHaveTheDigestThatIsTold) {
  openWithSite(40);
  auto backup = begin();
  ASSERT_TRUE(backup) << backup.error().what;
  finish(**backup);
  EXPECT_EQ((*backup)->bytes(), fs::file_size(file()));
  EXPECT_EQ((*backup)->sha256(), *sha256HexOfFile(file()));
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  backup->reset();
  ASSERT_TRUE(fs::exists(file())) << "what is finished stays";
  EXPECT_FALSE(fs::exists(file().string() + "-wal"));
  SQLite::Database copy(file().string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(copy.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(copy.execAndGet("SELECT count(*) FROM node").getInt(), 40);
  EXPECT_EQ(copy.execAndGet("PRAGMA journal_mode").getString(), "delete") << "one file, without a WAL";
}

TEST_F(Backups, HoldWhatWasCommittedWhenTheyBeganWhateverIsCommittedMeanwhile) {
  openWithSite(40);
  const auto last = store_->lastEvent();
  auto backup = begin();
  ASSERT_TRUE(backup) << backup.error().what;
  int steps = 0;
  for (Result<bool> done = false; !*done; ++steps) {
    ASSERT_TRUE(commit({SetHealth{nodeId(steps % 40), steps % 2 == 0 ? Health::Failed : Health::Ok}}));
    done = (*backup)->step();
    ASSERT_TRUE(done) << done.error().what;
  }
  EXPECT_GT(steps, 20) << "it was made in many steps, with a commit before each";
  EXPECT_GE(store_->lastEvent(), last + 20);
  SQLite::Database copy(file().string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(copy.execAndGet("SELECT max(sequence) FROM event").getInt64(), last);
  EXPECT_EQ(copy.execAndGet("SELECT count(*) FROM node WHERE health <> 'ok'").getInt(), 0);
}

TEST_F(Backups, LeaveNothingWhenTheyAreLetGoHalfway) {
  openWithSite(40);
  {
    auto backup = begin();
    ASSERT_TRUE(backup);
    ASSERT_TRUE((*backup)->step());
    ASSERT_TRUE(fs::exists(file()));
  }
  EXPECT_FALSE(fs::exists(file()));
  ASSERT_TRUE(commit({SetHealth{nodeId(0), Health::Failed}}));
}

TEST_F(Backups, NeverWriteOverAFile) {
  openWithSite();
  test::writeFile(file(), "mine");
  const auto refused = begin();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Invalid);
  EXPECT_EQ(fs::file_size(file()), 4u);
}

TEST_F(Backups, OfADamagedDatabaseAreRefused) {
  openWithSite(40);
  close();
  const auto size = static_cast<std::int64_t>(fs::file_size(database()));
  {
    std::fstream damaged(database(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(size - 4096);
    damaged << std::string(4096, '\xa5');
  }
  auto backup = begin();
  ASSERT_TRUE(backup) << backup.error().what;
  Result<bool> done = false;
  while (done && !*done) done = (*backup)->step();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("is damaged"));
  backup->reset();
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(Backups, HoldNoSecretUnsealedAndNoKey) {
  openWithSite();
  auto backup = begin();
  ASSERT_TRUE(backup);
  finish(**backup);
  const auto apart = directory_.path() / "apart";
  fs::create_directory(apart);
  fs::rename(file(), apart / "backup.db");
  EXPECT_THAT(test::findCanaries(apart, {std::string(test::kPassword)}), IsEmpty());
}

}  // namespace
}  // namespace zellige
