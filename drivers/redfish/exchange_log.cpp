#include "drivers/redfish/exchange_log.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "controller/base/result.hpp"

namespace zellige::redfish {

namespace {

constexpr std::size_t kBytes = 639;  // and the NUL that a string ends with
constexpr std::size_t kLongestPath = 200;
constexpr std::string_view kRoot = "/redfish/v1/";  // that nearly every path begins with: kept as one bit
constexpr std::array<std::string_view, 5> kMethods{"GET", "POST", "PATCH", "PUT", "DELETE"};

template <typename Stored>
Stored clamped(std::int64_t value) {
  return static_cast<Stored>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<Stored>::max()));
}

}  // namespace

struct ExchangeLog::Head {
  std::int64_t at;
  std::uint32_t took, bytes;
  std::uint16_t status, times;
  std::uint8_t pathLength;  // after kRoot, where underRoot
  bool underRoot;
  std::uint8_t method, problem;  // of kMethods; of Errc, from 1

  bool sameAnswer(const Head& other) const {
    return status == other.status && method == other.method && problem == other.problem &&
           underRoot == other.underRoot;
  }
};

ExchangeLog::Head ExchangeLog::headAt(std::size_t offset) const {
  Head head;
  std::memcpy(&head, packed_.data() + offset, sizeof head);
  return head;
}

std::string_view ExchangeLog::pathAt(std::size_t offset) const {
  return std::string_view(packed_).substr(offset + sizeof(Head), headAt(offset).pathLength);
}

void ExchangeLog::dropOldest() {
  const auto size = sizeof(Head) + headAt(0).pathLength;
  packed_.erase(0, size);
  newest_ -= std::min(newest_, size);
}

void ExchangeLog::add(const Exchange& exchange) {
  const auto method = std::find(kMethods.begin(), kMethods.end(), exchange.method);
  if (method == kMethods.end()) return;
  Head head{};
  auto path = std::string_view(exchange.path).substr(0, kLongestPath);
  head.underRoot = path.starts_with(kRoot);
  if (head.underRoot) path.remove_prefix(kRoot.size());
  head.at = toMillis(exchange.at);
  head.took = clamped<std::uint32_t>(exchange.took.count());
  head.bytes = clamped<std::uint32_t>(exchange.bytes);
  head.status = clamped<std::uint16_t>(exchange.status);
  head.times = 1;
  head.pathLength = static_cast<std::uint8_t>(path.size());
  head.method = static_cast<std::uint8_t>(method - kMethods.begin());
  for (int code = 0; code <= static_cast<int>(Errc::Invalid); ++code)
    if (name(static_cast<Errc>(code)) == exchange.problem) head.problem = static_cast<std::uint8_t>(code + 1);

  if (!packed_.empty() && headAt(newest_).sameAnswer(head) && pathAt(newest_) == path) {
    head.times = clamped<std::uint16_t>(headAt(newest_).times + std::int64_t{1});
    std::memcpy(packed_.data() + newest_, &head, sizeof head);
    return;
  }
  if (packed_.capacity() < kBytes) packed_.reserve(kBytes);
  while (packed_.size() + sizeof head + path.size() > kBytes) dropOldest();
  newest_ = packed_.size();
  packed_.append(reinterpret_cast<const char*>(&head), sizeof head);
  packed_.append(path);
}

std::vector<Exchange> ExchangeLog::read() const {
  std::vector<Exchange> out;
  for (std::size_t offset = 0; offset < packed_.size(); offset += sizeof(Head) + headAt(offset).pathLength) {
    const auto head = headAt(offset);
    Exchange exchange;
    exchange.at = fromMillis(head.at);
    exchange.method = kMethods.at(head.method);
    exchange.path = std::string(head.underRoot ? kRoot : "").append(pathAt(offset));
    exchange.status = head.status;
    exchange.took = Duration{head.took};
    exchange.bytes = head.bytes;
    if (head.problem != 0) exchange.problem = name(static_cast<Errc>(head.problem - 1));
    exchange.times = head.times;
    out.push_back(std::move(exchange));
  }
  return out;
}

}  // namespace zellige::redfish
