// All the lease files of a site together, and what they said last, so that only news is told.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controller/site/leases.hpp"

namespace zellige {

/// For one thread at a time: reading large files takes as long as the disk does.
class LeaseBook {
 public:
  LeaseBook(std::vector<LeaseFile> files, const std::vector<Circuit>& circuits, LeaseLimits limits = {});

  struct Trouble {
    std::string file, why;
  };
  struct News {
    std::vector<Lease> leases;  ///< one for a MAC and for an address, by MAC: those that are not as before, or all
    std::vector<Trouble> troubles;  ///< files that cannot be read, or have wrong lines; told again when it changes
    bool whole = false;  ///< `leases` is all that there is: all was wanted, and every file has been read by now
  };
  /// Reads the files that are not as they were. Of two leases of one MAC or of one address the newer holds. A file that
  /// cannot be read says what it said before. A lease that vanishes from its file before its time, and whose MAC and
  /// address do not occur there any more, is believed until the file was read once more: it may have been read while it
  /// was written.
  News news(Time now, bool all);

 private:
  struct Page {
    LeaseFile file;
    std::string stamp;  // of the file, from before it was read; empty: it is to be read, also if it stays as it is
    std::string told;  // what is wrong with it
    bool wasRead = false;
    std::vector<DatedLease> leases;    // what it said when it could be read last
    std::vector<DatedLease> vanished;  // what it said before that
  };
  bool read(Page& page, Time now, News& news) const;
  std::unordered_map<std::string_view, const DatedLease*> byMac(Time now) const;

  std::unordered_map<std::string, std::string> places_;  // by circuit
  LeaseLimits limits_;
  std::vector<Page> pages_;
  std::unordered_map<std::string, std::size_t> said_;  // by MAC: hash of its lease
};

}  // namespace zellige
