#include "drivers/redfish/reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/json.hpp"

namespace zellige::redfish {

namespace {

constexpr std::size_t longestText = 300;
constexpr Seconds longestWait{3600};
constexpr JsonLimits errorLimits{256u << 10, 16, 5'000};

void readInfo(const Json& info, Told& told) {
  if (!info.is_object()) return;
  if (auto id = readString(info, "MessageId")) told.ids.push_back(std::move(*id));
  if (auto text = readString(info, "Message")) told.texts.push_back(std::move(*text));
}

void readInfos(const Json* infos, Told& told) {
  if (!infos) return;
  if (infos->is_object()) return readInfo(*infos, told);
  if (!infos->is_array()) return;
  for (const auto& info : *infos) readInfo(info, told);
}

// For people: one line, printable, not longer than it is worth.
std::string forPeople(std::string text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (text.size() > longestText) {
    auto cut = longestText;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80)
      --cut;  // not inside a character
    text.resize(cut);
    text += "…";
  }
  return text;
}

std::optional<Time> httpDate(std::string_view text) {  // "Wed, 21 Oct 2015 07:28:00 GMT"
  const std::string copy(text);
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  char month[4] = {};
  if (std::sscanf(copy.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d", &day, month, &year, &hour, &minute,
                  &second) != 6)
    return std::nullopt;
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto it = std::find(months.begin(), months.end(), std::string_view(month));
  if (it == months.end()) return std::nullopt;
  const auto date = std::chrono::year{year} / std::chrono::month{unsigned(it - months.begin() + 1)} /
                    std::chrono::day{unsigned(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         Seconds{second};
}

Errc codeOf(int status) {
  switch (status) {
    case 401: return Errc::Auth;
    case 404:
    case 410: return Errc::NotFound;
    case 405:
    case 501: return Errc::Unsupported;
    case 409:
    case 412: return Errc::Conflict;
    default: break;
  }
  if (isBusy(status)) return Errc::Busy;
  return status >= 400 && status < 500 ? Errc::Rejected : Errc::BadReply;
}

}  // namespace

bool Told::mentions(std::string_view idEnding) const {
  return std::any_of(ids.begin(), ids.end(), [&](std::string_view id) { return id.ends_with(idEnding); });
}

Told readTold(std::string_view body) {
  Told told;
  if (body.empty() || body.size() > errorLimits.bytes) return told;
  const auto json = parseJson(body, errorLimits);
  if (!json || !json->is_object()) return told;
  readInfos(at(*json, "@Message.ExtendedInfo"), told);
  readInfos(at(*json, "error/@Message.ExtendedInfo"), told);
  if (told.ids.empty())
    if (auto code = readString(*json, "error/code")) told.ids.push_back(std::move(*code));
  if (told.texts.empty())
    if (auto message = readString(*json, "error/message")) told.texts.push_back(std::move(*message));
  return told;
}

std::optional<Seconds> retryAfter(const HttpReply& reply, Time now) {
  const auto value = reply.headers.get("Retry-After");
  if (value.empty()) return std::nullopt;
  long long seconds = 0;
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (ec == std::errc{} && end == value.data() + value.size())
    return std::clamp(Seconds{std::clamp(seconds, 0LL, 3600LL)}, Seconds{0}, longestWait);
  const auto due = httpDate(value);
  if (!due) return std::nullopt;
  const auto from = httpDate(reply.headers.get("Date")).value_or(now);
  return std::clamp(std::chrono::ceil<Seconds>(*due - from), Seconds{0}, longestWait);
}

bool wantsPasswordChange(const HttpReply& reply) {
  if (reply.status != 403) return false;
  if (readTold(reply.body).mentions("PasswordChangeRequired")) return true;
  const auto begin = reply.body.find_first_not_of(" \t\r\n");
  const bool page = begin != std::string::npos && reply.body[begin] == '<';
  return page && reply.body.find("PasswordChangeRequired") != std::string::npos;
}

bool sessionTableFull(const HttpReply& reply) {
  if (reply.status < 400) return false;
  const auto told = readTold(reply.body);
  return told.mentions("RAC0218") || told.mentions("SessionLimitExceeded");
}

bool isBusy(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

Error refusal(std::string_view method, std::string_view uri, const HttpReply& reply, Time now, bool secret) {
  const auto told = readTold(reply.body);
  Error error;
  error.httpStatus = reply.status;
  error.code = wantsPasswordChange(reply) ? Errc::PasswordExpired : codeOf(reply.status);
  if (sessionTableFull(reply)) error.code = Errc::Busy;
  error.retryAfter = retryAfter(reply, now).value_or(Seconds{0});
  if (reply.status >= 300 && reply.status < 400) {
    const auto where = secret ? std::string{}
                              : fmt::format(" ({})", forPeople(std::string(reply.headers.get("Location"))));
    error.what = fmt::format("{} {}: {}: the BMC sends us elsewhere{}; redirects are not followed", method,
                             uri, reply.status, where);
    return error;
  }
  const auto& words = secret || told.texts.empty() ? told.ids : told.texts;
  const auto text = words.empty() ? std::string{}
                                  : ": " + forPeople(fmt::format("{}", fmt::join(words, "; ")));
  error.what = fmt::format("{} {}: {}{}", method, uri, reply.status, text);
  // A refusal (4xx, and 501, 503: not now) was not applied. Any other 5xx to a write may have been.
  const bool refused = reply.status < 500 || reply.status == 501 || reply.status == 503;
  error.outcomeUnknown = method != "GET" && !refused;
  return error;
}

bool isNotThere(const Error& error) {
  return error.cause.empty() && (error.code == Errc::NotFound || error.code == Errc::Unsupported);
}

bool concernsTheResourceOnly(const Error& error) {
  switch (error.code) {
    case Errc::NotFound:
    case Errc::Busy:
    case Errc::BadReply:
    case Errc::Rejected:
    case Errc::Unsupported:
    case Errc::Conflict: return error.cause.empty();  // bmc.certificate_changed is about the machine
    case Errc::Unreachable:
    case Errc::Timeout:
    case Errc::Auth:
    case Errc::PasswordExpired:
    case Errc::NotArmed:
    case Errc::Invalid: return false;
  }
  return false;
}

}  // namespace zellige::redfish
