// From a technician's files to what the store imports: reads the bundle and copies packages and images into the content
// store. Nothing is imported yet; a file that is already there stays.
#pragma once

#include <filesystem>

#include "controller/store/content.hpp"
#include "controller/store/records.hpp"

namespace zellige {

/// Errc::Invalid: every problem, one a line, with file, line and column.
Result<SiteImport> readForImport(const std::filesystem::path& directory, const ContentStore& content);

}  // namespace zellige
