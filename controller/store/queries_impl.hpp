#pragma once

#include "controller/store/queries.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

struct Queries::Impl {
  explicit Impl(const std::filesystem::path& database) : db(database, ConnectionOptions{}) {}
  Connection db;

  /// One consistent state of the database for several statements, until it goes out of scope.
  class Snapshot {
   public:
    explicit Snapshot(Connection& db) : db_(db) { db_.query("BEGIN").run(); }
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

   private:
    Connection& db_;
  };
  Snapshot snapshot() { return Snapshot(db); }
};

NodeRow describeNode(Connection& db, Node node);
bool isArmed(Connection& db, std::string_view place);

}  // namespace zellige
