// Inside this folder only: what the readers of the several lease files share.
#pragma once

#include <map>

#include "controller/site/leases.hpp"

namespace zellige {

/// Counts lines, keeps the last word on each address, and gives what is in force.
class LeaseTable : public LeaseReader {
 public:
  explicit LeaseTable(const LeaseLimits& limits) : limits_(limits) {}
  void line(std::string_view text) final;
  LeaseReading finish(Time now) final;

 protected:
  static constexpr std::int64_t kForever = INT64_MAX;

  /// One line, neither empty nor too long, without NUL. Empty: it makes sense; else why not.
  virtual std::string take(std::string_view text) = 0;
  /// The later word on an address holds.
  void put(DatedLease lease);
  void remove(const std::string& address) { byAddress_.erase(address); }

 private:
  LeaseLimits limits_;
  std::map<std::string, DatedLease> byAddress_;
  std::int64_t lines_ = 0;
  LeaseReading reading_;
  bool full_ = false;
};

std::unique_ptr<LeaseReader> makeDnsmasqReader(const LeaseLimits& limits);
std::unique_ptr<LeaseReader> makeKeaReader(const LeaseLimits& limits);

/// Bytes as a word if all are printable, else "0x…"; empty stays empty.
std::string bytesWord(std::string_view bytes);
/// "0x0A0b", "0A:0b", "0A0b" → two bytes. nullopt: no such text, or more than 512 bytes.
std::optional<std::string> bytesOfHex(std::string_view text);
/// The whole text as a number of at least 0.
std::optional<std::int64_t> wholeNumber(std::string_view text);
/// The MAC in a DUID of type 1 (LLT) or 3 (LL) of an Ethernet device; empty: it holds none.
std::string macOfDuid(std::string_view duid);

}  // namespace zellige
