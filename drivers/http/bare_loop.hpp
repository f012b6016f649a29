// The floor of `zellige bench redfish`: libcurl's multi_socket interface under epoll and nothing else. No coroutines, no
// pins, no handshake slots, no second thread; it GETs one path from many peers over kept-alive TLS as cheaply as we know
// how. Never used to reach a machine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/http/curl_transport.hpp"

namespace zellige::http {

struct BareCount {
  std::uint64_t replies = 0;   ///< with status 200
  std::uint64_t failures = 0;  ///< everything else
};

class BareLoop {
 public:
  /// Peers lie on the same shards as CurlTransport's with the same options. GETs carry `headers` ("Name: value").
  BareLoop(const std::vector<Peer>& peers, std::string_view target, const std::vector<std::string>& headers,
           const CurlOptions& options);
  ~BareLoop();
  BareLoop(const BareLoop&) = delete;

  /// Makes `total` GETs, peer after peer, `inFlight` at a time; each body is handed to `onReply`.
  BareCount run(std::uint64_t total, std::size_t inFlight,
                const std::function<void(const std::string&)>& onReply);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zellige::http
