// What the heap holds. Release builds allocate with jemalloc, which takes a fifth of the CPU out of parsing and dropping
// JSON documents; the sanitizers bring their own allocator.
#pragma once

#include <cstdint>

namespace zellige {

/// Bytes that this thread has allocated more than it freed. Under a sanitizer, which does not say: 0.
std::int64_t heapBytesOfThread();

}  // namespace zellige
