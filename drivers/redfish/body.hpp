// Bodies of one property. In a function because g++ 12 cannot compile nested braces of Json inside a coroutine.
#pragma once

#include <string>
#include <string_view>

#include "controller/base/json.hpp"

namespace zellige::redfish {

std::string bodyOf(std::string_view property, Json value);

}  // namespace zellige::redfish
