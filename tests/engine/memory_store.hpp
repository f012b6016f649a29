// A Store in memory for tests of the engine and the workflows. Tables is what survives a crash; MemoryStore belongs to
// one life of the controller: a commit takes `latency` of virtual time, and one whose owner dies before that is lost.
// It enforces what the real one must: compare-and-set on the lifecycle, the move table and what moves require, one
// unfinished run per node, all of a Change or nothing.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "controller/base/executor.hpp"
#include "controller/engine/store.hpp"
#include "tests/engine/crash_points.hpp"

namespace zellige::test {

struct StoredEvidence {
  Evidence evidence;
  bool valid = true;
};

struct Tables {
  std::map<NodeId, Node> nodes;
  std::map<RunId, Run> runs;
  std::vector<Finding> findings;
  std::map<std::pair<NodeId, std::string>, StoredEvidence> evidence;
  std::map<NodeId, Inventory> inventories;
  std::map<NodeId, AgentOrder> orders;
  std::map<NodeId, StoredReport> reports;
  std::map<NodeId, std::string> holds;
  std::set<std::string> armed;             ///< places
  std::map<std::string, Target> profiles;  ///< what freezeTarget freezes, by profile name
  std::map<std::string, std::shared_ptr<const Target>> targets;
  std::map<std::string, StoredFile> files;
  std::map<std::string, Rack, std::less<>> racks;      ///< by place
  std::map<std::string, Recipe, std::less<>> recipes;  ///< by name
  std::map<CampaignId, Campaign> campaigns;
  std::map<CampaignId, std::vector<CampaignMember>> members;
  std::map<std::string, std::string, std::less<>> baselines;  ///< name → digest
  std::map<NodeId, BmcAccess> access, osAccess;
  std::vector<std::string> events;  ///< "run.intent 1 step/item phase", in order of commit
  std::int64_t nextRun = 1;
  std::optional<Time> lastCommit;

  const Run& run(RunId id) const { return runs.at(id); }
  std::vector<std::string> openCauses(NodeId node) const;
  bool hasBlocking(NodeId node) const;
  int count(std::string_view event) const;  ///< events that begin with it
};

/// The baseline of every profile.
inline const std::string kOwnBaseline = "own";
Result<std::int64_t> applyTo(Tables& tables, Time at, const CreateCampaign& op);
Result<std::int64_t> applyTo(Tables& tables, Time at, const MoveCampaign& op);
Result<std::int64_t> applyTo(Tables& tables, Time at, const TurnCampaign& op);
Result<std::int64_t> applyTo(Tables& tables, Time at, const RetryFailed& op);
Result<std::int64_t> applyTo(Tables& tables, Time at, const BeginMember& op);
Result<std::int64_t> applyTo(Tables& tables, Time at, const EndMember& op);

class MemoryStore final : public Store {
 public:
  MemoryStore(Tables& tables, Executor& executor, CrashPoints& points, Duration latency = 5ms)
      : tables_(tables), executor_(executor), points_(points), latency_(latency) {}

  /// Looks at every Change before it is applied; an Error makes the commit fail with it.
  std::function<std::optional<Error>(const Change&)> refuse;

  int nodesRead = 0;

  Task<Result<Receipt>> commit(Change change) override;
  std::optional<Node> node(NodeId id) override;
  std::optional<NodeId> nodeBySerial(std::string_view serial) override;
  std::vector<NodeId> nodesIn(Lifecycle lifecycle) override;
  std::vector<OpenAct> openActs() override;
  std::vector<Run> unfinishedRunsOf(Lane lane, RunId after, std::size_t limit) override;
  std::vector<Run> lingeringRuns() override;
  bool lingers(NodeId node) override;
  std::optional<Run> lastRunOf(NodeId node, std::string_view workflow) override;
  std::optional<Time> lastSign() override;
  std::optional<Run> run(RunId id) override;
  std::optional<RunId> unfinishedRunOf(NodeId node) override;
  Task<Result<std::shared_ptr<const Target>>> freezeTarget(std::string profile, std::string baseline) override;
  std::shared_ptr<const Target> target(std::string_view digest) override;
  std::optional<StoredFile> file(std::string_view digest) override;
  std::filesystem::path filePath(std::string_view digest) override;
  std::optional<StoredReport> report(NodeId node) override;
  std::optional<ReportHead> reportHead(NodeId node) override;
  std::string orderId(NodeId node) override;
  std::optional<AgentOrder> order(NodeId node) override;
  std::vector<Evidence> validEvidence(NodeId node) override;
  std::optional<Inventory> inventory(NodeId node) override;
  bool hasBlockingFinding(NodeId node) override { return tables_.hasBlocking(node); }
  std::vector<Rack> racks() override;
  std::optional<Rack> rack(std::string_view place) override;
  std::vector<Node> nodesOfRack(std::string_view place) override;
  std::vector<EvidenceMark> evidenceOfRack(std::string_view place) override;
  std::optional<Recipe> recipe(std::string_view name) override;
  std::vector<Campaign> openCampaigns() override;
  std::optional<Campaign> campaign(CampaignId id) override;
  std::optional<Campaign> campaignOn(std::string_view rack) override;
  std::vector<CampaignMember> campaignMembers(CampaignId id, int from, std::size_t limit) override;
  std::optional<std::string> baselineDigest(std::string_view name) override;
  bool armed(const Place& place) override;
  std::string heldBecause(NodeId node) override;
  Result<BmcAccess> loadAccess(AccessKey key) override;
  Task<Result<void>> saveAccess(AccessKey key, BmcAccess access) override;

 private:
  Tables& tables_;
  Executor& executor_;
  CrashPoints& points_;
  Duration latency_;
};

}  // namespace zellige::test
