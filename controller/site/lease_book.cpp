#include "controller/site/lease_book.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <sys/stat.h>
#include <unordered_set>

namespace zellige {

namespace {

/// What changes when a file is appended to, written anew, or replaced.
std::string stampOf(const LeaseFile& file) {
  std::string stamp;
  for (const auto& part : partsOf(file)) {
    struct stat s {};
    if (::stat(part.c_str(), &s) == 0)
      stamp += fmt::format("{} {} {} {}.{}\n", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec,
                           s.st_mtim.tv_nsec);
  }
  return stamp.empty() ? "none" : stamp;
}

std::size_t hashOf(const Lease& lease) {
  return std::hash<std::string>{}(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", lease.address, lease.hostname,
                                              lease.vendorClass, lease.circuit, lease.remote, lease.place));
}

bool isIpv6(const Lease& lease) { return lease.address.find(':') != std::string::npos; }
bool isInForce(const DatedLease& dated, Time now) { return dated.expires > toMillis(now) / 1000; }

/// Of two leases of one MAC, or of one address: IPv4 before IPv6, then the one that was given or renewed last.
bool isBetter(const DatedLease& a, const DatedLease& b) {
  if (isIpv6(a.lease) != isIpv6(b.lease)) return isIpv6(b.lease);
  if (a.expires != b.expires) return a.expires > b.expires;
  return a.lease < b.lease;
}

void keepBetter(std::unordered_map<std::string_view, const DatedLease*>& best, std::string_view key,
                const DatedLease& dated) {
  auto& kept = best[key];
  if (kept == nullptr || isBetter(dated, *kept)) kept = &dated;
}

/// Those in force of whose MAC and address nothing is said any more.
std::vector<DatedLease> vanishedSince(std::vector<DatedLease> before, const std::vector<DatedLease>& after,
                                      Time now) {
  std::unordered_set<std::string_view> said;
  for (const auto& [lease, expires] : after) {
    said.insert(lease.mac);
    said.insert(lease.address);
  }
  std::vector<DatedLease> out;
  for (auto& dated : before)
    if (isInForce(dated, now) && !said.contains(dated.lease.mac) && !said.contains(dated.lease.address))
      out.push_back(std::move(dated));
  return out;
}

}  // namespace

LeaseBook::LeaseBook(std::vector<LeaseFile> files, const std::vector<Circuit>& circuits, LeaseLimits limits)
    : limits_(limits) {
  for (const auto& circuit : circuits) places_[circuit.circuit] = circuit.place;
  for (auto& file : files) pages_.push_back({std::move(file), {}, {}, false, {}, {}});
}

/// Whether it could be.
bool LeaseBook::read(Page& page, Time now, News& news) const {
  auto reading = readLeases(page.file, now, limits_);
  std::string trouble;
  if (!reading)
    trouble = reading.error().what;
  else if (reading->wrong > 0)
    trouble = fmt::format("{} lines make no sense; the first is {}", reading->wrong, reading->firstWrong);
  if (!trouble.empty() && trouble != page.told) news.troubles.push_back({page.file.file, trouble});
  page.told = std::move(trouble);
  if (!reading) {
    page.stamp.clear();
    return false;
  }
  for (auto& [lease, expires] : reading->leases)
    if (const auto place = places_.find(lease.circuit); place != places_.end()) lease.place = place->second;
  page.vanished = vanishedSince(std::move(page.leases), reading->leases, now);
  page.leases = std::move(reading->leases);
  if (!page.vanished.empty()) page.stamp.clear();
  return page.wasRead = true;
}

std::unordered_map<std::string_view, const DatedLease*> LeaseBook::byMac(Time now) const {
  std::unordered_map<std::string_view, const DatedLease*> ofAddress, ofMac;
  for (const auto& page : pages_)
    for (const auto* leases : {&page.leases, &page.vanished})
      for (const auto& dated : *leases)
        if (isInForce(dated, now)) keepBetter(ofAddress, dated.lease.address, dated);
  for (const auto& [address, dated] : ofAddress) keepBetter(ofMac, dated->lease.mac, *dated);
  return ofMac;
}

LeaseBook::News LeaseBook::news(Time now, bool all) {
  News news;
  bool changed = all;
  for (auto& page : pages_) {
    auto stamp = stampOf(page.file);
    if (stamp == page.stamp) continue;
    page.stamp = std::move(stamp);
    changed = read(page, now, news) || changed;
  }
  if (!changed) return news;
  std::unordered_map<std::string, std::size_t> said;
  for (const auto& [mac, dated] : byMac(now)) {
    const auto hash = hashOf(dated->lease);
    const auto before = said_.find(dated->lease.mac);
    if (all || before == said_.end() || before->second != hash) news.leases.push_back(dated->lease);
    said.emplace(mac, hash);
  }
  said_ = std::move(said);
  std::sort(news.leases.begin(), news.leases.end());
  news.whole = all && std::all_of(pages_.begin(), pages_.end(), [](const Page& page) { return page.wasRead; });
  return news;
}

}  // namespace zellige
