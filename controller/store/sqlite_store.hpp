// This folder holds all SQL: what Zellige remembers, in one SQLite database. It implements the engine's Store, imports
// a site, and writes what people do through the API. It knows rows, events and transactions; it never knows Redfish,
// HTTP or what a workflow means.
//
// One code path writes: commands are gathered into a batch (writer.hpp), in which one that loses its
// compare-and-set rolls back alone. StoreOptions choose who runs the batch: a writer thread, or the virtual instant.
// Reads are made on the caller's thread through the store's own connection and see only what is committed.
//
// Threads: a SqliteStore belongs to its executor's thread; destroy it there, after the tasks that use it and before
// the executor. Destroying it drops what was not committed. For another thread, make Queries (queries.hpp).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "controller/base/executor.hpp"
#include "controller/engine/store.hpp"
#include "controller/model/sighting.hpp"
#include "controller/store/content.hpp"
#include "controller/store/data_directory.hpp"
#include "controller/store/options.hpp"
#include "controller/store/queries.hpp"
#include "controller/store/records.hpp"

namespace zellige {

class SqliteStore final : public Store {
 public:
  /// Opens or makes the data directory, claims it, and migrates the database. The error says what a person must do.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& directory, Executor& executor,
                                                   SecretBox box, StoreOptions options = {});
  /// The same in a directory that is claimed already.
  static Result<std::unique_ptr<SqliteStore>> open(std::unique_ptr<DataDirectory> directory,
                                                   Executor& executor, SecretBox box,
                                                   StoreOptions options = {});
  ~SqliteStore() override;

  // Store
  Task<Result<Receipt>> commit(Change change) override;
  Result<BmcAccess> loadAccess(AccessKey key) override;
  Task<Result<void>> saveAccess(AccessKey key, BmcAccess access) override;
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
  bool hasBlockingFinding(NodeId node) override;
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

  // The site's data
  /// All or nothing; importing the same again changes nothing and leaves no event. Invalid: something named is not
  /// there. Conflict: two nodes would have one place or one BMC address.
  Task<Result<ImportSummary>> importSite(SiteImport site, By by);
  /// What importSite would do; nothing is done.
  Task<Result<ImportSummary>> rehearseImport(SiteImport site, By by);
  ContentStore content() const;

  // What the network shows
  /// Leases, at most one for a MAC and for an address. A node whose manifest gives no address has the lease's from now on; where the manifest
  /// gives another one, that stays, and the node gets a finding. Whoever held the address by an older lease loses it. MACs
  /// that are on no manifest are kept as unlisted devices.
  Task<Result<SightingsTaken>> takeLeases(std::vector<Lease> leases, By by);
  /// After all leases were taken anew: `conflicts` is what came of it, and findings of other nodes are over.
  Task<Result<void>> settleLeaseConflicts(std::vector<NodeId> conflicts, By by);
  /// Service roots at addresses that no node has become unlisted devices; the others leave nothing.
  Task<Result<SightingsTaken>> takeAnswers(std::vector<Answer> answers, By by);
  /// Audited: a scan began, or ended. `data` is a JSON object.
  Task<Result<void>> noteScan(std::string event, std::string data, By by);

  // What people do; each leaves an audit event with who and why
  Task<Result<void>> armPlace(std::string place, By by);
  Task<Result<void>> disarmPlace(std::string place, By by);
  Task<Result<HoldId>> addHold(Hold hold, By by);
  /// Rejected: a personal lock of somebody else, and `mayReleaseLocks` (the shift lead) is not set.
  Task<Result<void>> releaseHold(HoldId hold, By by, bool mayReleaseLocks);
  /// Conflict: the name is taken.
  Task<Result<void>> createUser(User user, By by);
  /// Replaces hash, grants, disabled and mustChange. Disabling, or another hash, revokes the user's tokens and sessions;
  /// all but `keep`, unless disabled.
  Task<Result<void>> changeUser(User user, By by, TokenId keep = {});
  Task<Result<TokenId>> createToken(ApiToken token, By by);
  Task<Result<void>> revokeToken(TokenId token, By by);
  /// Conflict: this user has used this key already.
  Task<Result<void>> putIdempotentReply(IdempotentReply reply);
  /// Removes what is older than each of these, at most `most` rows of a kind, so that nobody waits long behind it. The
  /// newest event always stays, so that the chain keeps its head.
  Task<Result<Removed>> removeOld(KeptSince keptSince, std::int64_t most, By by);
  /// Audited: the BMC of this node may show another key than the pinned one; whatever it shows next is pinned. Its
  /// session is forgotten, and an open finding `bmc.certificate_changed` is resolved. NotFound: no such node.
  Task<Result<void>> acceptCertificate(NodeId node, By by);
  /// A copy of the whole database (backup.hpp) is about to leave.
  Task<Result<void>> recordBackup(std::string sha256, By by);

  /// Reads for the API, on a connection of their own.
  std::unique_ptr<Queries> queries() const;
  const DataDirectory& directory() const;

  /// Frees the database's page caches, which are bounded whatever the site's size: for who measures what is not. Only
  /// with Writing::Virtual, where no other thread uses them.
  void dropCaches();

  // The audit trail
  /// Head of the hash chain, 64 hex digits; empty before the first event.
  std::string eventHash();
  std::int64_t lastEvent();
  /// Reads every event. Invalid: names the first sequence that was tampered with.
  Result<void> verifyChain();
  /// Reads the whole database, and the chain. Invalid: what is damaged, and what to do.
  Result<void> checkIntegrity();
  /// Reads every page of the database, without judging events: about a second per gigabyte.
  Result<void> checkPages();

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zellige
