// What the database says of itself: words by a name, one row each.
//   site                                     its name, from the first manifest
//   events.removed_to, events.removed_hash   where the audit trail begins (retention.cpp)
//   incarnation, backup.made, restored       which life of the database this is (incarnation.hpp)
#pragma once

#include <string>
#include <string_view>

#include "controller/store/connection.hpp"

namespace zellige {

/// Empty: nothing of this name.
std::string findMeta(Connection& db, std::string_view key);
void setMeta(Connection& db, std::string_view key, const std::string& value);
void removeMeta(Connection& db, std::string_view key);

}  // namespace zellige
