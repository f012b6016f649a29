#include "controller/store/apply_sighting.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/apply.hpp"

namespace zellige {

namespace {

// The indexes by MAC and by address are partial: SQLite takes one only where the statement itself says that the value is
// not empty. Without that, each of a flood of leases reads the whole table.

constexpr const char* kConflict = "bmc.lease_conflict";

struct Listed {
  NodeId id;
  std::string serial, address;
  bool leased = false, retired = false;
};

constexpr std::string_view kListedColumns =
    "SELECT id, serial, bmc_address, bmc_leased, lifecycle = 'retired' FROM node";
std::optional<Listed> readListed(Query& q) {
  if (!q.step()) return std::nullopt;
  return Listed{{q.integer(0)}, q.text(1), q.text(2), q.flag(3), q.flag(4)};
}

bool isIpv6(const std::string& address) { return address.find(':') != std::string::npos; }

/// For more unlisted devices; counted once for all that come in one transaction.
class Room {
 public:
  explicit Room(Connection& db) : db_(db) {}
  bool take() {
    if (!rows_) rows_ = db_.number("SELECT count(*) FROM unlisted");
    if (*rows_ >= kMostUnlisted) return false;
    ++*rows_;
    return true;
  }

 private:
  Connection& db_;
  std::optional<std::int64_t> rows_;
};

class LeaseTaker {
 public:
  explicit LeaseTaker(Writing& w) : w_(w) {}

  Result<SightingsTaken> run(const std::vector<Lease>& leases) {
    for (const auto& lease : leases) {
      const auto node = ofMac(lease.mac);
      if (node && node->retired) {  // nobody's; but whoever had this address before has it no more
        takeAway(lease, node->id, "a DHCP lease gives it to the retired " + node->serial);
        continue;
      }
      auto done = node ? takeListed(*node, lease) : takeUnlisted(lease);
      if (!done) return done.error();
    }
    return std::move(taken_);
  }

 private:
  std::optional<Listed> ofMac(const std::string& mac) {
    static const auto text = fmt::format(
        "{} WHERE bmc_mac = ? AND bmc_mac <> '' ORDER BY lifecycle = 'retired', id LIMIT 1", kListedColumns);
    auto q = w_.db.query(text);
    q.bind(mac);
    return readListed(q);
  }
  /// The node to which the manifest gives this address, whichever of its two machines' it is.
  std::optional<Listed> ofManifestAddress(const std::string& address, NodeId but) {
    static const auto bmc = fmt::format(
        "{} WHERE bmc_address = ? AND bmc_address <> '' AND lifecycle <> 'retired' AND bmc_leased = 0 AND id "
        "<> ?",
        kListedColumns);
    static const auto os = fmt::format(
        "{} WHERE os_address = ? AND os_address <> '' AND lifecycle <> 'retired' AND id <> ?", kListedColumns);
    for (const auto& text : {bmc, os}) {
      auto q = w_.db.query(text);
      q.bind(address, but.value);
      if (auto node = readListed(q)) return node;
    }
    return std::nullopt;
  }

  void takeAway(const Lease& lease, NodeId but, const std::string& why) {
    for (const auto id : takeFromLease(w_, lease.address, but, why)) taken_.moved.push_back(id);
  }

  Result<void> takeListed(const Listed& node, const Lease& lease) {
    const bool byManifest = !node.address.empty() && !node.leased;
    if (byManifest && isIpv6(node.address) != isIpv6(lease.address)) return {};  // it may well have both
    if (node.address == lease.address) return resolve(node.id);
    if (byManifest)
      return tell(
          node.id,
          fmt::format("the manifest gives the BMC the address {}, which is used; a DHCP lease gives its "
                      "MAC {} the address {}",
                      node.address, lease.mac, lease.address));
    if (const auto other = ofManifestAddress(lease.address, node.id))
      return tell(node.id,
                  fmt::format("a DHCP lease gives its MAC {} the address {}, which the manifest gives "
                              "to {}; it is not used",
                              lease.mac, lease.address, other->serial));
    takeAway(lease, node.id, "a DHCP lease gives it to " + node.serial);
    w_.db.query("UPDATE node SET bmc_address = ?, bmc_leased = 1, version = version + 1 WHERE id = ?")
        .bind(lease.address, node.id)
        .run();
    indexNodeText(w_.db, node.id);
    dropListed(w_, lease);
    w_.event("node.address", node.id, {},
             {{"from", node.address}, {"to", lease.address}, {"mac", lease.mac}, {"why", "a DHCP lease"}});
    taken_.moved.push_back(node.id);
    return resolve(node.id);
  }

