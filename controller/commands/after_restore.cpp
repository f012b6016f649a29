#include "controller/commands/after_restore.hpp"

#include <cstdio>
#include <fmt/format.h>

#include "controller/base/log.hpp"

namespace zellige::commands {

namespace {

namespace fs = std::filesystem;

std::string listed(const std::vector<std::string>& places) {
  std::string out;
  for (const auto& place : places)
    out += (out.empty() ? "" : ", ") + (place.empty() ? std::string("the whole site") : place);
  return out;
}

void tellOfLife(Queries& queries, bool speaks) {
  const auto life = queries.restored();
  if (!life) return;
  const auto armed = listed(life->wasArmed);
  log::warn("SERVE_DISARMED", {{"why", life->why}, {"seen", iso8601(life->at)}, {"was_armed", armed}});
  if (!speaks) return;
  fmt::print(
      "WARNING: {}.\nSo every place was disarmed, and nothing is written to any machine{}{}.\nMake sure that "
      "no other "
      "controller works on these machines; then arm again: zellige site arm PLACE\n\n",
      life->why, armed.empty() ? "" : "; armed were: ", armed);
}

void tellOfFiles(const SqliteStore& store, Queries& queries, bool speaks) {
  std::size_t missing = 0;
  std::string first;
  for (const auto& known : queries.files()) {
    if (store.content().holds(known.file.digest)) continue;
    if (missing++ == 0) first = known.file.name;
  }
  if (missing == 0) return;
  log::warn("SERVE_FILES_MISSING", {{"count", std::to_string(missing)}, {"first", first}});
  if (speaks)
    fmt::print(
        "WARNING: packages or images that the database knows are not in {}: {} in all, the first is "
        "{}.\nImport the "
        "site again (zellige import), or restore files/; until then no run can write them.\n\n",
        store.directory().files().string(), missing, first);
}

void tellOfKey(const SqliteStore& store, const Configuration& configuration, bool ranBefore, bool speaks) {
  const auto& directory = store.directory().path();
  if (!configuration.api.certificate.empty() || !ranBefore) return;
  if (fs::exists(directory / "tls.crt") && fs::exists(directory / "tls.key")) return;
  log::warn("SERVE_KEY_MISSING", {{"file", (directory / "tls.key").string()}});
  if (speaks)
    fmt::print(
        "WARNING: tls.crt and tls.key are not in {}: a new key is made.\nEverybody signs in again and "
        "compares its "
        "fingerprint (zellige login), and scripts need its pin; or stop, and restore both files.\n\n",
        directory.string());
}

}  // namespace

void tellOfRestore(const SqliteStore& store, const Configuration& configuration, bool speaks) {
  const auto queries = store.queries();
  tellOfLife(*queries, speaks);
  tellOfFiles(store, *queries, speaks);
  tellOfKey(store, configuration, !queries->users().empty(), speaks);
  std::fflush(stdout);
}

}  // namespace zellige::commands
