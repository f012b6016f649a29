#include "drivers/redfish/body.hpp"

#include <nlohmann/json.hpp>

namespace zellige::redfish {

std::string bodyOf(std::string_view property, Json value) {
  Json body = Json::object();
  body[std::string(property)] = std::move(value);
  return body.dump();
}

}  // namespace zellige::redfish
