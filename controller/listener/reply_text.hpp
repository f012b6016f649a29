// HttpReply into bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "controller/base/http_message.hpp"

namespace zellige::listener {

/// The status line and headers, with the empty line. `length`: of the body; nullopt: chunked. The reply's own
/// Content-Length, Transfer-Encoding and Connection are left out, control characters become spaces.
std::string headText(const HttpReply& reply, std::optional<std::uint64_t> length, bool close);

/// True for statuses that have neither body nor Content-Length.
bool isBodiless(int status);

/// One chunk of a chunked body; the empty one ends it.
std::string chunkText(std::string_view bytes);

/// A problem document (RFC 9457) for what the server itself refuses.
HttpReply refusal(int status);

}  // namespace zellige::listener
