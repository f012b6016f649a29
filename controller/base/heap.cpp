#include "controller/base/heap.hpp"

#ifdef ZELLIGE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

namespace zellige {

#ifdef ZELLIGE_JEMALLOC

namespace {

std::int64_t counter(const char* name) {
  std::uint64_t bytes = 0;
  auto size = sizeof bytes;
  mallctl(name, &bytes, &size, nullptr, 0);
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

std::int64_t heapBytesOfThread() { return counter("thread.allocated") - counter("thread.deallocated"); }

#else

std::int64_t heapBytesOfThread() { return 0; }

#endif

}  // namespace zellige
