// A log line is one event code plus fields; each code has an entry in docs/operations.md. Never a credential, never a
// whole body. Goes to stderr, one line each: `2026-11-23T01:39:00Z warn BMC_TIMEOUT node=12 ms=5000`.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace zellige::log {

struct Field {
  std::string_view key;
  std::string value;
};
using Fields = std::initializer_list<Field>;

void info(std::string_view code, Fields fields = {});
void warn(std::string_view code, Fields fields = {});
void error(std::string_view code, Fields fields = {});

enum class Level { Info, Warn, Error, Off };
void setLevel(Level lowest);

}  // namespace zellige::log
