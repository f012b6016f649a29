// What the API and the console ask for: lists with filters, orders and cursors, one node with everything, the audit
// trail. A Queries object has its own connection, so it may live on another thread than the store; it belongs to one
// thread at a time and must not outlive the data directory's claim. It sees only what is committed.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/engine/store.hpp"
#include "controller/model/compliance.hpp"
#include "controller/model/sighting.hpp"
#include "controller/store/records.hpp"

namespace zellige {

enum class NodeSort { Place, Serial, Lifecycle, Since };
ZELLIGE_NAMES(NodeSort, {NodeSort::Place, "place"}, {NodeSort::Serial, "serial"},
              {NodeSort::Lifecycle, "lifecycle"}, {NodeSort::Since, "since"});

struct NodeFilter {
  std::vector<Lifecycle> lifecycles;  ///< any of these; empty: all
  std::optional<NodeKind> kind;
  std::optional<Health> health;
  std::optional<bool> reachable;
  std::string place;  ///< this place and everything inside
  /// Contained in serial, place, MAC or address; or the whole serial of a component. Case does not matter. Under three
  /// characters: the beginning of the serial or place, as written.
  std::string text;
};
struct NodeRow {
  Node node;
  RunId run;  ///< unfinished; 0: none
  std::string workflow, step, waitsFor;
  std::int64_t openFindings = 0;
  std::string cause;  ///< of the oldest open blocking finding, else of the oldest open one
};
struct NodePage {
  std::vector<NodeRow> nodes;
  std::string next;  ///< cursor of the next page; empty: this is the last
  std::int64_t total = 0;
  bool totalIsExact = true;  ///< false: there are at least `total` (a text that thousands of nodes contain)
};

struct EvidenceRow {
  Evidence evidence;
  std::optional<Time> invalidSince;
  std::string invalidWhy;
};
struct NodeDetail {
  NodeRow row;
  std::optional<Inventory> inventory;
  std::vector<EvidenceRow> evidence;
  std::vector<Finding> findings;  ///< open ones, then the last resolved ones
  std::vector<Hold> holds;        ///< in force
  std::optional<Run> run;         ///< unfinished
  std::optional<StoredReport> report;
  std::string baseline;  ///< that it is to be at: a campaign's, else its profile's; empty: none is known
  std::optional<Compliance> compliance;  ///< nullopt: baseline or inventory is not known
  bool armed = false;
};

struct RunFilter {
  std::vector<RunState> states;  ///< any of these; empty: all
  std::string workflow;
  NodeId node;
};
struct RunPage {
  std::vector<Run> runs;  ///< newest first
  RunId next;             ///< pass as `before`; 0: this is the last page
};

struct FindingFilter {
  bool openOnly = true;
  std::string cause;
  std::string place;
  NodeId node;
};
struct FindingRow {
  Finding finding;
  std::string serial, place;
};
struct FindingPage {
  std::vector<FindingRow> findings;  ///< newest first
  FindingId next;
};

struct EventFilter {
  std::vector<std::string> kinds;  ///< any of these; "run." means every kind that begins so; empty: all
  NodeId node;                     ///< also events of runs that have it among their subjects
  std::string place;
};
struct EventPage {
  std::vector<StoredEvent> events;  ///< oldest first
  std::int64_t next = 0;            ///< pass as `since`: everything up to here was looked at
};

/// What no two nodes may have in common.
struct NodeClaim {
  std::string serial, mac, address;
  int port = 0;
  bool leased = false;  ///< the address is not the manifest's
  std::string osAddress;
  int osPort = 0;
};

struct UnlistedPage {
  std::vector<Unlisted> devices;  ///< newest first
  std::int64_t next = 0;          ///< pass as `before`; 0: this is the last page
  std::int64_t total = 0;
};

struct CatalogEntry {
  std::string kind, name, digest, json;
};
struct RackCount {
  std::string rack;
  std::int64_t total = 0, unreachable = 0, notOk = 0;
  std::map<Lifecycle, std::int64_t> lifecycles;
};

struct CampaignRow {
  Campaign campaign;
  std::map<MemberState, std::int64_t> members;
};
struct CampaignPage {
  std::vector<CampaignRow> campaigns;  ///< newest first
  CampaignId next;
};
struct MemberRow {
  CampaignMember member;
  std::string serial, place;
  Lifecycle lifecycle = Lifecycle::Planned;
};
struct MemberPage {
  std::vector<MemberRow> members;  ///< in the order in which they are taken
  std::int64_t next = 0;           ///< pass as `from`; 0: this is the last page
};
/// What a campaign would do.
struct CampaignPreview {
  std::int64_t nodes = 0, racks = 0, canaryNodes = 0;
  std::int64_t compliant = 0, behind = 0, unknown = 0;  ///< nodes, as their inventories tell
  std::map<Lifecycle, std::int64_t> lifecycles;         ///< those that are not available wait
  struct Change {
    std::string component, found, wanted;
    std::int64_t nodes = 0;
  };
  std::vector<Change> changes;
  std::vector<std::string> firstRacks;  ///< the first in order, at most 20
  std::string noWayBack;                ///< why it could not be rolled back; empty: it could
};

class Queries {
 public:
  explicit Queries(const std::filesystem::path& database);
  ~Queries();

