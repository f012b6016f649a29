// dnsmasq's lease file. IPv4: "expiry MAC address hostname client-id". After a line "duid …" come IPv6 leases:
// "expiry IAID address hostname DUID". Expiry is in UTC seconds, 0 is never; "*" is nothing.
#include <array>

#include "controller/base/text.hpp"
#include "controller/site/address.hpp"
#include "controller/site/lease_reader.hpp"

namespace zellige {

namespace {

class DnsmasqReader final : public LeaseTable {
 public:
  using LeaseTable::LeaseTable;

 private:
  std::string take(std::string_view text) override {
    if (text.starts_with("duid ")) {
      inIpv6_ = true;
      return {};
    }
    std::array<std::string_view, 5> words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto cut = text.find(' ');
      if (text.empty() || ((cut == std::string_view::npos) != (i + 1 == words.size())))
        return "not the five words of a lease";
      words[i] = text.substr(0, cut);
      text = cut == std::string_view::npos ? std::string_view{} : text.substr(cut + 1);
    }
    const auto& [expiry, who, where, hostname, client] = words;
    const auto expires = wholeNumber(expiry);
    if (!expires) return "the expiry is no time in seconds";
    auto address = canonicalAddress(where);
    if (!address) return "the address is none of a machine";
    DatedLease lease;
    lease.expires = *expires == 0 ? kForever : *expires;
    // A device on something else than Ethernet ("06-…"), or one whose DUID says nothing of it, is none of ours.
    lease.lease.mac = inIpv6_ ? macOfDuid(client) : canonicalMac(who).value_or("");
    lease.lease.address = std::move(*address);
    if (hostname != "*") lease.lease.hostname = plainWord(hostname);
    if (lease.lease.mac.empty())
      remove(lease.lease.address);
    else
      put(std::move(lease));
    return {};
  }

  bool inIpv6_ = false;
};

}  // namespace

std::unique_ptr<LeaseReader> makeDnsmasqReader(const LeaseLimits& limits) {
  return std::make_unique<DnsmasqReader>(limits);
}

}  // namespace zellige
