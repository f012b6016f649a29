// The numbered, forward-only migrations in migrations/ (SQL inside a C++ raw string, so that they are part of the
// program) and how they are applied. A released migration is never edited: its checksum is kept in the database.
#pragma once

#include <span>
#include <string_view>

#include "controller/base/result.hpp"
#include "controller/base/time.hpp"
#include "controller/store/connection.hpp"

namespace zellige {

struct Migration {
  std::int64_t number;
  std::string_view sql;
};
std::span<const Migration> migrations();

/// Brings the database up to the last of `wanted`; each migration is one transaction with its record.
/// Errc::Invalid: written by a newer program, changed after release, or not ours at all; says what to do.
Result<void> migrate(Connection& db, std::span<const Migration> wanted, Time now);

}  // namespace zellige
