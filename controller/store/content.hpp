// The content store: files by the SHA-256 of what is in them, under files/<first 2 digits>/<digest>. A file that is
// there is whole: it was verified while it was copied, synced, and then renamed into place.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "controller/base/result.hpp"
#include "controller/model/catalog.hpp"

namespace zellige {

class ContentStore {
 public:
  explicit ContentStore(std::filesystem::path root) : root_(std::move(root)) {}

  /// Copies a file in. Blocks for as long as the disk needs; call it off the engine's thread. `digest` (hex) may be
  /// empty: whatever is read is stored. Errc::Invalid: the file is not what its digest says. NotFound: no such file.
  Result<StoredFile> importFile(const std::filesystem::path& source, std::string_view digest) const;
  /// Empty if `digest` is not 64 lower-case hex digits, so that nothing from outside becomes a path.
  std::filesystem::path pathOf(std::string_view digest) const;
  bool holds(std::string_view digest) const;

 private:
  std::filesystem::path root_;
};

}  // namespace zellige
