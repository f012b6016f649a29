// Range scans, as the API begins and shows them. Who asks the addresses is behind this: the API knows no socket.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/site/address_range.hpp"
#include "controller/store/records.hpp"

namespace zellige::api {

struct ScanRequest {
  std::vector<AddressRange> ranges;
  int port = 443;
  By by;
};

struct ScanState {
  std::vector<std::string> ranges;
  int port = 443;
  std::string by;
  Time begun{};
  std::optional<Time> ended;
  bool stopped = false;         ///< before its end
  std::uint32_t addresses = 0;  ///< to be asked, or left out
  std::uint32_t asked = 0;
  std::uint32_t nodes = 0;     ///< left out: a node has this address
  std::uint32_t answered = 0;  ///< as a Redfish service
};

class Scanning {
 public:
  virtual ~Scanning() = default;
  /// Conflict: another scan is running.
  virtual Task<Result<void>> begin(ScanRequest request) = 0;
  /// False: none is running.
  virtual bool stop() = 0;
  /// The running scan, or the last one since the start; nullopt: there was none.
  virtual std::optional<ScanState> state() const = 0;
};

}  // namespace zellige::api
