#include "drivers/simulator/reply.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace zellige::sim {

namespace {

Json messageJson(std::string_view message, std::string_view text, std::string_view severity) {
  return {{"@odata.type", "#Message.v1_1_1.Message"},
          {"Message", text},
          {"MessageArgs", Json::array()},
          {"MessageId", fmt::format("Base.1.18.1.{}", message)},
          {"MessageSeverity", severity},
          {"Resolution", "None."}};
}

}  // namespace

HttpReply jsonReply(int status, const Json& body) {
  HttpReply reply{status, {}, body.dump()};
  reply.headers.add("Content-Type", "application/json");
  reply.headers.add("OData-Version", "4.0");
  return reply;
}

HttpReply noContent() { return HttpReply{204, {}, {}}; }

HttpReply errorReply(int status, std::string_view message, std::string_view text) {
  return jsonReply(status, {{"error",
                             {{"@Message.ExtendedInfo", Json::array({messageJson(message, text, "Critical")})},
                              {"code", fmt::format("Base.1.18.1.{}", message)},
                              {"message", text}}}});
}

HttpReply badParameter(std::string_view name) {
  return errorReply(400, "ActionParameterNotSupported",
                    fmt::format("The parameter {} is not supported.", name));
}

HttpReply unavailable(std::string_view text, int retryAfterSeconds) {
  auto reply = errorReply(503, "ServiceTemporarilyUnavailable", text);
  reply.headers.add("Retry-After", std::to_string(retryAfterSeconds));
  return reply;
}

HttpReply success() {
  return jsonReply(200,
                   {{"@Message.ExtendedInfo",
                     Json::array({messageJson("Success", "The request completed successfully.", "OK")})}});
}

std::string etagOf(const std::string& body) {
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return fmt::format("\"{:08X}\"", hash);
}

}  // namespace zellige::sim
