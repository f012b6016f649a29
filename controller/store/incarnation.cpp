#include "controller/store/incarnation.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/stat.h>

#include "controller/base/digest.hpp"
#include "controller/base/durable_file.hpp"
#include "controller/store/apply.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/events.hpp"
#include "controller/store/meta.hpp"

namespace zellige {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 4096;

/// What the data directory remembers.
struct Remembered {
  std::vector<std::string> names;  ///< that its database may bear: two while a start is under way; "": none yet
  Seat seat;
};

fs::path fileIn(const DataDirectory& directory) { return directory.path() / "incarnation"; }

std::optional<Remembered> readRemembered(const std::string& text) {
  const auto json = parseJson(text, {.bytes = kMostBytes, .depth = 2, .values = 16});
  if (!json) return std::nullopt;
  const auto machine = readString(*json, "machine");
  const auto inode = readInt(*json, "inode"), born = readInt(*json, "born");
  if (!machine || !inode || !born) return std::nullopt;
  Remembered out{{}, {*machine, static_cast<std::uint64_t>(*inode), *born}};
  for (const auto& name : readArray(*json, "names")) {
    if (!name.is_string()) return std::nullopt;
    out.names.push_back(name.get<std::string>());
  }
  if (out.names.empty()) return std::nullopt;
  return out;
}

/// nullopt: no database has run in this directory.
Result<std::optional<Remembered>> recall(const DataDirectory& directory) {
  const auto file = fileIn(directory);
  std::error_code error;
  if (!fs::exists(file, error) && !error) return std::optional<Remembered>{};
  std::string text(kMostBytes, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(text.data(), kMostBytes);
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto remembered = readRemembered(text);
  if (remembered) return remembered;
  return Error{Errc::Invalid,
               fmt::format("{} cannot be read, or is damaged: remove it and start again; every place is then "
                           "disarmed, and you arm it again when you know that no other controller works on "
                           "the machines",
                           file.string())};
}

Result<void> remember(const DataDirectory& directory, const Remembered& what) {
  const Json json{{"names", what.names},
                  {"machine", what.seat.machine},
                  {"inode", static_cast<std::int64_t>(what.seat.inode)},
                  {"born", what.seat.born}};
  return writeDurably(fileIn(directory), canonical(json) + "\n", 0600);
}

/// Why the database cannot be the one that the directory last ran; empty: it is that one, or the first.
std::string otherwise(Connection& db, const std::string& name, const std::optional<Remembered>& last,
                      const Seat& seat) {
  if (const auto made = findMeta(db, kBackupMade); !made.empty())
    return fmt::format("the database is the backup that was made at {}", made);
  if (!last) return name.empty() ? "" : "the database has never run in this data directory";
  if (std::find(last->names.begin(), last->names.end(), name) == last->names.end())
    return "the database is not the one that last ran in this data directory: it is an older copy, or "
           "another site's";
  const auto& before = last->seat;
  if (!before.machine.empty() && !seat.machine.empty() && before.machine != seat.machine)
    return "the data directory was copied or moved here from another machine";
  const bool otherBirth = before.born != 0 && seat.born != 0 && before.born != seat.born;
  if (before.inode != seat.inode || otherBirth)
    return "the database file is a copy: it, or the whole data directory, was copied or moved to another "
           "file system";
  return {};
}

std::vector<std::string> armedPlaces(Connection& db) {
  std::vector<std::string> out;
  auto q = db.query("SELECT place FROM armed_place ORDER BY place");
  while (q.step()) out.push_back(q.text(0));
  return out;
}

// Nothing holds a campaign back once its place is armed, and its baseline may be older than what the nodes have by now.
std::size_t pauseCampaigns(Writing& w, const std::string& why) {
  std::vector<CampaignId> running;
  {
    auto q = w.db.query("SELECT id FROM campaign WHERE state = 'running'");
    while (q.step()) running.push_back({q.integer(0)});
  }
  for (const auto id : running) {
    const MoveCampaign pause{id, CampaignState::Running, CampaignState::Paused,
                             why + "; resume it when its nodes still need it"};
    if (const auto paused = apply(w, pause); !paused) throw std::logic_error(paused.error().what);
  }
  return running.size();
}

void withdraw(Writing& w, const std::string& why) {
  auto armed = armedPlaces(w.db);
  w.db.query("DELETE FROM armed_place").run();
  for (const auto& place : armed) w.event("place.disarmed", {}, {}, {{"place", place}, {"why", why}});
  // An agent does what it was told last, whenever it asks; the runs order again what they still want, once armed.
  const auto orders = w.db.query(
                              "UPDATE agent SET order_id = '', order_json = NULL, order_seed = NULL "
                              "WHERE json_extract(order_json, '$.kind') <> 'wait'")
                          .run();
  const auto paused = pauseCampaigns(w, why);
  w.event("site.restored", {}, {}, {{"why", why}, {"orders_withdrawn", orders}, {"campaigns_paused", paused}});
  // Restored twice and armed never: what was armed before the first time is still what a person wants to know.
  if (const auto before = findRestored(w.db); before && armed.empty()) armed = before->wasArmed;
  setMeta(w.db, kRestored, canonical({{"at", toMillis(w.at)}, {"why", why}, {"was_armed", armed}}));
  removeMeta(w.db, kBackupMade);
}

void rename(Connection& db, const std::string& name, const std::string& why, const SecretBox& box, Time now) {
  db.script("BEGIN IMMEDIATE");
  try {
    EventChain chain(db);
    Writing writing{db, chain, box, now, "engine"};
    setMeta(db, kIncarnation, name);
    if (!why.empty()) withdraw(writing, why);
    db.script("COMMIT");
  } catch (...) {
    try {
      db.script("ROLLBACK");
    } catch (const StoreFailure&) {
      // SQLite has rolled back by itself.
    }
    throw;
  }
}

}  // namespace

Seat seatOf(const fs::path& database, const fs::path& root) {
  Seat seat;
  std::string id;
  std::error_code error;
  if (!fs::exists(root / "run/machine-id", error)) std::ifstream(root / "etc/machine-id") >> id;
  if (!id.empty()) seat.machine = sha256Hex("zellige seat " + id);
  struct statx info {};
  if (::statx(AT_FDCWD, database.c_str(), 0, STATX_INO | STATX_BTIME, &info) != 0) return seat;
  seat.inode = info.stx_ino;
  if ((info.stx_mask & STATX_BTIME) != 0)
    seat.born = info.stx_btime.tv_sec * 1'000'000'000 + info.stx_btime.tv_nsec;
  return seat;
}

// The file first, then the database: killed in between, a known database still bears a name that the file allows, and
// one that is not known still does not.
Result<void> beginLife(Connection& db, const DataDirectory& directory, const Seat& seat, const SecretBox& box,
                       Time now) {
  const auto last = recall(directory);
  if (!last) return last.error();
  const auto before = findMeta(db, kIncarnation), name = randomHex(16);
  const auto why = otherwise(db, before, *last, seat);
  Remembered next{{name}, seat};
  if (why.empty()) next.names.push_back(before);
  if (auto written = remember(directory, next); !written) return written;
  rename(db, name, why, box, now);
  return remember(directory, {{name}, seat});
}

std::optional<Restored> findRestored(Connection& db) {
  const auto text = findMeta(db, kRestored);
  if (text.empty()) return std::nullopt;
  const auto json = readStored(text);
  return Restored{fromMillis(json.at("at").get<std::int64_t>()), json.at("why").get<std::string>(),
                  json.at("was_armed").get<std::vector<std::string>>()};
}

}  // namespace zellige
