// All the lease files of a site together, and what they said last, so that only news is told.
#pragma once

#include <string>
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
  };
  /// Reads the files if one of them is not as it was, or if `all` is wanted. A file that cannot be read says nothing;
  /// what it said before stays as it was.
  News news(Time now, bool all);

 private:
  bool haveChanged();
  std::vector<DatedLease> readAll(Time now, News& news);

  std::vector<LeaseFile> files_;
  std::unordered_map<std::string, std::string> places_;  // by circuit
  LeaseLimits limits_;
  std::vector<std::string> stamps_;                    // of files_, from before they were read
  std::vector<std::string> told_;                      // of files_
  std::unordered_map<std::string, std::size_t> said_;  // by MAC: hash of its lease
};

}  // namespace zellige
