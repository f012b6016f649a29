// multipart/form-data as a BMC receives it (RFC 7578), read with limits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/base/result.hpp"

namespace zellige::sim {

struct FormPart {
  std::string name, fileName;
  std::string_view body;  ///< into the request's body
};

/// At most 8 parts, 8 KiB of headers each, a boundary of at most 70 characters. Errc::Invalid with the
/// reason.
Result<std::vector<FormPart>> readForm(std::string_view contentType, std::string_view body);

}  // namespace zellige::sim
