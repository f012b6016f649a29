// What people and the network change in the store: imports, sightings, holds, users, tokens.
#include <nlohmann/json.hpp>

#include "controller/store/apply_operator.hpp"
#include "controller/store/apply_sighting.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/site_import.hpp"
#include "controller/store/sqlite_store_impl.hpp"

namespace zellige {

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
Task<Result<void>> SqliteStore::settleLeaseConflicts(std::vector<NodeId> conflicts, By by) {
  Work<void> work = [conflicts = std::move(conflicts)](Writing& w) {
    return applyConflicts(w, {conflicts.begin(), conflicts.end()});
  };
  return impl_->write<void>(by, std::move(work));
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

}  // namespace zellige
