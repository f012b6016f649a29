#include "controller/store/sqlite_store.hpp"

#include <fmt/format.h>

#include "controller/base/digest.hpp"
#include "controller/store/incarnation.hpp"
#include "controller/store/queries_impl.hpp"
#include "controller/store/schema.hpp"
#include "controller/store/sqlite_store_impl.hpp"

namespace zellige {

namespace {

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
    connect.maxPages = options.maxPages;
    connect.checkpointOnClose = options.checkpointOnClose;
    auto writing = std::make_unique<Connection>(directory->database(), connect);
    if (auto ready = migrate(*writing, migrations(), executor.now()); !ready) return ready.error();
    if (options.durable) {
      const auto seat = seatOf(directory->database());
      if (auto begun = beginLife(*writing, *directory, seat, box, executor.now()); !begun)
        return begun.error();
    }
    // Not before: to fold a WAL that is full takes a quarter of a second in which no machine is spoken to.
    writing->checkpointEvery(options.checkpointPages);
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
void SqliteStore::dropCaches() {
  impl_->writing->dropCache();
  impl_->reading.dropCache();
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
ContentStore SqliteStore::content() const { return ContentStore(impl_->directory->files()); }

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
