#include "controller/site/address_range.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace zellige {

namespace {

constexpr int kWidest = 16;

std::string spell(std::uint32_t address) {
  const in_addr four{htonl(address)};
  std::array<char, INET_ADDRSTRLEN> out{};
  return inet_ntop(AF_INET, &four, out.data(), out.size());
}

bool lies(std::uint32_t address, std::uint32_t network, int prefix) {
  return ((address ^ network) >> (32 - prefix)) == 0;
}

bool isPrivate(std::uint32_t address) {
  return lies(address, 0x0A000000, 8) || lies(address, 0xAC100000, 12) || lies(address, 0xC0A80000, 16) ||
         lies(address, 0x64400000, 10) || lies(address, 0xA9FE0000, 16) || lies(address, 0x7F000000, 8);
}

Error invalid(std::string_view text, std::string_view why) {
  return {Errc::Invalid, fmt::format("'{}' {}", text.substr(0, 64), why)};
}

}  // namespace

std::string AddressRange::at(std::uint32_t i) const { return spell(first + i); }

Result<AddressRange> readRange(std::string_view text) {
  const auto slash = text.find('/');
  const std::string host(text.substr(0, slash).substr(0, 64));
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) != 1)
    return invalid(text, "is no range of IPv4 addresses like 10.20.0.0/22");
  int prefix = 32;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || prefix < 0 || prefix > 32)
      return invalid(text, "is no range of IPv4 addresses like 10.20.0.0/22");
  }
  if (prefix < kWidest) return invalid(text, "is too wide: at most a /16 is scanned");
  AddressRange range{std::string(text), ntohl(four.s_addr), 1u << (32 - prefix)};
  if (range.first % range.count != 0)
    return invalid(text, fmt::format("does not begin where its network does: write {}/{}",
                                     spell(range.first - range.first % range.count), prefix));
  if (range.first >> 24 == 0 || range.first >> 24 >= 224) return invalid(text, "holds no machine's address");
  range.isPrivate = isPrivate(range.first) && isPrivate(range.first + range.count - 1);
  if (prefix <= 30) {
    ++range.first;
    range.count -= 2;
  }
  return range;
}

}  // namespace zellige
