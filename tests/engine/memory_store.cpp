#include "tests/engine/memory_store.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige::test {

namespace {

Error conflict(std::string what) { return Error{Errc::Conflict, std::move(what)}; }
Error rejected(std::string what) { return Error{Errc::Rejected, std::move(what)}; }

// Applies the ops of one Change to a copy of the tables, which replaces them only if every op succeeded.
struct Apply {
  Tables& t;
  Time at;
  std::int64_t row = 0;

  Result<void> operator()(SaveRun& op) {
    auto& run = op.run;
    if (!run.id) {
      for (const auto node : run.subject)
        for (const auto& [id, other] : t.runs)
          if (other.unfinished() && std::count(other.subject.begin(), other.subject.end(), node))
            return conflict(fmt::format("node {} is in run {}", node.value, id.value));
      run.id = RunId{t.nextRun++};
    }
    row = run.id.value;
    t.runs[run.id] = run;
    if (!op.event.empty())
      t.events.push_back(
          fmt::format("{} {} {}/{} {}", op.event, run.id.value, run.step, run.item, nameOf(run.act().phase)));
    return {};
  }
  Result<void> operator()(EndLinger& op) {
    t.runs.at(op.run).lingers = false;
    t.events.push_back(fmt::format("linger.end {}", op.run.value));
    return {};
  }
  Result<void> operator()(SetAllocation& op) {
    auto& node = t.nodes.at(op.node);
    if (node.allocation != op.from) return conflict("allocation");
    if (!mayMove(op.from, op.to)) return rejected("allocation");
    node.allocation = op.to;
    return {};
  }
  Result<void> operator()(SetScheduling& op) {
    auto& node = t.nodes.at(op.node);
    if (node.scheduling != op.from) return conflict("scheduling");
    if (!mayMove(op.from, op.to)) return rejected("scheduling");
    node.scheduling = op.to;
    t.events.push_back(fmt::format("scheduling {} {}", op.node.value, nameOf(op.to)));
    return {};
  }
  Result<void> operator()(MoveLifecycle& op) {
    auto& node = t.nodes.at(op.node);
    if (node.lifecycle != op.from)
      return conflict(fmt::format("node {} is {}", op.node.value, nameOf(node.lifecycle)));
    const auto* move = findMove(node.kind, op.from, op.to, op.actor);
    if (!move) return rejected(fmt::format("no move {} to {}", nameOf(op.from), nameOf(op.to)));
    if (auto missing = unmet(*move, op); !missing.empty()) return rejected(missing);
    node.lifecycle = op.to;
    node.lifecycleSince = at;
    ++node.version;
    t.events.push_back(fmt::format("lifecycle {} {}", op.node.value, nameOf(op.to)));
    return {};
  }
  Result<void> operator()(MoveRack& op) {
    auto& rack = t.racks.at(op.place);
    if (rack.state != op.from) return conflict(fmt::format("{} is {}", op.place, nameOf(rack.state)));
    rack.state = op.to;
    rack.since = at;
    t.events.push_back(fmt::format("rack {} {}", op.place, nameOf(op.to)));
    return {};
  }
  std::string unmet(const Move& move, const MoveLifecycle& op) const {
    const bool blocking = t.hasBlocking(op.node);
    switch (move.needs) {
      case Requires::Nothing: return {};
      case Requires::BlockingFinding: return blocking ? "" : "no blocking finding is open";
      case Requires::NoBlockingFinding: return blocking ? "a blocking finding is open" : "";
      case Requires::Unassigned:
        return t.nodes.at(op.node).allocation == Allocation::Free ? "" : "it is assigned";
      case Requires::Evidence: break;
    }
    if (blocking) return "a blocking finding is open";
    if (op.evidence.empty()) return "no evidence was named";
    for (const auto& subject : op.evidence) {
      const auto it = t.evidence.find({op.node, subject});
      if (it == t.evidence.end() || !it->second.valid) return "no valid evidence for " + subject;
    }
    return {};
  }
  Result<void> operator()(SetContact& op) {
    t.nodes.at(op.node).unreachableSince = op.unreachableSince;
    t.events.push_back(fmt::format("contact {} {}", op.node.value, op.unreachableSince ? "lost" : "regained"));
    return {};
  }
  Result<void> operator()(SetHealth& op) {
    t.nodes.at(op.node).health = op.health;
    return {};
  }
  Result<void> operator()(RaiseFinding& op) {
    if (!findCause(op.finding.cause)) return rejected("no such cause: " + op.finding.cause);
    for (auto& f : t.findings)
      if (f.node == op.finding.node && f.cause == op.finding.cause && !f.resolved) {
        f.detail = op.finding.detail;
        t.events.push_back(fmt::format("finding.again {} {}", f.node.value, f.cause));
        return {};
      }
    op.finding.id = FindingId{static_cast<std::int64_t>(t.findings.size()) + 1};
    t.findings.push_back(op.finding);
    t.events.push_back(fmt::format("finding {} {}", op.finding.node.value, op.finding.cause));
    return {};
  }
  Result<void> operator()(ResolveFindings& op) {
    for (auto& f : t.findings)
      if (f.node == op.node && !f.resolved && (op.cause.empty() || f.cause == op.cause)) {
        f.resolved = at;
        f.resolution = op.resolution;
      }
    return {};
  }
  Result<void> operator()(PutInventory& op) {
    putInventory(op.node, op.inventory);
    return {};
  }
  Result<void> operator()(PutFirmware& op) {
    const auto it = t.inventories.find(op.node);
    if (it == t.inventories.end()) return {};
    auto now = it->second;
    now.firmware = op.items;
    putInventory(op.node, now);
    return {};
  }
  void putInventory(NodeId node, const Inventory& now) {
    const auto known = t.inventories.find(node);
    const auto before = known == t.inventories.end() ? Parts{} : partsOf(known->second), after = partsOf(now);
    for (auto& [key, stored] : t.evidence) {
      if (key.first != node) continue;
      const auto& rests = stored.evidence.dependsOn;
      if (std::any_of(rests.begin(), rests.end(),
                      [&](const auto& d) { return isBroken(d, now.serial, before, after); }))
        stored.valid = false;
    }
    t.inventories[node] = now;
  }
  Result<void> operator()(PutEvidence& op) {
    t.evidence[{op.evidence.node, op.evidence.subject}] = {op.evidence, true};
    return {};
  }
  Result<void> operator()(InvalidateEvidence& op) {
    for (auto& [key, stored] : t.evidence) {
      const auto& rests = stored.evidence.dependsOn;
      if (key.first == op.node && std::count(rests.begin(), rests.end(), op.dependency)) stored.valid = false;
    }
    return {};
  }
  template <class Op>
  requires requires(Tables& tables, Time when, const Op& op) { applyTo(tables, when, op); }
  Result<void> operator()(Op& op) {
    const auto done = applyTo(t, at, op);
    if (!done) return done.error();
    row = *done;
    return {};
  }
  Result<void> operator()(PutOrder& op) {
    t.orders[op.node] = op.order;
    return {};
  }
  Result<void> operator()(PutReport& op) {
    const auto it = t.reports.find(op.node);
    const bool older = it != t.reports.end() && it->second.report.bootId == op.report.bootId &&
                       it->second.report.sequence >= op.report.sequence;
    if (!older) t.reports[op.node] = {op.report, op.received};
    return {};
  }
};

}  // namespace

