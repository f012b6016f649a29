#include "controller/site/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>

namespace zellige {

namespace {

constexpr std::string_view hexDigits = "0123456789abcdef";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The digits between separators, if these stand where a MAC has them: every 2 digits (':' or '-'), every 4
/// ('.').
std::optional<std::string> macDigits(std::string_view text) {
  std::string digits;
  const char separator = text.size() == 17 ? text[2] : text.size() == 14 ? '.' : '\0';
  const std::size_t group = text.size() == 17 ? 2 : text.size() == 14 ? 4 : 12;
  if (text.size() == 17 && separator != ':' && separator != '-') return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % (group + 1) == group) {
      if (text[i] != separator) return std::nullopt;
    } else {
      digits += lower(text[i]);
    }
  }
  const auto isHex = [](char c) { return hexDigits.find(c) != std::string_view::npos; };
  if (digits.size() != 12 || !std::all_of(digits.begin(), digits.end(), isHex)) return std::nullopt;
  return digits;
}

}  // namespace

std::optional<std::string> canonicalMac(std::string_view text) {
  const auto digits = macDigits(text);
  if (!digits || digits->find_first_not_of('0') == std::string::npos) return std::nullopt;
  if (hexDigits.find((*digits)[1]) % 2 == 1) return std::nullopt;  // the group bit
  std::string mac;
  for (std::size_t i = 0; i < 12; i += 2) {
    if (i) mac += ':';
    mac += digits->substr(i, 2);
  }
  return mac;
}

std::optional<std::string> canonicalAddress(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string address(text);
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (in_addr four{}; inet_pton(AF_INET, address.c_str(), &four) == 1) {
    const auto first = ntohl(four.s_addr) >> 24;
    if (first == 0 || first >= 224) return std::nullopt;
    return inet_ntop(AF_INET, &four, out.data(), out.size());
  }
  if (in6_addr six{}; inet_pton(AF_INET6, address.c_str(), &six) == 1) {
    const bool unspecified = std::all_of(std::begin(six.s6_addr), std::end(six.s6_addr),
                                         [](auto b) { return b == 0; });
    if (unspecified || six.s6_addr[0] == 0xFF) return std::nullopt;
    return inet_ntop(AF_INET6, &six, out.data(), out.size());
  }
  return std::nullopt;
}

std::optional<std::string> canonicalHost(std::string_view text) {
  if (auto address = canonicalAddress(text)) return address;
  const auto fits = [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  const bool numeric = text.find_first_not_of("0123456789.") ==
                       std::string_view::npos;  // a wrong address, or empty
  if (numeric || text.size() > 253 || text.front() == '-' || text.front() == '.') return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), fits)) return std::nullopt;
  return std::string(text);
}

std::optional<NumericEndpoint> readEndpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  NumericEndpoint out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  out.ip = host;
  if (out.isEveryAddress()) return out;
  const auto canonical = canonicalAddress(host);
  if (!canonical) return std::nullopt;
  out.ip = *canonical;
  return out;
}

}  // namespace zellige
