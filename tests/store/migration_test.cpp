// A full database as each older version of the schema had it, brought to this one: nothing in it is lost or changed.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "controller/store/connection.hpp"
#include "controller/store/schema.hpp"
#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

namespace fs = std::filesystem;

class Migrations : public test::StoreTest {
 protected:
  /// A site with everything that the first version could hold.
  void fill() {
    openWithSite();
    BmcAccess access = *store_->loadAccess(nodeId(1));
    access.password = Secret{std::string("set-Canary-1")};
    access.nextPassword = Secret{std::string("next-Canary-2")};
    access.sessionToken = Secret{std::string("token-Canary-3")};
    access.sessionUri = "/redfish/v1/SessionService/Sessions/7";
    access.pin = "sha256-of-its-key";
    access.mustChange = false;
    access.guesses = access.refusals = 2;
    ASSERT_TRUE(wait(store_->saveAccess(nodeId(1), access)));
    run_ = startRun(nodeId(1));
    ASSERT_TRUE(commit({PutInventory{nodeId(0), test::smallInventory()}}));
    ASSERT_TRUE(commit({PutEvidence{{nodeId(0), run_, "inventory", "{}", {"serial:SN1000"}, time_.now()}}}));
    raise(nodeId(2), "bmc.credentials");
    Hold hold;
    hold.node = nodeId(2);
    hold.owner = "alice";
    hold.reason = "hands inside";
    ASSERT_TRUE(wait(store_->addHold(hold, by_)));
    ASSERT_TRUE(wait(store_->armPlace("H1/R01", by_)));
    User user;
    user.name = "alice";
    user.passwordHash = "hash";
    user.grants = {{"technician", "H1"}};
    ASSERT_TRUE(wait(store_->createUser(user, by_)));
  }

  fs::path database() const { return directory_.path() / "data" / "zellige.db"; }

  static std::vector<std::string> textsOf(Connection& db, std::string_view sql) {
    std::vector<std::string> out;
    auto q = db.query(sql);
    while (q.step()) out.push_back(q.text(0));
    return out;
  }

  /// The rows of `full`, as far as version `version` had columns for them, in a database of that version.
  void olden(const fs::path& full, std::size_t version) {
    Connection db(database(), {.writes = true});
    ASSERT_TRUE(migrate(db, migrations().first(version), time_.now()));
    db.script("PRAGMA foreign_keys = OFF");
    db.script(fmt::format("ATTACH '{}' AS full", full.string()));
    for (const auto& table :
         textsOf(db,
                 "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'migration' "
                 "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'node_text_%'")) {
      const auto had = textsOf(db, fmt::format("SELECT name FROM pragma_table_info('{}', 'main')", table));
      const auto has = textsOf(db, fmt::format("SELECT name FROM pragma_table_info('{}', 'full')", table));
      std::string columns = table == "node_text" ? "rowid" : "";
      for (const auto& column : had)
        if (std::find(has.begin(), has.end(), column) != has.end())
          columns += (columns.empty() ? "" : ", ") + column;
      ASSERT_FALSE(columns.empty()) << table;
      db.script(fmt::format("INSERT OR REPLACE INTO main.{} ({}) SELECT {} FROM full.{}", table, columns,
                            columns, table));
    }
    db.script("DETACH full");
  }

  RunId run_;
};

TEST_F(Migrations, LoseNothingOfAnOlderDatabase) {
  fill();
  const auto head = store_->eventHash();
  const auto inventory = store_->inventory(nodeId(0));
  close();
  const auto full = directory_.path() / "full.db";
  {
    Connection db(database(), {.writes = true});
    db.script(fmt::format("VACUUM INTO '{}'", full.string()));
  }
  for (std::size_t version = 1; version < migrations().size(); ++version) {
    SCOPED_TRACE(fmt::format("from version {}", version));
    close();
    for (const auto* end : {"", "-wal", "-shm"}) fs::remove(database().string() + end);
    olden(full, version);
    openStore();
    ASSERT_TRUE(store_);
    const auto access = store_->loadAccess(nodeId(1));
    ASSERT_TRUE(access) << access.error().what;
    EXPECT_EQ(access->password.reveal(), "set-Canary-1");
    ASSERT_TRUE(access->nextPassword);
    EXPECT_EQ(access->nextPassword->reveal(), "next-Canary-2");
    EXPECT_EQ(access->sessionToken.reveal(), "token-Canary-3");
    EXPECT_EQ(access->sessionUri, "/redfish/v1/SessionService/Sessions/7");
    EXPECT_EQ(access->pin, "sha256-of-its-key");
    EXPECT_FALSE(access->mustChange);
    const int refusals = version < 8 ? 0 : 2;  // older ones did not count them
    EXPECT_EQ(access->refusals, refusals);
    EXPECT_EQ(access->guesses, refusals);
    EXPECT_EQ(store_->loadAccess(nodeId(0))->password.reveal(), test::kPassword);
    EXPECT_TRUE(store_->loadAccess(nodeId(0))->mustChange);
    EXPECT_EQ(store_->unfinishedRunOf(nodeId(1)), run_);
    EXPECT_EQ(partsOf(*store_->inventory(nodeId(0))), partsOf(*inventory));
    ASSERT_EQ(store_->validEvidence(nodeId(0)).size(), 1u);
    EXPECT_THAT(store_->validEvidence(nodeId(0)).front().dependsOn, testing::ElementsAre("serial:SN1000"));
    EXPECT_TRUE(store_->hasBlockingFinding(nodeId(2)));
    EXPECT_THAT(store_->heldBecause(nodeId(2)), testing::HasSubstr("alice"));
    EXPECT_TRUE(store_->armed({"H1/R01/RK001/U10"}));
    EXPECT_TRUE(queries_->user("alice"));
    EXPECT_EQ(store_->eventHash(), head);
    EXPECT_TRUE(store_->verifyChain());
    EXPECT_EQ(wait(store_->importSite(site(3), by_))->nodesUnchanged, 3)
        << "it knows the manifest's passwords";
    EXPECT_TRUE(startRun(nodeId(0)).value > run_.value) << "and it works on";
  }
}

}  // namespace
}  // namespace zellige
