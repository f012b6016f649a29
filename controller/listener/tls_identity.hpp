// Who a server says it is: a certificate and its key, as PEM text.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/result.hpp"

struct ssl_ctx_st;

namespace zellige::listener {

struct TlsIdentity {
  std::string certificatePem;  ///< the server's own first, then its chain
  std::string keyPem;
};

/// A new P-256 key and a certificate signed by itself, valid from yesterday for 10 years. `names`: numeric addresses
/// become IP entries of the SubjectAltName, everything else DNS entries.
TlsIdentity makeSelfSigned(const std::string& commonName, const std::vector<std::string>& names);

/// Errc::Invalid: a file cannot be read.
Result<TlsIdentity> loadTlsIdentity(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key);

/// SHA-256 of the certificate's public key (SubjectPublicKeyInfo), base64: what http::Peer::pin holds.
/// Errc::Invalid: not a PEM certificate.
Result<std::string> spkiPin(std::string_view certificatePem);

/// TLS 1.2 and newer, ECDHE with AES-GCM or ChaCha20, X25519 or P-256; buffers are freed while a connection idles.
/// Errc::Invalid: certificate and key are unreadable or do not belong together.
Result<std::shared_ptr<ssl_ctx_st>> serverContext(const TlsIdentity& identity);

}  // namespace zellige::listener
