// What a switch tray's system answers, read with limits.
#pragma once

#include <string>
#include <string_view>

#include "controller/base/http_message.hpp"
#include "controller/base/json.hpp"
#include "controller/base/result.hpp"

namespace zellige::nvos {

std::string cut(std::string_view text, std::size_t most);
/// At most 256 bytes; empty where there is none.
std::string text(const Json& json, std::string_view path);
/// It did what it was asked, and whoever asked was let in.
bool isGood(const HttpReply& reply);
/// A definite answer that says no.
Error refusal(const std::string& what, const HttpReply& reply);

}  // namespace zellige::nvos
