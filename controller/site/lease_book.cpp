#include "controller/site/lease_book.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <sys/stat.h>

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

/// Of two leases of one MAC, or of one address: IPv4 before IPv6, then the one that was given or renewed last.
bool isBetter(const DatedLease& a, const DatedLease& b) {
  if (isIpv6(a.lease) != isIpv6(b.lease)) return isIpv6(b.lease);
  if (a.expires != b.expires) return a.expires > b.expires;
  return a.lease < b.lease;
}

/// Each address is its newest lease's alone.
void keepNewestOfAddress(std::vector<DatedLease>& leases) {
  std::sort(leases.begin(), leases.end(), [](const DatedLease& a, const DatedLease& b) {
    return a.lease.address != b.lease.address ? a.lease.address < b.lease.address : isBetter(a, b);
  });
  const auto sameAddress = [](const DatedLease& a, const DatedLease& b) {
    return a.lease.address == b.lease.address;
  };
  leases.erase(std::unique(leases.begin(), leases.end(), sameAddress), leases.end());
}

}  // namespace

LeaseBook::LeaseBook(std::vector<LeaseFile> files, const std::vector<Circuit>& circuits, LeaseLimits limits)
    : files_(std::move(files)), limits_(limits), stamps_(files_.size()), told_(files_.size()) {
  for (const auto& circuit : circuits) places_[circuit.circuit] = circuit.place;
}

bool LeaseBook::haveChanged() {
  bool changed = false;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    auto stamp = stampOf(files_[i]);
    if (stamp == stamps_[i]) continue;
    stamps_[i] = std::move(stamp);
    changed = true;
  }
  return changed;
}

std::vector<DatedLease> LeaseBook::readAll(Time now, News& news) {
  std::vector<DatedLease> all;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    auto reading = readLeases(files_[i], now, limits_);
    std::string trouble;
    if (!reading)
      trouble = reading.error().what;
    else if (reading->wrong > 0)
      trouble = fmt::format("{} lines make no sense; the first is {}", reading->wrong, reading->firstWrong);
    if (!trouble.empty() && trouble != told_[i]) news.troubles.push_back({files_[i].file, trouble});
    told_[i] = std::move(trouble);
    if (reading)
      std::move(reading->leases.begin(), reading->leases.end(), std::back_inserter(all));
    else
      stamps_[i].clear();  // tried again, also if it stays as it is
  }
  return all;
}

LeaseBook::News LeaseBook::news(Time now, bool all) {
  News news;
  if (!haveChanged() && !all) return news;
  auto leases = readAll(now, news);
  keepNewestOfAddress(leases);
  std::sort(leases.begin(), leases.end(), [](const DatedLease& a, const DatedLease& b) {
    return a.lease.mac != b.lease.mac ? a.lease.mac < b.lease.mac : isBetter(a, b);
  });
  std::unordered_map<std::string, std::size_t> said;
  for (auto& [lease, expires] : leases) {
    if (said.contains(lease.mac)) continue;
    if (const auto place = places_.find(lease.circuit); place != places_.end()) lease.place = place->second;
    const auto hash = hashOf(lease);
    said.emplace(lease.mac, hash);
    const auto before = said_.find(lease.mac);
    if (all || before == said_.end() || before->second != hash) news.leases.push_back(std::move(lease));
  }
  said_ = std::move(said);
  return news;
}

}  // namespace zellige
