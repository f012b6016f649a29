// What goes over the wire to a machine: how to sign in to its BMC, what its agent is told and what it said.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/apply.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

/// An empty secret stays empty: it gives nothing away, and NULL-or-sealed would be a third case.
std::string seal(const SecretBox& box, const Secret& secret) {
  return secret.empty() ? "" : box.seal(secret);
}

Result<Secret> open(const SecretBox& box, const std::string& sealed, NodeId node) {
  if (sealed.empty()) return Secret{};
  auto secret = box.open(sealed);
  if (!secret)
    return Error{Errc::Invalid,
                 fmt::format("the stored password of node {} cannot be opened: {}; put back the site key "
                             "that belongs to this database",
                             node.value, secret.error().what)};
  return secret;
}

Json changes(const std::optional<BmcAccess>& before, const BmcAccess& now) {
  Json what = Json::array();
  if (!before || before->user != now.user) what.push_back("user");
  if (!before || before->password != now.password) what.push_back("password");
  if (!before || before->nextPassword != now.nextPassword)
    if (now.nextPassword || before) what.push_back("next_password");
  if (!before || before->pin != now.pin) what.push_back("pin");
  return what;
}

}  // namespace

Result<BmcAccess> findAccess(Connection& db, const SecretBox& box, AccessKey key) {
  const auto node = key.node;
  auto q = db.query(
      "SELECT user, password, must_change, next_password, session_token, session_uri, pin, version, "
      "guesses, refusals, guessed_at, guess_current FROM access WHERE node = ? AND endpoint = ?");
  q.bind(node, nameOf(key.endpoint));
  if (!q.step())
    return Error{Errc::NotFound,
                 fmt::format("no access to the {} of node {} is known", nameOf(key.endpoint), node.value)};
  auto password = open(box, q.text(1), node);
  if (!password) return password.error();
  auto token = open(box, q.text(4), node);
  if (!token) return token.error();
  BmcAccess access;
  access.user = q.text(0);
  access.password = std::move(*password);
  access.mustChange = q.flag(2);
  if (!q.isNull(3)) {
    auto next = open(box, q.text(3), node);
    if (!next) return next.error();
    access.nextPassword = std::move(*next);
  }
  access.sessionToken = std::move(*token);
  access.sessionUri = q.text(5);
  access.pin = q.text(6);
  access.version = q.integer(7);
  access.guesses = static_cast<int>(q.integer(8));
  access.refusals = static_cast<int>(q.integer(9));
  access.guessedAt = q.time(10);
  access.guessCurrent = q.flag(11);
  return access;
}

Result<void> applyAccess(Writing& w, AccessKey key, const BmcAccess& access) {
  const auto node = key.node;
  std::optional<BmcAccess> before;
  if (auto stored = findAccess(w.db, w.box, key))
    before = std::move(*stored);
  else if (stored.error().code != Errc::NotFound)
    return stored.error();
  if (before && access.version != before->version)
    return Error{Errc::Conflict, "how to reach this BMC was changed meanwhile: it is read again"};
  // Where the driver settles on another user than the manifest's, the manifest's is not in force: it may be imported again.
  std::optional<std::string> next;
  if (access.nextPassword) next = seal(w.box, *access.nextPassword);
  w.db.query(
          "INSERT INTO access (node, endpoint, user, password, must_change, next_password, session_token, "
          "session_uri, pin, guesses, refusals, guessed_at, guess_current, manifest_mark) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (node, endpoint) DO UPDATE SET "
          "user = "
          "excluded.user, "
          "password = excluded.password, must_change = excluded.must_change, next_password = "
          "excluded.next_password, "
          "session_token = excluded.session_token, session_uri = excluded.session_uri, pin = excluded.pin, "
          "guesses = excluded.guesses, refusals = excluded.refusals, guessed_at = excluded.guessed_at, "
          "guess_current = excluded.guess_current, "
          "manifest_mark = CASE WHEN access.user = excluded.user THEN access.manifest_mark ELSE '' END, "
          "version = access.version + 1")
      .bind(node, nameOf(key.endpoint), access.user, seal(w.box, access.password), access.mustChange, next,
            seal(w.box, access.sessionToken), access.sessionUri, access.pin, access.guesses, access.refusals,
            access.guessedAt, access.guessCurrent)
      .run();
  // Sessions come and go; what a person must be able to trace is who changed the way in.
  if (auto what = changes(before, access); !what.empty())
    w.event(
        "access.changed", node, {},
        {{"what", std::move(what)}, {"must_change", access.mustChange}, {"endpoint", nameOf(key.endpoint)}});
  return {};
}

