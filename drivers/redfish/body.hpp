// Bodies of one property. In a function because g++ 12 cannot compile nested braces of Json inside a coroutine.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "controller/base/json.hpp"

namespace zellige::redfish {

inline std::string bodyOf(std::string_view property, Json value) {
  Json body = Json::object();
  body[std::string(property)] = std::move(value);
  return body.dump();
}

}  // namespace zellige::redfish
