#include "controller/store/rows.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/documents.hpp"

namespace zellige {

namespace {

Facts decodeFacts(const std::string& text) {
  Facts facts;
  if (text == "{}") return facts;
  const auto json = readStored(text);
  for (const auto& [key, value] : json.items()) facts.set(key, value.get<std::string>());
  return facts;
}

std::map<std::string, Act> decodeActs(const std::string& text) {
  std::map<std::string, Act> acts;
  if (text == "{}") return acts;
  const auto json = readStored(text);
  for (const auto& [item, stored] : json.items()) {
    Act act;
    const auto phase = fromName<ActPhase>(stored.at("phase").get<std::string>());
    if (!phase) throw StoreFailure("a stored run holds an act in a phase that this version does not know");
    act.phase = *phase;
    act.tries = stored.at("tries").get<int>();
    for (const auto& [key, value] : stored.at("witness").items())
      act.witness.set(key, value.get<std::string>());
    acts.emplace(item, std::move(act));
  }
  return acts;
}

template <class Tag>
Id<Tag> readId(const Query& row, int column) {
  return {row.isNull(column) ? 0 : row.integer(column)};
}

}  // namespace

namespace {

void appendFacts(std::string& out, const Facts& facts) {
  out += '{';
  for (const auto& [key, value] : facts) {
    if (out.back() != '{') out += ',';
    appendQuoted(out, key);
    out += ':';
    appendQuoted(out, value);
  }
  out += '}';
}

}  // namespace

std::string encodeFacts(const Facts& facts) {
  std::string out;
  out.reserve(256);
  appendFacts(out, facts);
  return out;
}

std::string encodeActs(const std::map<std::string, Act>& acts) {
  std::string out;
  out.reserve(256);
  out = "{";
  for (const auto& [item, act] : acts) {
    if (out.size() > 1) out += ',';
    appendQuoted(out, item);
    out.append(R"(:{"phase":")").append(nameOf(act.phase)).append(R"(","tries":)");
    out.append(std::to_string(act.tries)).append(R"(,"witness":)");
    appendFacts(out, act.witness);
    out += '}';
  }
  return out += '}';
}

Node readNode(const Query& row) {
  Node n;
  n.id = {row.integer(0)};
  n.serial = row.text(1);
  n.kind = readName<NodeKind>(row, 2);
  n.place.path = row.text(3);
  n.sku = row.text(4);
  n.profile = row.text(5);
  n.bmc = {row.text(6), row.text(7), static_cast<int>(row.integer(8)), row.text(9)};
  n.lifecycle = readName<Lifecycle>(row, 10);
  n.allocation = readName<Allocation>(row, 11);
  n.scheduling = readName<Scheduling>(row, 12);
  n.health = readName<Health>(row, 13);
  n.unreachableSince = row.maybeTime(14);
  n.lifecycleSince = row.time(15);
  n.version = row.integer(16);
  n.os = {{}, row.text(17), static_cast<int>(row.integer(18)), row.text(19)};
  n.baseline = row.text(20);
  n.bmcLeased = row.flag(21);
  return n;
}

Rack readRack(const Query& row) {
  return {row.text(0), row.text(1), readName<RackState>(row, 2), row.time(3)};
}

Run readRun(const Query& row) {
  Run r;
  r.id = {row.integer(0)};
  r.workflow = row.text(1);
  r.state = readName<RunState>(row, 2);
  r.lane = readName<Lane>(row, 3);
  r.parameter = row.text(4);
  r.target = row.text(5);
  r.step = row.text(6);
  r.item = row.text(7);
  r.acts = decodeActs(row.text(8));
  r.deaths = static_cast<int>(row.integer(9));
  r.rounds = static_cast<int>(row.integer(10));
  r.facts = decodeFacts(row.text(11));
  r.stepSince = row.time(12);
  r.excused = Duration{row.integer(13)};
  r.waitsFor = row.text(14);
  r.blockedSince = row.maybeTime(15);
  r.startedBy = row.text(16);
  r.created = row.time(17);
  r.ended = row.maybeTime(18);
  r.lingers = row.flag(19);
  return r;
}

Finding readFinding(const Query& row) {
  Finding f;
  f.id = {row.integer(0)};
  f.node = {row.integer(1)};
  f.run = readId<RunTag>(row, 2);
  f.cause = row.text(3);
  f.detail = row.text(4);
  f.raised = row.time(5);
  f.resolved = row.maybeTime(6);
  f.resolution = row.text(7);
  return f;
}

Evidence readEvidence(const Query& row) {
  Evidence e;
  e.node = {row.integer(0)};
  e.run = readId<RunTag>(row, 1);
  e.subject = row.text(2);
  e.value = row.text(3);
  e.dependsOn = readStored(row.text(4)).get<std::vector<std::string>>();
  e.at = row.time(5);
  return e;
}

Hold readHold(const Query& row) {
  Hold h;
  h.id = {row.integer(0)};
  h.kind = readName<HoldKind>(row, 1);
  h.node = readId<NodeTag>(row, 2);
  h.place = row.text(3);
  h.owner = row.text(4);
  h.reason = row.text(5);
  h.created = row.time(6);
  h.expires = row.maybeTime(7);
  h.released = row.maybeTime(8);
  h.releasedBy = row.text(9);
  h.releaseWhy = row.text(10);
  return h;
}

ApiToken readToken(const Query& row) {
  ApiToken t;
  t.id = {row.integer(0)};
  t.kind = readName<TokenKind>(row, 1);
  t.user = row.text(2);
  t.name = row.text(3);
  t.hash = row.text(4);
  t.created = row.time(5);
  t.expires = row.maybeTime(6);
  t.revoked = row.maybeTime(7);
  return t;
}

std::optional<Node> findNode(Connection& db, NodeId id) {
  static const auto text = fmt::format("SELECT {} FROM node WHERE id = ?", kNodeColumns);
  auto q = db.query(text);
  q.bind(id);
  if (!q.step()) return std::nullopt;
  return readNode(q);
}

std::optional<Run> findRun(Connection& db, RunId id) {
  static const auto text = fmt::format("SELECT {} FROM run WHERE id = ?", kRunColumns);
  auto q = db.query(text);
  q.bind(id);
  if (!q.step()) return std::nullopt;
  auto run = readRun(q);
  auto s = db.query("SELECT node FROM run_subject WHERE run = ? ORDER BY ordinal");
  s.bind(id);
  while (s.step()) run.subject.push_back({s.integer(0)});
  return run;
}

std::optional<Inventory> findInventory(Connection& db, NodeId node) {
  auto q = db.query("SELECT serial, manufacturer, model, memory_gib FROM inventory WHERE node = ?");
  q.bind(node);
  if (!q.step()) return std::nullopt;
  Inventory out{q.text(0), q.text(1), q.text(2), q.integer(3), {}, {}};
  auto c = db.query(
      "SELECT kind, name, serial, model, part, complete, sick, why FROM component WHERE node = ? "
      "ORDER BY ordinal");
  c.bind(node);
  while (c.step())
    out.components.push_back({readName<ComponentKind>(c, 0), c.text(1), c.text(2), c.text(3), c.text(4),
                              c.flag(5), c.flag(6), c.text(7)});
  auto f = db.query(
      "SELECT id, version, updateable, absent FROM firmware_item WHERE node = ? ORDER BY ordinal");
  f.bind(node);
  while (f.step()) out.firmware.push_back({f.text(0), f.text(1), f.flag(2), f.flag(3)});
  return out;
}

std::optional<StoredReport> findReport(Connection& db, NodeId node) {
  auto q = db.query("SELECT report, received FROM agent WHERE node = ? AND report IS NOT NULL");
  q.bind(node);
  if (!q.step()) return std::nullopt;
  auto report = agentReportFromJson(q.text(0));
  if (!report) throw StoreFailure("a stored agent report is damaged: " + report.error().what);
  return StoredReport{std::move(*report), q.time(1)};
}

std::optional<ReportHead> findReportHead(Connection& db, NodeId node) {
  auto q = db.query(
      "SELECT received, boot_id, sequence, home, image_state, image_digest, burn_in_order, burn_in_finished "
      "FROM agent WHERE node = ? AND report IS NOT NULL");
  q.bind(node);
  if (!q.step()) return std::nullopt;
  return ReportHead{q.time(0), q.text(1), q.integer(2), readName<AgentHome>(q, 3), readName<ImageState>(q, 4),
                    q.text(5), q.text(6), q.flag(7)};
}

std::vector<Evidence> findValidEvidence(Connection& db, NodeId node) {
  static const auto text = fmt::format(
      "SELECT {} FROM evidence WHERE node = ? AND invalid_since IS NULL ORDER BY subject", kEvidenceColumns);
  auto q = db.query(text);
  q.bind(node);
  std::vector<Evidence> out;
  while (q.step()) out.push_back(readEvidence(q));
  return out;
}

std::vector<std::string> placesAround(std::string_view place) {
  std::vector<std::string> out{""};
  for (std::size_t i = 0; i < place.size(); ++i)
    if (place[i] == '/') out.emplace_back(place.substr(0, i));
  if (!place.empty()) out.emplace_back(place);
  return out;
}

std::vector<Hold> findHolds(Connection& db, const Node& node, Time now) {
  static const auto onNode = fmt::format(
      "SELECT {} FROM hold WHERE released IS NULL AND node = ? AND "
      "(expires IS NULL OR expires > ?) ORDER BY id",
      kHoldColumns);
  static const auto onPlace = fmt::format(
      "SELECT {} FROM hold WHERE released IS NULL AND node IS NULL AND place = ? "
      "AND (expires IS NULL OR expires > ?) ORDER BY id",
      kHoldColumns);
  std::vector<Hold> out;
  {
    auto q = db.query(onNode);
    q.bind(node.id, now);
    while (q.step()) out.push_back(readHold(q));
  }
  for (const auto& place : placesAround(node.place.path)) {
    auto q = db.query(onPlace);
    q.bind(place, now);
    while (q.step()) out.push_back(readHold(q));
  }
  return out;
}

}  // namespace zellige
