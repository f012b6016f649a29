// Changing our own password in two phases, so that a crash anywhere leaves a password that we know (access.hpp).
#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "controller/base/password.hpp"
#include "drivers/redfish/body.hpp"
#include "drivers/redfish/client.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

std::size_t lengthWithin(std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
  const auto low = static_cast<std::size_t>(std::clamp<std::int64_t>(least.value_or(0), 4, 64));
  const auto told = most.value_or(0) > 0 ? *most
                                         : 64;  // iDRAC tells 0 to 40; 0 as the upper bound is no bound
  const auto high = std::max(low, static_cast<std::size_t>(std::clamp<std::int64_t>(told, 4, 64)));
  return std::clamp(defaultPasswordLength, low, high);
}

std::string newPassword(std::size_t length, const std::function<std::string(std::size_t)>& given) {
  return given ? makePassword(length, given) : makePassword(length, randomHex);
}

}  // namespace

Task<Result<Client::OwnAccount>> Client::findOwnAccount(std::string accountId) {
  OwnAccount own;
  own.passwordLength = defaultPasswordLength;
  const auto user = own.user = access_->user;
  if (!rootLinks_) {
    auto top = co_await root();
    if (!top) co_return top.error();
  }
  // Before a forced change the root may show no more than its identity: then the known URI (FACTS 7).
  auto serviceUri = rootLinks_->accountService;
  if (serviceUri.empty()) serviceUri = "/redfish/v1/AccountService";
  auto accounts = serviceUri + "/Accounts";
  auto service = co_await get(serviceUri);
  if (service) {
    const auto view = service->view();
    own.passwordLength = lengthWithin(view.integer("MinPasswordLength"), view.integer("MaxPasswordLength"));
    if (auto link = view.link("Accounts"); !link.empty()) accounts = std::move(link);
    auto all = co_await links(accounts);
    const auto named = [&](const std::string& uri) { return lastSegment(uri) == user; };
    if (all)
      std::stable_partition(all->begin(), all->end(), named);  // ids are mostly names: look there first
    for (std::size_t i = 0; all && i < all->size(); ++i) {
      auto account = co_await get((*all)[i]);
      if (!account || account->view().text("UserName") != user) continue;
      own.uri = account->uri;
      own.etag = account->etag;
      co_return own;
    }
  }
  // Not to be read before the password is changed: the one URI that must be built (FACTS 7).
  if (accountId.empty()) accountId = user;
  own.uri = accounts + "/" + accountId;
  co_return own;
}

Task<Result<void>> Client::changePassword(std::string accountId, bool anyMatch) {
  if (auto ok = armed("password change"); !ok) co_return ok.error();
  auto before = wiring_.access.loadAccess(node_);
  if (!before) co_return before.error();
  std::optional<OwnAccount> account;
  for (int tries = 1;; ++tries) {
    auto session = co_await ensureSession();
    if (!session) co_return session.error();
    if (auto loaded = loadAccess(); !loaded) co_return loaded.error();
    if (before->nextPassword && access_->password == *before->nextPassword)
      co_return Result<void>{};  // an earlier change had been applied: settled just now
    if (!account) {
      auto found = co_await findOwnAccount(accountId);
      if (!found) co_return found.error();
      account = std::move(*found);
    }
    const bool basic = basicOnly_;  // each try is a guess of the password then
    auto changed = co_await setPassword(*account, anyMatch);
    if (changed || changed.error().outcomeUnknown) co_return changed;
    if (before->nextPassword && changed.error().httpStatus == 400)
      co_return co_await judgeRefused(*before->nextPassword, std::move(changed.error()));
    const bool sessionHadEnded = changed.error().httpStatus == 401 && !basic;
    if (!sessionHadEnded || tries == 2) co_return changed;
  }
}

// It may be refused because it is set already: an earlier request was applied meanwhile.
Task<Result<void>> Client::judgeRefused(Secret password, Error why) {
  if (auto loaded = loadAccess(); !loaded) co_return loaded.error();
  if (hasSession()) (void)co_await deleteSession(token_, access_->sessionUri);
  forgetToken(token_);
  basicOnly_ = false;
  access_.reset();
  auto session = co_await ensureSession();
  if (!session) co_return session.error();
  if (auto loaded = loadAccess(); !loaded) co_return loaded.error();
  if (access_->password == password) co_return Result<void>{};
  const std::function<void(BmcAccess&)> drop = [&](BmcAccess& row) {
    if (row.nextPassword == password) row.nextPassword.reset();
  };
  auto saved = co_await changeAccess(drop);
  forgetAccess();
  if (!saved) co_return saved;
  co_return why;
}

