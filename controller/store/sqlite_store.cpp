#include "controller/store/sqlite_store.hpp"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/store/apply.hpp"
#include "controller/store/apply_operator.hpp"
#include "controller/store/apply_sighting.hpp"
#include "controller/store/campaign_rows.hpp"
#include "controller/store/data_directory.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/incarnation.hpp"
#include "controller/store/queries_impl.hpp"
#include "controller/store/schema.hpp"
#include "controller/store/site_import.hpp"
#include "controller/store/writer.hpp"

namespace zellige {

namespace {

template <class T>
using Work = std::function<Result<T>(Writing&)>;

/// A command whose answer somebody waits for.
template <class T>
class Awaited final : public Command {
 public:
  Awaited(const SecretBox& box, Time at, std::string actor, Work<T> work, Completion<Result<T>> done,
          bool rehearsal = false)
      : box_(box), at_(at), actor_(std::move(actor)), work_(std::move(work)), done_(std::move(done)),
        rehearsal_(rehearsal) {}

  bool apply(Connection& db, EventChain& chain) override {
    Writing writing{db, chain, box_, at_, actor_};
    answer_.emplace(work_(writing));
    return bool(*answer_);
  }
  bool isRehearsal() const override { return rehearsal_; }
  void refuse(const std::string& why) override {
    answer_.emplace(Error{Errc::Conflict, "the database does not allow this change: " + why});
  }
  void reply() override { done_.set(std::move(*answer_)); }

 private:
  const SecretBox& box_;
  Time at_;
  std::string actor_;
  Work<T> work_;
  Completion<Result<T>> done_;
  std::optional<Result<T>> answer_;
  bool rehearsal_;
};

/// A profile's document and the three that it names, as one target.
Result<Target> readCatalogTarget(Connection& db, const std::string& profile, const std::string& given) {
  const auto document = [&](std::string_view kind, const std::string& name) -> Result<std::string> {
    auto q = db.query("SELECT json FROM catalog WHERE kind = ? AND name = ?");
    q.bind(kind, name);
    if (!q.step())
      return Error{Errc::NotFound, fmt::format("the {} '{}' is not in the catalogue", kind, name)};
    return q.text(0);
  };
  Target target;
  const auto p = document("profile", profile);
  if (!p) return p.error();
  target.profile = readProfile(*p);
  if (!given.empty()) target.profile.baseline = given;
  const auto sku = document("sku", target.profile.sku);
  if (!sku) return sku.error();
  const auto baseline = document("baseline", target.profile.baseline);
  if (!baseline) return baseline.error();
  target.sku = readSku(*sku);
  target.baseline = readBaseline(*baseline);
  if (target.profile.plan.empty()) return target;
  const auto plan = document("plan", target.profile.plan);
  if (!plan) return plan.error();
  target.plan = readPlan(*plan);
  return target;
}

}  // namespace

struct SqliteStore::Impl {
  Impl(std::unique_ptr<DataDirectory> d, Executor& e, SecretBox b, StoreOptions o,
       std::unique_ptr<Connection> w)
      : directory(std::move(d)), executor(e), box(std::move(b)), options(std::move(o)), writing(std::move(w)),
        reading(directory->database(), ConnectionOptions{}) {
    writer = options.writing == StoreOptions::Writing::Thread ? makeThreadWriter(*writing, executor, options)
                                                              : makeVirtualWriter(*writing, executor, options);
  }

  std::unique_ptr<DataDirectory> directory;  // released last
  Executor& executor;
  SecretBox box;
  StoreOptions options;
  std::unique_ptr<Connection> writing;                                        // the writer's
  Connection reading;                                                         // the executor's thread's
  std::map<std::string, std::shared_ptr<const Target>, std::less<>> targets;  // by digest
  /// By profile and given baseline, until the next import.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Target>> frozen;
  std::int64_t imports = 0;
  std::unique_ptr<Writer> writer;  // stopped first

