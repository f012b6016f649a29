// How a request reaches a BMC (or any HTTP server): one interface, two kinds behind it. CurlTransport is the real one;
// in virtual time the commands hand requests straight to the simulator. Nothing above knows which.
#pragma once

#include <cstdint>
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
  std::string address;  ///< "10.0.3.17" or "fd00::17"
  std::uint16_t port = 443;
  std::string pin;     ///< SHA-256 of the server's public key (base64); empty: not pinned yet
  std::string caFile;  ///< check against this CA as well; empty: the pin alone decides
  bool tls = true;     ///< false: plain HTTP, where the transport allows it
  std::string serverName;  ///< what the certificate must be issued to (checked with caFile) and the name asked for
      ///< (SNI, Host); empty: no name is checked, as BMC certificates rarely carry a right one
};

/// A file that is pushed, streamed from disk with a Content-Length (iDRAC refuses chunked bodies): as a Redfish multipart
/// push, or, without parameters, alone as the body.
struct Upload {
  std::string parameters;      ///< JSON of the part "UpdateParameters"; empty: the file is the whole body
  std::filesystem::path file;  ///< part "UpdateFile"
  std::string fileName;        ///< as the BMC sees it
};

struct SendOptions {
  Duration timeout{30'000};  ///< whole exchange, wall time; waiting for a handshake slot does not count
  Duration connectTimeout{10'000};  ///< includes the TLS handshake
  std::size_t maxReplyBytes = 8u << 20;
  std::optional<Upload> upload;  ///< replaces the body
};

struct Received {
  HttpReply reply;
  std::string pin;  ///< of the server that answered, same form as Peer::pin; empty without TLS
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// One exchange, never repeated, redirects never followed. A request that is not a GET or HEAD goes out on a fresh
  /// connection that is not kept: libcurl re-sends on a reused connection that turns out dead, and must not here.
  /// Errors: Unreachable (no connection in time: outcomeUnknown false; it broke later: see below), Timeout (connected,
  /// no whole reply in time), BadReply (too big, cut short, not HTTP), Rejected with cause "bmc.certificate_changed"
  /// when the pin differs, or "bmc.certificate_untrusted" when the CA or the name does not fit (nothing was sent),
  /// Invalid (address not numeric, malformed request, unreadable upload or CA file; nothing was sent).
  /// outcomeUnknown is true for every failure of a request other than GET and HEAD after it had begun to leave.
  /// Destroying the Task ends the exchange: its connection is closed, what the server has already read it has read.
  virtual Task<Result<Received>> send(Peer peer, HttpRequest request, SendOptions options) = 0;
};

}  // namespace zellige::http
