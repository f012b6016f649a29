#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/text.hpp"
#include "controller/store/apply.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

bool hasBlocking(Connection& db, NodeId node) {
  auto q = db.query("SELECT 1 FROM finding WHERE node = ? AND resolved IS NULL AND blocking = 1 LIMIT 1");
  q.bind(node);
  return q.step();
}

/// Empty: it holds. Else what is missing, for a person.
std::string missing(Writing& w, const Node& node, Requires needs, const std::vector<std::string>& evidence) {
  switch (needs) {
    case Requires::Nothing: return {};
    case Requires::BlockingFinding:
      return hasBlocking(w.db, node.id) ? "" : "no open blocking finding says why";
    case Requires::NoBlockingFinding: return hasBlocking(w.db, node.id) ? "a blocking finding is open" : "";
    case Requires::Unassigned:
      return node.allocation == Allocation::Free ? "" : fmt::format("it is {}", nameOf(node.allocation));
    case Requires::Evidence: break;
  }
  if (hasBlocking(w.db, node.id)) return "a blocking finding is open";
  if (evidence.empty()) return "no evidence was named";
  for (const auto& subject : evidence) {
    auto q = w.db.query("SELECT 1 FROM evidence WHERE node = ? AND subject = ? AND invalid_since IS NULL");
    q.bind(node.id, subject);
    if (!q.step()) return fmt::format("there is no valid evidence for {}", subject);
  }
  return {};
}

std::optional<RunId> unfinishedRunOf(Writing& w, const Node& node) {
  auto q = w.db.query("SELECT run FROM run_subject WHERE node = ? AND unfinished = 1");
  q.bind(node.id);
  if (!q.step()) return std::nullopt;
  return RunId{q.integer(0)};
}

/// Only a retired node has no claim on its place and address; coming back, it needs them free.
std::string takenBy(Writing& w, const Node& node) {
  auto q = w.db.query(
      "SELECT serial FROM node WHERE id <> ? AND lifecycle <> 'retired' AND "
      "((place = ? AND place <> '') OR (bmc_address = ? AND bmc_port = ? AND bmc_address <> ''))");
  q.bind(node.id, node.place.path, node.bmc.address, node.bmc.port);
  return q.step() ? q.text(0) : std::string{};
}

}  // namespace

Result<std::int64_t> apply(Writing& w, const MoveLifecycle& op) {
  const auto node = findNode(w.db, op.node);
  if (!node) return noSuchNode(op.node);
  if (node->lifecycle != op.from)
    return Error{Errc::Conflict, fmt::format("{} is {}, not {} any more", node->serial,
                                             nameOf(node->lifecycle), nameOf(op.from))};
  const auto* move = findMove(node->kind, op.from, op.to, op.actor);
  if (!move)
    return Error{Errc::Rejected, fmt::format("the {} may not move a {} from {} to {}", nameOf(op.actor),
                                             nameOf(node->kind), nameOf(op.from), nameOf(op.to))};
  if (const auto lacks = missing(w, *node, move->needs, op.evidence); !lacks.empty())
    return Error{Errc::Rejected, fmt::format("{} cannot go from {} to {}: {}", node->serial, nameOf(op.from),
                                             nameOf(op.to), lacks)};
  if (op.actor == Actor::Operator)
    if (const auto run = unfinishedRunOf(w, *node))
      return Error{Errc::Conflict,
                   fmt::format("run {} works on it; cancel it or wait until it has ended", run->value)};
  if (op.from == Lifecycle::Retired)
    if (const auto other = takenBy(w, *node); !other.empty())
      return Error{Errc::Conflict,
                   fmt::format("{} now has the place or BMC address of {}", other, node->serial)};
  w.db.query("UPDATE node SET lifecycle = ?, lifecycle_since = ?, version = version + 1 WHERE id = ?")
      .bind(nameOf(op.to), w.at, op.node)
      .run();
  Json data{{"from", nameOf(op.from)}, {"to", nameOf(op.to)}, {"by", nameOf(op.actor)}};
  if (!op.why.empty()) data["why"] = op.why;
  w.event("node.lifecycle", op.node, {}, data);
  if (op.to == Lifecycle::Retired) {  // nobody has to mend it any more
    const ResolveFindings all{op.node, "", "the node was retired"};
    if (const auto done = apply(w, all); !done) return done.error();
  }
  return op.node.value;
}

Result<std::int64_t> apply(Writing& w, const SetContact& op) {
  const auto changed =
      w.db.query(
              "UPDATE node SET unreachable_since = ?, version = version + 1 WHERE id = ? AND "
              "(unreachable_since IS NULL) <> (? IS NULL)")
          .bind(op.unreachableSince, op.node, op.unreachableSince)
          .run();
  if (changed == 0) {
    if (!findNode(w.db, op.node)) return noSuchNode(op.node);
    return op.node.value;
  }
  Json data{{"reachable", !op.unreachableSince}};
  if (op.unreachableSince) data["since"] = toMillis(*op.unreachableSince);
  w.event("node.contact", op.node, {}, data);
  return op.node.value;
}

