// Ranges of IPv4 addresses, as a person gives them to a scan. IPv6 networks are too large to be asked one by one: devices
// in them are found by their leases.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "controller/base/result.hpp"

namespace zellige {

/// Addresses of one scan, all its ranges together: a /16.
inline constexpr std::uint32_t kMostScanned = 65'536;

struct AddressRange {
  std::string text;                    ///< "10.20.0.0/22"
  std::uint32_t first = 0, count = 0;  ///< without the network's own and its broadcast address
  bool isPrivate = false;  ///< no address in it is routed on the Internet: RFC 1918, 6598, 3927, loopback

  std::string at(std::uint32_t i) const;  ///< i < count
};

/// "10.20.0.0/22", or one address. Invalid: why not.
Result<AddressRange> readRange(std::string_view text);

}  // namespace zellige
