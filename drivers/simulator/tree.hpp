// The Redfish tree of a machine, generated on demand: the shape of the recorded one of its kind, the state of this
// machine. Only what a controller needs is generated; every link leads somewhere. Internal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/json.hpp"
#include "drivers/simulator/world.hpp"

namespace zellige::sim {

/// The resource at `path` (no final slash, no query); nullopt: there is none.
std::optional<Json> resource(const World& w, const Machine& m, std::string_view path);

/// What a client without a session may read of the service root (FACTS 1).
Json anonymousRoot(const World& w, const Machine& m);

/// Replaces references by what they refer to, `levels` deep (1 to 6): those to what lies below the resource
/// ("."), those under Links ("~"), or both ("*"). Counts the resources that were put in.
int expand(const World& w, const Machine& m, Json& json, int levels, bool subordinate, bool links);

std::string sessionId(const Session& session);

using Path = std::vector<std::string_view>;  ///< segments below /redfish/v1

// A compute tray's, one function per branch; `p` includes the branch's own name.
std::optional<Json> systemsBranch(const World& w, const Machine& m, const Path& p);
std::optional<Json> chassisBranch(const World& w, const Machine& m, const Path& p);
std::optional<Json> managersBranch(const World& w, const Machine& m, const Path& p);
/// A switch tray's systems and chassis; its manager is like a compute tray's.
std::optional<Json> switchBranch(const World& w, const Machine& m, const Path& p);
/// A shelf's chassis and manager.
std::optional<Json> shelfBranch(const World& w, const Machine& m, const Path& p);
/// Accounts, sessions, tasks and updates of any of them.
std::optional<Json> servicesBranch(const World& w, const Machine& m, const Path& p);

// Parts that recur.
Json link(std::string_view below);  ///< {"@odata.id": "/redfish/v1/<below>"}
Json collection(std::string_view below, std::string_view type, std::string_view name,
                const std::vector<std::string>& members);
Json actionInfo(std::string_view below, std::string_view name, std::initializer_list<std::string_view> values);
Json healthy();                   ///< Status
std::string redfishTime(Time t);  ///< 2026-01-01T00:00:00+00:00

}  // namespace zellige::sim
