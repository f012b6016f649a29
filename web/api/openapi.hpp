#pragma once

#include <string_view>

namespace zellige::api {

/// openapi.yaml, as it lies in the program.
std::string_view openapiText();

}  // namespace zellige::api
