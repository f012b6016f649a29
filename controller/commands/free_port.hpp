// Where a port must be known before its listener starts: a provisioning URL goes into boot media.
#pragma once

#include <cstdint>

namespace zellige::commands {

/// A TCP port of 127.0.0.1 that was free a moment ago. Throws std::runtime_error where there is none.
std::uint16_t freePort();

}  // namespace zellige::commands
