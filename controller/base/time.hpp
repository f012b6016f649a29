// Instants and durations. Everything stored is UTC milliseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zellige {

using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Seconds = std::chrono::seconds;
using namespace std::chrono_literals;

inline std::int64_t toMillis(Time t) { return t.time_since_epoch().count(); }
inline double inSeconds(Duration span) { return std::chrono::duration<double>(span).count(); }
inline Time fromMillis(std::int64_t ms) { return Time{Duration{ms}}; }

/// `2026-11-23T01:39:00Z`; milliseconds are shown only when they are not zero.
std::string iso8601(Time t);
/// What iso8601() writes, and what BMCs write: "2026-11-23T01:39:00+01:00", with or without a fraction of a second and
/// an offset. nullopt: something else, or before 1970.
std::optional<Time> readIso8601(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

}  // namespace zellige
