// How rows become values: one reader per table, with the columns it reads in their order. Text that names no value of
// its enum means a damaged database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/engine/store.hpp"
#include "controller/store/connection.hpp"
#include "controller/store/records.hpp"

namespace zellige {

template <class E>
E readName(const Query& row, int column) {
  const auto text = row.text(column);
  const auto value = fromName<E>(text);
  if (!value)
    throw StoreFailure("the database holds the unknown word '" + text +
                       "': it was written by another version");
  return *value;
}

inline constexpr std::string_view kNodeColumns =
    "id, serial, kind, place, sku, profile, bmc_mac, bmc_address, bmc_port, bmc_user, lifecycle, allocation, "
    "scheduling, health, unreachable_since, lifecycle_since, version, os_address, os_port, os_user, "
    "baseline, "
    "bmc_leased";
Node readNode(const Query& row);

inline constexpr std::string_view kRackColumns = "place, recipe, state, since";
Rack readRack(const Query& row);

inline constexpr std::string_view kRunColumns =
    "id, workflow, state, lane, parameter, target, step, item, acts, deaths, rounds, facts, step_since, "
    "excused_ms, waits_for, blocked_since, started_by, created, ended, lingers";
/// The statement behind every turn of a run: its columns in the order of kRunColumns, open_act, then the id.
inline constexpr std::string_view kUpdateRun =
    "UPDATE run SET workflow = ?, state = ?, lane = ?, parameter = ?, target = ?, step = ?, item = ?, acts = "
    "?, "
    "deaths = ?, rounds = ?, facts = ?, step_since = ?, excused_ms = ?, waits_for = ?, blocked_since = ?, "
    "started_by = ?, created = ?, ended = ?, lingers = ?, open_act = ? WHERE id = ? AND state IN ('active', "
    "'blocked')";
/// Without its subject, which stands in run_subject.
Run readRun(const Query& row);

inline constexpr std::string_view kFindingColumns =
    "id, node, run, cause, detail, raised, resolved, resolution";
Finding readFinding(const Query& row);

inline constexpr std::string_view kEvidenceColumns = "node, run, subject, value, depends_on, at";
Evidence readEvidence(const Query& row);

inline constexpr std::string_view kHoldColumns =
    "id, kind, node, place, owner, reason, created, expires, released, released_by, release_why";
Hold readHold(const Query& row);

inline constexpr std::string_view kTokenColumns = "id, kind, user, name, hash, created, expires, revoked";
ApiToken readToken(const Query& row);

// Reads that the store and the API's queries share.
std::optional<Node> findNode(Connection& db, NodeId id);
std::optional<Run> findRun(Connection& db, RunId id);
std::optional<Inventory> findInventory(Connection& db, NodeId node);
std::optional<StoredReport> findReport(Connection& db, NodeId node);
std::optional<ReportHead> findReportHead(Connection& db, NodeId node);
std::vector<Evidence> findValidEvidence(Connection& db, NodeId node);
/// Unreleased, unexpired holds on the node or on a place around it.
std::vector<Hold> findHolds(Connection& db, const Node& node, Time now);
/// '' and every place around this one, itself included: "", "H1", "H1/R01", …
std::vector<std::string> placesAround(std::string_view place);
std::string encodeFacts(const Facts& facts);
std::string encodeActs(const std::map<std::string, Act>& acts);

}  // namespace zellige
