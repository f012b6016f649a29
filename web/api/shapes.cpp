#include "web/api/shapes.hpp"

#include <nlohmann/json.hpp>

namespace zellige::api {

Json textOrNull(const std::string& text) { return text.empty() ? Json{} : Json(text); }

namespace {

Json component(const Component& c) {
  return {{"kind", nameOf(c.kind)}, {"name", c.name},         {"serial", c.serial}, {"model", c.model},
          {"part", c.part},         {"complete", c.complete}, {"sick", c.sick},     {"why", c.why}};
}

Json inventory(const Inventory& i) {
  Json components = Json::array(), firmware = Json::array();
  for (const auto& c : i.components) components.push_back(component(c));
  for (const auto& f : i.firmware)
    firmware.push_back(
        {{"id", f.id}, {"version", f.version}, {"updateable", f.updateable}, {"absent", f.absent}});
  return {{"serial", i.serial},        {"manufacturer", i.manufacturer}, {"model", i.model},
          {"memory_gib", i.memoryGiB}, {"components", components},       {"firmware", firmware}};
}

Json evidence(const EvidenceRow& row) {
  const auto& e = row.evidence;
  const auto value = parseJson(e.value);
  return {{"subject", e.subject},
          {"run", e.run.value},
          {"value", value ? *value : Json(e.value)},
          {"depends_on", e.dependsOn},
          {"at", iso8601(e.at)},
          {"valid", !row.invalidSince},
          {"invalid_since", timeOrNull(row.invalidSince)},
          {"invalid_why", row.invalidWhy}};
}

Json agent(const StoredReport& stored) {
  const auto& r = stored.report;
  return {{"received", iso8601(stored.received)},
          {"home", nameOf(r.home)},
          {"boot_id", r.bootId},
          {"image",
           {{"state", nameOf(r.image.state)},
            {"digest", textOrNull(r.image.digest)},
            {"bytes_done", r.image.bytesDone},
            {"error", r.image.error}}}};
}

}  // namespace

Json timeOrNull(const std::optional<Time>& time) { return time ? Json(iso8601(*time)) : Json{}; }

Json Shapes::serialOf(NodeId id) const {
  const auto node = id ? store_.node(id) : std::nullopt;
  return node ? Json(node->serial) : Json{};
}

/// What the engine knows now; the row tells what was committed last.
std::string Shapes::waitsFor(const Run& run) const {
  if (!run.unfinished()) return {};
  auto live = engine_.waitsFor(run.id);
  return live.empty() ? run.waitsFor : live;
}

Json Shapes::node(const NodeRow& row) const {
  const auto& n = row.node;
  Json run;
  if (row.run) {
    const auto live = engine_.waitsFor(row.run);
    run = {{"id", row.run.value},
           {"workflow", row.workflow},
           {"step", row.step},
           {"waits_for", live.empty() ? row.waitsFor : live}};
  }
  return {{"serial", n.serial},
          {"kind", nameOf(n.kind)},
          {"place", n.place.path},
          {"sku", n.sku},
          {"profile", n.profile},
          {"bmc",
           {{"mac", n.bmc.mac},
            {"address", textOrNull(n.bmc.address)},
            {"leased", n.bmcLeased},
            {"port", n.bmc.port}}},
          {"lifecycle", nameOf(n.lifecycle)},
          {"lifecycle_since", iso8601(n.lifecycleSince)},
          {"allocation", nameOf(n.allocation)},
          {"scheduling", nameOf(n.scheduling)},
          {"health", nameOf(n.health)},
          {"contact", n.unreachableSince ? "unreachable" : "reachable"},
          {"unreachable_since", timeOrNull(n.unreachableSince)},
          {"run", std::move(run)},
          {"open_findings", row.openFindings},
          {"cause", textOrNull(row.cause)},
          {"version", n.version}};
}

namespace {

Json compliance(const Compliance& c) {
  Json behind = Json::array();
  for (const auto& d : c.behind)
    behind.push_back({{"component", d.component}, {"found", d.found}, {"wanted", d.wanted}});
  return {{"holds", c.holds()}, {"behind", std::move(behind)}, {"unknown", c.unknown}};
}

}  // namespace

Json Shapes::nodeDetail(const NodeDetail& detail) const {
  auto out = node(detail.row);
  out["armed"] = detail.armed;
  out["baseline"] = textOrNull(detail.baseline);
  out["compliance"] = detail.compliance ? compliance(*detail.compliance) : Json{};
  out["inventory"] = detail.inventory ? inventory(*detail.inventory) : Json{};
  out["agent"] = detail.report ? agent(*detail.report) : Json{};
  auto& evidences = out["evidence"] = Json::array();
  for (const auto& e : detail.evidence) evidences.push_back(evidence(e));
  auto& findings = out["findings"] = Json::array();
  for (const auto& f : detail.findings) findings.push_back(finding(f));
  auto& holds = out["holds"] = Json::array();
  for (const auto& h : detail.holds) holds.push_back(hold(h));
  return out;
}

Json Shapes::run(const Run& r) const {
  Json nodes = Json::array();
  for (const auto id : r.subject) nodes.push_back(serialOf(id));
  return {{"id", r.id.value},
          {"workflow", r.workflow},
          {"nodes", std::move(nodes)},
          {"state", nameOf(r.state)},
          {"lane", nameOf(r.lane)},
          {"parameter", r.parameter},
          {"step", r.step},
          {"step_since", iso8601(r.stepSince)},
          {"tries", r.act().tries},
          {"waits_for", waitsFor(r)},
          {"blocked_since", timeOrNull(r.blockedSince)},
          {"started_by", r.startedBy},
          {"reason", r.facts.get("asked.why")},
          {"created", iso8601(r.created)},
          {"ended", timeOrNull(r.ended)}};
}

Json Shapes::runDetail(const Run& r) const {
  auto out = run(r);
  auto& steps = out["steps"] = Json::array();
  const auto* workflow = engine_.workflow(r.workflow);
  if (!workflow) return out;
  // A step id that this version does not know leaves everything ahead: the run stops with a finding that says so.
  bool passed = r.state == RunState::Done || workflow->find(r.step) != nullptr;
  for (const auto& step : workflow->steps) {
    const bool current = step.id == r.step && r.state != RunState::Done;
    if (current) passed = false;
    steps.push_back({{"id", step.id},
                     {"title", step.title},
                     {"state", current  ? "current"
                               : passed ? "done"
                                        : "ahead"},
                     {"waits_for", current ? waitsFor(r) : ""}});
  }
  return out;
}

Json Shapes::finding(const Finding& f) const {
  const auto* cause = findCause(f.cause);
  const auto node = store_.node(f.node);
  return {{"id", f.id.value},
          {"serial", node ? Json(node->serial) : Json{}},
          {"place", node ? Json(node->place.path) : Json{}},
          {"run", f.run ? Json(f.run.value) : Json{}},
          {"cause", f.cause},
          {"title", cause ? cause->title : std::string_view("Unknown cause")},
          {"next_action", cause ? cause->nextAction : std::string_view("Read the detail.")},
          {"blocking", !cause || cause->blocking},
          {"detail", f.detail},
          {"raised", iso8601(f.raised)},
          {"resolved", timeOrNull(f.resolved)},
          {"resolution", f.resolution}};
}

Json Shapes::hold(const Hold& h) const {
  return {{"id", h.id.value},
          {"kind", nameOf(h.kind)},
          {"serial", serialOf(h.node)},
          {"place", textOrNull(h.place)},
          {"owner", h.owner},
          {"reason", h.reason},
          {"created", iso8601(h.created)},
          {"expires", timeOrNull(h.expires)}};
}

Json Shapes::event(const StoredEvent& e) const {
  const auto data = parseJson(e.data);
  return {{"sequence", e.sequence},
          {"at", iso8601(e.at)},
          {"kind", e.kind},
          {"serial", serialOf(e.node)},
          {"run", e.run ? Json(e.run.value) : Json{}},
          {"actor", e.actor},
          {"data", data ? *data : Json::object()},
          {"hash", e.hash}};
}

Json shape(const User& user) {
  Json roles = Json::array();
  for (const auto& g : user.grants) roles.push_back({{"role", g.role}, {"place", g.place}});
  return {{"name", user.name},
          {"roles", std::move(roles)},
          {"created", iso8601(user.created)},
          {"disabled", user.disabled},
          {"must_change", user.mustChange}};
}

Json shape(const ApiToken& token) {
  return {{"id", token.id.value},
          {"kind", nameOf(token.kind)},
          {"user", token.user},
          {"name", token.name},
          {"created", iso8601(token.created)},
          {"expires", timeOrNull(token.expires)},
          {"revoked", timeOrNull(token.revoked)}};
}

Json shape(const ArmedPlace& armed) {
  return {{"place", armed.place}, {"since", iso8601(armed.since)}, {"by", armed.by}, {"why", armed.why}};
}

Json shape(const Restored& life) {
  return {{"at", iso8601(life.at)}, {"why", life.why}, {"was_armed", life.wasArmed}};
}

Json shape(const Budgets::Use& use) {
  return {{"budget", nameOf(use.budget)},
          {"scope", use.scope},
          {"used", use.used},
          {"limit", use.limit},
          {"waiting", use.waiting}};
}

Json shape(const ImportSummary& s) {
  return {{"nodes_added", s.nodesAdded},
          {"nodes_changed", s.nodesChanged},
          {"nodes_unchanged", s.nodesUnchanged},
          {"documents_changed", s.documentsChanged},
          {"documents_unchanged", s.documentsUnchanged},
          {"files_added", s.filesAdded},
          {"racks_changed", s.racksChanged},
          {"changed", s.changedSomething()}};
}

}  // namespace zellige::api
