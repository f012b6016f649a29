// What the store keeps for people and programs that the engine does not know: holds, armed places, users, tokens, the
// audit trail, and what an import brings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/secret.hpp"
#include "controller/base/time.hpp"
#include "controller/model/catalog.hpp"
#include "controller/model/ids.hpp"

namespace zellige {

using TokenId = Id<struct TokenTag>;

/// Who does something and why: what the audit event of every command says.
struct By {
  std::string actor;
  std::string why;
};

enum class HoldKind {
  Hold,          ///< no run acts here
  PersonalLock,  ///< somebody's hands are inside: only they, or the shift lead, release it
};
ZELLIGE_NAMES(HoldKind, {HoldKind::Hold, "hold"}, {HoldKind::PersonalLock, "personal_lock"});

/// On a node (`node` set) or on a place and everything in it (`node` 0, `place` not empty).
struct Hold {
  HoldId id;
  HoldKind kind = HoldKind::Hold;
  NodeId node;
  std::string place;
  std::string owner, reason;
  Time created{};
  std::optional<Time> expires;  ///< nullopt: until released
  std::optional<Time> released;
  std::string releasedBy, releaseWhy;
};

struct ArmedPlace {
  std::string place;  ///< "" is the whole site
  Time since{};
  std::string by, why;
};

/// A role within a place ("" is everywhere). What roles may do is the API's table.
struct RoleGrant {
  std::string role, place;
  auto operator<=>(const RoleGrant&) const = default;
};
struct User {
  std::string name;
  std::string passwordHash;  ///< from hashPassword(); never leaves the server
  std::vector<RoleGrant> grants;
  Time created{};
  bool disabled = false;
  bool mustChange = false;  ///< the password is a one-time one
};

enum class TokenKind { Api, Session };
ZELLIGE_NAMES(TokenKind, {TokenKind::Api, "api"}, {TokenKind::Session, "session"});
struct ApiToken {
  TokenId id;
  TokenKind kind = TokenKind::Api;
  std::string user, name;
  std::string hash;  ///< from hashToken()
  Time created{};
  std::optional<Time> expires, revoked;
};

/// argon2id, interactive strength: about 0.1 s of CPU and 64 MiB; call it off the engine's thread.
std::string hashPassword(const Secret& password);
bool verifyPassword(std::string_view hash, const Secret& password);
/// SHA-256, hex: enough for tokens of 32 random bytes (randomHex), and quick.
std::string hashToken(const Secret& token);

/// The answer that a repeated POST gets again.
struct IdempotentReply {
  std::string user, key;
  std::string request;  ///< digest of method, path and body: the same key for another request is an error
  int status = 0;
  std::string body;
  Time created{};
};

/// Retention: what is older than each of these goes.
struct KeptSince {
  Time events{}, replies{}, tokens{};  ///< tokens and sessions: since they expired or were revoked
  Time unlisted{};                     ///< unlisted devices: since they were last seen
};
struct Removed {
  std::int64_t events = 0, replies = 0, tokens = 0, unlisted = 0;
};

/// What became of some sightings of devices.
struct SightingsTaken {
  std::vector<NodeId> moved;      ///< nodes whose BMC has another address now, or none
  std::vector<NodeId> conflicts;  ///< nodes of which the leases say something else than the manifest
  std::int64_t unlisted = 0;      ///< devices that are on no manifest
  std::int64_t turnedAway = 0;    ///< unlisted devices that were not written down: too many are there already
};

/// The database was restored, copied or replaced, so every arming was withdrawn.
struct Restored {
  Time at{};
  std::string why;                    ///< how that was seen
  std::vector<std::string> wasArmed;  ///< places; "" is the whole site
};

struct StoredEvent {
  std::int64_t sequence = 0;
  Time at{};
  std::string kind;
  NodeId node;  ///< 0: not about one node
  RunId run;
  std::string actor;
  std::string data;  ///< canonical JSON object
  std::string hash;
};

enum class FileKind { Package, Image };
ZELLIGE_NAMES(FileKind, {FileKind::Package, "package"}, {FileKind::Image, "image"});
struct ImportedFile {
  StoredFile file;
  FileKind kind = FileKind::Package;
};

/// Everything that one import brings; plain values. Files lie in the content store already.
struct SiteImport {
  std::vector<ImportedFile> files;
  std::vector<Sku> skus;
  std::vector<Baseline> baselines;
  std::vector<Plan> plans;
  std::vector<Profile> profiles;
  std::vector<Recipe> recipes;
  std::vector<Manifest> manifests;
};
struct ImportSummary {
  std::int64_t nodesAdded = 0, nodesChanged = 0, nodesUnchanged = 0;
  std::int64_t documentsChanged = 0, documentsUnchanged = 0;  ///< SKUs, baselines, plans, profiles, recipes
  std::int64_t filesAdded = 0;
  std::int64_t racksChanged = 0;  ///< new, or with another recipe
  bool changedSomething() const {
    return nodesAdded + nodesChanged + documentsChanged + filesAdded + racksChanged > 0;
  }
};

}  // namespace zellige
