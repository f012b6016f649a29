// The key of the server at the other end of a TLS connection.
#pragma once

#include <string>

namespace zellige::http {

/// SHA-256 of the peer's SubjectPublicKeyInfo in base64, as in Peer::pin; `ssl` is an SSL*. Computed once per
/// connection and kept with it. Empty: there is no certificate.
std::string pinOf(void* ssl);

}  // namespace zellige::http
