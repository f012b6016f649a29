#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/apply.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

constexpr std::string_view kInsert =
    "INSERT INTO run (workflow, state, lane, parameter, target, step, item, acts, deaths, rounds, facts, "
    "step_since, excused_ms, waits_for, blocked_since, started_by, created, ended, lingers, open_act) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// `query` has the run's columns as its first parameters; `more` are the others.
template <class... More>
int runFor(const Run& r, Query query, const More&... more) {
  const bool open = std::any_of(r.acts.begin(), r.acts.end(),
                                [](const auto& act) { return act.second.mayHaveTakenEffect(); });
  return std::move(query).runWith(r.workflow, nameOf(r.state), nameOf(r.lane), r.parameter, r.target, r.step,
                                  r.item, encodeActs(r.acts), r.deaths, r.rounds, encodeFacts(r.facts),
                                  r.stepSince, std::int64_t{r.excused.count()}, r.waitsFor, r.blockedSince,
                                  r.startedBy, r.created, r.ended, r.lingers, open, more...);
}

Result<std::int64_t> insertRun(Writing& w, const Run& run) {
  if (run.subject.empty()) return Error{Errc::Invalid, "a run needs a node to run on"};
  if (run.unfinished()) {
    for (const auto node : run.subject) {
      auto q = w.db.query("SELECT run FROM run_subject WHERE node = ? AND unfinished = 1");
      q.bind(node);
      if (q.step())
        return Error{Errc::Conflict,
                     fmt::format("node {} is in run {}, which has not ended", node.value, q.integer(0))};
    }
  }
  runFor(run, w.db.query(kInsert));
  const auto id = w.db.lastId();
  for (std::size_t i = 0; i < run.subject.size(); ++i)
    w.db.query("INSERT INTO run_subject (run, ordinal, node, unfinished) VALUES (?, ?, ?, ?)")
        .bind(id, static_cast<std::int64_t>(i), run.subject[i], run.unfinished())
        .run();
  return id;
}

Result<std::int64_t> updateRun(Writing& w, const Run& run) {
  if (runFor(run, w.db.query(kUpdateRun), run.id) == 0) {
    const auto stored = findRun(w.db, run.id);
    if (!stored) return Error{Errc::NotFound, fmt::format("there is no run {}", run.id.value)};
    return Error{Errc::Conflict, fmt::format("run {} has ended ({})", run.id.value, nameOf(stored->state))};
  }
  if (!run.unfinished()) w.db.query("UPDATE run_subject SET unfinished = 0 WHERE run = ?").bind(run.id).run();
  return run.id.value;
}

Json describe(const Run& run, bool inserted) {
  Json data{{"workflow", run.workflow}, {"state", nameOf(run.state)}, {"step", run.step}};
  if (!run.item.empty()) data["item"] = run.item;
  if (const auto& act = run.act(); act.phase != ActPhase::None) data["phase"] = nameOf(act.phase);
  if (run.act().tries > 0) data["tries"] = run.act().tries;
  if (run.deaths > 0) data["deaths"] = run.deaths;
  if (!run.waitsFor.empty()) data["waits_for"] = run.waitsFor;
  if (!inserted) return data;
  data["started_by"] = run.startedBy;
  if (const auto why = run.facts.find("asked.why")) data["why"] = *why;
  data["lane"] = nameOf(run.lane);
  if (!run.parameter.empty()) data["parameter"] = run.parameter;
  if (!run.target.empty()) data["target"] = run.target;
  if (run.subject.size() > 1) {
    auto& nodes = data["nodes"] = Json::array();
    for (const auto node : run.subject) nodes.push_back(node.value);
  }
  return data;
}

}  // namespace

Result<std::int64_t> apply(Writing& w, const SaveRun& op) {
  const bool inserted = !op.run.id;
  auto id = inserted ? insertRun(w, op.run) : updateRun(w, op.run);
  if (id && !op.event.empty()) {
    const auto node = op.run.subject.size() == 1 ? op.run.subject.front() : NodeId{};
    w.event(op.event, node, RunId{*id}, describe(op.run, inserted));
  }
  return id;
}

Result<std::int64_t> apply(Writing& w, const EndLinger& op) {
  w.db.query("UPDATE run SET lingers = 0 WHERE id = ?").bind(op.run).run();
  return op.run.value;
}

}  // namespace zellige
