// What a reply means: which Errc a refusal is, what the machine says about it, when to come again.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/http_message.hpp"
#include "controller/base/result.hpp"
#include "controller/base/time.hpp"

namespace zellige::redfish {

/// @Message.ExtendedInfo of an error or of a success, a list or a single object (FACTS 7), plus error.message.
struct Told {
  std::vector<std::string> ids, texts;
  bool mentions(std::string_view idEnding) const;
};
Told readTold(std::string_view body);

/// Retry-After in seconds or as a date; a date is taken against the reply's own Date where it has one, because BMC
/// clocks may say 1970 (FACTS 8). At most an hour.
std::optional<Seconds> retryAfter(const HttpReply& reply, Time now);

/// 403 with a MessageId ending PasswordChangeRequired, in JSON or in an XHTML page.
bool wantsPasswordChange(const HttpReply& reply);
/// The session table is full: Dell's RAC0218, or SessionLimitExceeded (FACTS 7).
bool sessionTableFull(const HttpReply& reply);

/// 429, 500, 502, 503, 504: ask again later.
bool isBusy(int status);

/// The Error for a reply that is not a success. `secret`: the request carried one, so the machine's words, which may
/// quote it, are left out and only MessageIds are shown.
Error refusal(std::string_view method, std::string_view uri, const HttpReply& reply, Time now,
              bool secret = false);

/// It answered that there is no such thing. Busy, cut short and the like say nothing about what is there.
bool isNotThere(const Error& error);
/// The machine is there and talks to us: only this resource could not be given. (False for no contact, credentials.)
bool concernsTheResourceOnly(const Error& error);

}  // namespace zellige::redfish
