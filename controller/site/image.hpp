// OS images: a raw disk image, cut into chunks that are hashed one by one, so that an agent checks each
// before a byte of it counts as written, and any HTTP cache may relay them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "controller/base/result.hpp"
#include "controller/protocol/agent.hpp"

namespace zellige {

/// Bytes. 4 MiB: a 12 GB image has 3,000 chunks (190 KB of digests), and a broken connection costs at most
/// one.
constexpr std::uint64_t defaultChunkSize = 4u << 20;

/// Reads the file once, in blocks. Errc::NotFound: no such regular file; Errc::Invalid: empty, unreadable,
/// changed while it was read, more than a million chunks, or a chunk size of 0.
Result<ImageManifest> chunkImage(const std::filesystem::path& file,
                                 std::uint64_t chunkSize = defaultChunkSize);

}  // namespace zellige