std::vector<std::string> Tables::openCauses(NodeId node) const {
  std::vector<std::string> out;
  for (const auto& f : findings)
    if (f.node == node && !f.resolved) out.push_back(f.cause);
  std::sort(out.begin(), out.end());
  return out;
}

bool Tables::hasBlocking(NodeId node) const {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
    return f.node == node && !f.resolved && findCause(f.cause)->blocking;
  });
}

int Tables::count(std::string_view event) const {
  return static_cast<int>(
      std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.starts_with(event); }));
}

Task<Result<Receipt>> MemoryStore::commit(Change change) {
  std::string name;
  for (const auto& op : change.ops)
    if (const auto* save = std::get_if<SaveRun>(&op)) name = save->event.empty() ? "(quiet)" : save->event;
  co_await points_.pass("commit.before " + name);
  co_await sleepFor(executor_, latency_);
  if (refuse)
    if (auto error = refuse(change)) co_return std::move(*error);
  auto after = tables_;
  Receipt receipt;
  for (auto& op : change.ops) {
    Apply apply{after, change.at};
    if (auto done = std::visit(apply, op); !done) co_return done.error();
    receipt.ids.push_back(apply.row);
  }
  tables_ = std::move(after);
  tables_.lastCommit = change.at;
  receipt.lastEvent = static_cast<std::int64_t>(tables_.events.size());
  co_await points_.pass("commit.after " + name);
  co_return receipt;
}

