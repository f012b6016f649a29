#include "controller/commands/own_identity.hpp"

#include <fmt/format.h>

#include "controller/base/durable_file.hpp"

namespace zellige {

namespace {

namespace fs = std::filesystem;

bool isThere(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return !error && size > 0;
}

/// The ip of "10.0.0.1:8443" or "[::1]:8443".
std::string hostOf(std::string_view listen) {
  auto host = listen.substr(0, listen.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace

Result<listener::TlsIdentity> ownIdentity(const Configuration& configuration) {
  const auto& api = configuration.api;
  if (!api.certificate.empty()) return listener::loadTlsIdentity(api.certificate, api.key);
  const auto certificate = fs::path(configuration.dataDir) / "tls.crt",
             key = fs::path(configuration.dataDir) / "tls.key";
  if (isThere(certificate) && isThere(key)) {
    auto kept = listener::loadTlsIdentity(certificate, key);
    if (!kept) return kept;
    if (const auto usable = listener::serverContext(*kept); !usable)
      return Error{
          Errc::Invalid,
          fmt::format("{} and {} cannot be used ({}): restore both from the backup; or remove both, and "
                      "a new pair is made, whose key everybody must compare again",
                      certificate.string(), key.string(), usable.error().what)};
    return kept;
  }
  const auto identity = listener::makeSelfSigned(
      "zellige", {"localhost", "127.0.0.1", hostOf(api.listen), hostOf(configuration.provisioning.listen)});
  // The certificate last: without it, the key counts as never made.
  fs::remove(certificate);
  if (auto written = writeDurably(key, identity.keyPem, 0600); !written) return written.error();
  if (auto written = writeDurably(certificate, identity.certificatePem, 0644); !written)
    return written.error();
  return identity;
}

}  // namespace zellige