  template <class T>
  Task<Result<T>> write(Time at, std::string actor, Work<T> work, bool rehearsal = false) {
    Completion<Result<T>> done(executor);
    writer->submit(std::make_unique<Awaited<T>>(box, at, std::move(actor), std::move(work), done, rehearsal));
    co_return co_await done;
  }
  template <class T>
  Task<Result<T>> write(const By& by, Work<T> work) {
    return write<T>(executor.now(), by.actor, std::move(work));
  }

  std::shared_ptr<const Target> findTarget(std::string_view digest) {
    if (const auto known = targets.find(digest); known != targets.end()) return known->second;
    auto q = reading.query("SELECT json FROM target WHERE digest = ?");
    q.bind(digest);
    if (!q.step()) return nullptr;
    auto target = std::make_shared<const Target>(readTarget(q.text(0)));
    targets.emplace(target->digest, target);
    return target;
  }
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& path, Executor& executor,
                                                       SecretBox box, StoreOptions options) {
  auto directory = DataDirectory::claim(path);
  if (!directory) return directory.error();
  return open(std::move(*directory), executor, std::move(box), std::move(options));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::unique_ptr<DataDirectory> directory,
                                                       Executor& executor, SecretBox box,
                                                       StoreOptions options) {
  try {
    ConnectionOptions connect;
    connect.writes = true;
    connect.durable = options.durable;
    connect.checkpointPages = options.checkpointPages;
    connect.maxPages = options.maxPages;
    connect.checkpointOnClose = options.checkpointOnClose;
    auto writing = std::make_unique<Connection>(directory->database(), connect);
    if (auto ready = migrate(*writing, migrations(), executor.now()); !ready) return ready.error();
    if (options.durable) {
      const auto seat = seatOf(directory->database());
      if (auto begun = beginLife(*writing, *directory, seat, box, executor.now()); !begun)
        return begun.error();
    }
    auto impl = std::make_unique<Impl>(std::move(directory), executor, std::move(box), std::move(options),
                                       std::move(writing));
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
  } catch (const StoreFailure& e) {
    return Error{Errc::Invalid, e.what()};
  } catch (const ConstraintViolation& e) {
    return Error{
        Errc::Invalid,
        fmt::format("the database cannot be brought to this version ({}): restore the last backup", e.what())};
  }
}

Task<Result<Receipt>> SqliteStore::commit(Change change) {
  const auto at = change.at == Time{} ? impl_->executor.now() : change.at;
  auto actor = change.actor;
  Work<Receipt> work = [change = std::move(change)](Writing& w) { return applyChange(w, change); };
  return impl_->write<Receipt>(at, std::move(actor), std::move(work));
}

Result<BmcAccess> SqliteStore::loadAccess(AccessKey key) {
  return findAccess(impl_->reading, impl_->box, key);
}

Task<Result<void>> SqliteStore::saveAccess(AccessKey key, BmcAccess access) {
  Work<void> work = [key, access = std::move(access)](Writing& w) { return applyAccess(w, key, access); };
  return impl_->write<void>(impl_->executor.now(), "engine", std::move(work));
}

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
        fmt::format("SELECT run.id, run.workflow, run.step, node.place FROM run "
                    "JOIN run_subject ON run_subject.run = run.id AND run_subject.ordinal = 0 "
                    "JOIN node ON node.id = run_subject.node WHERE {} ORDER BY run.id",
                    condition));
    while (q.step()) out.push_back({{q.integer(0)}, q.text(1), q.text(2), {q.text(3)}});
  }
  return out;
}

