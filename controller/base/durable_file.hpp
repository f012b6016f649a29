// Small files that must be whole after a crash: keys, certificates, descriptions of what was stored.
#pragma once

#include <filesystem>
#include <string_view>

#include "controller/base/result.hpp"

namespace zellige {

/// Writes `bytes` to `file` by way of a new file beside it: a crash leaves the old content or the new, never a part.
/// File and directory are synced when it returns. Nobody whom `mode` (0600, 0644) keeps out ever sees a byte.
/// Errc::Invalid: the disk or the permissions do not allow it, and why.
Result<void> writeDurably(const std::filesystem::path& file, std::string_view bytes, unsigned mode);

/// What was created, renamed or removed in it is so after a crash as well. False: the system refused.
bool syncDirectory(const std::filesystem::path& path);

}  // namespace zellige
