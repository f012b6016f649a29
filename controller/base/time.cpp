#include "controller/base/time.hpp"

#include <charconv>
#include <fmt/format.h>

namespace zellige {

namespace {

/// Takes what is expected from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(int& number, std::size_t digits, int low, int high) {
    if (rest_.size() < digits) return false;
    const auto* end = rest_.data() + digits;
    const auto read = std::from_chars(rest_.data(), end, number);
    rest_.remove_prefix(digits);
    return read.ec == std::errc{} && read.ptr == end && number >= low && number <= high;
  }
  /// The digits of a fraction, as milliseconds.
  int fraction() {
    int ms = 0, weight = 100;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
         rest_.remove_prefix(1), weight /= 10)
      ms += (rest_.front() - '0') * weight;
    return ms;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<Time> readIso8601(std::string_view text) {
  Reader in(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, hours = 0, minutes = 0, sign = 0;
  if (!in.take(year, 4, 1970, 9999) || !in.take('-') || !in.take(month, 2, 1, 12) || !in.take('-') ||
      !in.take(day, 2, 1, 31) || !in.take('T') || !in.take(hour, 2, 0, 23) || !in.take(':') ||
      !in.take(minute, 2, 0, 59) || !in.take(':') || !in.take(second, 2, 0, 59))
    return std::nullopt;
  if (in.take('.')) ms = in.fraction();
  if (!in.take('Z')) sign = in.take('+') ? 1 : in.take('-') ? -1 : 0;
  if (sign != 0 && (!in.take(hours, 2, 0, 23) || !in.take(':') || !in.take(minutes, 2, 0, 59)))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!in.empty() || !date.ok()) return std::nullopt;
  const Time read{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{hour - sign * hours} +
                  std::chrono::minutes{minute - sign * minutes} + std::chrono::seconds{second} + Duration{ms}};
  if (read < Time{}) return std::nullopt;
  return read;
}

std::string iso8601(Time t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{t - day};
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                          unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                          clock.seconds().count());
  if (const auto ms = clock.subseconds().count(); ms != 0) text += fmt::format(".{:03}", ms);
  return text + "Z";
}

}  // namespace zellige
