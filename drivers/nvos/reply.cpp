#include "drivers/nvos/reply.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/text.hpp"

namespace zellige::nvos {

std::string cut(std::string_view text, std::size_t most) { return std::string(shortened(text, most)); }

std::string text(const Json& json, std::string_view path) {
  return cut(readString(json, path).value_or(""), 256);
}

bool isGood(const HttpReply& reply) { return reply.status >= 200 && reply.status < 300; }

Error refusal(const std::string& what, const HttpReply& reply) {
  const auto json = parseJson(reply.body, {.bytes = 64u << 10, .depth = 8, .values = 200});
  auto why = json ? text(*json, "title") : std::string{};
  if (json && why.empty()) why = text(*json, "detail");
  Error error{Errc::Rejected, fmt::format("{}: HTTP {}{}{}", what, reply.status, why.empty() ? "" : ": ", why),
              false, reply.status};
  if (reply.status == 401 || reply.status == 403) error.code = Errc::Auth;
  if (reply.status == 404) error.code = Errc::NotFound;
  if (reply.status == 409) error.code = Errc::Conflict;
  if (reply.status == 429 || reply.status >= 500) error.code = Errc::Busy;
  return error;
}

}  // namespace zellige::nvos
