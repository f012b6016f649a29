#include "controller/store/apply_waiver.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/rows.hpp"

namespace zellige {

namespace {

Waiver readWaiver(const Query& row) {
  return {WaiverId{row.integer(0)},
          NodeId{row.integer(1)},
          row.text(2),
          row.text(3),
          row.time(4),
          row.time(5),
          std::nullopt};
}

std::optional<Waiver> inForce(Writing& w, NodeId node) {
  auto q = w.db.query(
      "SELECT id, node, by, reason, granted, until FROM waiver WHERE node = ? AND withdrawn IS NULL AND "
      "until > ? ORDER BY id DESC LIMIT 1");
  q.bind(node, w.at);
  if (!q.step()) return std::nullopt;
  return readWaiver(q);
}

}  // namespace

Result<Waiver> applyGrantWaiver(Writing& w, NodeId node, Time until, const std::string& reason) {
  if (until <= w.at) return Error{Errc::Invalid, "a waiver ends in the future"};
  if (const auto other = inForce(w, node))
    return Error{Errc::Conflict, fmt::format("{} has waived this node until {} already: withdraw that first",
                                             other->by, iso8601(other->until))};
  w.db.query("INSERT INTO waiver (node, by, reason, granted, until) VALUES (?, ?, ?, ?, ?)")
      .bind(node, w.actor, reason, w.at, until)
      .run();
  const Waiver waiver{WaiverId{w.db.lastId()}, node, w.actor, reason, w.at, until, std::nullopt};
  w.event("waiver.granted", node, {},
          {{"waiver", waiver.id.value}, {"until", toMillis(until)}, {"why", reason}});
  return waiver;
}

Result<void> applyWithdrawWaiver(Writing& w, NodeId node, const std::string& why) {
  const auto waiver = inForce(w, node);
  if (!waiver) return Error{Errc::NotFound, "no waiver is in force for this node"};
  w.db.query("UPDATE waiver SET withdrawn = ?, withdrawn_by = ?, withdraw_why = ? WHERE id = ?")
      .bind(w.at, w.actor, why, waiver->id)
      .run();
  w.event("waiver.withdrawn", node, {}, {{"waiver", waiver->id.value}, {"why", why}});
  return {};
}

std::vector<Waiver> findWaivers(Connection& db, std::string_view rack) {
  auto q = db.query(
      "SELECT v.id, v.node, v.by, v.reason, v.granted, v.until FROM waiver v JOIN node n ON n.id = v.node "
      "WHERE v.withdrawn IS NULL AND n.rack = ? ORDER BY v.node, v.id");
  q.bind(rack);
  std::vector<Waiver> out;
  while (q.step()) out.push_back(readWaiver(q));
  return out;
}

}  // namespace zellige
