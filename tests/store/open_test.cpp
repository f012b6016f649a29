// Every way in which a data directory cannot be used gives an error that says what to do.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "controller/store/schema.hpp"
#include "controller/store/site_key.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::HasSubstr;

class Open : public test::StoreTest {
 protected:
  std::filesystem::path data() const { return directory_.path() / "data"; }
  std::filesystem::path database() const { return data() / "zellige.db"; }
  Error refused() {
    VirtualExecutor executor(time_);
    auto opened = SqliteStore::open(data(), executor, SecretBox::fromSeed("test"), virtualOptions());
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  void edit(const std::string& sql) {
    close();
    SQLite::Database db(database().string(), SQLite::OPEN_READWRITE);
    db.exec(sql);
  }
  void overwrite(std::int64_t offset, std::size_t bytes) {
    std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(bytes, '\xa5');
  }
};

TEST_F(Open, MakesADirectoryAndFindsItAgain) {
  openWithSite();
  EXPECT_TRUE(store_->checkIntegrity());
  const auto last = store_->lastEvent();
  openStore();
  EXPECT_EQ(store_->lastEvent(), last);
  EXPECT_EQ(queries_->site(), "lab");
}

TEST_F(Open, RefusesADatabaseOfANewerProgram) {
  openStore();
  edit("INSERT INTO migration (number, checksum, applied) VALUES (999, 'x', 0)");
  const auto error = refused();
  EXPECT_EQ(error.code, Errc::Invalid);
  EXPECT_THAT(error.what, HasSubstr("newer version"));
  EXPECT_THAT(error.what, HasSubstr("999"));
}

TEST_F(Open, RefusesAMigrationThatWasEditedAfterRelease) {
  openStore();
  edit("UPDATE migration SET checksum = 'other' WHERE number = 1");
  EXPECT_THAT(refused().what, HasSubstr("checksum"));
}

TEST_F(Open, AppliesAMigrationWholeOrNotAtAll) {
  openStore();
  close();
  Connection db(database(), {.writes = true});
  std::vector<Migration> wanted(migrations().begin(), migrations().end());
  const auto next = wanted.back().number + 1;
  wanted.push_back({next, "CREATE TABLE extra (a INTEGER) STRICT; CREATE TABLE node (a INTEGER) STRICT;"});
  EXPECT_ANY_THROW((void)migrate(db, wanted, time_.now()));
  EXPECT_EQ(db.number("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
  wanted.back().sql = "CREATE TABLE extra (a INTEGER) STRICT;";
  ASSERT_TRUE(migrate(db, wanted, time_.now()));
  ASSERT_TRUE(migrate(db, wanted, time_.now()));
  EXPECT_EQ(db.number("SELECT max(number) FROM migration"), next);
}

TEST_F(Open, RefusesWhatIsNoDatabaseOfOurs) {
  std::filesystem::create_directories(data());
  test::writeFile(database(), std::string(8192, 'h'));
  EXPECT_THAT(refused().what, HasSubstr("not a Zellige database"));
  std::filesystem::remove(database());
  {
    SQLite::Database other(database().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE recipes (name TEXT)");
  }
  EXPECT_THAT(refused().what, HasSubstr("not a Zellige database"));
}

TEST_F(Open, RefusesADirectoryThatAnotherControllerHolds) {
  openStore();
  const auto error = refused();
  EXPECT_EQ(error.code, Errc::Conflict);
  EXPECT_THAT(error.what, HasSubstr("pid " + std::to_string(::getpid())));
  close();
  openStore();  // free again
}

TEST_F(Open, RefusesADirectoryThatItCannotWrite) {
  openStore();
  close();
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(data().c_str(), 0555), 0);
  // Root may write anywhere, so the test becomes nobody for a moment.
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto error = refused();
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(data().c_str(), 0755), 0);
  EXPECT_EQ(error.code, Errc::Invalid);
  EXPECT_THAT(error.what, HasSubstr("make it writable"));
}

TEST_F(Open, MakesAKeyOnlyWhileNothingIsSealed) {
  const auto key = [&] { return openSiteKey(**DataDirectory::claim(data())); };
  const auto first = key();
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(std::filesystem::status(data() / "site.key").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(std::filesystem::status(data()).permissions(), std::filesystem::perms::owner_all);
  EXPECT_EQ(key()->sign("x"), first->sign("x"));

  executor_ = std::make_unique<VirtualExecutor>(time_);
  store_ = *SqliteStore::open(data(), *executor_, *first, virtualOptions());
  close();
  std::filesystem::remove(data() / "site.key");
  const auto second = key();
  ASSERT_TRUE(second) << "an empty database holds no secret: " << second.error().what;

  executor_ = std::make_unique<VirtualExecutor>(time_);
  store_ = *SqliteStore::open(data(), *executor_, *second, virtualOptions());
  ASSERT_TRUE(wait(store_->importSite(site(3), by_)));
  close();
  ASSERT_TRUE(key());
  std::filesystem::rename(data() / "site.key", directory_.path() / "kept apart");
  const auto missing = key();
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().what, HasSubstr("is missing"));
  EXPECT_THAT(missing.error().what, HasSubstr("Restore site.key from the backup"));
  EXPECT_FALSE(std::filesystem::exists(data() / "site.key")) << "no new one is made in silence";
  ASSERT_TRUE(SecretBox::make(data() / "site.key"));
  EXPECT_THAT(key().error().what, HasSubstr("is another one"));
  std::filesystem::rename(directory_.path() / "kept apart", data() / "site.key");
  EXPECT_TRUE(key());
}

TEST_F(Open, FindsEveryDamagedPage) {
  openWithSite(40);
  close();
  const auto pages = static_cast<std::int64_t>(std::filesystem::file_size(database())) / 4096;
  ASSERT_GT(pages, 50);
  const auto whole = directory_.path() / "whole.db";
  std::filesystem::copy_file(database(), whole);
  std::vector<std::int64_t> unnoticed;
  for (std::int64_t page = 0; page < pages; ++page) {
    std::filesystem::copy_file(whole, database(), std::filesystem::copy_options::overwrite_existing);
    overwrite(page * 4096, 4096);
    VirtualExecutor executor(time_);
    auto opened = SqliteStore::open(data(), executor, SecretBox::fromSeed("test"), virtualOptions());
    const auto text = !opened ? opened.error().what : [&] {
      const auto sound = (*opened)->checkIntegrity();
      return sound ? std::string{} : sound.error().what;
    }();
    if (text.empty())
      unnoticed.push_back(page);
    else
      EXPECT_TRUE(text.find("restore the last backup") != std::string::npos) << text;
  }
  EXPECT_EQ(unnoticed, std::vector<std::int64_t>{});
}

TEST_F(Open, SaysWhatToDoWhenARowIsReadFromADamagedPage) {
  openWithSite(40);
  close();
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(database()));
  overwrite(4096 * 3, size - 4096 * 3);
  const auto error = refused();
  EXPECT_THAT(error.what, HasSubstr("is damaged"));
}

}  // namespace
}  // namespace zellige
