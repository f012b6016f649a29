// The version of this program, as the API, the command line and the agent tell it.
#pragma once

#include <string_view>

namespace zellige {

inline constexpr std::string_view kVersion = "0.1.0";  // a test holds it to CMakeLists.txt

}  // namespace zellige
