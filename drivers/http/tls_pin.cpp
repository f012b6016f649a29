#include "drivers/http/tls_pin.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "controller/base/digest.hpp"

namespace zellige::http {

namespace {

void freePin(void*, void* pin, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(pin); }

int pinSlot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, freePin);
  return slot;
}

std::string compute(SSL* ssl) {
  const auto* certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate) return {};
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digestLength = 0;
  const bool ok = EVP_Digest(der, static_cast<std::size_t>(length), digest, &digestLength, EVP_sha256(),
                             nullptr) == 1;
  OPENSSL_free(der);
  return ok ? toBase64({reinterpret_cast<const char*>(digest), digestLength}) : std::string{};
}

}  // namespace

std::string pinOf(void* handle) {
  auto* ssl = static_cast<SSL*>(handle);
  if (const auto* known = static_cast<const std::string*>(SSL_get_ex_data(ssl, pinSlot()))) return *known;
  auto pin = compute(ssl);
  auto* kept = new std::string(pin);
  if (SSL_set_ex_data(ssl, pinSlot(), kept) != 1) delete kept;
  return pin;
}

}  // namespace zellige::http
