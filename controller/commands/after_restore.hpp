// What a person must hear at the start of a controller whose data directory was restored, copied or put together.
#pragma once

#include "controller/site/configuration.hpp"
#include "controller/store/sqlite_store.hpp"

namespace zellige::commands {

/// Before anything is made that is missing: says that the database begins another life, disarmed; which packages and
/// images are not there; that the TLS key is not. In the log, and in words on standard output if `speaks`.
void tellOfRestore(const SqliteStore& store, const Configuration& configuration, bool speaks);

}  // namespace zellige::commands
