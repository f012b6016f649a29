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

Result<BmcAccess> findAccess(Connection& db, const SecretBox& box, NodeId node) {
  auto q = db.query(
      "SELECT user, password, must_change, next_password, session_token, session_uri, pin FROM access "
      "WHERE node = ?");
  q.bind(node);
  if (!q.step()) return Error{Errc::NotFound, fmt::format("no BMC access is known for node {}", node.value)};
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
  return access;
}

Result<void> applyAccess(Writing& w, NodeId node, const BmcAccess& access) {
  std::optional<BmcAccess> before;
  if (auto stored = findAccess(w.db, w.box, node))
    before = std::move(*stored);
  else if (stored.error().code != Errc::NotFound)
    return stored.error();
  std::optional<std::string> next;
  if (access.nextPassword) next = seal(w.box, *access.nextPassword);
  w.db.query(
          "INSERT INTO access (node, user, password, must_change, next_password, session_token, session_uri, "
          "pin, "
          "manifest_mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (node) DO UPDATE SET user = "
          "excluded.user, "
          "password = excluded.password, must_change = excluded.must_change, next_password = "
          "excluded.next_password, "
          "session_token = excluded.session_token, session_uri = excluded.session_uri, pin = excluded.pin")
      .bind(node, access.user, seal(w.box, access.password), access.mustChange, next,
            seal(w.box, access.sessionToken), access.sessionUri, access.pin)
      .run();
  // Sessions come and go; what a person must be able to trace is who changed the way in.
  if (auto what = changes(before, access); !what.empty())
    w.event("access.changed", node, {}, {{"what", std::move(what)}, {"must_change", access.mustChange}});
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
          "INSERT INTO agent (node, order_json, order_seed) VALUES (?, ?, ?) ON CONFLICT (node) DO UPDATE "
          "SET "
          "order_json = excluded.order_json, order_seed = excluded.order_seed")
      .bind(op.node, toJson(open), seal(w.box, Secret{op.order.seed}))
      .run();
  Json data{{"order", op.order.id}, {"kind", nameOf(op.order.kind)}};
  if (!op.order.imageDigest.empty()) data["image"] = op.order.imageDigest;
  w.event("order.put", op.node, {}, data);
  return 0;
}

Result<std::int64_t> apply(Writing& w, const PutReport& op) {
  const auto& report = op.report;
  const auto before = findReport(w.db, op.node);
  const bool sameBoot = before && before->report.bootId == report.bootId;
  if (sameBoot && before->report.sequence >= report.sequence) return 0;
  w.db.query(
          "INSERT INTO agent (node, report, boot_id, sequence, received) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
          "(node) "
          "DO UPDATE SET report = excluded.report, boot_id = excluded.boot_id, sequence = excluded.sequence, "
          "received = excluded.received")
      .bind(op.node, toJson(report), report.bootId, report.sequence, op.received)
      .run();
  if (!sameBoot)
    w.event("agent.boot", op.node, {},
            {{"boot", report.bootId}, {"home", nameOf(report.home)}, {"serial", report.serial}});
  const auto imageBefore = sameBoot ? before->report.image.state : ImageState::None;
  if (report.image.state != imageBefore)
    w.event("agent.image", op.node, {},
            {{"state", nameOf(report.image.state)}, {"digest", report.image.digest}});
  if (report.burnIn.finished &&
      !(sameBoot && before->report.burnIn.finished && before->report.burnIn.orderId == report.burnIn.orderId))
    w.event("agent.burn_in", op.node, {},
            {{"order", report.burnIn.orderId}, {"results", report.burnIn.results.size()}});
  return 0;
}

}  // namespace zellige
