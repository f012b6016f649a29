// How a request reaches a BMC (or any HTTP server): one interface, two kinds behind it. CurlTransport is the real one;
// in virtual time the commands hand requests straight to the simulator. Nothing above knows which.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "controller/base/http_message.hpp"
#include "controller/base/result.hpp"
#include "controller/base/task.hpp"
#include "controller/base/time.hpp"

namespace zellige::http {

/// Where the request goes. Address is numeric: a name server that lies must not be able to redirect a firmware push.
struct Peer {
  std::string address;      ///< "10.0.3.17" or "fd00::17"
  std::uint16_t port = 443;
  std::string pin;          ///< SHA-256 of the server's public key (base64); empty: not pinned yet
  std::string caFile;       ///< check against this CA as well; empty: the pin alone decides
};

/// The file part of a Redfish multipart push. Streamed from disk with a Content-Length (iDRAC refuses chunked bodies).
struct Upload {
  std::string parameters;          ///< JSON of the part "UpdateParameters"
  std::filesystem::path file;      ///< part "UpdateFile"
  std::string fileName;            ///< as the BMC sees it
};

struct SendOptions {
  Duration timeout{30'000};        ///< whole exchange, wall time
  Duration connectTimeout{10'000}; ///< includes the TLS handshake
  std::size_t maxReplyBytes = 8u << 20;
  std::optional<Upload> upload;    ///< replaces the body
};

struct Received {
  HttpReply reply;
  std::string pin;                 ///< of the server that answered, same form as Peer::pin
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// One exchange, never repeated, redirects never followed. A request that is not a GET or HEAD goes out on a fresh
  /// connection that is not kept: libcurl re-sends on a reused connection that turns out dead, and must not here.
  /// Errors: Unreachable (outcomeUnknown only if the request had left), Timeout (outcomeUnknown for non-GETs),
  /// BadReply (too big, cut short, not HTTP), Rejected with cause "bmc.certificate_changed" when the pin differs
  /// (nothing was sent).
  virtual Task<Result<Received>> send(Peer peer, HttpRequest request, SendOptions options) = 0;
};

}  // namespace zellige::http
