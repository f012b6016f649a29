#include "controller/site/lease_reader.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "controller/site/address.hpp"

namespace zellige {

namespace {

constexpr std::size_t kMostWord = 128, kMostBytes = 512;

bool isPrintable(char c) { return c >= ' ' && c < 0x7F; }

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void LeaseTable::line(std::string_view text) {
  ++lines_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return;
  std::string why;
  if (text.size() > limits_.line)
    why = fmt::format("longer than {} bytes", limits_.line);
  else if (text.find('\0') != std::string_view::npos)
    why = "holds a NUL byte";
  else
    why = take(text);
  if (!why.empty() && reading_.wrong++ == 0) reading_.firstWrong = fmt::format("line {}: {}", lines_, why);
}

void LeaseTable::put(DatedLease lease) {
  const auto known = byAddress_.find(lease.lease.address);
  if (known != byAddress_.end()) {
    known->second = std::move(lease);
  } else if (byAddress_.size() < limits_.leases) {
    auto address = lease.lease.address;
    byAddress_.emplace(std::move(address), std::move(lease));
  } else if (!std::exchange(full_, true) && reading_.wrong++ == 0) {
    reading_.firstWrong = fmt::format("line {}: more than {} leases; no more are taken", lines_,
                                      limits_.leases);
  }
}

LeaseReading LeaseTable::finish(Time now) {
  const auto seconds = toMillis(now) / 1000;
  for (auto& [address, lease] : byAddress_)
    if (lease.expires > seconds) reading_.leases.push_back(std::move(lease));
  return std::move(reading_);
}

std::string bytesWord(std::string_view bytes) {
  if (std::all_of(bytes.begin(), bytes.end(), isPrintable)) return std::string(bytes.substr(0, kMostWord));
  std::string out = "0x";
  for (const char c : bytes.substr(0, (kMostWord - 2) / 2))
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> bytesOfHex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::string out;
  while (!text.empty()) {
    if (text.size() < 2 || digitOf(text[0]) < 0 || digitOf(text[1]) < 0 || out.size() >= kMostBytes)
      return std::nullopt;
    out += static_cast<char>(digitOf(text[0]) * 16 + digitOf(text[1]));
    text.remove_prefix(2);
    if (text.size() > 1 && text.front() == ':') text.remove_prefix(1);
  }
  return out;
}

std::optional<std::int64_t> wholeNumber(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < 0) return std::nullopt;
  return out;
}

std::string macOfDuid(std::string_view duid) {
  const auto bytes = bytesOfHex(duid);
  if (!bytes) return {};
  const auto view = std::string_view(*bytes);
  using namespace std::string_view_literals;
  const bool withTime = view.size() == 14 && view.starts_with("\x00\x01\x00\x01"sv);
  const bool without = view.size() == 10 && view.starts_with("\x00\x03\x00\x01"sv);
  if (!withTime && !without) return {};
  std::string mac;
  for (const char c : view.substr(view.size() - 6))
    mac += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return canonicalMac(mac).value_or("");
}

}  // namespace zellige