  Result<void> takeUnlisted(const Lease& lease) {
    if (const auto other = ofManifestAddress(lease.address, {}))
      if (auto told = tell(other->id,
                           fmt::format("the manifest gives {} to this node; a DHCP lease gives it to "
                                       "the MAC {}, which is not on the manifest",
                                       lease.address, lease.mac));
          !told)
        return told;
    takeAway(lease, {}, fmt::format("a DHCP lease gives it to the unlisted MAC {}", lease.mac));
    keep(lease);
    return {};
  }

  void keep(const Lease& lease) {
    const auto row = rowOf(lease);
    if (row == 0 && !room_.take()) {
      ++taken_.turnedAway;
      return;
    }
    ++taken_.unlisted;
    if (row != 0) {
      w_.db
          .query(
              "UPDATE unlisted SET mac = ?, address = ?, hostname = ?, vendor_class = ?, circuit = ?, remote "
              "= "
              "?, place = ?, last_seen = ? WHERE id = ?")
          .bind(lease.mac, lease.address, lease.hostname, lease.vendorClass, lease.circuit, lease.remote,
                lease.place, w_.at, row)
          .run();
      return;
    }
    w_.db
        .query(
            "INSERT INTO unlisted (mac, address, port, hostname, vendor_class, circuit, remote, place, uuid, "
            "vendor, product, redfish_version, pin, first_seen, last_seen) "
            "VALUES (?, ?, 443, ?, ?, ?, ?, ?, '', '', '', '', '', ?, ?)")
        .bind(lease.mac, lease.address, lease.hostname, lease.vendorClass, lease.circuit, lease.remote,
              lease.place, w_.at, w_.at)
        .run();
    w_.event("unlisted.seen", {}, {}, {{"mac", lease.mac}, {"address", lease.address}, {"by", "lease"}});
  }

  /// The device's row, 0: none. Whoever was seen at its address before has another one now, or none. One that only
  /// answered there, without a MAC, is this device, unless that has a row already.
  std::int64_t rowOf(const Lease& lease) {
    std::int64_t own = 0, there = 0;
    bool hasMac = false;
    {
      auto q = w_.db.query("SELECT id FROM unlisted WHERE mac = ? AND mac <> ''");
      q.bind(lease.mac);
      if (q.step()) own = q.integer(0);
    }
    {
      auto q = w_.db.query("SELECT id, mac <> '' FROM unlisted WHERE address = ? AND address <> ''");
      q.bind(lease.address);
      if (q.step()) {
        there = q.integer(0);
        hasMac = q.flag(1);
      }
    }
    if (there == 0 || there == own) return own;
    if (!hasMac && own == 0) return there;
    w_.db
        .query(hasMac ? "UPDATE unlisted SET address = '' WHERE id = ?" : "DELETE FROM unlisted WHERE id = ?")
        .bind(there)
        .run();
    return own;
  }

  static void dropListed(Writing& w, const Lease& lease) {
    w.db.query("DELETE FROM unlisted WHERE mac = ? AND mac <> ''").bind(lease.mac).run();
    w.db.query("DELETE FROM unlisted WHERE address = ? AND address <> '' AND mac = ''").bind(lease.address).run();
  }

  Result<void> tell(NodeId node, std::string detail) {
    Finding finding;
    finding.node = node;
    finding.cause = kConflict;
    finding.detail = std::move(detail);
    taken_.conflicts.push_back(node);
    const auto raised = apply(w_, RaiseFinding{std::move(finding)});
    return raised ? Result<void>{} : Result<void>(raised.error());
  }
  Result<void> resolve(NodeId node) { return endConflict(w_, node, "the lease and the address agree"); }

