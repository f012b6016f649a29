#include "controller/site/image.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <vector>

#include "controller/base/digest.hpp"

namespace zellige {

namespace {

constexpr std::uint64_t blockSize = 1u << 20;
constexpr std::uint64_t mostChunks = 1'000'000;

}  // namespace

Result<ImageManifest> chunkImage(const std::filesystem::path& file, std::uint64_t chunkSize) {
  std::error_code trouble;
  if (!std::filesystem::is_regular_file(file, trouble))
    return Error{Errc::NotFound, fmt::format("no file {}", file.string())};
  ImageManifest manifest;
  manifest.size = std::filesystem::file_size(file, trouble);
  manifest.chunkSize = chunkSize;
  std::ifstream in(file, std::ios::binary);
  if (trouble || !in) return Error{Errc::NotFound, fmt::format("cannot open {}", file.string())};
  if (manifest.size == 0) return Error{Errc::Invalid, fmt::format("{} is empty", file.string())};
  if (chunkSize == 0 || (manifest.size - 1) / chunkSize >= mostChunks)
    return Error{Errc::Invalid, fmt::format("{}: {} bytes in chunks of {}: at most {} chunks", file.string(),
                                            manifest.size, chunkSize, mostChunks)};

  std::vector<char> block(std::min(blockSize, chunkSize));
  Sha256 whole;
  for (std::uint64_t done = 0; done < manifest.size;) {
    Sha256 chunk;
    const auto end = std::min(done + std::min(chunkSize, manifest.size - done), manifest.size);
    while (done < end) {
      const auto wanted = std::min<std::uint64_t>(block.size(), end - done);
      if (!in.read(block.data(), static_cast<std::streamsize>(wanted)))
        return Error{Errc::Invalid, fmt::format("{} could not be read past byte {}", file.string(), done)};
      const std::string_view bytes(block.data(), wanted);
      chunk.add(bytes);
      whole.add(bytes);
      done += wanted;
    }
    manifest.chunkDigests.push_back(chunk.hex());
  }
  if (in.peek() != std::ifstream::traits_type::eof())
    return Error{Errc::Invalid, fmt::format("{} grew while it was read", file.string())};
  manifest.digest = whole.hex();
  return manifest;
}

}  // namespace zellige