Result<std::int64_t> apply(Writing& w, const SetHealth& op) {
  const auto changed =
      w.db.query("UPDATE node SET health = ?, version = version + 1 WHERE id = ? AND health <> ?")
          .bind(nameOf(op.health), op.node, nameOf(op.health))
          .run();
  if (changed > 0)
    w.wordEvent("node.health", op.node, {{"health", nameOf(op.health)}});
  else if (!findNode(w.db, op.node))
    return noSuchNode(op.node);
  return op.node.value;
}

namespace {

/// One of the axes whose value is a word: `column` of the node goes from `from` to `to`, or says why not.
template <class Axis>
Result<std::int64_t> moveAxis(Writing& w, std::string_view axis, std::string_view update, NodeId id, Axis has,
                              Axis from, Axis to, const std::string& why) {
  if (has != from)
    return Error{Errc::Conflict,
                 fmt::format("node {} is {}, not {} any more", id.value, nameOf(has), nameOf(from))};
  if (!mayMove(from, to))
    return Error{Errc::Rejected, fmt::format("{} does not go from {} to {}", axis, nameOf(from), nameOf(to))};
  w.db.query(update).bind(nameOf(to), id).run();
  const auto kind = fmt::format("node.{}", axis);
  if (why.empty())
    w.wordEvent(kind, id, {{"from", nameOf(from)}, {"to", nameOf(to)}});
  else
    w.wordEvent(kind, id, {{"from", nameOf(from)}, {"to", nameOf(to)}, {"why", why}});
  return id.value;
}

}  // namespace

Result<std::int64_t> apply(Writing& w, const SetAllocation& op) {
  const auto node = findNode(w.db, op.node);
  if (!node) return noSuchNode(op.node);
  return moveAxis(w, "allocation", "UPDATE node SET allocation = ?, version = version + 1 WHERE id = ?",
                  op.node, node->allocation, op.from, op.to, op.why);
}

Result<std::int64_t> apply(Writing& w, const SetScheduling& op) {
  const auto node = findNode(w.db, op.node);
  if (!node) return noSuchNode(op.node);
  return moveAxis(w, "scheduling", "UPDATE node SET scheduling = ?, version = version + 1 WHERE id = ?",
                  op.node, node->scheduling, op.from, op.to, op.why);
}

Result<std::int64_t> apply(Writing& w, const RaiseFinding& op) {
  auto f = op.finding;
  f.detail = shortened(f.detail, 2'000);  // it may quote a machine
  const auto* cause = findCause(f.cause);
  if (!cause) throw std::logic_error("finding with a cause code that is not in the table: " + f.cause);
  const auto raised = f.raised == Time{} ? w.at : f.raised;
  const Json data{{"cause", f.cause}, {"detail", f.detail}, {"blocking", cause->blocking}};
  {
    auto open = w.db.query(
        "SELECT id, detail FROM finding WHERE node = ? AND cause = ? AND resolved IS NULL");
    open.bind(f.node, f.cause);
    if (open.step()) {
      const auto id = open.integer(0);
      const bool same = open.text(1) == f.detail;
      w.db.query("UPDATE finding SET detail = ?, run = ? WHERE id = ?").bind(f.detail, f.run, id).run();
      if (!same) w.event("finding.updated", f.node, f.run, data);
      return id;
    }
  }
  w.db.query(
          "INSERT INTO finding (node, run, cause, detail, blocking, raised, resolution) VALUES (?, ?, ?, ?, "
          "?, ?, '')")
      .bind(f.node, f.run, f.cause, f.detail, cause->blocking, raised)
      .run();
  const auto id = w.db.lastId();
  w.event("finding.raised", f.node, f.run, data);
  return id;
}

Result<std::int64_t> apply(Writing& w, const ResolveFindings& op) {
  std::vector<std::pair<std::int64_t, std::string>> open;
  {
    auto q = w.db.query(
        "SELECT id, cause FROM finding WHERE node = ? AND resolved IS NULL AND (? = '' OR cause = ?)");
    q.bind(op.node, op.cause, op.cause);
    while (q.step()) open.emplace_back(q.integer(0), q.text(1));
  }
  for (const auto& [id, cause] : open) {
    w.db.query("UPDATE finding SET resolved = ?, resolution = ? WHERE id = ?")
        .bind(w.at, op.resolution, id)
        .run();
    w.event("finding.resolved", op.node, {}, {{"cause", cause}, {"resolution", op.resolution}});
  }
  return 0;
}

}  // namespace zellige
