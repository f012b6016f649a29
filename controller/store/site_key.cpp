#include "controller/store/site_key.hpp"

#include <fmt/format.h>

#include "controller/store/connection.hpp"

namespace zellige {

namespace {

constexpr int kSample = 20;  ///< one damaged row must not look like a wrong key

/// Some of what is sealed in the database; none where there is no database, or none of ours.
std::vector<std::string> sealedSecrets(const std::filesystem::path& database) {
  std::vector<std::string> out;
  if (!std::filesystem::exists(database)) return out;
  Connection db(database, {});
  if (db.number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('access', 'agent')") != 2)
    return out;
  auto q = db.query(
      "SELECT password FROM access WHERE password <> '' UNION ALL "
      "SELECT next_password FROM access WHERE next_password <> '' UNION ALL "
      "SELECT session_token FROM access WHERE session_token <> '' UNION ALL "
      "SELECT order_seed FROM agent WHERE order_seed <> '' LIMIT ?");
  q.bind(kSample);
  while (q.step()) out.push_back(q.text(0));
  return out;
}

Error wrongKey(const std::filesystem::path& file, std::string_view what) {
  return {
      Errc::Invalid,
      fmt::format("the site key {} {}, and the database holds BMC passwords that were sealed with it. "
                  "Restore site.key from the backup of this data directory (docs/operations.md: the copy is "
                  "kept apart from the database). Only if it is lost for good: move zellige.db away, start "
                  "anew, and import the manifest with the passwords that the BMCs have now",
                  file.string(), what)};
}

}  // namespace

Result<SecretBox> openSiteKey(const DataDirectory& directory) {
  const auto file = directory.path() / "site.key";
  std::vector<std::string> sealed;
  try {
    sealed = sealedSecrets(directory.database());
  } catch (const StoreFailure& e) {
    return Error{Errc::Invalid, e.what()};
  }
  auto box = SecretBox::read(file);
  if (!box && box.error().code == Errc::NotFound)
    return sealed.empty() ? SecretBox::make(file) : Result<SecretBox>(wrongKey(file, "is missing"));
  if (!box) return box;
  bool opens = sealed.empty();
  for (const auto& secret : sealed) opens = opens || box->open(secret);
  if (!opens) return wrongKey(file, "is another one");
  return box;
}

}  // namespace zellige