  Writing& w_;
  Room room_{w_.db};
  SightingsTaken taken_;
};

}  // namespace

Result<SightingsTaken> applyLeases(Writing& writing, const std::vector<Lease>& leases) {
  return LeaseTaker(writing).run(leases);
}

Result<void> applyConflicts(Writing& w, const std::set<NodeId>& conflicts) {
  std::vector<NodeId> over;
  {
    auto q = w.db.query("SELECT node FROM finding WHERE cause = ? AND resolved IS NULL");
    q.bind(kConflict);
    while (q.step())
      if (const NodeId node{q.integer(0)}; !conflicts.contains(node)) over.push_back(node);
  }
  for (const auto node : over)
    if (auto ended = endConflict(w, node, "no lease says anything else than the manifest any more"); !ended)
      return ended;
  return {};
}

Result<void> endConflict(Writing& w, NodeId node, std::string why) {
  const auto done = apply(w, ResolveFindings{node, kConflict, std::move(why)});
  return done ? Result<void>{} : Result<void>(done.error());
}

Result<SightingsTaken> applyAnswers(Writing& w, const std::vector<Answer>& answers) {
  SightingsTaken taken;
  Room room(w.db);
  for (const auto& [address, port, root] : answers) {
    if (someNodeIsAt(w.db, address)) continue;
    const auto changed = w.db.query(
                                 "UPDATE unlisted SET port = ?, uuid = ?, vendor = ?, product = ?, "
                                 "redfish_version = ?, pin = ?, "
                                 "answered = ?, last_seen = ? WHERE address = ? AND address <> ''")
                             .bind(port, root.uuid, root.vendor, root.product, root.redfishVersion, root.pin,
                                   w.at, w.at, address)
                             .run();
    if (changed == 0 && !room.take()) {
      ++taken.turnedAway;
      continue;
    }
    ++taken.unlisted;
    if (changed > 0) continue;
    w.db.query(
            "INSERT INTO unlisted (mac, address, port, hostname, vendor_class, circuit, remote, place, uuid, "
            "vendor, product, redfish_version, pin, answered, first_seen, last_seen) "
            "VALUES ('', ?, ?, '', '', '', '', '', ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(address, port, root.uuid, root.vendor, root.product, root.redfishVersion, root.pin, w.at, w.at,
              w.at)
        .run();
    w.event("unlisted.seen", {}, {}, {{"mac", ""}, {"address", address}, {"by", "scan"}});
  }
  return taken;
}

bool someNodeIsAt(Connection& db, std::string_view address) {
  for (const auto* text :
       {"SELECT 1 FROM node WHERE bmc_address = ? AND bmc_address <> '' AND lifecycle <> 'retired' LIMIT 1",
        "SELECT 1 FROM node WHERE os_address = ? AND os_address <> '' AND lifecycle <> 'retired' LIMIT 1"}) {
    auto q = db.query(text);
    q.bind(address);
    if (q.step()) return true;
  }
  return false;
}

std::vector<NodeId> takeFromLease(Writing& w, const std::string& address, NodeId but, const std::string& why) {
  std::vector<NodeId> out;
  {
    auto q = w.db.query(
        "SELECT id FROM node WHERE bmc_address = ? AND bmc_address <> '' AND lifecycle <> 'retired' AND "
        "bmc_leased = 1 AND id <> ?");
    q.bind(address, but.value);
    while (q.step()) out.push_back({q.integer(0)});
  }
  for (const auto id : out) {
    w.db.query("UPDATE node SET bmc_address = '', bmc_leased = 0, version = version + 1 WHERE id = ?")
        .bind(id)
        .run();
    indexNodeText(w.db, id);
    w.event("node.address", id, {}, {{"from", address}, {"to", ""}, {"why", why}});
  }
  return out;
}

void dropListed(Writing& w) {
  w.db.query(
          "DELETE FROM unlisted WHERE mac <> '' AND mac IN (SELECT bmc_mac FROM node WHERE lifecycle <> "
          "'retired')")
      .run();
  w.db.query(
          "DELETE FROM unlisted WHERE mac = '' AND address IN (SELECT bmc_address FROM node WHERE lifecycle "
          "<> 'retired' UNION SELECT os_address FROM node WHERE lifecycle <> 'retired')")
      .run();
}

// The row's text is fetched first: SQLite guards an INSERT from a SELECT with a savepoint, at which the text index writes
// out all that it has gathered, and an import would take twice as long.
void indexNodeText(Connection& db, NodeId node) {
  std::string text;
  {
    auto q = db.query("SELECT serial, place, bmc_mac, bmc_address FROM node WHERE id = ?");
    q.bind(node);
    if (!q.step()) return;
    text = fmt::format("{} {} {} {}", q.text(0), q.text(1), q.text(2), q.text(3));
  }
  db.query("INSERT OR REPLACE INTO node_text (rowid, text) VALUES (?, ?)").bind(node, text).run();
}

}  // namespace zellige