  /// Invalid: the cursor is not one of ours for this order.
  Result<NodePage> nodes(const NodeFilter& filter, NodeSort sort, bool descending, std::string_view cursor,
                         int limit);
  std::optional<NodeDetail> node(NodeId id, Time now);
  std::optional<NodeId> nodeBySerial(std::string_view serial);
  RunPage runs(const RunFilter& filter, RunId before, int limit);
  std::optional<Run> run(RunId id);
  FindingPage findings(const FindingFilter& filter, FindingId before, int limit);
  std::optional<Finding> finding(FindingId id);
  /// Looks at a bounded number of events per call, so `events` may be empty while `next` moves on; the end of the trail
  /// is reached when `next` does not move.
  EventPage events(std::int64_t since, const EventFilter& filter, int limit);
  std::int64_t lastEvent();

  UnlistedPage unlisted(std::int64_t before, int limit);
  /// A node that is not retired has it, for its BMC or its switch system.
  bool isNodeAddress(std::string_view address);
  /// A node's BMC has it, by the manifest.
  bool isNodeMac(std::string_view mac);
  /// Of all nodes that are not retired.
  std::vector<NodeClaim> nodeClaims();

  std::vector<ArmedPlace> armedPlaces();
  std::vector<Hold> holds(Time now);  ///< in force
  std::vector<User> users();
  std::optional<User> user(std::string_view name);
  std::vector<ApiToken> tokens(std::string_view user);
  /// Neither revoked nor expired, of a user who is not disabled.
  std::optional<ApiToken> validToken(std::string_view hash, Time now);
  std::optional<IdempotentReply> idempotentReply(std::string_view user, std::string_view key);

  CampaignPage campaigns(const std::vector<CampaignState>& states, CampaignId before, int limit);
  std::optional<CampaignRow> campaign(CampaignId id);
  MemberPage campaignMembers(CampaignId id, const std::vector<MemberState>& states, std::int64_t from,
                             int limit);
  /// Reads the inventory of every node that it selects: 50 µs each; call it off the engine's thread. Errors as
  /// CreateCampaign has.
  Result<CampaignPreview> previewCampaign(const Campaign& wanted);

  std::vector<CatalogEntry> documents(std::string_view kind);
  std::optional<CatalogEntry> document(std::string_view kind, std::string_view name);
  std::vector<ImportedFile> files();
  std::string site();
  /// The database began another life, and no place was armed since.
  std::optional<Restored> restored();
  std::map<Lifecycle, std::int64_t> lifecycleCounts();
  std::vector<RackCount> racks(std::string_view place);
  /// Racks that come up by a recipe, by place: at most `limit` after that place, inside `place`, in one of the states
  /// (none named: any).
  std::vector<Rack> racksByRecipe(std::string_view after, const std::string& place,
                                  const std::vector<RackState>& states, int limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zellige
