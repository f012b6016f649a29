// Files in which DHCP servers write down who has which address: dnsmasq's lease file (of its IPv4 and IPv6 leases), and
// Kea's memfile (kea-leases4.csv, kea-leases6.csv). Their servers write them while we read, and what stands in them comes
// from whoever asked for an address: a line that makes no sense is left out and counted, a last line without its end
// is not there yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/result.hpp"
#include "controller/base/time.hpp"
#include "controller/model/sighting.hpp"

namespace zellige {

enum class LeaseFormat { Dnsmasq, Kea };
ZELLIGE_NAMES(LeaseFormat, {LeaseFormat::Dnsmasq, "dnsmasq"}, {LeaseFormat::Kea, "kea"});

struct LeaseFile {
  std::string file;
  LeaseFormat format = LeaseFormat::Dnsmasq;
  auto operator<=>(const LeaseFile&) const = default;
};

/// Where a switch port leads.
struct Circuit {
  std::string circuit;  ///< option 82's circuit id as Zellige shows it
  std::string place;    ///< H1/R01/RK001, or a slot in it
  auto operator<=>(const Circuit&) const = default;
};

struct LeaseLimits {
  std::size_t bytes = 256u << 20;  ///< Kea appends every renewal until its cleanup, hourly: 1 million lines of 250 bytes
  std::size_t line = 8192;
  std::size_t leases = 500'000;  ///< twice the endpoints of 3,200 racks (facts/domain.md 1)
};

/// One lease and what decides between two of one MAC.
struct DatedLease {
  Lease lease;
  std::int64_t expires = 0;  ///< UTC seconds
};

/// What one file says.
struct LeaseReading {
  std::vector<DatedLease> leases;  ///< in force at `now`, one for an address, by address
  std::int64_t wrong = 0;          ///< lines that make no sense
  std::string firstWrong;          ///< "line 12: …"; empty: none
};

/// Reads a file line by line.
class LeaseReader {
 public:
  virtual ~LeaseReader() = default;
  virtual void line(std::string_view text) = 0;  ///< without its end
  virtual LeaseReading finish(Time now) = 0;
};
std::unique_ptr<LeaseReader> makeLeaseReader(LeaseFormat format, const LeaseLimits& limits = {});

/// The files that make up this one, in the order in which they are to be read.
std::vector<std::string> partsOf(const LeaseFile& file);
/// A whole file. Invalid: it is not there, no plain file, or beyond the limits; nothing of it is to be believed then.
Result<LeaseReading> readLeases(const LeaseFile& file, Time now, const LeaseLimits& limits = {});

}  // namespace zellige
