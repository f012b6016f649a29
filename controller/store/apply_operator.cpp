#include "controller/store/apply_operator.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/apply.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/incarnation.hpp"
#include "controller/store/meta.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

Json describe(const std::vector<RoleGrant>& grants) {
  Json out = Json::array();
  for (const auto& g : grants) out.push_back({{"role", g.role}, {"place", g.place}});
  return out;
}

}  // namespace

std::string encodeGrants(const std::vector<RoleGrant>& grants) { return canonical(describe(grants)); }

Result<void> applyArm(Writing& w, const std::string& place, const std::string& why) {
  const auto added =
      w.db.query("INSERT INTO armed_place (place, since, by, why) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
          .bind(place, w.at, w.actor, why)
          .run();
  if (added > 0) w.event("place.armed", {}, {}, withWhy({{"place", place}}, why));
  removeMeta(w.db, kRestored);  // a person has seen that this is another life of the database
  return {};
}

Result<void> applyDisarm(Writing& w, const std::string& place, const std::string& why) {
  if (w.db.query("DELETE FROM armed_place WHERE place = ?").bind(place).run() > 0) {
    w.event("place.disarmed", {}, {}, withWhy({{"place", place}}, why));
    return {};
  }
  // Disarming must not seem to have worked while a place around or inside is armed.
  auto q = w.db.query(
      "SELECT place FROM armed_place WHERE place = '' OR ? = '' OR substr(?, 1, length(place) + 1) = place "
      "|| '/' OR substr(place, 1, length(?) + 1) = ? || '/' LIMIT 1");
  q.bind(place, place, place, place);
  if (!q.step()) return {};
  const auto other = q.text(0);
  const auto named = [](const std::string& it) { return it.empty() ? "the whole site" : "'" + it + "'"; };
  return Error{Errc::Conflict,
               fmt::format("{} itself is not armed, but {} is: disarm that", named(place), named(other))};
}

Result<HoldId> applyAddHold(Writing& w, const Hold& hold, const std::string& why) {
  if (!hold.node && hold.place.empty()) return Error{Errc::Invalid, "a hold needs a node or a place"};
  if (hold.owner.empty() || hold.reason.empty())
    return Error{Errc::Invalid, "a hold needs an owner and a reason"};
  if (hold.node && !findNode(w.db, hold.node))
    return Error{Errc::NotFound, fmt::format("there is no node {}", hold.node.value)};
  w.db.query(
          "INSERT INTO hold (kind, node, place, owner, reason, created, expires, released_by, release_why) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, '', '')")
      .bind(nameOf(hold.kind), hold.node, hold.node ? std::string{} : hold.place, hold.owner, hold.reason,
            w.at, hold.expires)
      .run();
  const HoldId id{w.db.lastId()};
  Json data{{"hold", id.value}, {"kind", nameOf(hold.kind)}, {"owner", hold.owner}, {"reason", hold.reason}};
  if (!hold.node) data["place"] = hold.place;
  if (hold.expires) data["expires"] = toMillis(*hold.expires);
  w.event("hold.added", hold.node, {}, withWhy(std::move(data), why));
  return id;
}

Result<void> applyReleaseHold(Writing& w, HoldId id, const std::string& why, bool mayReleaseLocks) {
  static const auto text = fmt::format("SELECT {} FROM hold WHERE id = ?", kHoldColumns);
  std::optional<Hold> hold;
  {
    auto q = w.db.query(text);
    q.bind(id);
    if (q.step()) hold = readHold(q);
  }
  if (!hold) return Error{Errc::NotFound, fmt::format("there is no hold {}", id.value)};
  if (hold->released)
    return Error{Errc::Conflict, fmt::format("hold {} was released by {}", id.value, hold->releasedBy)};
  if (hold->kind == HoldKind::PersonalLock && hold->owner != w.actor && !mayReleaseLocks)
    return Error{
        Errc::Rejected,
        fmt::format("this is the personal lock of {}: only they or the shift lead release it", hold->owner)};
  w.db.query("UPDATE hold SET released = ?, released_by = ?, release_why = ? WHERE id = ?")
      .bind(w.at, w.actor, why, id)
      .run();
  Json data{{"hold", id.value}, {"kind", nameOf(hold->kind)}, {"owner", hold->owner}};
  if (!hold->node) data["place"] = hold->place;
  w.event("hold.released", hold->node, {}, withWhy(std::move(data), why));
  return {};
}

std::optional<User> findUser(Connection& db, std::string_view name) {
  auto q = db.query(
      "SELECT name, password_hash, grants, created, disabled, must_change FROM user WHERE name = ?");
  q.bind(name);
  if (!q.step()) return std::nullopt;
  User user{q.text(0), q.text(1), {}, q.time(3), q.flag(4), q.flag(5)};
  for (const auto& g : readStored(q.text(2)))
    user.grants.push_back({g.at("role").get<std::string>(), g.at("place").get<std::string>()});
  return user;
}

Result<void> applyCreateUser(Writing& w, const User& user, const std::string& why) {
  if (user.name.empty()) return Error{Errc::Invalid, "a user needs a name"};
  const auto added = w.db.query(
                             "INSERT INTO user (name, password_hash, grants, created, disabled, must_change) "
                             "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
                         .bind(user.name, user.passwordHash, encodeGrants(user.grants), w.at, user.disabled,
                               user.mustChange)
                         .run();
  if (added == 0) return Error{Errc::Conflict, fmt::format("there is a user {} already", user.name)};
  w.event("user.created", {}, {}, withWhy({{"user", user.name}, {"grants", describe(user.grants)}}, why));
  return {};
}

Result<void> applyChangeUser(Writing& w, const User& user, TokenId keep, const std::string& why) {
  const auto before = findUser(w.db, user.name);
  if (!before) return Error{Errc::NotFound, fmt::format("there is no user {}", user.name)};
  w.db.query("UPDATE user SET password_hash = ?, grants = ?, disabled = ?, must_change = ? WHERE name = ?")
      .bind(user.passwordHash, encodeGrants(user.grants), user.disabled, user.mustChange, user.name)
      .run();
  Json data{{"user", user.name}};
  const bool otherPassword = before->passwordHash != user.passwordHash;
  if (otherPassword) data["password"] = "changed";
  if (before->grants != user.grants) data["grants"] = describe(user.grants);
  if (before->disabled != user.disabled) data["disabled"] = user.disabled;
  if (user.disabled || otherPassword) {
    const auto revoked =
        w.db.query("UPDATE token SET revoked = ? WHERE user = ? AND revoked IS NULL AND id <> ?")
            .bind(w.at, user.name, user.disabled ? std::int64_t{0} : keep.value)
            .run();
    if (revoked > 0) data["tokens_revoked"] = revoked;
  }
  w.event("user.changed", {}, {}, withWhy(std::move(data), why));
  return {};
}

Result<TokenId> applyCreateToken(Writing& w, const ApiToken& token, const std::string& why) {
  if (!findUser(w.db, token.user))
    return Error{Errc::NotFound, fmt::format("there is no user {}", token.user)};
  const auto added =
      w.db.query(
              "INSERT INTO token (kind, user, name, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?) "
              "ON CONFLICT DO NOTHING")
          .bind(nameOf(token.kind), token.user, token.name, token.hash, w.at, token.expires)
          .run();
  if (added == 0) return Error{Errc::Conflict, "this token exists already"};
  const TokenId id{w.db.lastId()};
  w.event(
      "token.created", {}, {},
      withWhy({{"token", id.value}, {"kind", nameOf(token.kind)}, {"user", token.user}, {"name", token.name}},
              why));
  return id;
}

Result<void> applyRevokeToken(Writing& w, TokenId id, const std::string& why) {
  if (w.db.query("UPDATE token SET revoked = ? WHERE id = ? AND revoked IS NULL").bind(w.at, id).run() == 0)
    return Error{Errc::NotFound, fmt::format("there is no valid token {}", id.value)};
  w.event("token.revoked", {}, {}, withWhy({{"token", id.value}}, why));
  return {};
}

Result<void> applyAcceptCertificate(Writing& w, NodeId node, const std::string& why) {
  auto q = w.db.query("SELECT pin FROM access WHERE node = ?");
  q.bind(node);
  if (!q.step()) return Error{Errc::NotFound, fmt::format("no BMC access is known for node {}", node.value)};
  Json data{{"forgotten_pin", q.text(0)}};
  w.db.query(
          "UPDATE access SET pin = '', session_token = '', session_uri = '', guesses = 0, refusals = 0, "
          "version = version + 1 WHERE node = ?")
      .bind(node)
      .run();
  w.event("access.certificate_accepted", node, {}, withWhy(std::move(data), why));
  const ResolveFindings resolved{node, "bmc.certificate_changed", fmt::format("{}: {}", w.actor, why)};
  if (const auto done = apply(w, resolved); !done) return done.error();
  return {};
}

Result<void> applyBackup(Writing& w, const std::string& sha256, const std::string& why) {
  w.event("site.backed_up", {}, {}, withWhy({{"sha256", sha256}}, why));
  return {};
}

Result<void> applyIdempotentReply(Writing& w, const IdempotentReply& reply) {
  const auto added =
      w.db.query(
              "INSERT INTO idempotency (user, key, request, status, body, created) VALUES (?, ?, ?, ?, ?, ?) "
              "ON CONFLICT DO NOTHING")
          .bind(reply.user, reply.key, reply.request, reply.status, reply.body, w.at)
          .run();
  if (added == 0) return Error{Errc::Conflict, "this idempotency key has been used already"};
  return {};
}

}  // namespace zellige