std::optional<AgentOrder> findOrder(Connection& db, const SecretBox& box, NodeId node) {
  auto q = db.query("SELECT order_json, order_seed FROM agent WHERE node = ? AND order_json IS NOT NULL");
  q.bind(node);
  if (!q.step()) return std::nullopt;
  auto order = agentOrderFromJson(q.text(0));
  if (!order) throw StoreFailure("a stored agent order is damaged: " + order.error().what);
  auto seed = open(box, q.text(1), node);
  if (!seed) throw StoreFailure(seed.error().what);
  order->seed = seed->reveal();
  return std::move(*order);
}

Result<std::int64_t> apply(Writing& w, const PutOrder& op) {
  if (const auto stored = findOrder(w.db, w.box, op.node); stored && toJson(*stored) == toJson(op.order))
    return 0;
  auto open = op.order;
  open.seed.clear();
  w.db.query(
          "INSERT INTO agent (node, order_id, order_json, order_seed) VALUES (?, ?, ?, ?) ON CONFLICT (node) "
          "DO "
          "UPDATE SET order_id = excluded.order_id, order_json = excluded.order_json, order_seed = "
          "excluded.order_seed")
      .bind(op.node, op.order.id, toJson(open), seal(w.box, Secret{op.order.seed}))
      .run();
  Json data{{"order", op.order.id}, {"kind", nameOf(op.order.kind)}};
  if (!op.order.imageDigest.empty()) data["image"] = op.order.imageDigest;
  w.event("order.put", op.node, {}, data);
  return 0;
}

Result<std::int64_t> apply(Writing& w, const PutReport& op) {
  const auto& report = op.report;
  const auto now = headOf(report, op.received);
  const auto before = findReportHead(w.db, op.node);
  const bool sameBoot = before && before->bootId == now.bootId;
  if (sameBoot && before->sequence >= now.sequence) return 0;
  w.db.query(
          "INSERT INTO agent (node, report, received, boot_id, sequence, home, image_state, image_digest, "
          "burn_in_order, burn_in_finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (node) DO "
          "UPDATE SET "
          "report = excluded.report, received = excluded.received, boot_id = excluded.boot_id, sequence = "
          "excluded.sequence, home = excluded.home, image_state = excluded.image_state, image_digest = "
          "excluded.image_digest, burn_in_order = excluded.burn_in_order, burn_in_finished = "
          "excluded.burn_in_finished")
      .bind(op.node, toJson(report), now.received, now.bootId, now.sequence, nameOf(now.home),
            nameOf(now.image), now.imageDigest, now.burnInOrder, now.burnInFinished)
      .run();
  if (!sameBoot)
    w.event("agent.boot", op.node, {},
            {{"boot", now.bootId}, {"home", nameOf(now.home)}, {"serial", report.serial}});
  if (now.image != (sameBoot ? before->image : ImageState::None))
    w.event("agent.image", op.node, {}, {{"state", nameOf(now.image)}, {"digest", now.imageDigest}});
  const bool knownFinished = sameBoot && before->burnInFinished && before->burnInOrder == now.burnInOrder;
  if (now.burnInFinished && !knownFinished)
    w.event("agent.burn_in", op.node, {},
            {{"order", now.burnInOrder}, {"results", report.burnIn.results.size()}});
  return 0;
}

}  // namespace zellige
