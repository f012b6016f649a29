#include "controller/store/meta.hpp"

namespace zellige {

std::string findMeta(Connection& db, std::string_view key) {
  auto q = db.query("SELECT value FROM meta WHERE key = ?");
  q.bind(key);
  return q.step() ? q.text(0) : std::string{};
}

void setMeta(Connection& db, std::string_view key, const std::string& value) {
  db.query(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .bind(key, value)
      .run();
}

void removeMeta(Connection& db, std::string_view key) {
  db.query("DELETE FROM meta WHERE key = ?").bind(key).run();
}

}  // namespace zellige
