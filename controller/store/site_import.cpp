#include "controller/store/site_import.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/store/apply.hpp"
#include "controller/store/apply_sighting.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/import_claims.hpp"
#include "controller/store/meta.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

Error invalid(std::string what) { return {Errc::Invalid, std::move(what)}; }

/// One import, in the order in which things refer to each other.
class Import {
 public:
  Import(Writing& w, const SiteImport& site, const ContentStore& content)
      : w_(w), site_(site), content_(content) {}

  Result<ImportSummary> run(const std::string& why) {
    for (const auto& file : site_.files)
      if (auto done = putFile(file); !done) return done.error();
    for (const auto& sku : site_.skus) putDocument("sku", sku.name, toDocument(sku));
    for (const auto& plan : site_.plans) putDocument("plan", plan.name, toDocument(plan));
    for (const auto& baseline : site_.baselines)
      if (auto done = putBaseline(baseline); !done) return done.error();
    for (const auto& profile : site_.profiles)
      if (auto done = putProfile(profile); !done) return done.error();
    for (const auto& recipe : site_.recipes) putDocument("recipe", recipe.name, toDocument(recipe));
    for (const auto& manifest : site_.manifests)
      if (auto done = collect(manifest); !done) return done.error();
    if (auto done = checkClaims(); !done) return done.error();
    for (const auto& planned : planned_)
      if (auto done = write(planned); !done) return done.error();
    dropListed(w_);
    for (const auto& manifest : site_.manifests)
      for (const auto& rack : manifest.racks)
        if (auto done = putRack(rack); !done) return done.error();
    if (summary_.changedSomething())
      w_.event("site.imported", {}, {},
               {{"nodes_added", summary_.nodesAdded},
                {"nodes_changed", summary_.nodesChanged},
                {"documents_changed", summary_.documentsChanged},
                {"files_added", summary_.filesAdded},
                {"racks_changed", summary_.racksChanged},
                {"why", why}});
    return summary_;
  }

 private:
  /// Of the way in that is stored.
  struct Kept {
    std::string mark;
    bool isRefused = false;  ///< twice, and there is no other password to try
  };
  struct Planned {
    const ManifestNode* wanted = nullptr;
    std::optional<Node> stored;
    std::string mark, osMark;  ///< keyed digests of the manifest's passwords; empty: it has no such endpoint
    Kept kept, keptOs;
    bool isRefused = false, isOsRefused = false;  ///< the machine refuses what we had set since
    /// It may want what another has; what it had before is its own.
    bool claimsAnew() const {
      return !stored || stored->lifecycle == Lifecycle::Retired || changes.contains("place") || isElsewhere();
    }
    /// Its machines have other addresses by this manifest, or another BMC.
    bool isElsewhere() const {
      return changes.contains("bmc_mac") || changes.contains("bmc_address") ||
             changes.contains("bmc_address_by") || changes.contains("os_address");
    }
    bool keepsLease = false;  ///< its BMC's address stays the one that a lease gave
    Json changes = Json::object();
  };

