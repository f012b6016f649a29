// The site key of a data directory: what seals the BMC passwords in its database. The only place that makes one.
#pragma once

#include "controller/base/secret.hpp"
#include "controller/store/data_directory.hpp"

namespace zellige {

/// Reads `site.key`, or makes it while nothing is sealed yet. Errc::Invalid says what to do: the key is missing, or is
/// another one, and the database holds secrets that only the right one opens; others can read it; it is damaged.
Result<SecretBox> openSiteKey(const DataDirectory& directory);

}  // namespace zellige
