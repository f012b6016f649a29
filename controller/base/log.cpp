#include "controller/base/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace zellige::log {

namespace {

spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("zellige", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%SZ %l %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *logger;
}

// Quoted when it has spaces or control characters, so that a line stays a line and its fields can be told apart.
std::string shown(std::string_view value) {
  bool plain = !value.empty();
  for (const char c : value) plain = plain && c > ' ' && c != '"' && c != '=' && c != 127;
  return plain ? std::string(value) : fmt::format("{:?}", value);
}

std::string line(std::string_view code, Fields fields) {
  std::string text(code);
  for (const auto& f : fields) text += fmt::format(" {}={}", f.key, shown(f.value));
  return text;
}

}  // namespace

void info(std::string_view code, Fields fields) { sink().info(line(code, fields)); }
void warn(std::string_view code, Fields fields) { sink().warn(line(code, fields)); }
void error(std::string_view code, Fields fields) { sink().error(line(code, fields)); }

void setLevel(Level lowest) {
  switch (lowest) {
    case Level::Info: sink().set_level(spdlog::level::info); return;
    case Level::Warn: sink().set_level(spdlog::level::warn); return;
    case Level::Error: sink().set_level(spdlog::level::err); return;
    case Level::Off: sink().set_level(spdlog::level::off); return;
  }
}

}  // namespace zellige::log
