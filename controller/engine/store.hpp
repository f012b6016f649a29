// What the engine needs remembered. Everything that changes goes through commit(): one Change, all of it or nothing,
// durable when the task returns. Every op that matters to a person leaves an event by itself (the store derives it), so
// no caller can forget the audit trail. Reads see what is committed and are made on the engine's thread; they are
// indexed look-ups of microseconds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controller/engine/access.hpp"
#include "controller/engine/run.hpp"
#include "controller/model/campaign.hpp"
#include "controller/model/evidence.hpp"
#include "controller/model/finding.hpp"
#include "controller/model/lifecycle.hpp"
#include "controller/protocol/agent.hpp"

namespace zellige {

/// Inserts (id 0) or updates a run. `event`: "run.started", "run.step", "run.intent", …; empty: no event.
/// Inserting fails with Conflict when a node of the subject is in another unfinished run.
struct SaveRun {
  Run run;
  std::string event;
};
/// What a run that has ended flashed is not busy any more.
struct EndLinger {
  RunId run;
};
/// Compare-and-set on the lifecycle. Conflict: it is not `from` any more. Rejected: no such move, or what it requires
/// does not hold. `evidence`: subjects that must have valid evidence, for moves that require it.
struct MoveLifecycle {
  NodeId node;
  Lifecycle from, to;
  Actor actor = Actor::Engine;
  std::string why;
  std::vector<std::string> evidence;
};
struct SetContact {
  NodeId node;
  std::optional<Time> unreachableSince;
};
struct SetHealth {
  NodeId node;
  Health health;
};
/// Compare-and-set on who uses it and on whether it gets new work; the moves are in model/lifecycle.cpp. Conflict and
/// Rejected as for the lifecycle.
struct SetAllocation {
  NodeId node;
  Allocation from, to;
  std::string why;
};
struct SetScheduling {
  NodeId node;
  Scheduling from, to;
  std::string why;
};
/// An open finding with the same node and cause is updated, not doubled.
struct RaiseFinding {
  Finding finding;
};
struct ResolveFindings {
  NodeId node;
  std::string cause;  ///< empty: all of the node
  std::string resolution;
};
/// Replaces what is known of the machine's parts. Evidence that rests on a part whose serial or firmware changed
/// becomes invalid in the same transaction.
struct PutInventory {
  NodeId node;
  Inventory inventory;
};
/// Replaces what is known of its firmware alone, with the same consequences for evidence. Ignored where no inventory is
/// known.
struct PutFirmware {
  NodeId node;
  std::vector<FirmwareItem> items;
};
/// Replaces evidence of the same node and subject.
struct PutEvidence {
  Evidence evidence;
};
/// Marks evidence invalid whose dependsOn holds this exact entry.
struct InvalidateEvidence {
  NodeId node;
  std::string dependency;
  std::string why;
};
/// What the node's agent is told from now on; it stays until replaced.
struct PutOrder {
  NodeId node;
  AgentOrder order;
};
/// The agent's latest report. Ignored (the commit succeeds) if an equal or later sequence of the same boot is stored.
struct PutReport {
  NodeId node;
  AgentReport report;
  Time received{};
};

/// Compare-and-set on how far a rack is. Conflict: it is not `from` any more.
struct MoveRack {
  std::string place;
  RackState from, to;
  std::string why;
};

/// Makes a campaign and freezes its selection. Invalid: its limits let nothing begin, or it selects nothing. NotFound: no
/// such baseline, profile or package. Conflict: a node is in another campaign that is not over.
struct CreateCampaign {
  Campaign campaign;  ///< id, digest, state and times are given by the store
};
/// Compare-and-set on its state. Conflict: it is not `from` any more. Cancelled: whoever is pending or under way is left
/// out. Halted → Running: what has failed so far is forgiven.
struct MoveCampaign {
  CampaignId campaign;
  CampaignState from, to;
  std::string why;
};
/// Its goal is back, and it runs: what it had begun is pending again, the rest is left out. Conflict: it is not `from` any
/// more, its goal is back already, or a node is in another campaign that is not over. Rejected: a baseline before it cannot
/// be gone back to, and why. Who has another baseline since than the campaign's is left out.
struct TurnCampaign {
  CampaignId campaign;
  CampaignState from;
  std::string why;
};
/// Failed members are pending again, but those that have another baseline since, and it runs. Conflict: it is not `from`
/// any more, or a node is in another campaign that is not over.
struct RetryFailed {
  CampaignId campaign;
  CampaignState from;
  std::string why;
};
/// Pending → running: the node has this baseline from now on. Conflict: the member is not pending; its campaign does not
/// run, or not towards this baseline; or an import has changed the baseline since the campaign was made.
struct BeginMember {
  CampaignId campaign;
  NodeId node;
  std::string baseline;
};
/// Compare-and-set on a member that is under way, or that is left out while it is pending. Conflict: it is not `from`.
struct EndMember {
  CampaignId campaign;
  NodeId node;
  MemberState to;
  std::string why;
  MemberState from = MemberState::Running;
};

using Op = std::variant<SaveRun, EndLinger, MoveLifecycle, MoveRack, CreateCampaign, MoveCampaign,
                        TurnCampaign, RetryFailed, BeginMember, EndMember, SetContact, SetHealth,
                        SetAllocation, SetScheduling, RaiseFinding, ResolveFindings, PutInventory,
                        PutFirmware, PutEvidence, InvalidateEvidence, PutOrder, PutReport>;

struct Change {
  Time at{};
  std::string actor = "engine";
  std::vector<Op> ops;
};

struct Receipt {
  std::vector<std::int64_t> ids;  ///< by op: the row it inserted or updated, 0 where there is none
  std::int64_t lastEvent = 0;     ///< highest event sequence so far
};

/// Of a node's latest report, what decides how things go on: a look at it costs no parsing.
struct ReportHead {
  Time received{};
  std::string bootId;
  std::int64_t sequence = 0;
  AgentHome home = AgentHome::Ramdisk;
  ImageState image = ImageState::None;
  std::string imageDigest, burnInOrder;
  bool burnInFinished = false;
};
ReportHead headOf(const AgentReport& report, Time received);

struct StoredReport {
  AgentReport report;
  Time received{};
};

/// An unfinished run whose act may have taken effect: what its step holds of the budgets is held still.
struct OpenAct {
  RunId run;
  std::string workflow, step, target;
  Place place;  ///< of its first node
};

class Store : public AccessStore {
 public:
  /// Conflict and Rejected: nothing of this Change was done (others in the same batch were). A store that cannot write
  /// any more (disk full, I/O error) throws: the process ends, the supervisor restarts it.
  virtual Task<Result<Receipt>> commit(Change change) = 0;

