// JSON from outside is hostile until read with limits: bytes, depth and number of values are bounded *while* parsing.
// Read it into structs once, with the lenient readers below; nothing further in sees raw JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "controller/base/result.hpp"

namespace zellige {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t bytes = 8u << 20;  ///< measured: DGX H100 reports up to 0.5 MB (FACTS 8); 8 MiB leaves room
  std::size_t depth = 32;
  std::size_t values = 200'000;
};

/// Errc::BadReply with the byte offset and the reason. Never throws, never recurses deeper than `limits.depth`.
Result<Json> parseJson(std::string_view text, const JsonLimits& limits = {});

/// The member at `path` ("Status/Health"), or null if any part is missing or not an object.
const Json* at(const Json& object, std::string_view path);

/// Lenient readers: nullopt when missing, null or of another type.
std::optional<std::string> readString(const Json& object, std::string_view path);
std::optional<std::int64_t> readInt(const Json& object, std::string_view path);  // also from "42" and 42.0
std::optional<bool> readBool(const Json& object, std::string_view path);         // also from "true"
/// The elements of an array member; empty when it is missing or not an array.
const Json& readArray(const Json& object, std::string_view path);

}  // namespace zellige
