// What the network shows of devices that nobody has signed in to: leases of a DHCP server, answers to a scan. What a
// device says of itself here is a claim, good for a person to look at; nothing is decided by it but where a MAC is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "controller/base/time.hpp"

namespace zellige {

/// Which address a DHCP server has given to a MAC. The words are short, printable ASCII, or empty where the server's file
/// does not have them.
struct Lease {
  std::string mac, address;  ///< in one spelling each (site/address.hpp)
  std::string hostname, vendorClass;
  std::string circuit,
      remote;         ///< DHCP option 82: the switch port that the request came in by, and the switch
  std::string place;  ///< where the circuit leads, by the configuration: a hint
  auto operator<=>(const Lease&) const = default;
};

/// What a Redfish service root says to anybody.
struct ServiceRoot {
  std::string uuid, vendor, product, redfishVersion;
  std::string pin;  ///< SHA-256 of its TLS key, base64
  auto operator<=>(const ServiceRoot&) const = default;
};

/// Who answered a scan, and where.
struct Answer {
  std::string address;
  int port = 443;
  ServiceRoot root;
};

/// A device that no manifest names. It is shown and never touched.
struct Unlisted {
  std::int64_t id = 0;
  Lease lease;  ///< no MAC: only a scan has seen it
  int port = 443;
  ServiceRoot root;
  std::optional<Time> answered;  ///< when its service root was read last; nullopt: never
  Time firstSeen{}, lastSeen{};
};

}  // namespace zellige
