// The last exchanges with one BMC, for people: what was asked, when, and what came back. Never headers, bodies or
// secrets. A site has a log for each of its hundreds of thousands of BMCs, so a log is packed into 639 bytes, and a poll that
// is answered as before is counted, not kept again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/time.hpp"

namespace zellige::redfish {

struct Exchange {
  Time at{};               ///< the last of them
  std::string method;      ///< of those that Redfish has; another is not kept
  std::string path;        ///< no query; of a longer one its first 200 bytes
  int status = 0;          ///< 0: no reply
  Duration took{0};        ///< the last of them
  std::int64_t bytes = 0;  ///< of the last reply's body
  std::string problem;     ///< name of the Errc where there was no reply
  int times = 1;           ///< in a row, answered the same way
};

class ExchangeLog {
 public:
  void add(const Exchange& exchange);
  /// Oldest first: what 639 bytes hold, about 11.
  std::vector<Exchange> read() const;

 private:
  struct Head;
  Head headAt(std::size_t offset) const;
  std::string_view pathAt(std::size_t offset) const;
  void dropOldest();

  std::string packed_;      // heads, each followed by its path
  std::size_t newest_ = 0;  // offset of the last head, if there is one
};

}  // namespace zellige::redfish
