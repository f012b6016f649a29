// Inventory and the evidence that rests on it.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/model/catalog.hpp"
#include "controller/store/apply.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

/// An event names at most this many parts: a first inventory of another tray may change hundreds.
constexpr std::size_t kNamedParts = 40;

Json differences(const Parts& before, const Parts& after) {
  Json changed = Json::array();
  std::size_t more = 0;
  const auto note = [&](const std::string& part, const std::string& from, const std::string& to) {
    if (changed.size() < kNamedParts)
      changed.push_back({{"part", part}, {"from", from}, {"to", to}});
    else
      ++more;
  };
  for (const auto& [part, value] : after) {
    const auto old = before.find(part);
    if (old == before.end())
      note(part, "", value);
    else if (old->second != value)
      note(part, old->second, value);
  }
  for (const auto& [part, value] : before)
    if (!after.contains(part)) note(part, value, "");
  Json data{{"changed", std::move(changed)}};
  if (more > 0) data["more"] = more;
  return data;
}

void replaceParts(Writing& w, NodeId node, const Inventory& inventory) {
  w.db.query("DELETE FROM component WHERE node = ?").bind(node).run();
  w.db.query("DELETE FROM firmware_item WHERE node = ?").bind(node).run();
  std::int64_t ordinal = 0;
  for (const auto& c : inventory.components)
    w.db.query(
            "INSERT INTO component (node, ordinal, kind, name, serial, model, part, complete, sick, why) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(node, ordinal++, nameOf(c.kind), c.name, c.serial, c.model, c.part, c.complete, c.sick, c.why)
        .run();
  ordinal = 0;
  for (const auto& f : inventory.firmware)
    w.db.query(
            "INSERT INTO firmware_item (node, ordinal, id, version, updateable, absent) VALUES (?, ?, ?, ?, "
            "?, ?)")
        .bind(node, ordinal++, f.id, f.version, f.updateable, f.absent)
        .run();
}

}  // namespace

namespace {

void putInventory(Writing& w, NodeId node, const std::optional<Inventory>& before, const Inventory& inventory) {
  w.db.query(
          "INSERT INTO inventory (node, serial, manufacturer, model, memory_gib, digest) VALUES (?, ?, ?, ?, "
          "?, ?) "
          "ON CONFLICT (node) DO UPDATE SET serial = excluded.serial, manufacturer = excluded.manufacturer, "
          "model = excluded.model, memory_gib = excluded.memory_gib, digest = excluded.digest")
      .bind(node, inventory.serial, inventory.manufacturer, inventory.model, inventory.memoryGiB,
            digestOf(inventory))
      .run();
  replaceParts(w, node, inventory);
  const auto partsBefore = before ? partsOf(*before) : Parts{}, partsNow = partsOf(inventory);
  if (before) {
    w.event("inventory.changed", node, {}, differences(partsBefore, partsNow));
  } else {
    w.event("inventory.changed", node, {},
            {{"first", true},
             {"serial", inventory.serial},
             {"components", inventory.components.size()},
             {"firmware", inventory.firmware.size()}});
  }
  invalidateEvidence(w, node, "the part or firmware it rests on has changed",
                     [&](const std::string& dependency) {
                       return isBroken(dependency, inventory.serial, partsBefore, partsNow);
                     });
}

}  // namespace

Result<std::int64_t> apply(Writing& w, const PutInventory& op) {
  {
    auto same = w.db.query("SELECT digest FROM inventory WHERE node = ?");
    same.bind(op.node);
    if (same.step() && same.text(0) == digestOf(op.inventory)) return 0;
  }
  putInventory(w, op.node, findInventory(w.db, op.node), op.inventory);
  return 0;
}

Result<std::int64_t> apply(Writing& w, const PutFirmware& op) {
  const auto before = findInventory(w.db, op.node);
  if (!before || before->firmware == op.items) return 0;
  auto now = *before;
  now.firmware = op.items;
  putInventory(w, op.node, before, now);
  return 0;
}

void invalidateEvidence(Writing& w, NodeId node, const std::string& why,
                        const std::function<bool(const std::string&)>& gone) {
  for (const auto& evidence : findValidEvidence(w.db, node)) {
    const auto found = std::find_if(evidence.dependsOn.begin(), evidence.dependsOn.end(), gone);
    if (found == evidence.dependsOn.end()) continue;
    w.db.query("UPDATE evidence SET invalid_since = ?, invalid_why = ? WHERE node = ? AND subject = ?")
        .bind(w.at, fmt::format("{}: {}", why, *found), node, evidence.subject)
        .run();
    w.event("evidence.invalidated", node, {},
            {{"subject", evidence.subject}, {"dependency", *found}, {"why", why}});
  }
}

Result<std::int64_t> apply(Writing& w, const PutEvidence& op) {
  auto evidence = op.evidence;
  std::sort(evidence.dependsOn.begin(), evidence.dependsOn.end());
  std::int64_t id = 0;
  {
    auto q = w.db.query(
        "INSERT INTO evidence (node, subject, run, value, depends_on, at, invalid_why) VALUES (?, ?, ?, ?, "
        "?, ?, '') "
        "ON CONFLICT (node, subject) DO UPDATE SET run = excluded.run, value = excluded.value, "
        "depends_on = excluded.depends_on, at = excluded.at, invalid_since = NULL, invalid_why = '' "
        "RETURNING id");
    q.bind(evidence.node, evidence.subject, evidence.run, evidence.value, canonical(Json(evidence.dependsOn)),
           evidence.at);
    q.step();
    id = q.integer(0);
    q.step();
  }
  // The value may hold fractions, which have no place in a canonical line; what it rests on says enough.
  w.event("evidence.put", evidence.node, evidence.run,
          {{"subject", evidence.subject}, {"depends_on", evidence.dependsOn.size()}});
  return id;
}

Result<std::int64_t> apply(Writing& w, const InvalidateEvidence& op) {
  invalidateEvidence(w, op.node, op.why,
                     [&](const std::string& dependency) { return dependency == op.dependency; });
  return 0;
}

}  // namespace zellige