  virtual std::optional<Node> node(NodeId id) = 0;
  virtual std::optional<NodeId> nodeBySerial(std::string_view serial) = 0;
  /// All nodes in this lifecycle, by id.
  virtual std::vector<NodeId> nodesIn(Lifecycle lifecycle) = 0;
  virtual std::vector<OpenAct> openActs() = 0;
  /// At most `limit` unfinished runs of this lane with an id above `after`, by id.
  virtual std::vector<Run> unfinishedRunsOf(Lane lane, RunId after, std::size_t limit) = 0;
  /// All of them, operator's first.
  std::vector<Run> unfinishedRuns();
  /// Ended, but what they flashed may still be busy.
  virtual std::vector<Run> lingeringRuns() = 0;
  /// A run of this node is one of these.
  virtual bool lingers(NodeId node) = 0;
  /// The newest run of this node, whatever became of it; where a workflow is named, the newest of that.
  virtual std::optional<Run> lastRunOf(NodeId node, std::string_view workflow) = 0;
  /// When an event or an agent's report was last committed; nullopt: never.
  virtual std::optional<Time> lastSign() = 0;
  virtual std::optional<Run> run(RunId id) = 0;
  virtual std::optional<RunId> unfinishedRunOf(NodeId node) = 0;
  /// This profile with all it names, stored by digest (made and stored when first asked for). A `baseline` that is not
  /// empty stands in the place of the profile's own.
  /// NotFound: profile, SKU, baseline or plan is not in the catalogue, and which.
  virtual Task<Result<std::shared_ptr<const Target>>> freezeTarget(std::string profile,
                                                                   std::string baseline) = 0;
  virtual std::shared_ptr<const Target> target(std::string_view digest) = 0;
  /// Where a stored file (package, image) lies on disk; nullopt: not in the content store.
  virtual std::optional<StoredFile> file(std::string_view digest) = 0;
  virtual std::filesystem::path filePath(std::string_view digest) = 0;
  virtual std::optional<StoredReport> report(NodeId node) = 0;
  virtual std::optional<ReportHead> reportHead(NodeId node) = 0;
  virtual std::optional<AgentOrder> order(NodeId node) = 0;
  /// Of its order; empty: it has none.
  virtual std::string orderId(NodeId node) = 0;
  virtual std::vector<Evidence> validEvidence(NodeId node) = 0;
  virtual std::optional<Inventory> inventory(NodeId node) = 0;
  virtual bool hasBlockingFinding(NodeId node) = 0;
  /// The racks that come up by a recipe, by place.
  virtual std::vector<Rack> racks() = 0;
  virtual std::optional<Rack> rack(std::string_view place) = 0;
  virtual std::vector<Node> nodesOfRack(std::string_view place) = 0;  ///< retired ones too; by place
  /// What was shown of each of them, by node and subject, valid or not.
  virtual std::vector<EvidenceMark> evidenceOfRack(std::string_view place) = 0;
  virtual std::optional<Recipe> recipe(std::string_view name) = 0;
  /// Those that are not over, by id.
  virtual std::vector<Campaign> openCampaigns() = 0;
  virtual std::optional<Campaign> campaign(CampaignId id) = 0;
  /// The one that is not over and in which a node of this rack is pending or under way.
  virtual std::optional<Campaign> campaignOn(std::string_view rack) = 0;
  /// At most `limit` members from this ordinal on.
  virtual std::vector<CampaignMember> campaignMembers(CampaignId id, int from, std::size_t limit) = 0;
  /// SHA-256 of what the catalogue says of it now; nullopt: it is not there.
  virtual std::optional<std::string> baselineDigest(std::string_view name) = 0;
  /// Writes to devices are allowed here: this place or one around it is armed.
  virtual bool armed(const Place& place) = 0;
  /// Why no act may start on this node now (a hold, a personal lock, somebody's reason); empty: nothing holds it.
  virtual std::string heldBecause(NodeId node) = 0;
};

}  // namespace zellige