  Result<void> putFile(const ImportedFile& f) {
    if (!content_.holds(f.file.digest))
      return invalid(fmt::format("the file {} ({}) is not in the content store: import it first", f.file.name,
                                 f.file.digest));
    const auto added =
        w_.db.query("INSERT INTO file (digest, name, kind, size) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(f.file.digest, f.file.name, nameOf(f.kind), static_cast<std::int64_t>(f.file.size))
            .run();
    if (added == 0) return {};
    ++summary_.filesAdded;
    w_.event("file.added", {}, {},
             {{"digest", f.file.digest}, {"name", f.file.name}, {"kind", nameOf(f.kind)}});
    return {};
  }

  void putDocument(std::string_view kind, const std::string& name, const std::string& document) {
    const auto digest = sha256Hex(document);
    std::string before;
    {
      auto q = w_.db.query("SELECT digest FROM catalog WHERE kind = ? AND name = ?");
      q.bind(kind, name);
      if (q.step()) before = q.text(0);
    }
    if (before == digest) {
      ++summary_.documentsUnchanged;
      return;
    }
    w_.db
        .query(
            "INSERT INTO catalog (kind, name, digest, json) VALUES (?, ?, ?, ?) ON CONFLICT (kind, name) DO "
            "UPDATE SET "
            "digest = excluded.digest, json = excluded.json")
        .bind(kind, name, digest, document)
        .run();
    ++summary_.documentsChanged;
    Json data{{"kind", kind}, {"name", name}, {"digest", digest}};
    if (!before.empty()) data["before"] = before;
    w_.event("catalog.changed", {}, {}, data);
  }

  bool inCatalog(std::string_view kind, const std::string& name) {
    auto q = w_.db.query("SELECT 1 FROM catalog WHERE kind = ? AND name = ?");
    q.bind(kind, name);
    return q.step();
  }
  bool haveFile(const std::string& digest) {
    auto q = w_.db.query("SELECT 1 FROM file WHERE digest = ?");
    q.bind(digest);
    return q.step();
  }

  Result<void> putBaseline(const Baseline& baseline) {
    for (const auto& entry : baseline.entries)
      if (!haveFile(entry.packageDigest))
        return invalid(fmt::format("baseline {}: the package of {} ({}) is not imported", baseline.name,
                                   entry.id, entry.packageDigest));
    putDocument("baseline", baseline.name, toDocument(baseline));
    return {};
  }

  NodeKind kindOfSku(const std::string& name) {
    auto q = w_.db.query("SELECT json FROM catalog WHERE kind = 'sku' AND name = ?");
    q.bind(name);
    return q.step() ? readSku(q.text(0)).kind : NodeKind::ComputeTray;
  }

  Result<void> putProfile(const Profile& profile) {
    const std::pair<std::string_view, const std::string&> parts[] = {
        {"sku", profile.sku}, {"baseline", profile.baseline}, {"plan", profile.plan}};
    for (const auto& [kind, name] : parts) {
      // Only a compute tray is burnt in by itself.
      if (kind == "plan" && name.empty() && kindOfSku(profile.sku) != NodeKind::ComputeTray) continue;
      if (!inCatalog(kind, name))
        return invalid(
            fmt::format("profile {} names the {} '{}', which is not known", profile.name, kind, name));
    }
    if (!profile.imageDigest.empty() && !haveFile(profile.imageDigest))
      return invalid(fmt::format("profile {}: the image {} ({}) is not imported", profile.name,
                                 profile.imageName, profile.imageDigest));
    putDocument("profile", profile.name, toDocument(profile));
    return {};
  }

  Result<void> putRack(const ManifestRack& rack) {
    if (!inCatalog("recipe", rack.recipe))
      return invalid(
          fmt::format("the rack {} has the recipe '{}', which is not known", rack.place, rack.recipe));
    const auto changed =
        w_.db
            .query(
                "INSERT INTO rack (place, recipe, state, since) VALUES (?, ?, 'installing', ?) "
                "ON CONFLICT (place) DO UPDATE SET recipe = excluded.recipe WHERE recipe <> excluded.recipe")
            .bind(rack.place, rack.recipe, w_.at)
            .run();
    if (changed == 0) return {};
    ++summary_.racksChanged;
    w_.event("rack.ordered", {}, {}, {{"place", rack.place}, {"recipe", rack.recipe}});
    return {};
  }

  Result<void> collect(const Manifest& manifest) {
    if (auto done = putSite(manifest.site); !done) return done;
    for (const auto& n : manifest.nodes) {
      if (n.serial.empty() || n.place.path.empty())
        return invalid(fmt::format("the node '{}' at '{}' needs a serial and a place", n.serial, n.place.path));
      if (!inCatalog("profile", n.profile))
        return invalid(fmt::format("{} has the profile '{}', which is not known", n.serial, n.profile));
      if (!inCatalog("sku", n.sku))
        return invalid(fmt::format("{} has the SKU '{}', which is not known", n.serial, n.sku));
      if (auto ok = claims_.add(n); !ok) return ok;
      planned_.push_back(compare(n));
      if (planned_.back().stored && planned_.back().stored->kind != n.kind)
        return Error{Errc::Conflict,
                     fmt::format("{} is a {} and the manifest says {}: correct the manifest", n.serial,
                                 nameOf(planned_.back().stored->kind), nameOf(n.kind))};
    }
    return {};
  }

  Result<void> putSite(const std::string& site) {
    if (site.empty()) return {};
    const auto known = findMeta(w_.db, "site");
    if (known.empty()) setMeta(w_.db, "site", site);
    if (known.empty() || known == site) return {};
    return Error{Errc::Conflict,
                 fmt::format("this controller is of site {}, the manifest of site {}", known, site)};
  }

  Planned compare(const ManifestNode& n) {
    Planned p;
    p.wanted = &n;
    p.mark = markOf(n.factoryPassword, n.bmc.user, n.password);
    if (!n.os.address.empty()) p.osMark = markOf(n.osFactoryPassword, n.os.user, n.osPassword);
    auto q = w_.db.query("SELECT id FROM node WHERE serial = ?");
    q.bind(n.serial);
    if (!q.step()) return p;
    p.stored = findNode(w_.db, NodeId{q.integer(0)});
    p.kept = kept(p.stored->id, Endpoint::Bmc);
    p.keptOs = kept(p.stored->id, Endpoint::Os);
    if (p.stored->lifecycle != Lifecycle::Retired) {
      const auto refusesOurs = [&](const Kept& has, const std::string& mark, Endpoint at,
                                   const Secret& manifests) {
        return has.isRefused && has.mark == mark && !isSet(p.stored->id, at, manifests);
      };
      p.isRefused = refusesOurs(p.kept, p.mark, Endpoint::Bmc, n.password);
      p.isOsRefused = refusesOurs(p.keptOs, p.osMark, Endpoint::Os, n.osPassword);
    }
    const auto note = [&](std::string_view what, const std::string& from, const std::string& to) {
      if (from != to) p.changes[std::string(what)] = {{"from", from}, {"to", to}};
    };
    const auto& s = *p.stored;
    note("place", s.place.path, n.place.path);
    note("sku", s.sku, n.sku);
    note("profile", s.profile, n.profile);
    note("bmc_mac", s.bmc.mac, n.bmc.mac);
    // Without an address of its own the manifest leaves the lease's, for as long as it is this MAC's.
    p.keepsLease = n.bmc.address.empty() && s.bmcLeased && s.bmc.mac == n.bmc.mac;
    auto bmc = n.bmc;
    if (p.keepsLease) bmc.address = s.bmc.address;
    note("bmc_address", endpointText(s.bmc), endpointText(bmc));
    const auto giver = [](bool lease) { return std::string(lease ? "lease" : "manifest"); };
    note("bmc_address_by", giver(s.bmcLeased), giver(p.keepsLease));
    note("bmc_user", s.bmc.user, n.bmc.user);
    const auto osText = [](const BmcEndpoint& os) { return os.address.empty() ? "" : endpointText(os); };
    note("os_address", osText(s.os), osText(n.os));
    note("os_user", s.os.user, n.os.user);
    if (p.kept.mark != p.mark) p.changes["password"] = "replaced";
    if (p.keptOs.mark != p.osMark) p.changes["os_password"] = "replaced";
    if (p.isRefused) p.changes["password"] = "the manifest's again: the BMC refuses what we had set";
    if (p.isOsRefused) p.changes["os_password"] = "the manifest's again: NVOS refuses what we had set";
    return p;
  }

  std::string markOf(bool factory, const std::string& user, const Secret& password) {
    return w_.box.sign(fmt::format("{}\n{}\n{}", factory ? "factory" : "own", user, password.reveal()));
  }
  Kept kept(NodeId node, Endpoint at) {
    auto q = w_.db.query(
        "SELECT manifest_mark, refusals >= 2 AND next_password IS NULL FROM access WHERE node = ? AND "
        "endpoint = ?");
    q.bind(node, nameOf(at));
    return q.step() ? Kept{q.text(0), q.flag(1)} : Kept{};
  }
  /// If not, and it is refused: a BMC that was reset to factory, or exchanged. The manifest said the truth all the time.
  bool isSet(NodeId node, Endpoint at, const Secret& password) {
    const auto access = findAccess(w_.db, w_.box, {node, at});
    return !access || access->password == password;
  }

  /// A place or address that a node of this import takes over must be free, or be given up in the same import.
  Result<void> checkClaims() {
    const bool first = w_.db.number("SELECT EXISTS (SELECT 1 FROM node)") == 0;
    for (const auto& p : planned_)
      if (!first && p.claimsAnew())
        if (auto free = claims_.checkFree(w_.db, *p.wanted); !free) return free;
    // Those that move let go first, so that two trays may swap places.
    for (const auto& p : planned_)
      if (p.stored && (p.changes.contains("place") || p.changes.contains("bmc_address")))
        w_.db.query("UPDATE node SET place = '', bmc_address = iif(?, bmc_address, '') WHERE id = ?")
            .bind(p.keepsLease, p.stored->id)
            .run();
    // So does whoever has by a lease what the manifest gives to another.
    if (w_.db.number("SELECT EXISTS (SELECT 1 FROM node WHERE bmc_leased = 1)") == 0) return {};
    for (const auto& p : planned_)
      for (const auto* at : {&p.wanted->bmc, &p.wanted->os})
        if (!at->address.empty())
          takeFromLease(w_, at->address, p.stored ? p.stored->id : NodeId{},
                        "the manifest gives it to " + p.wanted->serial);
    return {};
  }

  Result<void> write(const Planned& p) {
    if (!p.stored) return add(p);
    const auto& s = *p.stored;
    const bool revive = s.lifecycle == Lifecycle::Unlisted ||
                        (s.lifecycle == Lifecycle::Retired && !p.changes.empty());
    if (p.changes.empty() && !revive) {
      ++summary_.nodesUnchanged;
      return {};
    }
    const auto& n = *p.wanted;
    w_.db
        .query(
            "UPDATE node SET place = ?, rack = ?, sku = ?, profile = ?, bmc_mac = ?, "
            "bmc_address = iif(?, bmc_address, ?), bmc_leased = ?, bmc_port = ?, "
            "bmc_user = ?, os_address = ?, os_port = ?, os_user = ?, "
            "baseline = CASE WHEN profile = ? THEN baseline ELSE '' END, version = version + 1 WHERE id = ?")
        .bind(n.place.path, n.place.rack(), n.sku, n.profile, n.bmc.mac, p.keepsLease, n.bmc.address,
              p.keepsLease, n.bmc.port, n.bmc.user, n.os.address, n.os.port, n.os.user, n.profile, s.id)
        .run();
    if (p.kept.mark != p.mark) replaceAccess(s.id, n.bmc.user, n.password, n.factoryPassword, p.mark);
    if (p.keptOs.mark != p.osMark) replaceOsAccess(s.id, p);
    if (p.isRefused) offerManifests(s.id, Endpoint::Bmc, n.password, n.factoryPassword);
    if (p.isOsRefused) offerManifests(s.id, Endpoint::Os, n.osPassword, n.osFactoryPassword);
    indexNodeText(w_.db, s.id);
    if (!p.changes.empty()) w_.event("node.changed", s.id, {}, p.changes);
    if (p.isElsewhere())
      if (auto ended = endConflict(w_, s.id, "the manifest has changed; leases against it are told anew");
          !ended)
        return ended;
    ++summary_.nodesChanged;
    // Evidence tied to where it was, or to what it was to become, does not hold any more.
    if (p.changes.contains("place") || p.changes.contains("profile"))
      invalidateEvidence(w_, s.id, "the manifest has changed it", [&](const std::string& dependency) {
        return (s.place != n.place && dependency == "place:" + s.place.path) ||
               (s.profile != n.profile && dependency == "profile:" + s.profile);
      });
    if (!revive) return {};
    const MoveLifecycle move{s.id, s.lifecycle, Lifecycle::Planned, Actor::Manifest, "it is on the manifest",
                             {}};
    if (auto moved = apply(w_, move); !moved) return moved.error();
    return {};
  }

  /// What campaigns have brought the rack to: a new machine must fit the others. Where these differ, for one is under
  /// way, that of the retired one in whose place it comes.
  std::string baselineAround(const ManifestNode& n) {
    auto others = w_.db.query(
        "SELECT DISTINCT baseline FROM node WHERE rack = ? AND profile = ? AND lifecycle <> 'retired' LIMIT "
        "2");
    const auto rack = n.place.rack();
    others.bind(rack, n.profile);
    std::vector<std::string> found;
    while (!rack.empty() && others.step()) found.push_back(others.text(0));
    if (found.size() == 1) return found.front();
    auto left = w_.db.query(
        "SELECT baseline FROM node WHERE place = ? AND profile = ? AND lifecycle = 'retired' "
        "ORDER BY lifecycle_since DESC, id DESC LIMIT 1");
    left.bind(n.place.path, n.profile);
    return left.step() ? left.text(0) : std::string{};
  }

  Result<void> add(const Planned& p) {
    const auto& n = *p.wanted;
    w_.db
        .query(
            "INSERT INTO node (serial, kind, place, rack, sku, profile, bmc_mac, bmc_address, bmc_port, "
            "bmc_user, os_address, os_port, os_user, "
            "baseline, lifecycle, allocation, scheduling, health, lifecycle_since, version) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'planned', 'free', 'open', 'ok', ?, 1)")
        .bind(n.serial, nameOf(n.kind), n.place.path, n.place.rack(), n.sku, n.profile, n.bmc.mac,
              n.bmc.address, n.bmc.port, n.bmc.user, n.os.address, n.os.port, n.os.user, baselineAround(n),
              w_.at)
        .run();
    const NodeId id{w_.db.lastId()};
    replaceAccess(id, n.bmc.user, n.password, n.factoryPassword, p.mark);
    if (!p.osMark.empty()) replaceOsAccess(id, p);
    indexNodeText(w_.db, id);
    w_.event(
        "node.added", id, {},
        {{"serial", n.serial}, {"kind", nameOf(n.kind)}, {"place", n.place.path}, {"profile", n.profile}});
    ++summary_.nodesAdded;
    return {};
  }

  // A password change that is under way stays: what the BMC took may be the next one, and is tried first.
  void replaceAccess(NodeId id, const std::string& user, const Secret& password, bool factory,
                     const std::string& mark, Endpoint at = Endpoint::Bmc) {
    w_.db
        .query(
            "INSERT INTO access (node, endpoint, user, password, must_change, session_token, session_uri, "
            "pin, "
            "manifest_mark) "
            "VALUES (?, ?, ?, ?, ?, '', '', '', ?) ON CONFLICT (node, endpoint) DO UPDATE SET user = "
            "excluded.user, "
            "password = excluded.password, must_change = excluded.must_change, session_token = '', "
            "session_uri = '', guesses = 0, refusals = 0, manifest_mark = excluded.manifest_mark, "
            "version = access.version + 1")
        .bind(id, nameOf(at), user, w_.box.seal(password), factory, mark)
        .run();
  }
  // What we had set stays beside it: should the BMC only have been locked, it is still the right one. At NVOS, where a
  // session's address says whether the password has worked, nothing has yet.
  void offerManifests(NodeId id, Endpoint at, const Secret& password, bool factory) {
    w_.db
        .query(
            "UPDATE access SET next_password = password, password = ?, must_change = ?, guess_current = 1, "
            "session_token = '', session_uri = CASE WHEN endpoint = ? THEN '' ELSE session_uri END, "
            "guesses = 0, refusals = 0, version = version + 1 WHERE node = ? AND endpoint = ?")
        .bind(w_.box.seal(password), factory, nameOf(Endpoint::Os), id, nameOf(at))
        .run();
  }
  void replaceOsAccess(NodeId id, const Planned& p) {
    const auto& n = *p.wanted;
    replaceAccess(id, n.os.user, n.osPassword, n.osFactoryPassword, p.osMark, Endpoint::Os);
  }

  Writing& w_;
  const SiteImport& site_;
  const ContentStore& content_;
  ImportSummary summary_;
  std::vector<Planned> planned_;
  ImportClaims claims_;
};

}  // namespace

Result<ImportSummary> applyImport(Writing& writing, const SiteImport& site, const ContentStore& content,
                                  const std::string& why) {
  return Import(writing, site, content).run(why);
}

}  // namespace zellige
