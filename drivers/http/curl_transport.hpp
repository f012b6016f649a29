// Requests over real sockets: libcurl's multi_socket interface on one I/O thread of its own.
//
// Peers are spread over shards (one CURLM each), because libcurl's cost per request grows with the connections that one
// CURLM keeps: 64 shards took 92-97 us per request over 15,000 kept-alive hosts where one took 970-2,040 (stack.md 2).
#pragma once

#include <memory>

#include "controller/base/executor.hpp"
#include "drivers/http/transport.hpp"

namespace zellige::http {

struct CurlOptions {
  std::size_t shards = 64;
  std::size_t maxConnectionsPerShard = 256;  ///< kept alive; the least recently used one is closed for the next
  std::size_t maxHandshakes = 64;  ///< at a time; more wait their turn. Unlimited, they time each other out
  Duration handshakeHold{1'000};   ///< a peer that does not answer gives its turn away after this long
  std::size_t pooledHandles = 1'024;  ///< idle easy handles, 5.4 KB each
  bool allowPlainHttp = false;        ///< accept Peer::tls == false (the agent's uplink in the simulator)
};

/// Which of `shards` serves this peer.
std::size_t shardOf(const Peer& peer, std::size_t shards);

class CurlTransport final : public Transport {
 public:
  /// Callers' coroutines resume on `executor`, which must accept posts from other threads and outlive the transport.
  explicit CurlTransport(Executor& executor, CurlOptions options = {});
  /// Ends the thread. Requests in flight fail as Unreachable; their callers resume if the executor still runs.
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;

  Task<Result<Received>> send(Peer peer, HttpRequest request, SendOptions options) override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace zellige::http
