// Addresses of BMCs in one spelling, so that two spellings of one address are seen to be the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zellige {

/// "3C-6D-66-00-00-01", "3c6d.6600.0001", "3c6d66000001" → "3c:6d:66:00:00:01". nullopt: not six bytes, all
/// zero, or a group address (no machine has one).
std::optional<std::string> canonicalMac(std::string_view text);

/// A numeric IPv4 or IPv6 address as inet_ntop writes it. nullopt: a host name, a zone ("%eth0"), or an
/// address that is no machine's (unspecified, multicast, broadcast).
std::optional<std::string> canonicalAddress(std::string_view text);

/// A numeric address (canonical), or a host name of letters, digits, '-' and '.'.
std::optional<std::string> canonicalHost(std::string_view text);

/// Where somebody listens.
struct NumericEndpoint {
  std::string ip;  ///< canonical; "0.0.0.0" and "::" are every address
  std::uint16_t port = 0;
  bool isEveryAddress() const { return ip == "0.0.0.0" || ip == "::"; }
};
/// "10.0.0.2:8443" or "[::1]:8443". nullopt: not a numeric address with a port.
std::optional<NumericEndpoint> readEndpoint(std::string_view text);

}  // namespace zellige
