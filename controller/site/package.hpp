// A firmware package as it comes from a vendor, opened far enough to know which versions it holds: PLDM (pldm.hpp), or
// OpenBMC's form, a tar file that begins with a MANIFEST (power shelves: FACTS 6). Hostile until read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "controller/base/result.hpp"

namespace zellige {

/// Errc::NotFound: there is no such file. Errc::Invalid: it is neither form, or damaged, and how.
Result<std::vector<std::string>> versionsOfPackage(const std::filesystem::path& file);

/// The version in the MANIFEST at the beginning of a tar file. `head`: at least its first 4 KiB, or all of it.
Result<std::string> versionOfTar(std::string_view head);
bool isTar(std::string_view head);

}  // namespace zellige