void SqliteStore::dropCaches() {
  impl_->writing->dropCache();
  impl_->reading.dropCache();
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

std::optional<Run> SqliteStore::lastRunOf(NodeId node, std::string_view workflow) {
  auto q = impl_->reading.query(
      "SELECT s.run FROM run_subject AS s CROSS JOIN run AS r ON r.id = s.run "
      "WHERE s.node = ?1 AND (?2 = '' OR r.workflow = ?2) ORDER BY s.run DESC LIMIT 1");
  q.bind(node, workflow);
  if (!q.step()) return std::nullopt;
  return findRun(impl_->reading, {q.integer(0)});
}

std::optional<Time> SqliteStore::lastEventAt() {
  auto q = impl_->reading.query("SELECT at FROM event ORDER BY sequence DESC LIMIT 1");
  if (!q.step()) return std::nullopt;
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

Task<Result<std::shared_ptr<const Target>>> SqliteStore::freezeTarget(std::string profile,
                                                                      std::string baseline) {
  const std::pair key{profile, baseline};
  if (const auto known = impl_->frozen.find(key); known != impl_->frozen.end()) co_return known->second;
  const auto imports = impl_->imports;
  auto read = readCatalogTarget(impl_->reading, profile, baseline);
  if (!read) co_return read.error();
  const auto document = toDocument(*read);
  const auto digest = sha256Hex(document);
  auto target = impl_->findTarget(digest);
  if (!target) {
    Work<bool> work = [digest, document](Writing& w) -> Result<bool> {
      w.db.query("INSERT INTO target (digest, json) VALUES (?, ?) ON CONFLICT DO NOTHING")
          .bind(digest, document)
          .run();
      return true;
    };
    auto written = impl_->write<bool>(impl_->executor.now(), "engine", std::move(work));
    const auto stored = co_await written;
    if (!stored) co_return stored.error();
    target = impl_->findTarget(digest);
  }
  if (imports == impl_->imports) impl_->frozen.insert_or_assign(key, target);
  co_return target;
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
ContentStore SqliteStore::content() const { return ContentStore(impl_->directory->files()); }
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
  auto q = impl_->reading.query("SELECT digest FROM catalog WHERE kind = 'baseline' AND name = ?");
  q.bind(name);
  if (!q.step()) return std::nullopt;
  return q.text(0);
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

Task<Result<ImportSummary>> SqliteStore::importSite(SiteImport site, By by) {
  const auto shared = std::make_shared<const SiteImport>(std::move(site));
  Work<ImportSummary> work = [shared, files = content(), by](Writing& w) {
    return applyImport(w, *shared, files, by.why);
  };
  auto written = impl_->write<ImportSummary>(by, std::move(work));
  auto summary = co_await written;
  if (summary) {
    ++impl_->imports;
    impl_->frozen.clear();
  }
  co_return summary;
}

Task<Result<ImportSummary>> SqliteStore::rehearseImport(SiteImport site, By by) {
  const auto shared = std::make_shared<const SiteImport>(std::move(site));
  const auto answer = std::make_shared<std::optional<Result<ImportSummary>>>();
  // Applied by the same code, then refused: the savepoint takes everything back, the events too.
  Work<void> work = [shared, answer, files = content(), by](Writing& w) -> Result<void> {
    answer->emplace(applyImport(w, *shared, files, by.why));
    return Error{Errc::Rejected, "rehearsed"};
  };
  auto written = impl_->write<void>(impl_->executor.now(), by.actor, std::move(work), true);
  const auto refused = co_await written;
  co_return *answer ? std::move(**answer) : Result<ImportSummary>(refused.error());
}

Task<Result<SightingsTaken>> SqliteStore::takeLeases(std::vector<Lease> leases, By by) {
  Work<SightingsTaken> work = [leases = std::move(leases)](Writing& w) { return applyLeases(w, leases); };
  return impl_->write<SightingsTaken>(by, std::move(work));
}
Task<Result<SightingsTaken>> SqliteStore::takeAnswers(std::vector<Answer> answers, By by) {
  Work<SightingsTaken> work = [answers = std::move(answers)](Writing& w) { return applyAnswers(w, answers); };
  return impl_->write<SightingsTaken>(by, std::move(work));
}
Task<Result<void>> SqliteStore::noteScan(std::string event, std::string data, By by) {
  Work<void> work = [event = std::move(event), data = std::move(data), by](Writing& w) -> Result<void> {
    auto json = readStored(data);
    json["why"] = by.why;
    w.event(event, {}, {}, json);
    return {};
  };
  return impl_->write<void>(by, std::move(work));
}

Task<Result<void>> SqliteStore::armPlace(std::string place, By by) {
  Work<void> work = [place = std::move(place), by](Writing& w) { return applyArm(w, place, by.why); };
  return impl_->write<void>(by, std::move(work));
}
Task<Result<void>> SqliteStore::disarmPlace(std::string place, By by) {
  Work<void> work = [place = std::move(place), by](Writing& w) { return applyDisarm(w, place, by.why); };
  return impl_->write<void>(by, std::move(work));
}
Task<Result<HoldId>> SqliteStore::addHold(Hold hold, By by) {
  Work<HoldId> work = [hold = std::move(hold), by](Writing& w) { return applyAddHold(w, hold, by.why); };
  return impl_->write<HoldId>(by, std::move(work));
}
Task<Result<void>> SqliteStore::releaseHold(HoldId hold, By by, bool mayReleaseLocks) {
  Work<void> work = [hold, by, mayReleaseLocks](Writing& w) {
    return applyReleaseHold(w, hold, by.why, mayReleaseLocks);
  };
  return impl_->write<void>(by, std::move(work));
}
Task<Result<void>> SqliteStore::createUser(User user, By by) {
  Work<void> work = [user = std::move(user), by](Writing& w) { return applyCreateUser(w, user, by.why); };
  return impl_->write<void>(by, std::move(work));
}
Task<Result<void>> SqliteStore::changeUser(User user, By by, TokenId keep) {
  Work<void> work = [user = std::move(user), by, keep](Writing& w) {
    return applyChangeUser(w, user, keep, by.why);
  };
  return impl_->write<void>(by, std::move(work));
}
Task<Result<TokenId>> SqliteStore::createToken(ApiToken token, By by) {
  Work<TokenId> work = [token = std::move(token), by](Writing& w) {
    return applyCreateToken(w, token, by.why);
  };
  return impl_->write<TokenId>(by, std::move(work));
}
Task<Result<void>> SqliteStore::revokeToken(TokenId token, By by) {
  Work<void> work = [token, by](Writing& w) { return applyRevokeToken(w, token, by.why); };
  return impl_->write<void>(by, std::move(work));
}
Task<Result<void>> SqliteStore::putIdempotentReply(IdempotentReply reply) {
  const By by{reply.user, {}};
  Work<void> work = [reply = std::move(reply)](Writing& w) { return applyIdempotentReply(w, reply); };
  return impl_->write<void>(by, std::move(work));
}

Task<Result<Removed>> SqliteStore::removeOld(KeptSince keptSince, std::int64_t most, By by) {
  Work<Removed> work = [keptSince, most, by](Writing& w) {
    return applyRetention(w, keptSince, most, by.why);
  };
  return impl_->write<Removed>(by, std::move(work));
}
Task<Result<void>> SqliteStore::acceptCertificate(NodeId node, By by) {
  Work<void> work = [node, by](Writing& w) { return applyAcceptCertificate(w, node, by.why); };
  return impl_->write<void>(by, std::move(work));
}

Task<Result<void>> SqliteStore::recordBackup(std::string sha256, By by) {
  Work<void> work = [sha256 = std::move(sha256), by](Writing& w) { return applyBackup(w, sha256, by.why); };
  return impl_->write<void>(by, std::move(work));
}

const DataDirectory& SqliteStore::directory() const { return *impl_->directory; }
std::unique_ptr<Queries> SqliteStore::queries() const {
  return std::make_unique<Queries>(impl_->directory->database());
}

std::string SqliteStore::eventHash() { return EventChain(impl_->reading).head().hash; }
std::int64_t SqliteStore::lastEvent() { return EventChain(impl_->reading).head().sequence; }
Result<void> SqliteStore::verifyChain() { return verifyEvents(impl_->reading); }

Result<void> SqliteStore::checkIntegrity() {
  if (auto pages = checkPages(); !pages) return pages;
  try {
    return verifyChain();
  } catch (const StoreFailure& e) {
    return Error{Errc::Invalid, e.what()};
  }
}

Result<void> SqliteStore::checkPages() {
  try {
    auto q = impl_->reading.query("PRAGMA quick_check(1)");
    if (q.step() && q.text(0) == "ok") return {};
    return Error{Errc::Invalid,
                 fmt::format("the database is damaged ({}): stop the controller, keep the file for analysis "
                             "and restore the last backup",
                             q.text(0))};
  } catch (const StoreFailure& e) {
    return Error{Errc::Invalid, e.what()};
  }
}

}  // namespace zellige