// With the sign-in turn held throughout: nobody signs in while two passwords may be valid. What an earlier run may have
// sent is sent again, not something new: should the earlier request be applied late, it sets the same.
Task<Result<void>> Client::setPassword(OwnAccount account, bool anyMatch) {
  auto turn = co_await loginTurn_.take();
  if (auto loaded = loadAccess(); !loaded) co_return loaded.error();
  if (access_->user != account.user)
    co_return Error{Errc::Conflict, "another user of this BMC was imported meanwhile: it is read again"};
  const bool mayBeOnItsWay = access_->nextPassword.has_value();
  if (!mayBeOnItsWay)
    access_->nextPassword = Secret(newPassword(account.passwordLength, wiring_.options.randomHex));
  access_->guessCurrent = false;
  access_->sessionToken = {};     // after a crash it is the passwords that decide
  const bool basic = basicOnly_;  // the old one goes with the request, to be judged with it
  auto saved = co_await saveAccess();
  if (!saved) co_return saved;
  auto sent = co_await sendPassword(account, anyMatch);
  if (!sent && sent.error().outcomeUnknown) {  // either may be valid now: the next sign-in finds out
    token_ = {};
    basicOnly_ = false;
    access_.reset();
    co_return sent;
  }
  if (!sent) {
    if (sent.error().httpStatus == 401) {
      forgetToken(token_);
      basicOnly_ = false;
    }
    // Where the old password let this request in, it comes first again, and its session goes on; whoever imported another
    // way in meanwhile has neither.
    const bool oldIsGood = sent.error().httpStatus != 401 && sent.error().httpStatus != 400;
    const std::function<void(BmcAccess&)> takeBack = [&, tried = *access_->nextPassword,
                                                      old = access_->password](BmcAccess& row) {
      if (!mayBeOnItsWay && row.nextPassword == tried) row.nextPassword.reset();
      row.guessCurrent = oldIsGood;
      if (row.user != account.user || row.password != old) return;
      if (!tokenIsDead_) row.sessionToken = token_;
      if (basic && sent.error().httpStatus == 401) {
        ++row.guesses;
        ++row.refusals;
        row.guessedAt = wiring_.executor.now();
      }
    };
    saved = co_await changeAccess(takeBack);
    forgetAccess();
    if (!saved) co_return saved;
    co_return sent;
  }
  const auto accepted = *access_->nextPassword;
  const auto user = account.user;
  const auto oldToken = std::exchange(token_, {});
  const auto oldUri = access_->sessionUri;
  basicOnly_ = false;
  const std::function<void(BmcAccess&)> settle = [&](BmcAccess& row) {
    row.user = user;  // an import of the way in, committed meanwhile, loses: only this password is known to work
    row.password = accepted;
    row.mustChange = false;
    row.nextPassword.reset();
    row.guesses = row.refusals = 0;
    row.sessionToken = {};
    row.sessionUri = oldUri;
  };
  saved = co_await changeAccess(settle);
  if (saved) mustChange_ = false;
  access_.reset();
  // Most BMCs end the account's sessions at a password change; where not, ours must not stay behind.
  if (saved && !oldToken.empty()) (void)co_await deleteSession(oldToken, oldUri);
  co_return saved;
}

Task<Result<void>> Client::sendPassword(OwnAccount account, bool anyMatch) {
  std::optional<Result<Document>> last;
  for (const auto& rung : etagLadder(account.etag, anyMatch)) {
    auto ask = writing("PATCH", account.uri, bodyOf("Password", access_->nextPassword->reveal()));
    ask.ifMatch = rung;
    ask.secretBody = true;
    ask.as = As::Token;
    ask.secret = token_;
    if (basicOnly_) {
      ask.as = As::Basic;
      ask.secret = Secret(access_->user + ":" + access_->password.reveal());
    }
    last = co_await perform(std::move(ask));
    if (*last || last->error().httpStatus != 412) break;
  }
  if (*last) co_return Result<void>{};
  co_return last->error();
}

}  // namespace zellige::redfish
