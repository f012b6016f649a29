// Replies as bmcweb writes them: JSON bodies, errors with @Message.ExtendedInfo. Internal.
#pragma once

#include <string>
#include <string_view>

#include "controller/base/http_message.hpp"
#include "controller/base/json.hpp"

namespace zellige::sim {

HttpReply jsonReply(int status, const Json& body);
HttpReply noContent();
/// `message` is a key of the Base registry: "ResourceNotFound".
HttpReply errorReply(int status, std::string_view message, std::string_view text);
/// An action has no parameter of this name, or not with this value.
HttpReply badParameter(std::string_view name);
HttpReply unavailable(std::string_view text, int retryAfterSeconds);
/// The success body of bmcweb's actions.
HttpReply success();
/// `"1A2B3C4D"`: the exact tag of what `body` shows.
std::string etagOf(const std::string& body);

}  // namespace zellige::sim
