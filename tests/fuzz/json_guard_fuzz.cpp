// Any bytes given to the guarded JSON parser: it must refuse or give a document that can be read, copied and
// dumped.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "controller/base/json.hpp"
#include "controller/protocol/agent.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zellige;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const JsonLimits limits{.bytes = 1u << 16, .depth = 16, .values = 1000};
  const auto json = parseJson(text, limits);
  if (!json) {
    if (json.error().what.empty()) std::abort();  // a refusal says why
    return 0;
  }
  const auto copy = *json;
  const auto dumped = copy.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!parseJson(dumped, {.bytes = 1u << 24, .depth = 16, .values = 1000})) std::abort();
  for (const auto* path : {"Id", "Status/Health", "a/b/c", ""}) {
    (void)readString(copy, path);
    (void)readInt(copy, path);
    (void)readBool(copy, path);
    (void)readArray(copy, path).size();
  }
  (void)agentReportFromJson(text);
  (void)agentOrderFromJson(text);
  (void)imageManifestFromJson(text);
  return 0;
}
