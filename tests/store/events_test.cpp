#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "tests/store/fixture.hpp"

namespace zellige {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Events : public test::StoreTest {
 protected:
  std::string databaseFile() const { return (directory_.path() / "data" / "zellige.db").string(); }
  void openWithHistory() {
    openWithSite();
    for (int i = 0; i < 6; ++i)
      ASSERT_TRUE(commit({SetHealth{nodeId(0), i % 2 == 0 ? Health::Failed : Health::Ok}}));
  }
};

TEST_F(Events, CanBeNeitherChangedNorRemoved) {
  openWithHistory();
  SQLite::Database db(databaseFile(), SQLite::OPEN_READWRITE);
  EXPECT_THROW(db.exec("UPDATE event SET actor = 'nobody' WHERE sequence = 3"), SQLite::Exception);
  EXPECT_THROW(db.exec("DELETE FROM event WHERE sequence = 3"), SQLite::Exception);
  EXPECT_THROW(db.exec("DELETE FROM event"), SQLite::Exception);
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Events, TellWhichOneWasTamperedWith) {
  openWithHistory();
  const auto last = store_->lastEvent();
  for (const auto* change :
       {"actor = 'mallory'", "at = at + 1", "kind = 'x'", "node = NULL", "data = '{}'", "hash = 'x'"}) {
    SQLite::Database db(databaseFile(), SQLite::OPEN_READWRITE);
    db.exec("DROP TRIGGER event_is_append_only; SAVEPOINT tamper");
    const auto sequence = last - 2;
    db.exec(std::string("UPDATE event SET ") + change + " WHERE sequence = " + std::to_string(sequence));
    db.exec("RELEASE tamper");
    const auto verified = store_->verifyChain();
    ASSERT_FALSE(verified) << change;
    EXPECT_THAT(verified.error().what, HasSubstr("event " + std::to_string(sequence) + " "));
    close();
    std::filesystem::remove_all(directory_.path() / "data");
    openWithHistory();
  }
}

TEST_F(Events, TellWhichOneWasRemoved) {
  openWithHistory();
  {
    SQLite::Database db(databaseFile(), SQLite::OPEN_READWRITE);
    db.exec("DROP TRIGGER event_is_kept; DELETE FROM event WHERE sequence = 4");
  }
  const auto verified = store_->verifyChain();
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().what, HasSubstr("lacks event 4"));
}

TEST_F(Events, KeepTheirChainWhenOldOnesAreRemoved) {
  openWithHistory();
  const auto before = store_->lastEvent();
  time_.runOne();
  executor_->after(1h, [] {});
  while (time_.runOne()) {
  }
  ASSERT_TRUE(commit({SetHealth{nodeId(1), Health::Failed}}));
  const KeptSince since{time_.now() - 1min, {}, {}};
  const auto some = wait(store_->removeOld(since, 2, {"alice", "retention"}));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->events, 2) << "no more at a time";
  EXPECT_TRUE(store_->verifyChain());
  const auto removed = wait(store_->removeOld(since, 1'000, {"alice", "retention"}));
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->events, before - 2);
  EXPECT_THAT(kindsSince(0), ElementsAre("node.health", "events.removed", "events.removed"));
  EXPECT_TRUE(store_->verifyChain());
  EXPECT_EQ(wait(store_->removeOld({time_.now() + 1h, {}, {}}, 1'000, by_))->events, 2);
  EXPECT_THAT(kindsSince(0), ElementsAre("events.removed", "events.removed")) << "the newest always stay";
  EXPECT_EQ(wait(store_->removeOld({time_.now() + 1h, {}, {}}, 1'000, by_))->events, 0)
      << "only removals are left";
  openStore();
  EXPECT_TRUE(store_->verifyChain());
  ASSERT_TRUE(commit({SetHealth{nodeId(1), Health::Ok}}));
  EXPECT_TRUE(store_->verifyChain());
}

TEST_F(Events, AreFoundByKindNodeAndPlace) {
  openWithSite(40);
  const auto start = store_->lastEvent();
  const auto run = RunId{commit({SaveRun{newRun({nodeId(0), nodeId(1)}), "run.started"}})->ids[0]};
  ASSERT_TRUE(commit({SetHealth{nodeId(0), Health::Failed}, SetHealth{nodeId(30), Health::Failed}}));
  const auto kinds = [&](EventFilter filter) {
    std::vector<std::string> out;
    for (const auto& e : queries_->events(start, filter, 100).events) out.push_back(e.kind);
    return out;
  };
  EXPECT_THAT(kinds({.kinds = {"run."}}), ElementsAre("run.started"));
  EXPECT_THAT(kinds({.kinds = {"node.health", "run.started"}}),
              ElementsAre("run.started", "node.health", "node.health"));
  EXPECT_THAT(kinds({.kinds = {"node"}}), ElementsAre());
  EXPECT_THAT(kinds({.node = nodeId(1)}), ElementsAre("run.started"))
      << "a run of several nodes is an event of each";
  EXPECT_THAT(kinds({.node = nodeId(30)}), ElementsAre("node.health"));
  EXPECT_THAT(kinds({.place = "H1/R01/RK001"}), ElementsAre("run.started", "node.health"));
  EXPECT_THAT(kinds({.place = "H1/R01/RK002"}), ElementsAre("node.health"))
      << "where none of the run's nodes stands";
  EXPECT_EQ(queries_->events(start, {}, 100).events[0].run, run);
  const auto first = queries_->events(start, {}, 2);
  EXPECT_EQ(first.events.size(), 2u);
  EXPECT_EQ(queries_->events(first.next, {}, 2).events.size(), 1u);
  EXPECT_EQ(queries_->events(store_->lastEvent(), {}, 2).next, store_->lastEvent());
}

}  // namespace
}  // namespace zellige
