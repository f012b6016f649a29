// Expected failure as a value. A broken program or database is an exception that ends the process (STYLE 3.7).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace zellige {

/// What went wrong, as the retry rules see it. Persisted by name (`name()`), never by number.
enum class Errc {
  Unreachable,      ///< no connection, or it broke
  Timeout,          ///< connected, no complete reply in time
  Auth,             ///< credentials refused, confirmed once
  PasswordExpired,  ///< signed in, but only the own password may be changed
  NotFound,         ///< 404, or a link that is not there
  Conflict,         ///< compare-and-set lost, 409, 412 after the ETag ladder
  Busy,             ///< 503 and its kin: ask again later
  Rejected,         ///< the device or the store said no; nothing happened
  BadReply,         ///< the reply could not be believed: too big, too deep, wrong type, cut short
  Unsupported,      ///< the device has no such thing
  NotArmed,         ///< a write was asked for in a place that is in observe mode; nothing was sent
  Invalid,          ///< input from a person or a file is wrong
};

std::string_view name(Errc code);

struct Error {
  Errc code = Errc::BadReply;
  std::string what;                    ///< for a technician: what was asked, of whom, what came back
  bool outcomeUnknown = false;         ///< the request may have been applied: only a look can tell
  int httpStatus = 0;                  ///< 0: there was no reply
  std::chrono::seconds retryAfter{0};  ///< what the device asked for; 0: it did not say
  std::string cause;  ///< cause code of the finding this must become; empty: the retry rules decide
  bool left = false;  ///< the request, or a part of it, went out: the device may have judged what it said
};

/// A finding's worth of failure: the run ends with this cause code.
inline Error failure(std::string_view cause, std::string what) {
  return Error{Errc::Rejected, std::move(what), false, 0, std::chrono::seconds{0}, std::string(cause)};
}

template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }
  Error& error() { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }
  Error& error() { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace zellige