std::optional<Node> MemoryStore::node(NodeId id) {
  ++nodesRead;
  const auto it = tables_.nodes.find(id);
  if (it == tables_.nodes.end()) return std::nullopt;
  return it->second;
}

std::optional<NodeId> MemoryStore::nodeBySerial(std::string_view serial) {
  for (const auto& [id, node] : tables_.nodes)
    if (node.serial == serial) return id;
  return std::nullopt;
}

std::vector<NodeId> MemoryStore::nodesIn(Lifecycle lifecycle) {
  std::vector<NodeId> out;
  for (const auto& [id, node] : tables_.nodes)
    if (node.lifecycle == lifecycle) out.push_back(id);
  return out;
}

std::vector<OpenAct> MemoryStore::openActs() {
  std::vector<OpenAct> out;
  for (const auto& [id, run] : tables_.runs)
    if (run.lingers || (run.unfinished() && std::any_of(run.acts.begin(), run.acts.end(), [](const auto& act) {
                          return act.second.mayHaveTakenEffect();
                        })))
      out.push_back({id, run.workflow, run.step, run.target, tables_.nodes.at(run.subject.front()).place});
  return out;
}

std::vector<Run> MemoryStore::lingeringRuns() {
  std::vector<Run> out;
  for (const auto& [id, run] : tables_.runs)
    if (run.lingers) out.push_back(run);
  return out;
}

bool MemoryStore::lingers(NodeId node) {
  return std::any_of(tables_.runs.begin(), tables_.runs.end(), [&](const auto& of) {
    const auto& run = of.second;
    return run.lingers && std::count(run.subject.begin(), run.subject.end(), node) > 0;
  });
}

std::optional<Run> MemoryStore::lastRunOf(NodeId node, std::string_view workflow) {
  for (auto it = tables_.runs.rbegin(); it != tables_.runs.rend(); ++it) {
    const auto& run = it->second;
    if (!workflow.empty() && run.workflow != workflow) continue;
    if (std::count(run.subject.begin(), run.subject.end(), node)) return run;
  }
  return std::nullopt;
}

std::optional<Time> MemoryStore::lastSign() { return tables_.lastCommit; }

std::vector<Run> MemoryStore::unfinishedRunsOf(Lane lane, RunId after, std::size_t limit) {
  std::vector<Run> out;
  for (auto it = tables_.runs.upper_bound(after); it != tables_.runs.end() && out.size() < limit; ++it)
    if (it->second.unfinished() && it->second.lane == lane) out.push_back(it->second);
  return out;
}

std::optional<Run> MemoryStore::run(RunId id) {
  const auto it = tables_.runs.find(id);
  if (it == tables_.runs.end()) return std::nullopt;
  return it->second;
}

std::optional<RunId> MemoryStore::unfinishedRunOf(NodeId node) {
  for (const auto& [id, run] : tables_.runs)
    if (run.unfinished() && std::count(run.subject.begin(), run.subject.end(), node)) return id;
  return std::nullopt;
}

Task<Result<std::shared_ptr<const Target>>> MemoryStore::freezeTarget(std::string profile,
                                                                      std::string baseline) {
  co_await sleepFor(executor_, latency_);
  const auto it = tables_.profiles.find(profile);
  if (it == tables_.profiles.end()) co_return Error{Errc::NotFound, "no profile " + profile};
  auto target = it->second;
  if (!baseline.empty()) {
    target.baseline.name = baseline;
    target.digest += "/" + baseline;
  }
  auto frozen = std::make_shared<const Target>(std::move(target));
  tables_.targets[frozen->digest] = frozen;
  co_return frozen;
}

