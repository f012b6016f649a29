// Whether this database is the one that its data directory last ran. One that was restored from a backup, copied with its
// directory, or put in the place of a newer one may be old, and another controller may be at work on the same machines:
// so it starts disarmed (DESIGN 5). A plain restart, a kill and an upgrade are none of that.
//
// An incarnation is one start of one database in one directory. Its random name is in the database (meta 'incarnation')
// and in the file `incarnation` of the directory, so that each tells whether the other is the one it was last with; both
// get a new name at every start, so that an older copy has an older one. The file also says in which seat the database
// was: a copy of the whole directory takes both names along, but sits elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "controller/base/secret.hpp"
#include "controller/store/connection.hpp"
#include "controller/store/data_directory.hpp"
#include "controller/store/records.hpp"

namespace zellige {

/// Where a database is: what a copy of it does not share. Device numbers are not in it, they change with a reboot.
struct Seat {
  std::string machine;  ///< keyed digest of the machine id, which is to be told to nobody; empty: there is none
  std::uint64_t inode = 0;  ///< of the database file
  std::int64_t born = 0;    ///< its birth, ns since 1970; 0: the file system does not tell
};
/// `root` is where /etc/machine-id is looked for, and /run/machine-id, which says that it holds for this boot alone.
Seat seatOf(const std::filesystem::path& database, const std::filesystem::path& root = "/");

/// Begins the next life of the database, before anything else is done with it. If it is not the one that the directory
/// last ran, every arming and every order to an agent is withdrawn and every running campaign paused, in one transaction,
/// with events that say why.
/// Errc::Invalid: the file `incarnation` cannot be written, or is not one of ours.
Result<void> beginLife(Connection& db, const DataDirectory& directory, const Seat& seat, const SecretBox& box,
                       Time now);

inline constexpr std::string_view kIncarnation = "incarnation", kBackupMade = "backup.made",
                                  kRestored = "restored";
/// Until a person arms a place.
std::optional<Restored> findRestored(Connection& db);

}  // namespace zellige
