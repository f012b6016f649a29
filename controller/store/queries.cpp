#include "controller/store/queries.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/apply_operator.hpp"
#include "controller/store/campaign_rows.hpp"
#include "controller/store/incarnation.hpp"
#include "controller/store/meta.hpp"
#include "controller/store/queries_impl.hpp"
#include "controller/store/where.hpp"

namespace zellige {

namespace {
/// Events that one call of events() looks at; keeps a search for a rare kind from walking the whole trail at once.
constexpr std::int64_t kEventsLookedAt = 20'000;
constexpr int kResolvedShown = 20;
}  // namespace

void Where::anyOf(std::string_view column, std::vector<std::string> names) {
  std::string marks;
  for (auto& name : names) {
    marks += marks.empty() ? "?" : ", ?";
    values_.emplace_back(std::move(name));
  }
  add(fmt::format("{} IN ({})", column, marks));
}

void Where::inside(std::string_view column, const std::string& place) {
  if (place.empty()) return;
  // '0' is the character after '/': a range that the index can walk, then the exact rule.
  add(fmt::format("{0} >= ? AND {0} < ? AND ({0} = ? OR {0} >= ?)", column), place, place + "0", place,
      place + "/");
}

void Where::bind(Query& query) const {
  for (const auto& value : values_) std::visit([&](const auto& v) { query.put(v); }, value);
}

Queries::Impl::Snapshot::~Snapshot() {
  try {
    db_.query("COMMIT").run();
  } catch (const std::exception&) {
    // A read transaction that SQLite has ended itself after an error.
  }
}

Queries::Queries(const std::filesystem::path& database) : impl_(std::make_unique<Impl>(database)) {}
Queries::~Queries() = default;

bool isArmed(Connection& db, std::string_view place) {
  for (const auto& around : placesAround(place)) {
    auto q = db.query("SELECT 1 FROM armed_place WHERE place = ?");
    q.bind(around);
    if (q.step()) return true;
  }
  return false;
}

std::optional<NodeDetail> Queries::node(NodeId id, Time now) {
  auto& db = impl_->db;
  const auto snapshot = impl_->snapshot();
  auto node = findNode(db, id);
  if (!node) return std::nullopt;
  NodeDetail detail;
  detail.holds = findHolds(db, *node, now);
  detail.armed = isArmed(db, node->place.path);
  detail.row = describeNode(db, std::move(*node));
  detail.inventory = findInventory(db, id);
  detail.report = findReport(db, id);
  const auto& stands = detail.row.node;
  detail.baseline = stands.baseline.empty() ? baselineOfProfile(db, stands.profile) : stands.baseline;
  if (const auto wanted = findBaseline(db, detail.baseline); wanted && detail.inventory)
    detail.compliance = complianceOf(wanted->baseline, *detail.inventory);
  if (detail.row.run) detail.run = findRun(db, detail.row.run);
  auto e = db.query(fmt::format(
      "SELECT {}, invalid_since, invalid_why FROM evidence WHERE node = ? ORDER BY subject", kEvidenceColumns));
  e.bind(id);
  while (e.step()) detail.evidence.push_back({readEvidence(e), e.maybeTime(6), e.text(7)});
  auto f = db.query(
      fmt::format("SELECT {} FROM finding WHERE node = ? AND resolved IS NULL ORDER BY blocking DESC, id",
                  kFindingColumns));
  f.bind(id);
  while (f.step()) detail.findings.push_back(readFinding(f));
  auto r = db.query(
      fmt::format("SELECT {} FROM finding WHERE node = ? AND resolved IS NOT NULL ORDER BY id DESC LIMIT ?",
                  kFindingColumns));
  r.bind(id, kResolvedShown);
  while (r.step()) detail.findings.push_back(readFinding(r));
  return detail;
}

std::optional<NodeId> Queries::nodeBySerial(std::string_view serial) {
  auto q = impl_->db.query("SELECT id FROM node WHERE serial = ?");
  q.bind(serial);
  if (!q.step()) return std::nullopt;
  return NodeId{q.integer(0)};
}

RunPage Queries::runs(const RunFilter& filter, RunId before, int limit) {
  auto& db = impl_->db;
  const auto snapshot = impl_->snapshot();
  Where where;
  std::vector<std::string> states;
  bool unfinishedOnly = !filter.states.empty();
  for (const auto s : filter.states) {
    states.emplace_back(nameOf(s));
    unfinishedOnly = unfinishedOnly && (s == RunState::Active || s == RunState::Blocked);
  }
  if (unfinishedOnly) where.add("state IN ('active', 'blocked')");  // names the partial index
  if (!states.empty()) where.anyOf("state", std::move(states));
  if (!filter.workflow.empty()) where.add("workflow = ?", filter.workflow);
  if (filter.node) where.add("id IN (SELECT run FROM run_subject WHERE node = ?)", filter.node.value);
  if (before) where.add("id < ?", before.value);
  auto q = db.query(fmt::format("SELECT {} FROM run{} ORDER BY id DESC LIMIT ?", kRunColumns, where.text()));
  where.bind(q);
  q.bind(limit + 1);
  RunPage page;
  while (q.step()) page.runs.push_back(readRun(q));
  if (static_cast<int>(page.runs.size()) > limit) {
    page.runs.resize(static_cast<std::size_t>(limit));
    if (!page.runs.empty()) page.next = page.runs.back().id;
  }
  for (auto& run : page.runs) {
    auto s = db.query("SELECT node FROM run_subject WHERE run = ? ORDER BY ordinal");
    s.bind(run.id);
    while (s.step()) run.subject.push_back({s.integer(0)});
  }
  return page;
}

std::optional<Run> Queries::run(RunId id) { return findRun(impl_->db, id); }

FindingPage Queries::findings(const FindingFilter& filter, FindingId before, int limit) {
  Where where;
  if (filter.openOnly) where.add("resolved IS NULL");
  if (!filter.cause.empty()) where.add("cause = ?", filter.cause);
  if (filter.node) where.add("f.node = ?", filter.node.value);
  if (before) where.add("f.id < ?", before.value);
  where.inside("n.place", filter.place);
  std::string columns;
  for (const auto* c : {"id", "node", "run", "cause", "detail", "raised", "resolved", "resolution"})
    columns += fmt::format("f.{}, ", c);
  auto q = impl_->db.query(
      fmt::format("SELECT {}n.serial, n.place FROM finding f CROSS JOIN node n ON n.id = f.node{} "
                  "ORDER BY f.id DESC LIMIT ?",
                  columns, where.text()));
  where.bind(q);
  q.bind(limit + 1);
  FindingPage page;
  while (q.step()) page.findings.push_back({readFinding(q), q.text(8), q.text(9)});
  if (static_cast<int>(page.findings.size()) > limit) {
    page.findings.resize(static_cast<std::size_t>(limit));
    if (!page.findings.empty()) page.next = page.findings.back().finding.id;
  }
  return page;
}

std::optional<Finding> Queries::finding(FindingId id) {
  auto q = impl_->db.query(fmt::format("SELECT {} FROM finding WHERE id = ?", kFindingColumns));
  q.bind(id);
  if (!q.step()) return std::nullopt;
  return readFinding(q);
}

std::int64_t Queries::lastEvent() { return impl_->db.number("SELECT max(sequence) FROM event"); }

EventPage Queries::events(std::int64_t since, const EventFilter& filter, int limit) {
  auto& db = impl_->db;
  const auto snapshot = impl_->snapshot();
  const auto last = lastEvent();
  const bool ofNode = bool(filter.node);
  // The events of one node have an index; everything else is a walk along the sequence, in bounded steps.
  const auto until = ofNode ? last : std::min(last, since + kEventsLookedAt);
  Where where;
  where.add("sequence > ?", since);
  where.add("sequence <= ?", until);
  if (ofNode)
    where.add(
        "sequence IN (SELECT sequence FROM event WHERE node = ? UNION SELECT sequence FROM event WHERE node "
        "IS NULL "
        "AND run IS NOT NULL AND run IN (SELECT run FROM run_subject WHERE node = ?))",
        filter.node.value, filter.node.value);
  if (!filter.kinds.empty()) {
    std::string any;
    for (std::size_t i = 0; i < filter.kinds.size(); ++i)
      any += fmt::format("{}substr(kind, 1, ?) = ?", i ? " OR " : "");
    where.add(fmt::format("({})", any));
    for (const auto& kind : filter.kinds) {
      where.value(kind.ends_with('.') ? static_cast<std::int64_t>(kind.size()) : std::int64_t{1'000});
      where.value(kind);
    }
  }
  if (!filter.place.empty()) {
    // What is of no one node is of the place that it names, or of those where its run's nodes stand.
    const auto inside = [](std::string_view column) {
      return fmt::format("({0} = ? OR ({0} >= ? AND {0} < ?))", column);
    };
    where.add(fmt::format(
        "(node IN (SELECT id FROM node WHERE {}) OR (node IS NULL AND ({} OR run IN (SELECT s.run FROM "
        "run_subject s JOIN node n ON n.id = s.node WHERE s.run = event.run AND {}))))",
        inside("place"), inside("json_extract(data, '$.place')"), inside("n.place")));
    for (int i = 0; i < 3; ++i)
      for (const auto* end : {"", "/", "0"}) where.value(filter.place + end);
  }
  auto q = db.query(
      fmt::format("SELECT sequence, at, kind, node, run, actor, data, hash FROM event{} ORDER BY sequence "
                  "LIMIT ?",
                  where.text()));
  where.bind(q);
  q.bind(limit);
  EventPage page;
  while (q.step())
    page.events.push_back({q.integer(0),
                           q.time(1),
                           q.text(2),
                           {q.isNull(3) ? 0 : q.integer(3)},
                           {q.isNull(4) ? 0 : q.integer(4)},
                           q.text(5),
                           q.text(6),
                           q.text(7)});
  page.next = static_cast<int>(page.events.size()) >= limit && limit > 0 ? page.events.back().sequence
                                                                         : std::max(since, until);
  return page;
}

std::vector<ArmedPlace> Queries::armedPlaces() {
  auto q = impl_->db.query("SELECT place, since, by, why FROM armed_place ORDER BY place");
  std::vector<ArmedPlace> out;
  while (q.step()) out.push_back({q.text(0), q.time(1), q.text(2), q.text(3)});
  return out;
}

std::vector<Hold> Queries::holds(Time now) {
  auto q = impl_->db.query(
      fmt::format("SELECT {} FROM hold WHERE released IS NULL AND (expires IS NULL OR expires > ?) "
                  "ORDER BY id",
                  kHoldColumns));
  q.bind(now);
  std::vector<Hold> out;
  while (q.step()) out.push_back(readHold(q));
  return out;
}

std::vector<User> Queries::users() {
  std::vector<std::string> names;
  {
    auto q = impl_->db.query("SELECT name FROM user ORDER BY name");
    while (q.step()) names.push_back(q.text(0));
  }
  std::vector<User> out;
  for (const auto& name : names)
    if (auto user = findUser(impl_->db, name)) out.push_back(std::move(*user));
  return out;
}

std::optional<User> Queries::user(std::string_view name) { return findUser(impl_->db, name); }

std::vector<ApiToken> Queries::tokens(std::string_view user) {
  auto q = impl_->db.query(fmt::format("SELECT {} FROM token WHERE user = ? ORDER BY id", kTokenColumns));
  q.bind(user);
  std::vector<ApiToken> out;
  while (q.step()) out.push_back(readToken(q));
  return out;
}

std::optional<ApiToken> Queries::validToken(std::string_view hash, Time now) {
  auto q = impl_->db.query(
      fmt::format("SELECT {} FROM token WHERE hash = ? AND revoked IS NULL AND (expires IS NULL OR "
                  "expires > ?) AND user IN (SELECT name FROM user WHERE disabled = 0)",
                  kTokenColumns));
  q.bind(hash, now);
  if (!q.step()) return std::nullopt;
  return readToken(q);
}

std::optional<IdempotentReply> Queries::idempotentReply(std::string_view user, std::string_view key) {
  auto q = impl_->db.query(
      "SELECT user, key, request, status, body, created FROM idempotency WHERE user = ? AND key = ?");
  q.bind(user, key);
  if (!q.step()) return std::nullopt;
  return IdempotentReply{q.text(0), q.text(1), q.text(2), static_cast<int>(q.integer(3)),
                         q.text(4), q.time(5)};
}

std::vector<CatalogEntry> Queries::documents(std::string_view kind) {
  auto q = impl_->db.query("SELECT kind, name, digest, json FROM catalog WHERE kind = ? ORDER BY name");
  q.bind(kind);
  std::vector<CatalogEntry> out;
  while (q.step()) out.push_back({q.text(0), q.text(1), q.text(2), q.text(3)});
  return out;
}

std::optional<CatalogEntry> Queries::document(std::string_view kind, std::string_view name) {
  auto q = impl_->db.query("SELECT kind, name, digest, json FROM catalog WHERE kind = ? AND name = ?");
  q.bind(kind, name);
  if (!q.step()) return std::nullopt;
  return CatalogEntry{q.text(0), q.text(1), q.text(2), q.text(3)};
}

std::vector<ImportedFile> Queries::files() {
  auto q = impl_->db.query("SELECT digest, name, size, kind FROM file ORDER BY name, digest");
  std::vector<ImportedFile> out;
  while (q.step())
    out.push_back({{q.text(0), q.text(1), static_cast<std::uint64_t>(q.integer(2))}, readName<FileKind>(q, 3)});
  return out;
}

std::string Queries::site() { return findMeta(impl_->db, "site"); }
std::optional<Restored> Queries::restored() { return findRestored(impl_->db); }

}  // namespace zellige