std::shared_ptr<const Target> MemoryStore::target(std::string_view digest) {
  const auto it = tables_.targets.find(std::string(digest));
  return it == tables_.targets.end() ? nullptr : it->second;
}

std::optional<StoredFile> MemoryStore::file(std::string_view digest) {
  const auto it = tables_.files.find(std::string(digest));
  if (it == tables_.files.end()) return std::nullopt;
  return it->second;
}

std::filesystem::path MemoryStore::filePath(std::string_view digest) {
  return std::filesystem::path("files") / digest;
}

std::optional<ReportHead> MemoryStore::reportHead(NodeId node) {
  const auto stored = report(node);
  if (!stored) return std::nullopt;
  return headOf(stored->report, stored->received);
}

std::string MemoryStore::orderId(NodeId node) {
  const auto it = tables_.orders.find(node);
  return it == tables_.orders.end() ? std::string{} : it->second.id;
}

std::optional<StoredReport> MemoryStore::report(NodeId node) {
  const auto it = tables_.reports.find(node);
  if (it == tables_.reports.end()) return std::nullopt;
  return it->second;
}

std::optional<AgentOrder> MemoryStore::order(NodeId node) {
  const auto it = tables_.orders.find(node);
  if (it == tables_.orders.end()) return std::nullopt;
  return it->second;
}

std::vector<Evidence> MemoryStore::validEvidence(NodeId node) {
  std::vector<Evidence> out;
  for (const auto& [key, stored] : tables_.evidence)
    if (key.first == node && stored.valid) out.push_back(stored.evidence);
  return out;
}

std::vector<Rack> MemoryStore::racks() {
  std::vector<Rack> out;
  for (const auto& [place, rack] : tables_.racks) out.push_back(rack);
  return out;
}

std::optional<Rack> MemoryStore::rack(std::string_view place) {
  const auto it = tables_.racks.find(place);
  return it == tables_.racks.end() ? std::nullopt : std::optional(it->second);
}

std::vector<Node> MemoryStore::nodesOfRack(std::string_view place) {
  std::vector<Node> out;
  for (const auto& [id, node] : tables_.nodes)
    if (node.place.rack() == place) out.push_back(node);
  std::sort(out.begin(), out.end(), [](const Node& a, const Node& b) { return a.place < b.place; });
  return out;
}

std::vector<EvidenceMark> MemoryStore::evidenceOfRack(std::string_view place) {
  std::vector<EvidenceMark> out;
  for (const auto& [key, stored] : tables_.evidence)
    if (const auto of = node(key.first); of && of->place.rack() == place)
      out.push_back({key.first, key.second, stored.evidence.run, stored.valid});
  return out;
}

std::optional<Recipe> MemoryStore::recipe(std::string_view name) {
  const auto it = tables_.recipes.find(name);
  return it == tables_.recipes.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Inventory> MemoryStore::inventory(NodeId node) {
  const auto it = tables_.inventories.find(node);
  if (it == tables_.inventories.end()) return std::nullopt;
  return it->second;
}

bool MemoryStore::armed(const Place& place) {
  return std::any_of(tables_.armed.begin(), tables_.armed.end(),
                     [&](const auto& outer) { return place.isInside(outer); });
}

std::string MemoryStore::heldBecause(NodeId node) {
  const auto it = tables_.holds.find(node);
  return it == tables_.holds.end() ? std::string{} : it->second;
}

Result<BmcAccess> MemoryStore::loadAccess(AccessKey key) {
  return (key.endpoint == Endpoint::Os ? tables_.osAccess : tables_.access)[key.node];
}

Task<Result<void>> MemoryStore::saveAccess(AccessKey key, BmcAccess access) {
  co_await sleepFor(executor_, latency_);
  auto& stored = (key.endpoint == Endpoint::Os ? tables_.osAccess : tables_.access)[key.node];
  if (access.version != stored.version) co_return Error{Errc::Conflict, "changed"};
  access.version = stored.version + 1;
  stored = std::move(access);
  co_return Result<void>{};
}

}  // namespace zellige::test
