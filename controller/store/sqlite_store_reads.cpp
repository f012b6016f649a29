// What the engine reads from the store.
#include <fmt/format.h>

#include "controller/store/campaign_rows.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/queries_impl.hpp"
#include "controller/store/rows.hpp"
#include "controller/store/sqlite_store_impl.hpp"

namespace zellige {

std::optional<Node> SqliteStore::node(NodeId id) { return findNode(impl_->reading, id); }

std::optional<NodeId> SqliteStore::nodeBySerial(std::string_view serial) {
  auto q = impl_->reading.query("SELECT id FROM node WHERE serial = ?");
  q.bind(serial);
  if (!q.step()) return std::nullopt;
  return NodeId{q.integer(0)};
}

std::vector<NodeId> SqliteStore::nodesIn(Lifecycle lifecycle) {
  auto q = impl_->reading.query("SELECT id FROM node WHERE lifecycle = ? ORDER BY id");
  q.bind(nameOf(lifecycle));
  std::vector<NodeId> out;
  while (q.step()) out.push_back({q.integer(0)});
  return out;
}

std::vector<OpenAct> SqliteStore::openActs() {
  std::vector<OpenAct> out;
  for (const auto* condition :
       {"run.state IN ('active', 'blocked') AND run.open_act = 1", "run.lingers = 1"}) {
    auto q = impl_->reading.query(
        fmt::format("SELECT run.id, run.workflow, run.step, run.target, node.place FROM run "
                    "JOIN run_subject ON run_subject.run = run.id AND run_subject.ordinal = 0 "
                    "JOIN node ON node.id = run_subject.node WHERE {} ORDER BY run.id",
                    condition));
    while (q.step()) out.push_back({{q.integer(0)}, q.text(1), q.text(2), q.text(3), {q.text(4)}});
  }
  return out;
}
std::vector<Run> SqliteStore::lingeringRuns() {
  std::vector<RunId> ids;
  auto q = impl_->reading.query("SELECT id FROM run WHERE lingers = 1 ORDER BY id");
  while (q.step()) ids.push_back({q.integer(0)});
  std::vector<Run> out;
  out.reserve(ids.size());
  for (const auto id : ids) out.push_back(*findRun(impl_->reading, id));
  return out;
}

bool SqliteStore::lingers(NodeId node) {
  auto q = impl_->reading.query(
      "SELECT 1 FROM run CROSS JOIN run_subject AS s ON s.run = run.id WHERE run.lingers = 1 AND s.node = ? "
      "LIMIT 1");
  q.bind(node);
  return q.step();
}

std::optional<Run> SqliteStore::lastRunOf(NodeId node, std::string_view workflow) {
  auto q = impl_->reading.query(
      "SELECT s.run FROM run_subject AS s CROSS JOIN run AS r ON r.id = s.run "
      "WHERE s.node = ?1 AND (?2 = '' OR r.workflow = ?2) ORDER BY s.run DESC LIMIT 1");
  q.bind(node, workflow);
  if (!q.step()) return std::nullopt;
  return findRun(impl_->reading, {q.integer(0)});
}

std::optional<Time> SqliteStore::lastSign() {
  auto q = impl_->reading.query(
      "SELECT max(at) FROM (SELECT max(received) AS at FROM agent UNION ALL "
      "SELECT max(at) FROM (SELECT at FROM event ORDER BY sequence DESC LIMIT 1))");
  if (!q.step() || q.isNull(0)) return std::nullopt;
  return q.time(0);
}

std::vector<Run> SqliteStore::unfinishedRunsOf(Lane lane, RunId after, std::size_t limit) {
  static const auto text = fmt::format(
      "SELECT {} FROM run WHERE state IN ('active', 'blocked') AND lane = ? AND id > ? ORDER BY id LIMIT ?",
      kRunColumns);
  auto q = impl_->reading.query(text);
  q.bind(nameOf(lane), after.value, static_cast<std::int64_t>(limit));
  std::vector<Run> out;
  while (q.step()) {
    out.push_back(readRun(q));
    auto s = impl_->reading.query("SELECT node FROM run_subject WHERE run = ? ORDER BY ordinal");
    s.bind(out.back().id);
    while (s.step()) out.back().subject.push_back({s.integer(0)});
  }
  return out;
}

std::optional<Run> SqliteStore::run(RunId id) { return findRun(impl_->reading, id); }

std::optional<RunId> SqliteStore::unfinishedRunOf(NodeId node) {
  auto q = impl_->reading.query("SELECT run FROM run_subject WHERE node = ? AND unfinished = 1");
  q.bind(node);
  if (!q.step()) return std::nullopt;
  return RunId{q.integer(0)};
}
std::shared_ptr<const Target> SqliteStore::target(std::string_view digest) {
  return impl_->findTarget(digest);
}

std::optional<StoredFile> SqliteStore::file(std::string_view digest) {
  auto q = impl_->reading.query("SELECT digest, name, size FROM file WHERE digest = ?");
  q.bind(digest);
  if (!q.step()) return std::nullopt;
  return StoredFile{q.text(0), q.text(1), static_cast<std::uint64_t>(q.integer(2))};
}

std::filesystem::path SqliteStore::filePath(std::string_view digest) { return content().pathOf(digest); }
std::optional<StoredReport> SqliteStore::report(NodeId node) { return findReport(impl_->reading, node); }
std::optional<ReportHead> SqliteStore::reportHead(NodeId node) {
  return findReportHead(impl_->reading, node);
}
std::string SqliteStore::orderId(NodeId node) {
  auto q = impl_->reading.query("SELECT order_id FROM agent WHERE node = ?");
  q.bind(node);
  return q.step() ? q.text(0) : std::string{};
}
std::optional<AgentOrder> SqliteStore::order(NodeId node) {
  return findOrder(impl_->reading, impl_->box, node);
}
std::vector<Evidence> SqliteStore::validEvidence(NodeId node) {
  return findValidEvidence(impl_->reading, node);
}
std::optional<Inventory> SqliteStore::inventory(NodeId node) { return findInventory(impl_->reading, node); }

bool SqliteStore::hasBlockingFinding(NodeId node) {
  auto q = impl_->reading.query(
      "SELECT 1 FROM finding WHERE node = ? AND resolved IS NULL AND blocking = 1 LIMIT 1");
  q.bind(node);
  return q.step();
}

std::vector<Rack> SqliteStore::racks() {
  auto q = impl_->reading.query(fmt::format("SELECT {} FROM rack ORDER BY place", kRackColumns));
  std::vector<Rack> out;
  while (q.step()) out.push_back(readRack(q));
  return out;
}

std::optional<Rack> SqliteStore::rack(std::string_view place) {
  static const auto text = fmt::format("SELECT {} FROM rack WHERE place = ?", kRackColumns);
  auto q = impl_->reading.query(text);
  q.bind(place);
  if (!q.step()) return std::nullopt;
  return readRack(q);
}

std::vector<Node> SqliteStore::nodesOfRack(std::string_view place) {
  static const auto text = fmt::format("SELECT {} FROM node WHERE rack = ? ORDER BY place, id", kNodeColumns);
  auto q = impl_->reading.query(text);
  q.bind(place);
  std::vector<Node> out;
  while (q.step()) out.push_back(readNode(q));
  return out;
}

std::vector<EvidenceMark> SqliteStore::evidenceOfRack(std::string_view place) {
  auto q = impl_->reading.query(
      "SELECT e.node, e.subject, e.run, e.invalid_since IS NULL FROM node n JOIN evidence e ON e.node = n.id "
      "WHERE n.rack = ? ORDER BY e.node, e.subject");
  q.bind(place);
  std::vector<EvidenceMark> out;
  while (q.step()) out.push_back({NodeId{q.integer(0)}, q.text(1), RunId{q.integer(2)}, q.integer(3) != 0});
  return out;
}

std::optional<Recipe> SqliteStore::recipe(std::string_view name) {
  auto q = impl_->reading.query("SELECT json FROM catalog WHERE kind = 'recipe' AND name = ?");
  q.bind(name);
  if (!q.step()) return std::nullopt;
  return readRecipe(q.text(0));
}

std::vector<Campaign> SqliteStore::openCampaigns() {
  auto q = impl_->reading.query(fmt::format(
      "SELECT {} FROM campaign WHERE state NOT IN ('done', 'cancelled') ORDER BY id", kCampaignColumns));
  std::vector<Campaign> out;
  while (q.step()) out.push_back(readCampaign(q));
  return out;
}

std::optional<Campaign> SqliteStore::campaign(CampaignId id) { return findCampaign(impl_->reading, id); }

std::optional<Campaign> SqliteStore::campaignOn(std::string_view rack) {
  auto q = impl_->reading.query(
      "SELECT c.id FROM node n JOIN campaign_member m ON m.node = n.id JOIN campaign c ON c.id = m.campaign "
      "WHERE n.rack = ? AND m.state IN ('pending', 'running') AND c.state NOT IN ('done', 'cancelled') LIMIT "
      "1");
  q.bind(rack);
  return q.step() ? findCampaign(impl_->reading, CampaignId{q.integer(0)}) : std::nullopt;
}

std::vector<CampaignMember> SqliteStore::campaignMembers(CampaignId id, int from, std::size_t limit) {
  static const auto text = fmt::format(
      "SELECT {} FROM campaign_member WHERE campaign = ? AND ordinal >= ? ORDER BY ordinal LIMIT ?",
      kMemberColumns);
  auto q = impl_->reading.query(text);
  q.bind(id, from, static_cast<std::int64_t>(limit));
  std::vector<CampaignMember> out;
  while (q.step()) out.push_back(readMember(q));
  return out;
}

std::optional<std::string> SqliteStore::baselineDigest(std::string_view name) {
  return findBaselineDigest(impl_->reading, name);
}

bool SqliteStore::armed(const Place& place) { return isArmed(impl_->reading, place.path); }

std::string SqliteStore::heldBecause(NodeId id) {
  const auto node = findNode(impl_->reading, id);
  if (!node) return {};
  const auto holds = findHolds(impl_->reading, *node, impl_->executor.now());
  if (holds.empty()) return {};
  // Hands inside matter more than any other reason.
  const auto* shown = &holds.front();
  for (const auto& h : holds)
    if (h.kind == HoldKind::PersonalLock) shown = &h;
  const auto what = shown->kind == HoldKind::PersonalLock ? "personal lock" : "hold";
  return fmt::format("{} of {}{}: {}", what, shown->owner, shown->node ? "" : " on " + shown->place,
                     shown->reason);
}

}  // namespace zellige
