// Retention: what has been kept long enough goes, from the old end and a bounded number of rows at a time.
#include <nlohmann/json.hpp>

#include "controller/store/apply_operator.hpp"
#include "controller/store/meta.hpp"

namespace zellige {

namespace {

constexpr std::string_view kRemoval = "events.removed";

/// The last event of the old end that may go: before `before`, at most `most` of them, never the newest. None, while
/// all that could go are removals themselves: each would leave another.
struct End {
  std::int64_t sequence = 0, count = 0;
  std::string hash;
};
End oldEnd(Connection& db, Time before, std::int64_t most) {
  End end;
  bool worthIt = false;
  auto q = db.query("SELECT sequence, at, hash, kind FROM event ORDER BY sequence");
  bool more = q.step();
  while (more && q.time(1) < before && end.count < most) {
    const End next{q.integer(0), end.count + 1, q.text(2)};
    const bool other = q.text(3) != kRemoval;
    more = q.step();
    if (!more) break;
    end = next;
    worthIt = worthIt || other;
  }
  return worthIt ? end : End{};
}

}  // namespace

Result<Removed> applyRetention(Writing& w, const KeptSince& keptSince, std::int64_t most,
                               const std::string& why) {
  Removed removed;
  removed.replies = w.db.query(
                            "DELETE FROM idempotency WHERE (user, key) IN (SELECT user, key FROM idempotency "
                            "WHERE created < ? ORDER BY created LIMIT ?)")
                        .bind(keptSince.replies, most)
                        .run();
  removed.tokens = w.db.query(
                           "DELETE FROM token WHERE id IN (SELECT id FROM token WHERE revoked < ?1 OR "
                           "expires < ?1 LIMIT ?2)")
                       .bind(keptSince.tokens, most)
                       .run();
  removed.unlisted = w.db.query(
                             "DELETE FROM unlisted WHERE id IN (SELECT id FROM unlisted WHERE last_seen < ? "
                             "LIMIT ?)")
                         .bind(keptSince.unlisted, most)
                         .run();
  if (removed.unlisted > 0)
    w.event("unlisted.forgotten", {}, {}, {{"count", removed.unlisted}, {"why", why}});
  const auto end = oldEnd(w.db, keptSince.events, most);
  if (end.count == 0) return removed;
  // Where the chain begins now; what is older may be removed from here on (a trigger keeps everything else).
  setMeta(w.db, "events.removed_to", std::to_string(end.sequence));
  setMeta(w.db, "events.removed_hash", end.hash);
  removed.events = w.db.query("DELETE FROM event WHERE sequence <= ?").bind(end.sequence).run();
  w.event(kRemoval, {}, {}, {{"count", removed.events}, {"before", toMillis(keptSince.events)}, {"why", why}});
  return removed;
}

}  // namespace zellige
